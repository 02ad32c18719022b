//! Frames of flows, shown before they are sent.

use super::{
    App,
    extract::{Body, Path, Query},
    flows::{SpecBody, check},
};
use crate::{
    packet::{Cursor, Header, Mac, NextHop, Program, TAG_BYTES, TagStamp, digits, dissect},
    serve::{
        problem::{Problem, below},
        runs::blocking,
    },
    spec::{JsonText, Row, Track},
};
use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use std::{ops::Range, sync::Arc};
use utoipa::{IntoParams, ToSchema};

/// How many frames are shown.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Count {
    /// Of each flow.
    #[serde(default = "frames")]
    #[param(minimum = 1, maximum = 100, default = 3)]
    count: u32,
}

fn frames() -> u32 {
    3
}

/// The first frames of every flow.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Preview {
    /// Flow by flow, at most 1,000 in all.
    frames: Vec<PreviewedFrame>,
}

/// A frame as it would leave, without its FCS. MAC addresses that only a run knows are
/// 02:00:00:00:00:01 (source) and 02:00:00:00:00:02 (next hop).
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PreviewedFrame {
    /// The row.
    flow: String,
    /// Its number, from 0.
    number: u64,
    /// Octets with FCS.
    size: usize,
    /// In hexadecimal digits.
    octets: String,
    /// Its headers in words.
    headers: String,
    /// The same, header by header, as they are read from the octets.
    layers: Vec<PreviewedLayer>,
    /// What differs from frame to frame of the flow, checksums and the tag included.
    varying: Vec<Octets>,
    /// By which it is known again; null: it has none.
    tag: Option<Octets>,
}

/// A header of a frame, named as in the flow file, or `payload`.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PreviewedLayer {
    name: &'static str,
    /// Where it begins.
    offset: usize,
    /// Its length.
    octets: usize,
    fields: Vec<PreviewedField>,
    /// What is wrong with it: `TRUNCATED`, `BAD LENGTH`, `BAD CHECKSUM`.
    faults: Vec<&'static str>,
}

/// A field of a header, named as in the flow file where it may stand there.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PreviewedField {
    name: &'static str,
    /// As a flow file has it: `198.18.0.2`, `7`, `0x0800`.
    value: String,
}

/// Some octets of a frame.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Octets {
    /// Of the first.
    offset: usize,
    /// How many.
    octets: usize,
}

impl From<Range<usize>> for Octets {
    fn from(range: Range<usize>) -> Self {
        Self { offset: range.start, octets: range.len() }
    }
}

impl From<Header> for PreviewedLayer {
    fn from(header: Header) -> Self {
        let Header { name, offset, octets, fields, faults, .. } = header;
        let field = |field: crate::packet::HeaderField| PreviewedField {
            name: field.name,
            value: field.value,
        };
        Self { name, offset, octets, faults, fields: fields.into_iter().map(field).collect() }
    }
}

const PREVIEW_MOST: usize = 1000;

/// Shows the first frames of flows without sending them.
#[utoipa::path(post, path = "/api/v1/flows/preview", tag = "flows", params(Count),
    request_body = SpecBody, responses((status = 200, body = Preview),
    (status = 400, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem),
    (status = 422, body = Problem)))]
pub(super) async fn preview(
    State(app): State<App>,
    Query(count): Query<Count>,
    Body(body): Body<SpecBody>,
) -> Result<Json<Preview>, Problem> {
    show(&app, body.spec, &count).await
}

