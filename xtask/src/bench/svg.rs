//! A self-contained SVG: shapes by class, and one style sheet for light and dark.

use std::fmt::Write as _;

/// Two accents, the quiet ones and the ink; the second block is for dark pages.
const STYLE: &str = "\
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.title { font-size: 16px; font-weight: 600; }
.note { font-size: 12px; fill: #59636e; }
.page { fill: #ffffff; }
.ours { fill: #0969da; }
.second { fill: #bf5b04; }
.other { fill: #9aa4af; }
.grid { stroke: #d1d9e0; stroke-width: 1; }
.range { stroke: #1f2328; stroke-width: 1.5; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; }
.note { fill: #9198a1; }
.page { fill: #0d1117; }
.ours { fill: #4493f8; }
.second { fill: #e3873b; }
.other { fill: #5c6773; }
.grid { stroke: #30363d; }
.range { stroke: #e6edf3; }
}
";

/// Where a text hangs on its point.
#[derive(Clone, Copy)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

/// A picture that grows; sizes in pixels.
pub struct Svg {
    width: f64,
    height: f64,
    body: String,
}

impl Svg {
    pub fn new(width: f64, height: f64) -> Self {
        let mut svg = Self { width, height, body: String::new() };
        svg.rect("page", (0.0, 0.0), (width, height));
        svg
    }

    pub fn text(&mut self, class: &str, (x, y): (f64, f64), anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        // Writing to a String cannot fail, here and below.
        let _ = writeln!(
            self.body,
            r#"<text class="{class}" x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{text}</text>"#
        );
    }

    pub fn rect(&mut self, class: &str, (x, y): (f64, f64), (width, height): (f64, f64)) {
        let _ = writeln!(
            self.body,
            r#"<rect class="{class}" x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}"/>"#
        );
    }

    pub fn line(&mut self, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        let _ = writeln!(
            self.body,
            r#"<line class="{class}" x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}"/>"#
        );
    }

    pub fn finish(self) -> String {
        let Self { width, height, body } = self;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\">\n<style>\n{STYLE}</style>\n{body}</svg>\n"
        )
    }
}

/// Round numbers from 0 to at least `max`, four to eight of them.
pub fn ticks(max: f64) -> Vec<f64> {
    let rough = max.max(f64::MIN_POSITIVE) / 5.0;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
    let step = step.into_iter().find(|&step| step >= rough).unwrap_or(power);
    (0..=(max / step).ceil() as u32).map(|tick| f64::from(tick) * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_reach_the_top() {
        assert_eq!(ticks(5.3), [0.0, 2.0, 4.0, 6.0]);
        assert_eq!(ticks(100.0), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        for max in [0.001, 0.7, 1.0, 9.99, 1234.5, 5e6] {
            let ticks = ticks(max);
            assert!(*ticks.last().unwrap() >= max && ticks.len() <= 8, "{max}: {ticks:?}");
        }
    }

    #[test]
    fn what_a_name_holds_is_text_and_no_markup() {
        let mut svg = Svg::new(10.0, 10.0);
        svg.text("note", (0.0, 0.0), Anchor::Start, "a < b & c");
        assert!(svg.finish().contains(">a &lt; b &amp; c<"));
    }
}
