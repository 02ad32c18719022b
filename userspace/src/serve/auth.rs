//! Who may ask: the token, and what keeps a web page from asking in a person's name.

use super::{config::Config, problem::Problem};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{net::IpAddr, sync::Arc};

/// Refuses requests before anything else sees them.
pub(super) async fn check(
    State(config): State<Arc<Config>>,
    request: Request,
    next: Next,
) -> Response {
    match refused(&config, request.method(), request.uri().path(), request.headers()) {
        Some(problem) => {
            let unauthorized = problem.status == 401;
            let mut response = problem.into_response();
            if unauthorized {
                let how = HeaderValue::from_static("Bearer realm=\"linerate\"");
                response.headers_mut().insert(header::WWW_AUTHENTICATE, how);
            }
            response
        }
        None => next.run(request).await,
    }
}

/// Where no token is asked for: whether the daemon lives is no secret.
const OPEN: [&str; 2] = ["/api/v1/health", "/api/v1/ready"];

/// Whether a path is of the API; all others are of the pages, which hold no secret: one has to
/// load them to give the token.
pub(super) fn is_api(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/")
}

fn refused(config: &Config, method: &Method, path: &str, headers: &HeaderMap) -> Option<Problem> {
    let forbidden = |why: String| Some(Problem::new(StatusCode::FORBIDDEN, why));
    let text = |name| headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or("\0"));
    let host = text(header::HOST).unwrap_or_default();
    // A name that an attacker's DNS lets point here (rebinding) is none that people use.
    if !is_ours(host_name(host), &config.hosts) {
        return forbidden(format!(
            "the daemon is not called \"{host}\"; use its address, or add the name to `hosts`"
        ));
    }
    if !method.is_safe()
        && let Some(origin) = text(header::ORIGIN)
        && origin.split_once("://").is_none_or(|(_, origin)| origin != host)
    {
        return forbidden(format!("a page of \"{origin}\" may not change anything here"));
    }
    let token = config.token.as_ref().filter(|_| is_api(path) && !OPEN.contains(&path))?;
    let given = text(header::AUTHORIZATION).unwrap_or_default();
    let given = given.split_once(' ').filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer"));
    if given.is_some_and(|(_, given)| token.is(given.trim())) {
        return None;
    }
    let why = "a token is needed: `Authorization: Bearer TOKEN`";
    Some(Problem::new(StatusCode::UNAUTHORIZED, why))
}

/// Without the port.
fn host_name(host: &str) -> &str {
    match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    }
}

fn is_ours(name: &str, hosts: &[String]) -> bool {
    name.parse::<IpAddr>().is_ok()
        || name.eq_ignore_ascii_case("localhost")
        || hosts.iter().any(|host| host.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::config::Options;

    fn status(config: &Config, method: &Method, path: &str, lines: &[(&str, &str)]) -> u16 {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            let name = header::HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        refused(config, method, path, &headers).map_or(200, |problem| problem.status)
    }

    fn config(hosts: &[&str]) -> Config {
        let hosts = hosts.iter().map(ToString::to_string).collect();
        Options { hosts, ..Options::default() }.resolve().unwrap()
    }

    #[test]
    fn a_name_that_is_not_ours_is_refused_even_for_reading() {
        let config = config(&["tester.lab"]);
        for (host, expected) in [
            ("127.0.0.1:8080", 200),
            ("localhost:8080", 200),
            ("[::1]:8080", 200),
            ("tester.lab", 200),
            ("TESTER.lab:1", 200),
            ("evil.example", 403),
            ("localhost.evil.example:8080", 403),
            ("", 403),
        ] {
            assert_eq!(status(&config, &Method::GET, "/", &[("host", host)]), expected, "{host}");
        }
    }

    #[test]
    fn another_origin_may_read_what_its_browser_lets_it_and_change_nothing() {
        let config = config(&[]);
        let ask = |method: &Method, origin: &str| {
            status(&config, method, "/", &[("host", "localhost:8080"), ("origin", origin)])
        };
        assert_eq!(ask(&Method::POST, "http://localhost:8080"), 200);
        for origin in ["http://evil.example", "http://localhost:81", "null", ""] {
            assert_eq!(ask(&Method::POST, origin), 403, "{origin}");
            assert_eq!(ask(&Method::DELETE, origin), 403, "{origin}");
            assert_eq!(ask(&Method::GET, origin), 200, "{origin}");
        }
    }

    #[test]
    fn with_a_token_only_health_and_the_pages_are_open() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("token");
        std::fs::write(&file, "a-token-of-enough-octets\n").unwrap();
        let config = Options { token_file: Some(file), ..Options::default() }.resolve().unwrap();
        let ask = |path: &str, given: &str| {
            status(&config, &Method::GET, path, &[("host", "localhost"), ("authorization", given)])
        };
        assert_eq!(ask("/api/v1/runs", "Bearer a-token-of-enough-octets"), 200);
        assert_eq!(ask("/api/v1/runs", "bearer a-token-of-enough-octets"), 200);
        for wrong in
            ["", "Bearer", "Bearer x", "Basic a-token-of-enough-octets", "a-token-of-enough-octets"]
        {
            assert_eq!(ask("/api/v1/runs", wrong), 401, "{wrong}");
        }
        assert_eq!(ask("/api", ""), 401);
        for open in ["/api/v1/health", "/", "/runs/7", "/assets/index.js", "/apiary"] {
            assert_eq!(ask(open, ""), 200, "{open}");
        }
    }
}