/// Shows the first frames of a flow set.
#[utoipa::path(get, path = "/api/v1/flows/{id}/preview", tag = "flows",
    operation_id = "flows_preview_stored",
    params(("id" = u64, Path, description = "The flow set"), Count),
    responses((status = 200, body = Preview), (status = 400, body = Problem),
    (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn preview_stored(
    State(app): State<App>,
    Path(id): Path<u64>,
    Query(count): Query<Count>,
) -> Result<Json<Preview>, Problem> {
    let store = Arc::clone(&app.store);
    let found = blocking(move || store.flow_set(id)).await??;
    let set = found.ok_or_else(|| Problem::not_found("flow set", id))?;
    show(&app, set.spec, &count).await
}

async fn show(app: &App, spec: JsonText, count: &Count) -> Result<Json<Preview>, Problem> {
    if !(1..=100).contains(&count.count) {
        return Err(Problem::bad("count", "1 to 100"));
    }
    let count = u64::from(count.count);
    let (_, shown) = check(app, spec, move |shown: &mut Shown, row| shown.add(row, count)).await?;
    match shown.fault {
        Some(fault) => Err(fault),
        None => Ok(Json(Preview { frames: shown.frames })),
    }
}

/// Frames so far.
#[derive(Debug, Default)]
struct Shown {
    flows: u16,
    frames: Vec<PreviewedFrame>,
    /// Of the first flow that has none.
    fault: Option<Problem>,
}

impl Shown {
    fn add(&mut self, row: &Row<'_>, count: u64) {
        if self.fault.is_none() && self.frames.len() < PREVIEW_MOST {
            self.fault = self.add_frames(row, count).err();
        }
        self.flows = self.flows.wrapping_add(1);
    }

    fn add_frames(&mut self, row: &Row<'_>, count: u64) -> Result<(), Problem> {
        /// Stand for addresses that only a run knows.
        const SOURCE: Mac = [2, 0, 0, 0, 0, 1];
        const NEXT_HOP: Mac = [2, 0, 0, 0, 0, 2];
        let flow = row.flow;
        let program = Program::compile(flow, SOURCE, &NextHop::One(NEXT_HOP)).map_err(|error| {
            Problem::unfit(below("spec", &row.place("layers").key), error.to_string())
        })?;
        let varying: Vec<_> =
            (0..program.variants().len()).map(|variant| program.varying(variant as u16)).collect();
        let mut cursor = Cursor::new(Arc::new(program), 0, 1);
        let mut chunk = vec![0; cursor.program().max_frame_bytes()];
        let room = (PREVIEW_MOST - self.frames.len()) as u64;
        for number in 0..count.min(room) {
            let variant = cursor.variant();
            cursor.fill(&mut chunk);
            let (stream, sequence) = (self.flows, number as u32);
            let stamp = TagStamp { magic: 0, stream, sequence, time_ns: 0 };
            let bytes = cursor.write(&mut chunk, &stamp);
            let frame = &chunk[..bytes];
            let read = dissect(frame, flow.track == Track::Tag);
            self.frames.push(PreviewedFrame {
                flow: flow.name.clone(),
                number,
                size: bytes + 4,
                octets: digits(frame),
                headers: read.to_string(),
                varying: varying[usize::from(variant)].iter().cloned().map(Octets::from).collect(),
                tag: read.tag.map(|(at, _)| Octets::from(at..at + TAG_BYTES)),
                layers: read.headers.into_iter().map(PreviewedLayer::from).collect(),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Spec;
    use serde_json::{Value, json};

    fn shown(spec: Value, count: u64) -> Value {
        let mut shown = Shown::default();
        Spec::check_json(&spec.into(), &mut |row| shown.add(row, count)).unwrap();
        assert_eq!(shown.fault, None);
        serde_json::to_value(shown.frames).unwrap()
    }

    #[test]
    fn flows_of_ports_that_exist_nowhere_are_shown_header_by_header() {
        let spec = json!({"flow": [{
            "name": "f", "tx": "no-such-port", "rx": "none@nowhere", "size": [64, 128],
            "layers": [{"eth": {}}, {"ipv4": {"src": "198.18.0.2", "dst": {"range": "198.18.1.1-198.18.1.9"}}},
                {"udp": {"src": 1, "dst": 7}}],
        }]});
        let frames = shown(spec, 2);
        let frame = &frames[1];
        assert_eq!((&frame["size"], &frame["number"]), (&json!(128), &json!(1)));
        let names: Vec<_> =
            frame["layers"].as_array().unwrap().iter().map(|layer| &layer["name"]).collect();
        assert_eq!(names, ["eth", "ipv4", "udp", "payload"]);
        let ipv4 = &frame["layers"][1];
        assert_eq!((&ipv4["offset"], &ipv4["octets"]), (&json!(14), &json!(20)));
        assert_eq!(ipv4["fields"][1], json!({"name": "dst", "value": "198.18.1.2"}));
        assert_eq!(frame["tag"], json!({"offset": 110, "octets": 14}));
        // Lengths, the IPv4 checksum, the lowest octets of the address, the UDP checksum, the tag.
        let varying: Vec<_> = frame["varying"].as_array().unwrap().iter().collect();
        let octets = |offset, octets| json!({"offset": offset, "octets": octets});
        assert_eq!(
            varying,
            [&octets(16, 2), &octets(24, 2), &octets(30, 4), &octets(38, 4), &octets(110, 14)]
        );
    }

    #[test]
    fn what_is_not_tagged_has_no_tag_and_what_does_not_vary_is_not_said_to() {
        let spec = json!({"flow": [{"name": "f", "tx": "x", "track": "none", "layers": [{"eth": {"dst": "02:00:00:00:00:09"}}]}]});
        let frames = shown(spec, 1);
        assert_eq!((&frames[0]["tag"], &frames[0]["varying"]), (&Value::Null, &json!([])));
    }
}
