//! The values of a header field in the form of the flow file.

use super::super::{
    Refusal,
    model::{Checksum, ChecksumForm, Form, Generated, Pattern, Scalar},
    refusal::At,
};
use crate::spec::Values;
use serde_json::{Value, json};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Longest list that stands for a pattern (as in the flow file).
const LIST_MAX: u64 = 65_536;

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A number of so many bits.
    Bits(u32),
    Mac,
    Ipv4,
    Ipv6,
}

impl Kind {
    fn bits(self) -> u32 {
        match self {
            Self::Bits(bits) => bits,
            Self::Mac => 48,
            Self::Ipv4 => 32,
            Self::Ipv6 => 128,
        }
    }

    fn most(self) -> u128 {
        u128::MAX >> (128 - self.bits())
    }

    /// One value as the flow file writes it.
    fn text(self, value: u128) -> String {
        match self {
            Self::Bits(_) => value.to_string(),
            Self::Mac => {
                let octets = value.to_be_bytes();
                let pairs: Vec<_> = octets[10..].iter().map(|b| format!("{b:02x}")).collect();
                pairs.join(":")
            }
            Self::Ipv4 => Ipv4Addr::from_bits(value as u32).to_string(),
            Self::Ipv6 => Ipv6Addr::from_bits(value).to_string(),
        }
    }

    /// The values as the flow file writes them.
    pub(super) fn json(self, values: &Values) -> Value {
        let one = |value: u128| match self {
            Self::Bits(_) => json!(value as u64),
            _ => json!(self.text(value)),
        };
        let ends = |low, high| format!("{}-{}", self.text(low), self.text(high));
        match values {
            Values::One(value) => one(*value),
            Values::List(list) => {
                json!({"list": list.iter().map(|&value| one(value)).collect::<Vec<_>>()})
            }
            Values::Range { first, step, count } => {
                let last = first.wrapping_add(step.wrapping_mul((*count - 1).into()) as u128);
                json!({"range": ends(*first, last), "step": *step as i64})
            }
            Values::Random { low, high, seed, count } => {
                json!({"random": ends(*low, *high), "seed": seed, "count": count})
            }
        }
    }
}

/// What a field is besides its kind.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    pub(super) kind: Kind,
    /// What the schema gives what is left out.
    pub(super) default: u128,
    /// The server may find the value.
    pub(super) auto: bool,
    /// Random values are allowed.
    pub(super) random: bool,
}

impl Field {
    pub(super) fn new(kind: Kind, default: u128) -> Self {
        Self { kind, default, auto: false, random: false }
    }

    pub(super) fn auto(self) -> Self {
        Self { auto: true, ..self }
    }

    pub(super) fn random(self) -> Self {
        Self { random: true, ..self }
    }

    /// The values of a pattern; `None`: the server finds them.
    pub(super) fn read<T: Scalar>(
        &self,
        pattern: Option<&Pattern<T>>,
        at: &At<'_>,
    ) -> Result<Option<Values>, Refusal> {
        let Some(pattern) = pattern else {
            return Ok((!self.auto).then_some(Values::One(self.default)));
        };
        if pattern.metric_tags.as_ref().is_some_and(|tags| !tags.is_empty()) {
            return Err(at.key("metric_tags").refuse("tracking by header fields is not supported"));
        }
        match self.form(pattern, at)? {
            Form::Auto if self.auto => Ok(None),
            Form::Auto => {
                Err(at.key("choice").refuse("`auto` is not supported here; give the value"))
            }
            Form::Value => {
                let at = at.key("value");
                pattern
                    .value
                    .map_or(Ok(self.default), |value| self.fit(value, &at))
                    .map(|value| Some(Values::One(value)))
            }
            Form::Values => self.list(pattern.values.as_deref(), &at.key("values")).map(Some),
            Form::Increment | Form::Decrement => self.counter(pattern, at).map(Some),
            Form::Random if self.random => self.draw(pattern, &at.key("random")).map(Some),
            Form::Random => Err(at.key("choice").refuse("this field has no random values")),
        }
    }

