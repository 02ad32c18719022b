//! A plot as inline SVG: two axes and marks on them. Colours are classes of the page's style
//! sheet; every text is escaped by the templates.

use maud::{Markup, html};

/// Sizes in pixels of a plot that fills its figure; a phone shows it a little smaller.
const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 290.0;
const LEFT: f64 = 58.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 46.0;

/// How many colours and markers there are.
pub(super) const SERIES: usize = 8;

/// An axis.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    title: String,
    from: f64,
    to: f64,
    ticks: Vec<(f64, String)>,
}

impl Axis {
    /// From 0 to at least `most`, in round steps.
    pub(super) fn linear(title: &str, most: f64, show: fn(f64) -> String) -> Self {
        let ticks = ticks(most);
        let to = ticks.last().copied().unwrap_or(1.0);
        let ticks = ticks.into_iter().map(|tick| (tick, show(tick))).collect();
        Self { title: title.to_owned(), from: 0.0, to, ticks }
    }

    /// From `least` (which may be below 0) to `most`.
    pub(super) fn between(title: &str, least: f64, most: f64, show: fn(f64) -> String) -> Self {
        if least >= 0.0 {
            return Self::linear(title, most, show);
        }
        let below = ticks(-least);
        let step = ticks(most.max(-least)).get(1).copied().unwrap_or(1.0);
        let from = -(below.last().copied().unwrap_or(step) / step).ceil() * step;
        let count = ((most.max(0.0) - from) / step).ceil() as u32;
        let all = (0..=count).map(|tick| from + f64::from(tick) * step);
        let ticks: Vec<_> = all.map(|tick| (tick, show(tick))).collect();
        let to = ticks.last().map_or(step, |tick| tick.0);
        Self { title: title.to_owned(), from, to, ticks }
    }

    /// 0 to 100 %, whatever the values are (RFC 2544 section 26.3).
    pub(super) fn percent(title: &str) -> Self {
        let ticks = (0..=5).map(|fifth| (f64::from(fifth) / 5.0, format!("{}", fifth * 20)));
        Self { title: title.to_owned(), from: 0.0, to: 1.0, ticks: ticks.collect() }
    }

    /// A place for each name, in their order: the first at 0.
    pub(super) fn names(title: &str, names: &[String]) -> Self {
        let ticks = names.iter().enumerate().map(|(at, name)| (at as f64, name.clone())).collect();
        Self { title: title.to_owned(), from: -0.5, to: names.len() as f64 - 0.5, ticks }
    }

    /// Fixed ticks.
    pub(super) fn fixed(title: &str, from: f64, to: f64, ticks: Vec<(f64, String)>) -> Self {
        Self { title: title.to_owned(), from, to, ticks }
    }

    /// Where a value lies, 0 to 1.
    fn share(&self, value: f64) -> f64 {
        ((value - self.from) / (self.to - self.from)).clamp(0.0, 1.0)
    }
}

