//! Values that suite files have and flow files have not.

use super::{Frame, Resolution};
use crate::{
    spec::{
        error::SpecError,
        node::{Node, Section, Value, parse_whole},
        size,
    },
    units::{FrameSize, Rate, Ratio, parse_decimal, parse_duration, parse_percentage},
};
use std::time::Duration;

/// The sizes of RFC 2544 section 9.1 for Ethernet.
pub(super) const RFC_SIZES: [u16; 7] = [64, 128, 256, 512, 1024, 1280, 1518];

/// A section that need not be there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'a>(Option<Section<'a>>);

impl<'a> Part<'a> {
    /// Fails on an unknown key.
    pub(super) fn open(root: Section<'a>, name: &str, keys: &[&str]) -> Result<Self, SpecError> {
        root.get(name).map(|node| Section::open(node, keys)).transpose().map(Self)
    }

    pub(super) fn get(self, key: &str) -> Option<&'a Node> {
        self.0.and_then(|section| section.get(key))
    }

    /// A key read by `read`, or else the profile's value.
    pub(super) fn or<T>(
        self,
        key: &str,
        default: T,
        read: impl FnOnce(&Node) -> Result<T, SpecError>,
    ) -> Result<T, SpecError> {
        self.get(key).map_or(Ok(default), read)
    }

    /// The same with a flag before the key.
    pub(super) fn flag_or<T>(
        self,
        flag: Option<&Node>,
        key: &str,
        default: T,
        read: impl Fn(&Node) -> Result<T, SpecError>,
    ) -> Result<T, SpecError> {
        // A value that a flag replaces is checked all the same.
        let value = self.or(key, default, &read)?;
        flag.map_or(Ok(value), read)
    }
}

/// A time within bounds, such as `"10s"`.
pub(super) fn time(node: &Node, least: Duration, most: Duration) -> Result<Duration, SpecError> {
    let shown = crate::units::format_duration;
    let allowed = || {
        format!("a time from {} to {}, such as \"500ms\" or \"1.5m\"", shown(least), shown(most))
    };
    let text = node.text(&allowed())?;
    let text = if text == "0" { "0s" } else { text };
    parse_duration(text)
        .filter(|time| (least..=most).contains(time))
        .ok_or_else(|| node.unfit(allowed()))
}

/// The length of a trial.
pub(super) fn trial(node: &Node) -> Result<Duration, SpecError> {
    time(node, Duration::from_millis(10), Duration::from_hours(24 * 7))
}

/// A wait, which may be none.
pub(super) fn wait(node: &Node) -> Result<Duration, SpecError> {
    time(node, Duration::ZERO, Duration::from_hours(1))
}

/// How often something is done.
pub(super) fn repeats(node: &Node) -> Result<u32, SpecError> {
    node.whole(1, 100_000).map(|number| number as u32)
}