    /// The choice, or what is there without one. All else would be ignored, so it is refused.
    fn form<T>(&self, pattern: &Pattern<T>, at: &At<'_>) -> Result<Form, Refusal> {
        let given = [
            (Form::Value, "value", pattern.value.is_some()),
            (Form::Values, "values", pattern.values.is_some()),
            (Form::Increment, "increment", pattern.increment.is_some()),
            (Form::Decrement, "decrement", pattern.decrement.is_some()),
            (Form::Random, "random", pattern.random.is_some()),
            (Form::Auto, "auto", pattern.auto.is_some()),
        ];
        let mut present = given.into_iter().filter(|(.., present)| *present);
        let first = present.next();
        let usual = if self.auto { Form::Auto } else { Form::Value };
        let form = pattern.choice.or(first.map(|(form, ..)| form)).unwrap_or(usual);
        match first.into_iter().chain(present).find(|(other, ..)| *other != form) {
            Some((_, name, _)) => Err(at.key(name).refuse("it is not what `choice` says")),
            None => Ok(form),
        }
    }

    fn fit<T: Scalar>(&self, value: T, at: &At<'_>) -> Result<u128, Refusal> {
        let (value, most) = (value.number(), self.kind.most());
        if value > most {
            return Err(at.refuse(format!("{value} is over {most}; allowed: 0 to {most}")));
        }
        Ok(value)
    }

    fn list<T: Scalar>(&self, values: Option<&[T]>, at: &At<'_>) -> Result<Values, Refusal> {
        let Some(values) = values else { return Ok(Values::One(self.default)) };
        if values.is_empty() || values.len() as u64 > LIST_MAX {
            return Err(at.refuse(format!("{} values; allowed: 1 to {LIST_MAX}", values.len())));
        }
        let fit = |(index, &value)| self.fit(value, &at.index(index));
        values.iter().enumerate().map(fit).collect::<Result<Vec<_>, _>>().map(listed)
    }

    /// Counts within the field's bits: after the greatest value comes 0, and the other way.
    fn counter<T: Scalar>(&self, pattern: &Pattern<T>, at: &At<'_>) -> Result<Values, Refusal> {
        let down = pattern.decrement.is_some() || pattern.choice == Some(Form::Decrement);
        let (counter, name) = if down {
            (&pattern.decrement, "decrement")
        } else {
            (&pattern.increment, "increment")
        };
        let at = at.key(name);
        let Some(counter) = counter else { return Ok(Values::One(self.default)) };
        let field = |value: Option<T>, name, default| {
            value.map_or(Ok(default), |value| self.fit(value, &at.key(name)))
        };
        let first = field(counter.start, "start", self.default)?;
        let step = field(counter.step, "step", 1)?;
        let count = count(counter.count.map(|count| count.0), &at)?;
        if count == 1 || step == 0 {
            return Ok(Values::One(first));
        }
        let within = || {
            let distance = step.checked_mul(u128::from(count - 1))?;
            let last =
                if down { first.checked_sub(distance) } else { first.checked_add(distance) }?;
            let half = self.kind != Kind::Ipv6 || first >> 64 == last >> 64;
            (last <= self.kind.most() && half).then_some(())?;
            let step = i64::try_from(step).ok()?;
            Some(i128::from(if down { -step } else { step }))
        };
        if let Some(step) = within() {
            return Ok(Values::Range { first, step, count });
        }
        if u64::from(count) > LIST_MAX {
            return Err(at.key("count").refuse(format!(
                "{count} values that go beyond the field; allowed: {LIST_MAX} of those"
            )));
        }
        let most = self.kind.most();
        let value = |index: u128| {
            let distance = step.wrapping_mul(index);
            most & if down { first.wrapping_sub(distance) } else { first.wrapping_add(distance) }
        };
        Ok(listed((0..u128::from(count)).map(value).collect()))
    }

