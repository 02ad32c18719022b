//! REST under /api/v1, described by OpenAPI.

mod answer;
mod archive;
mod body;
mod captures;
mod collector;
mod extract;
mod flows;
mod from_capture;
mod health;
mod ports;
mod preview;
mod remote;
mod runs;
mod stream;
mod suite_forms;
mod suites;

use super::{
    auth,
    config::Config,
    live::Live,
    pages,
    problem::{KIND as PROBLEM, Problem},
    runs::Runs,
    store::Store,
    suites::Suites,
};
use axum::{
    Extension, Json, Router,
    extract::{DefaultBodyLimit, Request, State},
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
};
use body::{Limit, is_large};
use std::sync::Arc;
use tokio::sync::Semaphore;
use utoipa::openapi::{Content, InfoBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, ResponseBuilder};
use utoipa_axum::{router::OpenApiRouter, routes};

/// What every handler may use.
#[derive(Debug, Clone)]
pub(super) struct App {
    /// All runs.
    pub(super) runs: Arc<Runs>,
    /// All suites.
    pub(super) suites: Arc<Suites>,
    /// What is kept.
    pub(super) store: Arc<Store>,
    /// The live stream.
    pub(super) live: Arc<Live>,
    /// What the daemon was told.
    pub(super) config: Arc<Config>,
    /// Readers of the live stream at once.
    pub(super) readers: Arc<Semaphore>,
    /// Answers that may be large at once.
    pub(super) answers: Arc<Semaphore>,
}

/// Octets of a body that holds no flows.
const BODY: usize = 1 << 20;
/// Octets of a capture that becomes flows.
const CAPTURE_BODY: usize = 8 << 20;
/// Octets of a body that holds flows: 50 MiB, and what is around them.
const LARGE_BODY: usize = 64 << 20;
/// Requests at work at once; more wait for their turn.
const REQUESTS: usize = 256;
/// Of those with large bodies; while it is stored, one takes several times its size.
const LARGE_BODIES: usize = 1;
/// Answers that may be large and were not read to their end; more wait for their turn.
const LARGE_ANSWERS: usize = 4;
/// Readers of the live stream; more are refused.
const READERS: usize = 512;

impl App {
    /// Of its parts.
    pub(super) fn new(
        runs: Arc<Runs>,
        suites: Arc<Suites>,
        store: Arc<Store>,
        live: Arc<Live>,
        config: Arc<Config>,
    ) -> Self {
        let readers = Semaphore::new(READERS).into();
        let answers = Semaphore::new(LARGE_ANSWERS).into();
        Self { runs, suites, store, live, config, readers, answers }
    }
}

/// The routes, and what they say of themselves.
pub(super) fn router(app: App) -> (Router, OpenApi) {
    let config = Arc::clone(&app.config);
    let (router, mut description) = described().split_for_parts();
    finish(&mut description);
    let served = Arc::new(description.clone());
    let describe = move || {
        let served = Arc::clone(&served);
        async move { Json((*served).clone()) }
    };
    let turns = Arc::new(Turns::default());
    let router = router
        .route("/api/v1/openapi.json", axum::routing::get(describe))
        .route("/api/v1/remote/clock", axum::routing::get(remote::clock))
        .route(
            "/api/v1/remote/{lease}",
            axum::routing::post(remote::serve).layer(DefaultBodyLimit::max(LARGE_BODY)),
        )
        .layer(middleware::from_fn_with_state(turns, take_turn))
        // A reader of the live stream takes no turn: it stays.
        .merge(OpenApiRouter::new().routes(routes!(stream::live)).split_for_parts().0)
        .fallback(|request: Request| async move { elsewhere(&request) })
        .method_not_allowed_fallback(|| async {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this page does not take that method")
        })
        .layer(middleware::from_fn_with_state(config, auth::check))
        .with_state(app);
    (router, description)
}

/// What is no route: a page, or nothing.
fn elsewhere(request: &Request) -> Response {
    let path = request.uri().path();
    if auth::is_api(path) {
        Problem::not_found("page", path).into_response()
    } else {
        pages::answer(request.method(), path, request.headers())
    }
}

/// What the routes say of themselves, as it is committed.
pub fn description() -> OpenApi {
    let mut description = described().into_openapi();
    finish(&mut description);
    description
}

