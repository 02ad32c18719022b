//! The collector: the newest samples of every flow.

use super::{
    App,
    extract::{Path, Query, number},
};
use crate::{
    collect::{Coarse, coarse_edges},
    report::SampleRow,
    serve::{
        engine::{FlowTotals, LiveFlow, RunSnapshot},
        problem::Problem,
        runs::{LatencyRow, blocking},
    },
};
use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Of which run.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct OfRun {
    /// Absent: the newest that has the flow.
    run: Option<u64>,
}

/// Of which run, and how many.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Samples {
    /// Absent: the newest that has the flow.
    run: Option<u64>,
    /// How many at most, the newest.
    #[serde(default = "count")]
    #[param(minimum = 1, maximum = 86400, default = 60)]
    count: u32,
}

fn count() -> u32 {
    60
}

/// Samples of a flow.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FlowHistory {
    /// The run.
    run: u64,
    /// The row.
    flow: String,
    /// Oldest first; the loss of the newest ones is not known yet.
    samples: Vec<SampleRow>,
}

/// The newest of a flow.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FlowLatest {
    /// The run.
    run: u64,
    /// The row.
    flow: String,
    /// Its newest sample.
    latest: SampleRow,
    /// Since the run began.
    totals: FlowTotals,
}

impl FlowLatest {
    fn new(run: u64, flow: &LiveFlow) -> Self {
        Self { run, flow: flow.name.clone(), latest: flow.latest.clone(), totals: flow.totals }
    }
}

fn no_flow(flow: &str) -> Problem {
    Problem::not_found("flow with samples named", format!("\"{flow}\""))
}

/// The newest sample of every flow of every run in memory, or of one run.
#[utoipa::path(get, path = "/api/v1/collector/latest", tag = "collector", params(OfRun),
    responses((status = 200, body = Vec<FlowLatest>), (status = 400, body = Problem)))]
pub(super) async fn all_latest(
    State(app): State<App>,
    Query(of): Query<OfRun>,
) -> Result<Json<Vec<FlowLatest>>, Problem> {
    let (snapshots, run) = (app.runs.all_latest(), number("run", of.run)?);
    let wanted = snapshots.iter().filter(|shot| run.is_none_or(|run| run == shot.run));
    let rows = |shot: &RunSnapshot| -> Vec<_> {
        shot.flows.iter().map(|flow| FlowLatest::new(shot.run, flow)).collect()
    };
    Ok(Json(wanted.flat_map(|snapshot| rows(snapshot)).collect()))
}

/// The newest sample of a flow.
#[utoipa::path(get, path = "/api/v1/collector/flows/{flow}/latest", tag = "collector",
    params(("flow" = String, Path, description = "The row"), OfRun),
    responses((status = 200, body = FlowLatest), (status = 400, body = Problem),
    (status = 404, body = Problem)))]
pub(super) async fn latest(
    State(app): State<App>,
    Path(flow): Path<String>,
    Query(of): Query<OfRun>,
) -> Result<Json<FlowLatest>, Problem> {
    let run =
        number("run", of.run)?.or_else(|| app.runs.run_of(&flow)).ok_or_else(|| no_flow(&flow))?;
    let snapshot = app.runs.latest(run).ok_or_else(|| no_flow(&flow))?;
    let found = snapshot.flows.iter().find(|row| row.name == flow);
    found.map(|row| Json(FlowLatest::new(run, row))).ok_or_else(|| no_flow(&flow))
}

/// The newest samples of a flow. Those of a run that is not in memory any more come from
/// the store.
#[utoipa::path(get, path = "/api/v1/collector/flows/{flow}/history", tag = "collector",
    params(("flow" = String, Path, description = "The row"), Samples),
    responses((status = 200, body = FlowHistory), (status = 400, body = Problem),
    (status = 404, body = Problem)))]
pub(super) async fn history(
    State(app): State<App>,
    Path(flow): Path<String>,
    Query(of): Query<Samples>,
) -> Result<Json<FlowHistory>, Problem> {
    if !(1..=86_400).contains(&of.count) {
        return Err(Problem::bad("count", "1 to 86400"));
    }
    let count = of.count as usize;
    let run =
        number("run", of.run)?.or_else(|| app.runs.run_of(&flow)).ok_or_else(|| no_flow(&flow))?;
    if let Some(samples) = app.runs.history(run, &flow, count) {
        return Ok(Json(FlowHistory { run, flow, samples }));
    }
    let (store, name) = (Arc::clone(&app.store), flow.clone());
    let mut samples = blocking(move || store.samples(run, &name)).await??;
    if samples.is_empty() {
        return Err(no_flow(&flow));
    }
    samples.drain(..samples.len().saturating_sub(count));
    Ok(Json(FlowHistory { run, flow, samples }))
}

