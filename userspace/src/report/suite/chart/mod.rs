//! The graphs of a suite, each a figure of its own.

mod bench;
mod plot;
mod service;
mod trace;

pub(super) use bench::{bursts, latency, loss, throughput};
pub(super) use service::service;
pub(super) use trace::trace;

use maud::{Markup, html};

/// A figure with its title, what its marks mean, and the picture.
fn figure(title: &str, legend: &Markup, picture: &Markup) -> Markup {
    html! {
        figure {
            figcaption { (title) }
            (legend)
            (picture)
        }
    }
}

/// An amount on an axis: `10M`, `2.5k`.
fn amount(value: f64) -> String {
    let sizes = [(1e9, "G"), (1e6, "M"), (1e3, "k")];
    let (unit, prefix) =
        sizes.into_iter().find(|(unit, _)| value.abs() >= *unit).unwrap_or((1.0, ""));
    format!("{}{prefix}", (value / unit * 1000.0).round() / 1000.0)
}

/// A time on an axis, from nanoseconds: `1.5ms`.
fn time(value: f64) -> String {
    let sizes = [(1e9, "s"), (1e6, "ms"), (1e3, "us")];
    let (unit, name) =
        sizes.into_iter().find(|(unit, _)| value.abs() >= *unit).unwrap_or((1.0, "ns"));
    format!("{}{name}", (value / unit * 1000.0).round() / 1000.0)
}
