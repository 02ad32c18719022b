//! TOML and YAML to [`Node`]s, with the place of every value.

use super::{
    error::{Place, SpecError},
    node::{Entry, Node, Value},
};
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;
use std::{fmt, ops::Range, sync::Arc};
use toml::de::{DeTable, DeValue};

/// Makes the places of one file.
struct Places {
    file: Option<Arc<str>>,
}

impl Places {
    fn at(&self, position: Option<(u32, u32)>, key: &str) -> Arc<Place> {
        Arc::new(Place { file: self.file.clone(), position, key: key.to_owned() })
    }
}

fn child(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// Reads TOML.
pub(super) fn toml(text: &str, file: Option<Arc<str>>) -> Result<Node, SpecError> {
    let lines = Lines::new(text);
    let places = Places { file };
    let table = DeTable::parse(text).map_err(|error| SpecError::Syntax {
        place: (*places.at(error.span().map(|span| lines.position(&span)), "")).clone(),
        problem: one_line(error.message()),
    })?;
    let span = table.span();
    Ok(Toml { places, lines }.node(span, &DeValue::Table(table.into_inner()), ""))
}

/// Byte offsets at which the lines of a text begin.
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        let starts =
            std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, starts }
    }

    fn position(&self, span: &Range<usize>) -> (u32, u32) {
        let line = self.starts.partition_point(|start| *start <= span.start);
        let before = self.text.get(self.starts[line - 1]..span.start).unwrap_or_default();
        (line as u32, before.chars().count() as u32 + 1)
    }
}

struct Toml<'a> {
    places: Places,
    lines: Lines<'a>,
}

impl Toml<'_> {
    fn place(&self, span: &Range<usize>, path: &str) -> Arc<Place> {
        self.places.at(Some(self.lines.position(span)), path)
    }

    fn node(&self, span: Range<usize>, value: &DeValue<'_>, path: &str) -> Node {
        let value_of = match value {
            DeValue::String(text) => Value::Text(text.clone().into_owned()),
            DeValue::Integer(number) => i128::from_str_radix(number.as_str(), number.radix())
                .map_or(Value::Foreign("a number beyond all fields"), Value::Integer),
            DeValue::Float(number) => number
                .as_str()
                .parse()
                .map_or(Value::Foreign("a number that cannot be read"), Value::Float),
            DeValue::Boolean(value) => Value::Boolean(*value),
            DeValue::Datetime(_) => Value::Foreign("a date"),
            DeValue::Array(nodes) => Value::List(
                nodes
                    .iter()
                    .enumerate()
                    .map(|(at, node)| {
                        self.node(node.span(), node.get_ref(), &format!("{path}[{at}]"))
                    })
                    .collect(),
            ),
            DeValue::Table(table) => Value::Table(
                table
                    .iter()
                    .map(|(key, node)| {
                        let path = child(path, key.get_ref());
                        Entry {
                            key: key.get_ref().clone().into_owned(),
                            place: self.place(&key.span(), &path),
                            node: self.node(node.span(), node.get_ref(), &path),
                        }
                    })
                    .collect(),
            ),
        };
        Node { place: self.place(&span, path), value: value_of }
    }
}

/// Reads YAML.
pub(super) fn yaml(text: &str, file: Option<Arc<str>>) -> Result<Node, SpecError> {
    let places = Places { file };
    let raw: Spanned<Raw> = serde_saphyr::from_str(text).map_err(|error| {
        let error = error.without_snippet();
        let position = error.location().map(|at| (at.line() as u32, at.column() as u32));
        SpecError::Syntax {
            place: (*places.at(position, "")).clone(),
            problem: one_line(&error.to_string()),
        }
    })?;
    Ok(yaml_node(&places, raw, ""))
}

fn yaml_node(places: &Places, raw: Spanned<Raw>, path: &str) -> Node {
    let place_of = |at: serde_saphyr::Location, path: &str| {
        // Line 0 is the parser's word for a place that it does not know.
        places.at((at.line() > 0).then(|| (at.line() as u32, at.column() as u32)), path)
    };
    let value = match raw.value {
        Raw::Scalar(value) => value,
        Raw::List(nodes) => Value::List(
            nodes
                .into_iter()
                .enumerate()
                .map(|(at, node)| yaml_node(places, node, &format!("{path}[{at}]")))
                .collect(),
        ),
        Raw::Table(entries) => Value::Table(
            entries
                .into_iter()
                .map(|(key, node)| {
                    let path = child(path, &key.value);
                    let place = place_of(key.referenced, &path);
                    Entry { node: yaml_node(places, node, &path), key: key.value, place }
                })
                .collect(),
        ),
    };
    Node { place: place_of(raw.referenced, path), value }
}

/// Whatever YAML can say.
enum Raw {
    Scalar(Value),
    List(Vec<Spanned<Raw>>),
    Table(Vec<(Spanned<String>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, a list or a table")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Boolean(value)))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Integer(value.into())))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Integer(value.into())))
    }

    fn visit_i128<E: de::Error>(self, value: i128) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Integer(value)))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Float(value)))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Text(value.to_owned())))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Foreign("nothing")))
    }

    fn visit_none<E: de::Error>(self) -> Result<Raw, E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Raw, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = seq.next_element()? {
            nodes.push(node);
        }
        Ok(Raw::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Table(entries))
    }
}

/// Parsers explain themselves over several lines; an error here is one.
fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}