/// Latency over time, for a heat map.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FlowLatencies {
    /// The run.
    run: u64,
    /// The row.
    flow: String,
    /// Bucket i is from edge i up to, but without, edge i + 1: two buckets an octave, the same
    /// for every flow and run.
    edges_ns: Vec<u64>,
    /// Oldest first, one for each interval in which latency was measured.
    rows: Vec<LatencyCounts>,
}

/// Of one interval.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LatencyCounts {
    /// Its end, as of its sample.
    t: u64,
    /// Frames that arrived in it, by bucket.
    counts: Vec<u64>,
}

/// Times between frames since a run began.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FlowGaps {
    /// The run.
    run: u64,
    /// The row.
    flow: String,
    /// As of latencies.
    edges_ns: Vec<u64>,
    /// Between arrivals; null: not measured, or the frames come on several RX queues.
    rx_counts: Option<Vec<u64>>,
    /// Between submits; null: not measured.
    tx_counts: Option<Vec<u64>>,
}

fn dense(coarse: &Coarse) -> Vec<u64> {
    let mut counts = vec![0; coarse_edges().len() - 1];
    for (index, count) in coarse {
        if let Some(bucket) = counts.get_mut(usize::from(*index)) {
            *bucket += count;
        }
    }
    counts
}

/// The latency of a flow over time, in buckets, of a run that is in memory.
#[utoipa::path(get, path = "/api/v1/collector/flows/{flow}/latencies", tag = "collector",
    params(("flow" = String, Path, description = "The row"), Samples),
    responses((status = 200, body = FlowLatencies), (status = 400, body = Problem),
    (status = 404, body = Problem)))]
pub(super) async fn latencies(
    State(app): State<App>,
    Path(flow): Path<String>,
    Query(of): Query<Samples>,
) -> Result<Json<FlowLatencies>, Problem> {
    if !(1..=86_400).contains(&of.count) {
        return Err(Problem::bad("count", "1 to 86400"));
    }
    let run =
        number("run", of.run)?.or_else(|| app.runs.run_of(&flow)).ok_or_else(|| no_flow(&flow))?;
    let rows = app.runs.latencies(run, &flow, of.count as usize).ok_or_else(|| no_flow(&flow))?;
    let counts = |row: LatencyRow| {
        row.latency.map(|latency| LatencyCounts { t: row.t, counts: dense(&latency) })
    };
    let rows = rows.into_iter().filter_map(counts).collect();
    let edges_ns = coarse_edges();
    Ok(Json(FlowLatencies { run, flow, edges_ns, rows }))
}

/// The times between a flow's frames, in buckets, since a run that is in memory began.
#[utoipa::path(get, path = "/api/v1/collector/flows/{flow}/gaps", tag = "collector",
    params(("flow" = String, Path, description = "The row"), OfRun),
    responses((status = 200, body = FlowGaps), (status = 400, body = Problem),
    (status = 404, body = Problem)))]
pub(super) async fn gaps(
    State(app): State<App>,
    Path(flow): Path<String>,
    Query(of): Query<OfRun>,
) -> Result<Json<FlowGaps>, Problem> {
    let run =
        number("run", of.run)?.or_else(|| app.runs.run_of(&flow)).ok_or_else(|| no_flow(&flow))?;
    let gaps = app.runs.gaps(run, &flow).ok_or_else(|| no_flow(&flow))?;
    let [rx_counts, tx_counts] = [gaps.rx, gaps.tx].map(|gap| gap.as_ref().map(dense));
    Ok(Json(FlowGaps { run, flow, edges_ns: coarse_edges(), rx_counts, tx_counts }))
}

/// Forgets the samples of a flow that are in memory; if it is still sent, new ones come.
#[utoipa::path(delete, path = "/api/v1/collector/flows/{flow}", tag = "collector",
    params(("flow" = String, Path, description = "The row"), OfRun),
    responses((status = 204), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn remove_flow(
    State(app): State<App>,
    Path(flow): Path<String>,
    Query(of): Query<OfRun>,
) -> Result<StatusCode, Problem> {
    let run =
        number("run", of.run)?.or_else(|| app.runs.run_of(&flow)).ok_or_else(|| no_flow(&flow))?;
    if app.runs.remove_flow(run, &flow) { Ok(StatusCode::NO_CONTENT) } else { Err(no_flow(&flow)) }
}
