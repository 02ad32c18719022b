//! Flows made of a capture.

use super::{body, extract::Query};
use crate::{
    packet::Recording,
    serve::{captured, problem::Problem, runs::blocking},
};
use axum::{Json, extract::Request};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// How many flows are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Most {
    /// What would make more is left out.
    #[serde(default = "most")]
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: usize,
}

fn most() -> usize {
    20
}

/// Flows whose frames have the headers of captured ones.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FromCapture {
    /// The shape of a flow file; its ports are `west` and `east`, to be replaced.
    #[schema(value_type = Object)]
    spec: Value,
    /// Frames of the capture.
    captured_frames: usize,
    /// Those of them that the flows stand for.
    frames: usize,
    /// What the flows do not have of it.
    notes: Vec<String>,
}

/// Makes flows of a capture of Ethernet frames, pcap or pcapng, of at most 8 MiB.
#[utoipa::path(post, path = "/api/v1/flows/from-capture", tag = "flows", params(Most),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = FromCapture), (status = 400, body = Problem),
    (status = 413, body = Problem), (status = 422, body = Problem)),
    operation_id = "flows_from_capture")]
pub(super) async fn from_capture(
    Query(most): Query<Most>,
    request: Request,
) -> Result<Json<FromCapture>, Problem> {
    if !(1..=100).contains(&most.limit) {
        return Err(Problem::bad("limit", "1 to 100"));
    }
    let octets = body::read(request).await?;
    let made = blocking(move || {
        let recording = Recording::read(&*octets, true)
            .map_err(|error| Problem::unfit("", error.to_string()))?;
        let captured = captured::flows(&recording, most.limit);
        Ok::<_, Problem>(FromCapture {
            spec: captured.spec,
            captured_frames: recording.len(),
            frames: captured.frames,
            notes: captured.notes,
        })
    });
    made.await?.map(Json)
}
