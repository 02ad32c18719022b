//! JSON, which may be large: kept as its text, and read into [`Node`]s piece by piece.

use super::{
    error::{Place, SpecError},
    node::{Entry, Node, Value},
};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    fmt,
    sync::Arc,
};

/// A JSON value as it was written. A tree of it would take twenty times the room.
#[derive(Debug, Clone)]
pub struct JsonText(Arc<Box<RawValue>>);

impl JsonText {
    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// The text as serde_json knows it.
    pub fn as_raw(&self) -> &RawValue {
        &self.0
    }

    /// As a tree, for what is small.
    pub fn to_value(&self) -> serde_json::Value {
        // It was read as JSON; a number beyond all numbers is still none.
        serde_json::from_str(self.as_str()).unwrap_or_default()
    }

    /// The members of an object in their order; `None`: it is no object.
    ///
    /// # Errors
    /// If two have one name.
    pub fn members(&self) -> Result<Option<Members<'_>>, SpecError> {
        Members::of(&self.0)
    }
}

impl PartialEq for JsonText {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Default for JsonText {
    fn default() -> Self {
        Self(Arc::new(RawValue::NULL.to_owned()))
    }
}

impl From<serde_json::Value> for JsonText {
    fn from(value: serde_json::Value) -> Self {
        // Every tree has a text.
        serde_json::value::to_raw_value(&value).map_or_else(|_| Self::default(), Self::from)
    }
}

impl From<Box<RawValue>> for JsonText {
    fn from(text: Box<RawValue>) -> Self {
        Self(Arc::new(text))
    }
}

impl From<&RawValue> for JsonText {
    fn from(text: &RawValue) -> Self {
        text.to_owned().into()
    }
}

impl TryFrom<String> for JsonText {
    type Error = serde_json::Error;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        RawValue::from_string(text).map(Self::from)
    }
}

impl Serialize for JsonText {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(to)
    }
}

impl<'de> Deserialize<'de> for JsonText {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(from).map(Self::from)
    }
}

/// The members of an object, whose values are not read yet.
#[derive(Debug, Default)]
pub struct Members<'a>(Vec<(String, Cow<'a, RawValue>)>);

impl<'a> Members<'a> {
    /// As of [`JsonText::members`].
    ///
    /// # Errors
    /// If two have one name.
    pub fn of(text: &'a RawValue) -> Result<Option<Self>, SpecError> {
        if !text.get().starts_with('{') {
            return Ok(None);
        }
        let members = serde_json::from_str(text.get()).map(Some);
        members.map_err(|error| wrong_syntax(String::new(), &error))
    }

    /// In the order of the text.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), &**value))
    }

    /// The value of a member.
    pub fn get(&self, name: &str) -> Option<&RawValue> {
        self.iter().find(|(own, _)| *own == name).map(|(_, value)| value)
    }

    /// The object.
    pub fn to_text(&self) -> JsonText {
        // Every object has a text.
        serde_json::value::to_raw_value(self).map_or_else(|_| JsonText::default(), JsonText::from)
    }

    /// Gives a member a value, or adds it.
    pub fn set(&mut self, name: &str, value: Cow<'a, RawValue>) {
        match self.0.iter_mut().find(|(own, _)| own == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }
}

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, &'de RawValue>()? {
            members.push((name, Cow::Borrowed(value)));
        }
        distinct(members.iter().map(|(name, _)| name.as_str()))?;
        Ok(Members(members))
    }
}

/// The elements of a list, whose values are not read yet: one more than `most` at most;
/// `None`: it is no list.
pub fn elements(text: &RawValue, most: usize) -> Option<Vec<&RawValue>> {
    struct Elements(usize);

    impl<'de> Visitor<'de> for Elements {
        type Value = Vec<&'de RawValue>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let mut elements = Vec::new();
            while elements.len() <= self.0 {
                let Some(element) = seq.next_element()? else { return Ok(elements) };
                elements.push(element);
            }
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            Ok(elements)
        }
    }

    serde_json::Deserializer::from_str(text.get()).deserialize_seq(Elements(most)).ok()
}

/// Values of one flow, or of all ports: a few octets of text each, and 200 of memory.
const VALUES_MAX: u32 = 1 << 20;

/// The tree of a text that stands at `path`.
///
/// # Errors
/// [`SpecError::Syntax`] for what only looks like JSON: a number beyond all numbers, half a
/// surrogate, two members of one name; and for what is too much.
pub(super) fn node(text: &RawValue, path: &str) -> Result<Node, SpecError> {
    let reading = Reading { left: Cell::new(VALUES_MAX), failed: RefCell::new(None) };
    let seed = NodeSeed { path: path.to_owned(), reading: &reading };
    let read = seed.deserialize(&mut serde_json::Deserializer::from_str(text.get()));
    read.map_err(|error| wrong_syntax(reading.failed.take().unwrap_or_default(), &error))
}

/// The path of a member of what stands at `path`.
pub(super) fn child(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// An error that the value of `text` is of the wrong kind.
pub(super) fn unfit(text: &RawValue, path: &str, allowed: &str) -> SpecError {
    node(text, path).map_or_else(|error| error, |node| node.unfit(allowed))
}

pub(super) fn place(path: &str) -> Arc<Place> {
    Arc::new(Place { key: path.to_owned(), ..Place::default() })
}

fn wrong_syntax(key: String, error: &serde_json::Error) -> SpecError {
    // Its line and column are those of a part.
    let text = error.to_string();
    let problem = text.split(" at line ").next().unwrap_or_default().to_owned();
    SpecError::Syntax { place: Place { key, ..Place::default() }, problem }
}

/// TOML and YAML refuse it too.
fn distinct<'a, E: de::Error>(names: impl Iterator<Item = &'a str>) -> Result<(), E> {
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(E::custom(format_args!("`{}` is given twice", pair[0]))),
        None => Ok(()),
    }
}

/// What all values of a tree share while it is read.
struct Reading {
    /// So many more.
    left: Cell<u32>,
    /// The innermost place at which it could not be read.
    failed: RefCell<Option<String>>,
}

struct NodeSeed<'a> {
    path: String,
    reading: &'a Reading,
}

impl<'de> DeserializeSeed<'de> for NodeSeed<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Node, D::Error> {
        let read = match self.reading.left.get().checked_sub(1) {
            Some(left) => {
                self.reading.left.set(left);
                from.deserialize_any(NodeVisitor(&self))
            }
            None => Err(de::Error::custom(format_args!("more than {VALUES_MAX} values"))),
        };
        match read {
            Ok(value) => Ok(Node { place: place(&self.path), value }),
            Err(error) => {
                self.reading.failed.borrow_mut().get_or_insert(self.path);
                Err(error)
            }
        }
    }
}

struct NodeVisitor<'a>(&'a NodeSeed<'a>);

impl<'de> Visitor<'de> for NodeVisitor<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Foreign("nothing"))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Integer(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Integer(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let NodeSeed { path, reading } = self.0;
        let mut nodes = Vec::new();
        let seed = |at: usize| NodeSeed { path: format!("{path}[{at}]"), reading };
        while let Some(node) = seq.next_element_seed(seed(nodes.len()))? {
            nodes.push(node);
        }
        Ok(Value::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let NodeSeed { path, reading } = self.0;
        let mut entries: Vec<Entry> = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            let path = child(path, &key);
            let place = place(&path);
            let node = map.next_value_seed(NodeSeed { path, reading })?;
            entries.push(Entry { key, place, node });
        }
        distinct(entries.iter().map(|entry| entry.key.as_str()))?;
        Ok(Value::Table(entries))
    }
}
