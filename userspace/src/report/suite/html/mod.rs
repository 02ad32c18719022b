//! One self-contained page: no script, no font, no picture from elsewhere, light and dark,
//! for a phone, a screen and paper. The templates escape every text.

mod bench;
mod page;

pub(super) use bench::bench_html;
pub(super) use page::{Section, page};
