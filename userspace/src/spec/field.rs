//! One header field: a value, a list, a range or random values.

use super::{
    Values,
    error::SpecError,
    node::{Node, Section, Value, parse_whole},
};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Most values that a list may hold.
const LIST_MAX: usize = 65_536;

/// Period of random values when `count` is absent.
const RANDOM_COUNT: u32 = 65_536;

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A number of so many bits.
    Bits(u32),
    Ipv4,
    Ipv6,
    Mac,
}

impl Kind {
    /// Greatest value.
    fn most(self) -> u128 {
        u128::MAX
            >> (128
                - match self {
                    Kind::Bits(bits) => bits,
                    Kind::Ipv4 => 32,
                    Kind::Ipv6 => 128,
                    Kind::Mac => 48,
                })
    }

    /// One value in words.
    pub(super) fn allowed(self) -> String {
        match self {
            Kind::Bits(_) => format!("0 to {}", self.most()),
            Kind::Ipv4 => "an IPv4 address such as \"198.18.0.2\"".into(),
            Kind::Ipv6 => "an IPv6 address such as \"2001:2::2\"".into(),
            Kind::Mac => "a MAC address such as \"02:00:00:00:00:01\"".into(),
        }
    }

    fn parse(self, text: &str) -> Option<u128> {
        let text = text.trim();
        match self {
            Kind::Bits(_) => parse_whole(text)?.try_into().ok(),
            Kind::Ipv4 => text.parse::<Ipv4Addr>().ok().map(|address| address.to_bits().into()),
            Kind::Ipv6 => text.parse::<Ipv6Addr>().ok().map(Ipv6Addr::to_bits),
            Kind::Mac => parse_mac(text),
        }
    }

    /// One value, checked, from a text that is all or part of `node`.
    fn value(self, node: &Node, text: &str) -> Result<u128, SpecError> {
        let value = self
            .parse(text)
            .ok_or_else(|| node.wrong(format!("\"{text}\" does not fit"), self.allowed()))?;
        self.check(node, value)
    }

    fn check(self, node: &Node, value: u128) -> Result<u128, SpecError> {
        if value > self.most() {
            return Err(node.wrong(format!("{value} is over {}", self.most()), self.allowed()));
        }
        Ok(value)
    }
}

/// Six pairs of hexadecimal digits with colons between.
fn parse_mac(text: &str) -> Option<u128> {
    let octets: Vec<_> = text.split(':').collect();
    if octets.len() != 6 {
        return None;
    }
    octets.into_iter().try_fold(0, |mac, octet| {
        let digits = octet.len() == 2 && octet.bytes().all(|b| b.is_ascii_hexdigit());
        digits.then(|| Some(mac << 8 | u128::from_str_radix(octet, 16).ok()?))?
    })
}

/// Reads a field. A set of one value comes out as [`Values::One`].
pub(super) fn read(node: &Node, kind: Kind) -> Result<Values, SpecError> {
    match &node.value {
        Value::Table(_) => read_set(node, kind),
        Value::List(_) => Err(node.wrong("a bare list does not fit", "{list = [...]}")),
        _ => Ok(Values::One(read_one(node, kind)?)),
    }
}

fn read_one(node: &Node, kind: Kind) -> Result<u128, SpecError> {
    match &node.value {
        Value::Text(text) => kind.value(node, text),
        Value::Integer(number) if matches!(kind, Kind::Bits(_)) => match u128::try_from(*number) {
            Ok(number) => kind.check(node, number),
            Err(_) => Err(node.wrong(format!("{number} is below 0"), kind.allowed())),
        },
        _ => Err(node.unfit(kind.allowed())),
    }
}

fn read_set(node: &Node, kind: Kind) -> Result<Values, SpecError> {
    let section = Section::open(node, &["list", "range", "step", "random", "seed", "count"])?;
    let given = ["list", "range", "random"].map(|key| section.get(key));
    let (form, keys): (_, &[&str]) = match given {
        [Some(list), None, None] => (read_list(list, kind), &["list"]),
        [None, Some(range), None] => {
            (read_range(range, section.get("step"), kind), &["range", "step"])
        }
        [None, None, Some(random)] => {
            (read_random(random, &section, kind), &["random", "seed", "count"])
        }
        _ => {
            return Err(node.wrong(
                "a field takes exactly one of `list`, `range` and `random`",
                "{list = [...]}, {range = \"a-b\", step = n} or {random = \"a-b\", seed = n, count = n}",
            ));
        }
    };
    Section::open(node, keys)?;
    form
}