/// A share from 0 to 1, as `"0.1%"`, `"0"` or `0.001`, kept exact.
pub(super) fn share(node: &Node, allowed: &str) -> Result<Ratio, SpecError> {
    let text = match &node.value {
        Value::Text(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        _ => return Err(node.unfit(allowed)),
    };
    let number = text.trim().trim_end_matches(['%', ' ']);
    let zero = number.starts_with('0') && number.bytes().all(|digit| matches!(digit, b'0' | b'.'));
    let value = match text.trim() {
        _ if zero => Some(Ratio::ZERO),
        text if text.ends_with('%') => parse_percentage(text),
        text => parse_decimal(text),
    };
    value.filter(|share| *share <= Ratio::ONE).ok_or_else(|| node.unfit(allowed))
}

/// The same above 0.
pub(super) fn positive_share(node: &Node, allowed: &str) -> Result<Ratio, SpecError> {
    let share = share(node, allowed)?;
    if share == Ratio::ZERO { Err(node.unfit(allowed)) } else { Ok(share) }
}

/// A greatest rate; `max` is the line's.
pub(super) fn max_rate(node: &Node) -> Result<Rate, SpecError> {
    Ok(match crate::spec::flow::read_rate(node)? {
        Rate::Max => Rate::LineShare(Ratio::ONE),
        rate => rate,
    })
}

/// Frames a second, such as `"1fps"`.
pub(super) fn frames_per_second(node: &Node) -> Result<Ratio, SpecError> {
    let allowed = "frames a second, such as \"1fps\" or \"10kpps\"";
    match node.text(allowed)?.parse() {
        Ok(Rate::Frames(fps)) => Ok(fps),
        _ => Err(node.unfit(allowed)),
    }
}

/// Where a search ends.
pub(super) fn resolution(node: &Node) -> Result<Resolution, SpecError> {
    let allowed = "a share of line rate such as \"0.1%\", or frames such as \"1fps\"";
    match node.text(allowed)?.parse() {
        Ok(Rate::Frames(fps)) => Ok(Resolution::Fps(fps)),
        Ok(Rate::LineShare(share)) if share < Ratio::ONE => Ok(Resolution::Share(share)),
        _ => Err(node.unfit(allowed)),
    }
}

/// Whole bits a second, L2 with FCS, such as `"100Mbps"`.
pub(super) fn bits_per_second(node: &Node) -> Result<u64, SpecError> {
    let allowed = "L2 bits a second such as \"100Mbps\"";
    match node.text(allowed)?.parse() {
        Ok(Rate::L2Bits(bps)) if bps.denominator() == 1 => {
            u64::try_from(bps.floor()).map_err(|_| node.unfit(allowed))
        }
        _ => Err(node.unfit(allowed)),
    }
}

/// A word of a list, as its place there.
pub(super) fn word(node: &Node, words: &[&str]) -> Result<usize, SpecError> {
    let allowed = words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
    let text = node.text(&allowed)?;
    words.iter().position(|word| *word == text).ok_or_else(|| node.unfit(allowed))
}

/// A command for a shell, or a name: on one line and not empty.
pub(super) fn line(node: &Node) -> Result<String, SpecError> {
    let allowed = "a text that is not empty, on one line";
    let text = node.text(allowed)?;
    let empty = text.trim().is_empty() || text.contains(char::is_control);
    if empty { Err(node.unfit(allowed)) } else { Ok(text.to_owned()) }
}

const SIZE: &str = "64 to 9216, \"imix\", \"imix:trex\", or \"rfc\" for the seven of RFC 2544";

/// The frames of the rows, none twice; `rfc` stands for seven sizes.
pub(super) fn frames(node: &Node) -> Result<Vec<Frame>, SpecError> {
    let mut frames: Vec<Frame> = Vec::new();
    for one in node.one_or_more() {
        for frame in some_frames(one)? {
            if frames.iter().any(|other| other.name == frame.name) {
                return Err(one.wrong(format!("{} stands there twice", frame.name), "each once"));
            }
            frames.push(frame);
        }
    }
    if frames.is_empty() { Err(node.wrong("an empty list of sizes", SIZE)) } else { Ok(frames) }
}

/// One frame.
pub(super) fn frame(node: &Node) -> Result<Frame, SpecError> {
    let mut frames = some_frames(node)?;
    if frames.len() == 1 { Ok(frames.remove(0)) } else { Err(node.unfit(SIZE)) }
}

fn some_frames(node: &Node) -> Result<Vec<Frame>, SpecError> {
    match &node.value {
        Value::Text(text) if text == "rfc" => Ok(fixed(&RFC_SIZES)),
        Value::Text(text) if text.starts_with("imix") => {
            Ok(vec![Frame::mix(text.as_str(), &size::read(node)?)])
        }
        Value::Text(text) if parse_whole(text).is_none() => Err(node.unfit(SIZE)),
        Value::Text(_) | Value::Integer(_) => {
            size::read(node).map(|sizes| sizes.into_iter().map(Frame::fixed).collect())
        }
        _ => Err(node.unfit(SIZE)),
    }
}

/// Frames of these sizes, as far as they are sizes.
pub(super) fn fixed(sizes: &[u16]) -> Vec<Frame> {
    sizes.iter().filter_map(|bytes| FrameSize::new(*bytes)).map(Frame::fixed).collect()
}
