use super::*;

const SCRIPT: Page = Page {
    path: "/assets/index-3f9a1c2b.js",
    tag: "0123456789abcdef",
    plain: b"let plain",
    brotli: Some(b"brotli"),
    gzip: Some(b"gzip"),
};
const ICON: Page = Page { path: "/icon.svg", brotli: None, gzip: None, ..SCRIPT };
const PAGE: Page = Page { path: INDEX, ..SCRIPT };

fn headers(lines: &[(HeaderName, &'static str)]) -> HeaderMap {
    lines.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
}

fn get(page: &Page, lines: &[(HeaderName, &'static str)]) -> Response {
    respond(page, &Method::GET, &headers(lines))
}

fn line(response: &Response, name: HeaderName) -> &str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[test]
fn a_view_is_the_index_and_a_file_is_itself_or_nothing() {
    let pages = [PAGE, SCRIPT, ICON];
    let found = |path| find(&pages, path).map(|page| page.path);
    for view in ["/", "/runs", "/runs/7/", "/suites/new", "/flows/cust%20a"] {
        assert_eq!(found(view), Some(INDEX), "{view}");
    }
    assert_eq!(found(INDEX), Some(INDEX));
    assert_eq!(found("/icon.svg"), Some("/icon.svg"));
    assert_eq!(found(SCRIPT.path), Some(SCRIPT.path));
    for absent in ["/assets/old.js", "/assets/", "/assets/x", "/favicon.ico", "/runs/../.env"] {
        assert_eq!(found(absent), None, "{absent}");
    }
}

#[test]
fn the_smallest_coding_that_the_client_takes_is_sent() {
    let coding = |accepted: &'static str| {
        let response = get(&SCRIPT, &[(ACCEPT_ENCODING, accepted)]);
        (line(&response, CONTENT_ENCODING).to_owned(), line(&response, CONTENT_LENGTH).to_owned())
    };
    for (accepted, expected, octets) in [
        ("gzip, deflate, br, zstd", "br", "6"),
        ("gzip", "gzip", "4"),
        ("GZIP;q=0.5", "gzip", "4"),
        ("br;q=0, gzip", "gzip", "4"),
        ("br;q=0, *", "gzip", "4"),
        ("*", "br", "6"),
        ("*;q=0", "", "9"),
        ("identity", "", "9"),
        ("", "", "9"),
    ] {
        assert_eq!(coding(accepted), (expected.to_owned(), octets.to_owned()), "{accepted}");
    }
    assert_eq!(line(&get(&ICON, &[(ACCEPT_ENCODING, "br")]), CONTENT_ENCODING), "");
}

#[test]
fn what_a_client_has_is_not_sent_again_and_each_coding_has_its_tag() {
    let plain = get(&SCRIPT, &[]);
    assert_eq!(plain.status(), 200);
    let brotli = get(&SCRIPT, &[(ACCEPT_ENCODING, "br")]);
    assert_ne!(line(&plain, ETAG), line(&brotli, ETAG));
    for known in [
        "\"0123456789abcdef-br\"",
        "W/\"0123456789abcdef-br\"",
        "\"x\", \"0123456789abcdef-br\"",
        "*",
    ] {
        let again = get(&SCRIPT, &[(ACCEPT_ENCODING, "br"), (IF_NONE_MATCH, known)]);
        assert_eq!(again.status(), 304, "{known}");
        assert_eq!(line(&again, ETAG), line(&brotli, ETAG));
    }
    for other in ["\"0123456789abcdef-plain\"", "0123456789abcdef-br", "\"\""] {
        let again = get(&SCRIPT, &[(ACCEPT_ENCODING, "br"), (IF_NONE_MATCH, other)]);
        assert_eq!(again.status(), 200, "{other}");
    }
}

#[test]
fn hashed_files_are_kept_for_ever_and_the_index_is_asked_for_again() {
    let kept = |page| line(&get(page, &[]), CACHE_CONTROL).to_owned();
    assert_eq!(kept(&SCRIPT), "public, max-age=31536000, immutable");
    assert_eq!(kept(&PAGE), "no-cache");
    assert_eq!(kept(&ICON), "no-cache");
}

#[tokio::test]
async fn head_has_the_headers_and_no_body() {
    let response = respond(&SCRIPT, &Method::HEAD, &HeaderMap::new());
    assert_eq!(line(&response, CONTENT_LENGTH), "9");
    let body = axum::body::to_bytes(response.into_body(), 100).await.unwrap();
    assert!(body.is_empty());
}

#[test]
fn every_answer_carries_the_policy_and_only_reading_is_answered() {
    let none = HeaderMap::new();
    for (method, path, status) in
        [(Method::GET, "/", 200), (Method::HEAD, "/runs/7", 200), (Method::GET, "/no-such.js", 404)]
    {
        let response = answer(&method, path, &none);
        assert_eq!(response.status(), status, "{path}");
        let policy = line(&response, CONTENT_SECURITY_POLICY);
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(line(&response, X_CONTENT_TYPE_OPTIONS), "nosniff");
    }
    let refused = answer(&Method::POST, "/", &none);
    assert_eq!((refused.status().as_u16(), line(&refused, ALLOW)), (405, "GET, HEAD"));
}

/// Whether they were built or not, there is a page, and it is whole.
#[test]
fn what_is_built_in_has_an_index_and_every_file_that_it_names() {
    let index = find(if PAGES.is_empty() { ABSENT } else { PAGES }, "/").unwrap();
    let text = std::str::from_utf8(index.plain).unwrap();
    assert!(text.contains("<title>"));
    let named = text.split('"').filter(|part| part.starts_with(HASHED));
    for file in named {
        assert!(find(PAGES, file).is_some(), "{file}");
    }
    for page in PAGES {
        assert_ne!(kind(page.path), "application/octet-stream", "{}", page.path);
    }
}
