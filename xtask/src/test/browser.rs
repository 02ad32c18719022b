//! The tiers that have people at the pages, in a browser.

use super::{
    Outcome,
    system::{SYSTEM, between_namespaces},
};
use crate::{shell, web};
use std::env;

/// The test that starts a browser.
pub(super) const PAGES: &str = "pages::";

/// People at the pages, in Debian's Chromium.
pub(super) fn pages() -> Outcome {
    in_a_browser("shell builder monitor load")
}

/// A whole benchmark takes its time.
pub(super) fn pages_rfc2544() -> Outcome {
    in_a_browser("tests.e2e")
}

/// Specs by a part of their names.
fn in_a_browser(specs: &str) -> Outcome {
    let Some(chromium) = shell::find_program("chromium") else {
        let why = "there is no chromium here; Debian has a package of this name";
        return Outcome::NotRun { why: why.to_owned(), code: 1 };
    };
    let node = match web::ready() {
        Ok(node) => node,
        Err(error) => return Err(error).into(),
    };
    between_namespaces(&SYSTEM, |command| {
        command.args(["--test-threads=1", "--nocapture", PAGES]);
        command.env("LINERATE_NODE", node.program()).env("LINERATE_CHROMIUM", &chromium);
        command.env("LINERATE_E2E", env::var("LINERATE_E2E").unwrap_or_else(|_| specs.to_owned()));
    })
}