fn read_list(node: &Node, kind: Kind) -> Result<Values, SpecError> {
    let allowed = format!("a list of 1 to {LIST_MAX} values");
    let Value::List(nodes) = &node.value else { return Err(node.unfit(allowed)) };
    if nodes.is_empty() || nodes.len() > LIST_MAX {
        return Err(node.wrong(format!("a list of {} values", nodes.len()), allowed));
    }
    let list = nodes.iter().map(|node| read_one(node, kind)).collect::<Result<Vec<_>, _>>()?;
    Ok(if let [one] = list[..] { Values::One(one) } else { Values::List(list) })
}

/// Both ends of `"a-b"`.
pub(super) fn read_ends(node: &Node, kind: Kind) -> Result<(u128, u128), SpecError> {
    let allowed = "\"a-b\" with both ends";
    let (first, last) = node
        .text(allowed)?
        .split_once('-')
        .ok_or_else(|| node.unfit(format!("{allowed}, each {}", kind.allowed())))?;
    Ok((kind.value(node, first.trim())?, kind.value(node, last.trim())?))
}

fn read_range(node: &Node, step: Option<&Node>, kind: Kind) -> Result<Values, SpecError> {
    let (first, last) = read_ends(node, kind)?;
    let (step, count) = read_steps(node, step, first, last)?;
    low_half_only(node, kind, first, last)?;
    Ok(if count == 1 { Values::One(first) } else { Values::Range { first, step, count } })
}

/// The step from `first` to `last` and how many values that makes, both ends included.
pub(super) fn read_steps(
    node: &Node,
    step: Option<&Node>,
    first: u128,
    last: u128,
) -> Result<(i128, u32), SpecError> {
    let step_node = step;
    let step = step.map_or(Ok(1), |step| step.whole(i64::MIN.into(), i64::MAX.into()))?;
    let problem = match step {
        0 => return Err(step_node.unwrap_or(node).wrong("a step of 0", "a step above or below 0")),
        1.. if first > last => Some("backward, but its step is positive"),
        ..=-1 if first < last => Some("forward, but its step is negative"),
        _ => None,
    };
    if let Some(problem) = problem {
        let text = node.show();
        return Err(node.wrong(
            format!("the range {text} runs {problem}"),
            "first to last upward with a positive step, downward with a negative one",
        ));
    }
    let count = (first.abs_diff(last) / step.unsigned_abs()).saturating_add(1);
    match u32::try_from(count) {
        Ok(count) => Ok((step, count)),
        Err(_) => Err(node.wrong(
            format!("the range {} has {count} values", node.show()),
            format!("at most {}; give a larger step, or `random` with a count", u32::MAX),
        )),
    }
}

/// A seed that follows from the field's place in the flow (FNV-1a), so that two random
/// fields of one flow do not walk in step.
fn default_seed(key: &str) -> i128 {
    let place = key.find(".layers").map_or(key, |start| &key[start..]);
    let hash = place.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, octet| {
        (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3)
    });
    hash.into()
}

fn read_random(node: &Node, section: &Section<'_>, kind: Kind) -> Result<Values, SpecError> {
    let (low, high) = read_ends(node, kind)?;
    let seed = section
        .get("seed")
        .map_or_else(|| Ok(default_seed(&node.place.key)), |seed| seed.whole(0, u64::MAX.into()))?;
    let count = section
        .get("count")
        .map_or(Ok(RANDOM_COUNT.into()), |count| count.whole(1, u32::MAX.into()))?;
    if low > high {
        return Err(
            node.wrong(format!("the range {} runs backward", node.show()), "the lower end first")
        );
    }
    low_half_only(node, kind, low, high)?;
    Ok(if low == high {
        Values::One(low)
    } else {
        Values::Random { low, high, seed: seed as u64, count: count as u32 }
    })
}

/// An edit writes 64 bits: within a range the upper half of an IPv6 address stays as it is.
fn low_half_only(node: &Node, kind: Kind, first: u128, last: u128) -> Result<(), SpecError> {
    if kind == Kind::Ipv6 && first >> 64 != last >> 64 {
        return Err(node.wrong(
            format!("the range {} varies the upper 64 bits", node.show()),
            "ends that share their first 64 bits; or a `list` of addresses",
        ));
    }
    Ok(())
}