    fn draw<T: Scalar>(&self, pattern: &Pattern<T>, at: &At<'_>) -> Result<Values, Refusal> {
        let Some(draw) = &pattern.random else { return Ok(Values::One(self.default)) };
        let field = |value: Option<T>, name, default| {
            value.map_or(Ok(default), |value| self.fit(value, &at.key(name)))
        };
        let low = field(draw.min, "min", 0)?;
        let high = field(draw.max, "max", self.kind.most())?;
        if low > high {
            return Err(at.refuse("`min` is over `max`"));
        }
        let seed = draw.seed.map_or(1, |seed| seed.0);
        let count = count(draw.count.map(|count| count.0), at)?;
        Ok(if low == high { Values::One(low) } else { Values::Random { low, high, seed, count } })
    }
}

/// How many values a pattern has.
fn count(count: Option<u64>, at: &At<'_>) -> Result<u32, Refusal> {
    match count.unwrap_or(1) {
        0 => Err(at.key("count").refuse("no value at all; allowed: 1 or more")),
        count => u32::try_from(count).map_err(|_| {
            at.key("count").refuse(format!("{count} values; allowed: at most {}", u32::MAX))
        }),
    }
}

/// A list, which of one value is that value.
fn listed(list: Vec<u128>) -> Values {
    if let [value] = list[..] { Values::One(value) } else { Values::List(list) }
}

/// Value `index` of values that are not random.
fn at(values: &Values, index: u64) -> u128 {
    match values {
        Values::List(list) => list[(index % list.len() as u64) as usize],
        Values::Range { first, step, count } => {
            let index = i128::from(index % u64::from(*count));
            first.wrapping_add(step.wrapping_mul(index) as u128)
        }
        Values::One(value) | Values::Random { low: value, .. } => *value,
    }
}

/// Several narrow fields as one: each with its distance from the low end. The period is
/// the least common multiple of theirs.
pub(super) fn joined(parts: &[(Values, u32)], at_path: &At<'_>) -> Result<Values, Refusal> {
    let period = parts.iter().try_fold(1_u64, |all, (values, _)| {
        let period = u64::from(values.period());
        let (mut a, mut b) = (all, period);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        all.checked_mul(period / a).filter(|&all| all <= LIST_MAX)
    });
    let Some(period) = period else {
        return Err(at_path.refuse(format!(
            "its parts take more than {LIST_MAX} frames to repeat; give them fewer values"
        )));
    };
    let value =
        |index| parts.iter().fold(0, |all, (values, shift)| all | at(values, index) << shift);
    Ok(listed((0..period).map(value).collect()))
}

/// Some bits of every value.
pub(super) fn part(values: &Values, shift: u32, bits: u32) -> Values {
    let part = |value: u128| value >> shift & (u128::MAX >> (128 - bits));
    let all: Vec<u128> =
        (0..u64::from(values.period())).map(|index| part(at(values, index))).collect();
    if all.iter().all(|value| *value == all[0]) { Values::One(all[0]) } else { Values::List(all) }
}

/// A checksum as the flow file writes it; `None`: the right one.
pub(super) fn checksum(checksum: Option<&Checksum>, at: &At<'_>) -> Result<Option<Value>, Refusal> {
    let Some(checksum) = checksum else { return Ok(None) };
    let form = match (checksum.choice, checksum.custom) {
        (None, Some(_)) => ChecksumForm::Custom,
        (form, _) => form.unwrap_or(ChecksumForm::Generated),
    };
    match form {
        ChecksumForm::Generated if checksum.custom.is_some() => {
            Err(at.key("custom").refuse("it is not what `choice` says"))
        }
        ChecksumForm::Custom if checksum.generated.is_some() => {
            Err(at.key("generated").refuse("it is not what `choice` says"))
        }
        ChecksumForm::Generated if checksum.generated == Some(Generated::Bad) => {
            Ok(Some(json!("bad")))
        }
        ChecksumForm::Generated => Ok(None),
        ChecksumForm::Custom => match checksum.custom.map(|custom| custom.0) {
            Some(custom @ 0..=0xffff) => Ok(Some(json!(custom))),
            Some(custom) => Err(at.key("custom").refuse(format!("{custom} is over 65535"))),
            None => Err(at.refuse("`custom` is missing; give 0 to 65535")),
        },
    }
}
