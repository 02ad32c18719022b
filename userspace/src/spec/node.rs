//! A parsed file as a tree of values that know their place: what TOML, YAML and flags
//! have in common.

use super::error::{Place, SpecError};
use std::sync::Arc;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) place: Arc<Place>,
    pub(super) value: Value,
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    Boolean(bool),
    Integer(i128),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Table(Vec<Entry>),
    /// Something that no key takes: a date, a YAML null.
    Foreign(&'static str),
}

/// One line of a table.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    /// Where the key itself stands.
    pub(super) place: Arc<Place>,
    pub(super) node: Node,
}

impl Node {
    /// An error about this value.
    pub(super) fn wrong(
        &self,
        problem: impl Into<String>,
        allowed: impl Into<String>,
    ) -> SpecError {
        SpecError::invalid(&self.place, problem, allowed)
    }

    /// The value as a message names it.
    pub(super) fn show(&self) -> String {
        match &self.value {
            Value::Boolean(value) => value.to_string(),
            Value::Integer(value) => value.to_string(),
            Value::Float(value) => value.to_string(),
            Value::Text(text) => format!("\"{text}\""),
            Value::List(_) => "a list".into(),
            Value::Table(_) => "a table".into(),
            Value::Foreign(name) => (*name).into(),
        }
    }

    /// An error that the value is of the wrong kind.
    pub(super) fn unfit(&self, allowed: impl Into<String>) -> SpecError {
        self.wrong(format!("{} does not fit", self.show()), allowed)
    }

    pub(super) fn text(&self, allowed: &str) -> Result<&str, SpecError> {
        match &self.value {
            Value::Text(text) => Ok(text),
            _ => Err(self.unfit(allowed)),
        }
    }

    pub(super) fn boolean(&self) -> Result<bool, SpecError> {
        match self.value {
            Value::Boolean(value) => Ok(value),
            _ => Err(self.unfit("true or false")),
        }
    }

    /// A whole number from `least` to `most`, as a number or as text (`5`, `"5"`, `"0x11"`).
    pub(super) fn whole(&self, least: i128, most: i128) -> Result<i128, SpecError> {
        let allowed = || format!("{least} to {most}");
        let number = match &self.value {
            Value::Integer(number) => Some(*number),
            Value::Text(text) => parse_whole(text),
            _ => None,
        };
        let number = number.ok_or_else(|| self.unfit(allowed()))?;
        if number < least {
            return Err(self.wrong(format!("{number} is below {least}"), allowed()));
        }
        if number > most {
            return Err(self.wrong(format!("{number} is over {most}"), allowed()));
        }
        Ok(number)
    }

    /// The value itself, or the values of a list.
    pub(super) fn one_or_more(&self) -> &[Node] {
        match &self.value {
            Value::List(nodes) => nodes,
            _ => std::slice::from_ref(self),
        }
    }

    /// The tree with `from` replaced by `to` in every text.
    pub(super) fn replaced(&self, from: &str, to: &str) -> Node {
        let value = match &self.value {
            Value::Text(text) => Value::Text(text.replace(from, to)),
            Value::List(nodes) => {
                Value::List(nodes.iter().map(|node| node.replaced(from, to)).collect())
            }
            Value::Table(entries) => Value::Table(
                entries
                    .iter()
                    .map(|entry| Entry { node: entry.node.replaced(from, to), ..entry.clone() })
                    .collect(),
            ),
            other => other.clone(),
        };
        Node { place: self.place.clone(), value }
    }
}

/// A whole number in decimal, or in hexadecimal after `0x`.
pub(super) fn parse_whole(text: &str) -> Option<i128> {
    let text = text.trim();
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        // from_str_radix would take a sign after the prefix.
        Some(digits) if digits.starts_with(['+', '-']) => None,
        Some(digits) => i128::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// A table whose keys are all known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Section<'a> {
    pub(super) node: &'a Node,
    entries: &'a [Entry],
}

impl<'a> Section<'a> {
    /// Fails on the first key that is not among `allowed`.
    pub(super) fn open(node: &'a Node, allowed: &[&str]) -> Result<Self, SpecError> {
        let Value::Table(entries) = &node.value else {
            return Err(node.unfit(format!("a table of {}", allowed.join(", "))));
        };
        match entries.iter().find(|entry| !allowed.contains(&entry.key.as_str())) {
            Some(entry) => Err(SpecError::invalid(
                &entry.place,
                format!("unknown key `{}`", entry.key),
                allowed.join(", "),
            )),
            None => Ok(Self { node, entries }),
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&'a Node> {
        self.entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }

    /// A key that must be there; `allowed` says what it takes.
    pub(super) fn need(&self, key: &str, allowed: &str) -> Result<&'a Node, SpecError> {
        self.get(key).ok_or_else(|| {
            self.node.wrong(format!("`{key}` is missing"), format!("{key} = {allowed}"))
        })
    }
}