fn described() -> OpenApiRouter<App> {
    let info = InfoBuilder::new()
        .title("linerate")
        .description(Some(
            "Runs, suites, flows, results and live numbers of one daemon. Flows have the shape of \
             the flow file, suites that of the suite file, results that of `--json`; errors are problem details \
             (RFC 9457).",
        ))
        .version(env!("CARGO_PKG_VERSION"))
        .build();
    let large = OpenApiRouter::new()
        .routes(routes!(flows::list, flows::create))
        .routes(routes!(flows::get, flows::replace, flows::remove))
        .routes(routes!(flows::validate))
        .routes(routes!(preview::preview))
        .routes(routes!(runs::list, runs::start))
        .routes(routes!(suites::list, suites::start))
        .routes(routes!(suites::validate))
        .routes(routes!(archive::import))
        .layer(Extension(Limit(LARGE_BODY)));
    let small = OpenApiRouter::new()
        .routes(routes!(ports::list))
        .routes(routes!(ports::get))
        .routes(routes!(preview::preview_stored))
        .routes(routes!(runs::get))
        .routes(routes!(runs::result))
        .routes(routes!(runs::flows))
        .routes(routes!(runs::stop))
        .routes(routes!(runs::pause))
        .routes(routes!(runs::resume))
        .routes(routes!(runs::set_rate))
        .routes(routes!(suites::get, suites::remove))
        .routes(routes!(suites::stop))
        .routes(routes!(suites::resume))
        .routes(routes!(suites::document))
        .routes(routes!(suite_forms::trials))
        .routes(routes!(suite_forms::result))
        .routes(routes!(suite_forms::report))
        .routes(routes!(collector::all_latest))
        .routes(routes!(collector::latest))
        .routes(routes!(collector::history))
        .routes(routes!(collector::latencies))
        .routes(routes!(collector::gaps))
        .routes(routes!(collector::remove_flow))
        .routes(routes!(archive::export))
        .routes(routes!(captures::list, captures::start))
        .routes(routes!(captures::get, captures::remove))
        .routes(routes!(captures::stop))
        .routes(routes!(captures::file))
        .routes(routes!(health::health))
        .routes(routes!(health::ready))
        .routes(routes!(health::build))
        .layer(Extension(Limit(BODY)));
    let captures = OpenApiRouter::new()
        .routes(routes!(from_capture::from_capture))
        .layer(Extension(Limit(CAPTURE_BODY)));
    let described = OpenApiRouter::with_openapi(OpenApiBuilder::new().info(info).build());
    described.merge(large).merge(captures).merge(small)
}

/// The description with the live stream, which is routed apart, and with what every
/// operation may answer: a problem, and always as problem details.
fn finish(description: &mut OpenApi) {
    let stream = OpenApiRouter::<App>::new().routes(routes!(stream::live)).into_openapi();
    description.merge(stream);
    let problem = || Content::new(Some(Ref::from_schema_name("Problem")));
    for item in description.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            for (status, response) in &mut operation.responses.responses {
                if let RefOr::T(response) = response
                    && status.starts_with(['4', '5'])
                {
                    response.content.clear();
                    response.content.insert(PROBLEM.to_owned(), problem().into());
                }
            }
            let any = ResponseBuilder::new()
                .description("Refused: host, origin, token or size, or a defect")
                .content(PROBLEM, problem())
                .build();
            operation.responses.responses.insert("default".to_owned(), any.into());
        }
    }
}

/// Turns of requests; those with large bodies have their own, and do not keep others waiting.
#[derive(Debug)]
struct Turns {
    usual: Semaphore,
    large: Semaphore,
}

impl Default for Turns {
    fn default() -> Self {
        Self { usual: Semaphore::new(REQUESTS), large: Semaphore::new(LARGE_BODIES) }
    }
}

/// Waits until few enough requests are at work.
async fn take_turn(State(turns): State<Arc<Turns>>, request: Request, next: Next) -> Response {
    // Neither is ever closed.
    if !is_large(request.headers()) {
        let _turn = turns.usual.acquire().await;
        return next.run(request).await;
    }
    let _turn = turns.large.acquire().await;
    next.run(request).await
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_committed_description_is_the_served_one() {
        let described = super::description().to_pretty_json().unwrap() + "\n";
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
        if std::env::var_os("UPDATE_OPENAPI").is_some() {
            std::fs::write(path, &described).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            committed == described,
            "userspace/openapi.json is not what is served; \
             run `UPDATE_OPENAPI=1 cargo test -p linerate --lib openapi description` and look at the change"
        );
    }
}
