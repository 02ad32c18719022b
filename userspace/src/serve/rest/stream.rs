//! The live stream: server-sent events.

use super::{
    App,
    extract::{Query, number},
};
use crate::serve::{
    engine::RunSnapshot,
    live::{About, After, Event, Live},
    problem::Problem,
};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{
        IntoResponse, Response, Sse,
        sse::{self, KeepAlive},
    },
};
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::sync::OwnedSemaphorePermit;
use utoipa::IntoParams;

/// What a reader wants.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Only this run.
    run: Option<u64>,
    /// Only this suite.
    suite: Option<u64>,
    /// Only these flows, by the names of their rows, with commas between.
    flows: Option<String>,
}

const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// One stream of all that happens. `run`: a run is started, changed or over. `snapshot`: an
/// interval of a run is over. `suite`: a suite is started or over. `progress`: trials of a suite
/// began or ended. `rates`: an interval of a trial on real ports is over. `missed`: so many events came faster than they were read, and
/// are gone. With `Last-Event-ID` it goes on after that event; without, it begins now.
#[utoipa::path(get, path = "/api/v1/live", tag = "live", params(Wanted,
    ("Last-Event-ID" = Option<String>, Header, description = "The event to go on after")),
    responses((status = 200, content_type = "text/event-stream", body = String),
    (status = 400, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn live(
    State(app): State<App>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let permit = Arc::clone(&app.readers).try_acquire_owned().map_err(|_| {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too many readers of the live stream")
    })?;
    let given = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    // An id of an earlier daemon: all that this one has.
    let last = given.map_or(app.live.newest(), |id| app.live.number(id).unwrap_or(0));
    let (run, suite) = (number("run", wanted.run)?, number("suite", wanted.suite)?);
    let flows = wanted.flows.map(|flows| flows.split(',').map(str::to_owned).collect());
    let reader = Reader {
        live: app.live,
        last,
        about: run.map(About::Run).into_iter().chain(suite.map(About::Suite)).collect(),
        flows,
        waiting: None,
        _permit: permit,
    };
    let events = stream::unfold(reader, |mut reader| async {
        reader.next().await.map(|event| (Ok::<_, Infallible>(event), reader))
    });
    // A proxy that waits for the body before it passes the head on shall not wait for a run.
    let hello = stream::once(async { Ok(sse::Event::default().comment("live")) });
    Ok(Sse::new(hello.chain(events))
        .keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
        .into_response())
}

struct Reader {
    live: Arc<Live>,
    last: u64,
    /// Only these; none: all.
    about: Vec<About>,
    flows: Option<Vec<String>>,
    /// Read, but what was missed is told first.
    waiting: Option<Event>,
    _permit: OwnedSemaphorePermit,
}

impl Reader {
    async fn next(&mut self) -> Option<sse::Event> {
        loop {
            let event = match self.waiting.take() {
                Some(event) => event,
                None => match self.live.after(self.last).await {
                    After::Closed => return None,
                    After::Event { event, missed } => {
                        self.last = event.number;
                        if missed > 0 {
                            self.waiting = Some(event);
                            let data = format!("{{\"events\":{missed}}}");
                            return Some(sse::Event::default().event("missed").data(data));
                        }
                        event
                    }
                },
            };
            if self.about.is_empty() || self.about.contains(&event.about) {
                let shown = sse::Event::default().id(self.live.id(event.number)).event(event.kind);
                return Some(match self.part(&event) {
                    Some(part) => shown.data(part),
                    None => shown.data(&event.data),
                });
            }
        }
    }

    /// The part of a snapshot that is wanted; `None`: all of it.
    fn part(&self, event: &Event) -> Option<String> {
        let (flows, snapshot) = (self.flows.as_ref()?, event.snapshot.as_ref()?);
        let wanted = snapshot.flows.iter().filter(|flow| flows.contains(&flow.name));
        let part = RunSnapshot {
            run: snapshot.run,
            phase: snapshot.phase,
            elapsed_ns: snapshot.elapsed_ns,
            flows: wanted.cloned().collect(),
        };
        serde_json::to_string(&part).ok()
    }
}
