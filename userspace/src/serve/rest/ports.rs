//! Ports and what they can do.

use super::{App, extract::Path};
use crate::serve::problem::Problem;
use axum::{Json, extract::State};
use serde_json::Value;

/// Every port of the network namespace that the daemon runs in, and those that its runs and
/// aliases name.
#[utoipa::path(get, path = "/api/v1/ports", tag = "ports", operation_id = "ports_list",
    responses((status = 200, body = Object, description = "linerate.ports/1"),
    (status = 503, body = Problem)))]
pub(super) async fn list(State(app): State<App>) -> Result<Json<Value>, Problem> {
    let of_engine = |error| Problem::of_engine(error, "port");
    let engine = app.runs.engine().map_err(of_engine)?;
    let mut report = engine.ports(None).await.map_err(of_engine)?;
    let mut named: Vec<String> = app.config.aliases.values().cloned().collect();
    named.extend(app.runs.active().into_iter().flat_map(|run| run.ports));
    named.sort_unstable();
    named.dedup();
    for name in named {
        let known = report["ports"]
            .as_array()
            .is_some_and(|ports| ports.iter().any(|port| port["if"].as_str() == Some(&name)));
        if known {
            continue;
        }
        // One that is not there now is simply not listed.
        if let Ok(mut one) = engine.ports(Some(name)).await
            && let (Some(all), Some(one)) =
                (report["ports"].as_array_mut(), one["ports"].as_array_mut())
        {
            all.append(one);
        }
    }
    Ok(Json(report))
}

/// One port, with everything that it can do.
#[utoipa::path(get, path = "/api/v1/ports/{port}", tag = "ports", operation_id = "ports_get",
    params(("port" = String, Path, description = "A PORT, or an alias")),
    responses((status = 200, body = Object, description = "linerate.ports/1 with one port"),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn get(
    State(app): State<App>,
    Path(port): Path<String>,
) -> Result<Json<Value>, Problem> {
    let of_engine = |error| Problem::of_engine(error, "port");
    let port = app.config.aliases.get(&port).cloned().unwrap_or(port);
    let engine = app.runs.engine().map_err(of_engine)?;
    match engine.ports(Some(port)).await {
        Ok(report) => Ok(Json(report)),
        // A name that cannot be one names nothing.
        Err(crate::serve::engine::EngineError::Invalid { message, .. }) => {
            Err(Problem::new(axum::http::StatusCode::NOT_FOUND, message))
        }
        Err(error) => Err(of_engine(error)),
    }
}