/// Round numbers from 0 to at least `most`, four to eight of them.
fn ticks(most: f64) -> Vec<f64> {
    let most = if most.is_finite() && most > 0.0 { most } else { 1.0 };
    let rough = most / 5.0;
    let power = 10_f64.powf(rough.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
    let step = steps.into_iter().find(|&step| step >= rough).unwrap_or(power);
    // A hair less, or 0.3 / 0.1 would need a fourth step.
    let count = (most / step - 1e-9).ceil() as u32;
    (0..=count).map(|tick| f64::from(tick) * step).collect()
}

/// Marks on two axes.
#[derive(Debug)]
pub(super) struct Plot {
    x: Axis,
    y: Axis,
    marks: Vec<Markup>,
}

impl Plot {
    pub(super) fn new(x: Axis, y: Axis) -> Self {
        Self { x, y, marks: Vec::new() }
    }

    fn at(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let right = LEFT + self.x.share(x) * (WIDTH - LEFT - RIGHT);
        let down = HEIGHT - BOTTOM - self.y.share(y) * (HEIGHT - TOP - BOTTOM);
        (right, down)
    }

    /// The distance between two neighbouring names.
    pub(super) fn step(&self) -> f64 {
        (WIDTH - LEFT - RIGHT) / (self.x.to - self.x.from)
    }

    /// A line through points.
    pub(super) fn line(&mut self, class: &str, points: &[(f64, f64)]) {
        let points = points.iter().map(|point| {
            let (x, y) = self.at(*point);
            format!("{x:.1},{y:.1}")
        });
        let points = points.collect::<Vec<_>>().join(" ");
        self.marks.push(html! { polyline class={ "line " (class) } points=(points) {} });
    }

    /// A marker with words for those who point at it; hollow: not valid.
    pub(super) fn marker(&mut self, series: usize, point: (f64, f64), hollow: bool, words: &str) {
        let (x, y) = self.at(point);
        let class = format!("mark c{}{}", series % SERIES, if hollow { " hollow" } else { "" });
        let path = match series % 4 {
            0 => format!("M{:.1} {y:.1}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z", x - 4.0),
            1 => format!("M{:.1} {:.1}h7v7h-7z", x - 3.5, y - 3.5),
            2 => format!("M{x:.1} {:.1}l5 5l-5 5l-5 -5z", y - 5.0),
            _ => format!("M{x:.1} {:.1}l5 8.5h-10z", y - 5.0),
        };
        self.marks.push(html! { path class=(class) d=(path) { title { (words) } } });
    }

    /// A cross: a load that failed.
    pub(super) fn cross(&mut self, class: &str, point: (f64, f64), words: &str) {
        let (x, y) = self.at(point);
        let path = format!("M{:.1} {:.1}l8 8m0 -8l-8 8", x - 4.0, y - 4.0);
        self.marks.push(html! { path class={ "cross " (class) } d=(path) { title { (words) } } });
    }

    /// A bar from 0 up, `width` pixels wide.
    pub(super) fn bar(&mut self, series: usize, (x, value): (f64, f64), width: f64, words: &str) {
        let (centre, top) = self.at((x, value));
        let (_, foot) = self.at((x, 0.0));
        self.marks.push(html! {
            rect class={ "bar c" (series % SERIES) } x=(number(centre - width / 2.0))
                y=(number(top)) width=(number(width)) height=(number((foot - top).max(0.5))) {
                title { (words) }
            }
        });
    }

    /// A whisker from `low` to `high`.
    pub(super) fn whisker(&mut self, x: f64, low: f64, high: f64) {
        let ((centre, bottom), (_, top)) = (self.at((x, low)), self.at((x, high)));
        let path = format!("M{0:.1} {bottom:.1}h10m-5 0V{top:.1}m-5 0h10", centre - 5.0);
        self.marks.push(html! { path class="whisker" d=(path) {} });
    }

    /// The picture; `label` says in words what it shows.
    pub(super) fn draw(&self, label: &str) -> Markup {
        let (right, foot) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        let middle = f64::midpoint(TOP, foot);
        html! {
            svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(label) {
                @for (tick, name) in &self.y.ticks {
                    @let y = self.at((self.x.from, *tick)).1;
                    line class="grid" x1=(LEFT) x2=(right) y1=(number(y)) y2=(number(y)) {}
                    text class="tick" x=(LEFT - 6.0) y=(number(y + 4.0)) text-anchor="end" { (name) }
                }
                @for (tick, name) in &self.x.ticks {
                    @let x = self.at((*tick, self.y.from)).0;
                    text class="tick" x=(number(x)) y=(foot + 16.0) text-anchor="middle" { (name) }
                }
                line class="axis" x1=(LEFT) x2=(right) y1=(foot) y2=(foot) {}
                text class="title" x=(number(f64::midpoint(LEFT, right))) y=(HEIGHT - 8.0)
                    text-anchor="middle" { (self.x.title) }
                text class="title" transform={ "translate(14 " (number(middle)) ") rotate(-90)" }
                    text-anchor="middle" { (self.y.title) }
                @for mark in &self.marks { (mark) }
            }
        }
    }
}

fn number(value: f64) -> String {
    format!("{value:.1}")
}

/// Names of series beside their markers, above a plot.
pub(super) fn legend<'a>(names: impl IntoIterator<Item = (&'a str, &'a str)>) -> Markup {
    html! {
        p class="legend" {
            @for (class, name) in names {
                span { i class=(class) {} (name) }
                " "
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_reach_the_top() {
        assert_eq!(ticks(5.3), [0.0, 2.0, 4.0, 6.0]);
        assert_eq!(ticks(100.0), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        for most in [0.001, 0.7, 1.0, 9.99, 1234.5, 5e6, 14_880_952.38] {
            let ticks = ticks(most);
            assert!(*ticks.last().unwrap() >= most && ticks.len() <= 8, "{most}: {ticks:?}");
        }
        for nothing in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(ticks(nothing).len() > 1, "{nothing}");
        }
    }

    #[test]
    fn an_axis_below_zero_has_zero_among_its_ticks() {
        for (least, most) in [(-714.0, 500.0), (-1.0, 900.0), (-5.0, -1.0)] {
            let axis = Axis::between("", least, most, |tick| tick.to_string());
            assert!(axis.from <= least && axis.to >= most, "{axis:?}");
            assert!(axis.ticks.iter().any(|tick| tick.0 == 0.0), "{axis:?}");
        }
    }

    #[test]
    fn loss_is_drawn_from_0_to_100_percent_whatever_the_values_are() {
        let plot = Plot::new(Axis::percent("offered"), Axis::percent("lost"));
        let (left, bottom) = plot.at((0.0, 0.0));
        let (right, top) = plot.at((1.0, 1.0));
        assert_eq!((left, bottom, right, top), (LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, TOP));
        let drawn = plot.draw("loss").into_string();
        assert!(drawn.contains(">0</text>") && drawn.contains(">100</text>"));
    }

    #[test]
    fn what_a_name_holds_is_text_and_no_markup() {
        let mut plot =
            Plot::new(Axis::names("<b>", &["</svg><script>".into()]), Axis::percent("a & b"));
        plot.marker(0, (0.0, 0.5), false, "\"><script>");
        let drawn = plot.draw("\"><script>").into_string();
        assert!(!drawn.contains("<script>") && !drawn.contains("<b>"), "{drawn}");
        assert!(drawn.contains("a &amp; b"));
    }
}
