//! The pages for people: files that the build script put into the binary (`build/pages.rs`).
//!
//! They are one application whose views have paths of their own: what has no dot in its last
//! segment is a view, answered with `index.html`; all else is a file. They need no token, for
//! they hold nothing of the daemon, and may load nothing from anywhere else.

use super::problem::Problem;
use axum::{
    body::Body,
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
        header::{
            ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH,
            CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY, VARY,
            X_CONTENT_TYPE_OPTIONS,
        },
    },
    response::{IntoResponse, Response},
};

/// A file of the pages.
#[derive(Debug, Clone, Copy)]
struct Page {
    /// As it is asked for: `/assets/index-3f9a1c2b.js`.
    path: &'static str,
    /// Changes with the content.
    tag: &'static str,
    plain: &'static [u8],
    /// RFC 7932; `None`: not smaller.
    brotli: Option<&'static [u8]>,
    /// RFC 1952.
    gzip: Option<&'static [u8]>,
}

/// Empty where the pages were not built.
static PAGES: &[Page] = include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// Says how to build them.
static ABSENT: &[Page] = &[Page {
    path: INDEX,
    tag: "absent",
    plain: include_bytes!("absent.html"),
    brotli: None,
    gzip: None,
}];

const INDEX: &str = "/index.html";
/// Files there have their hash in their name and never change.
const HASHED: &str = "/assets/";

/// Content-Security-Policy level 3: no other host, nothing inline, in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

/// The page or file of a path outside of the API.
pub(super) fn answer(method: &Method, path: &str, headers: &HeaderMap) -> Response {
    if method != Method::GET && method != Method::HEAD {
        let detail = "this page does not take that method";
        let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail);
        return ([(ALLOW, HeaderValue::from_static("GET, HEAD"))], problem).into_response();
    }
    let pages = if PAGES.is_empty() { ABSENT } else { PAGES };
    let mut response = match find(pages, path) {
        Some(page) => respond(page, method, headers),
        None => Problem::not_found("page", path).into_response(),
    };
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The file of this path, or of a view.
fn find<'a>(pages: &'a [Page], path: &str) -> Option<&'a Page> {
    let last = path.rsplit('/').next().unwrap_or_default();
    let is_view = !last.contains('.') && !path.starts_with(HASHED);
    let path = if is_view { INDEX } else { path };
    pages.iter().find(|page| page.path == path)
}

fn respond(page: &Page, method: &Method, asked: &HeaderMap) -> Response {
    let smaller = [("br", page.brotli), ("gzip", page.gzip)];
    let coded = smaller.into_iter().find_map(|(coding, octets)| {
        octets.filter(|_| accepts(asked, coding)).map(|octets| (Some(coding), octets))
    });
    let (coding, octets) = coded.unwrap_or((None, page.plain));
    // RFC 9110, 8.8.3.3: each coding of a file has a tag of its own.
    let tag = format!("\"{}-{}\"", page.tag, coding.unwrap_or("plain"));
    let cached = if page.path.starts_with(HASHED) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let mut headers = HeaderMap::new();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cached));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    let same = listed(asked, IF_NONE_MATCH)
        .any(|given| given == "*" || given.strip_prefix("W/").unwrap_or(given) == tag);
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, tag);
    }
    if same {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind(page.path)));
    headers.insert(CONTENT_LENGTH, octets.len().into());
    if let Some(coding) = coding {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    let body = if method == Method::HEAD { Body::empty() } else { Body::from(octets) };
    (headers, body).into_response()
}

/// The elements of a list in a header, over all its lines.
fn listed(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

/// RFC 9110, 12.5.3. Which of several a client likes best it may say; what is smallest it gets.
fn accepts(headers: &HeaderMap, coding: &str) -> bool {
    let weight = |wanted: &str| {
        listed(headers, ACCEPT_ENCODING).find_map(|element| {
            let (name, weight) = element.split_once(';').unwrap_or((element, "q=1"));
            let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse().ok());
            name.trim().eq_ignore_ascii_case(wanted).then_some(weight.unwrap_or(1.0))
        })
    };
    weight(coding).or_else(|| weight("*")).is_some_and(|weight: f32| weight > 0.0)
}

/// The media type by the ending of a name.
fn kind(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests;
