//! A suite file and the flags before it, ready to be read as one suite or another.

use super::{
    MlrsearchSpec, Profile, Rfc2544Spec, SuiteFlags, Y1564Spec, flags::Flags, mlrsearch, rfc2544,
    values, y1564,
};
use crate::spec::{
    JsonText,
    error::{Place, SpecError},
    json,
    node::{Entry, Node, Section, Value},
    parse,
};
use serde_json::value::RawValue;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Every key of a suite file.
const KEYS: [&str; 22] = [
    "flows",
    "sizes",
    "profile",
    "tests",
    "ports",
    "topology",
    "addresses",
    "learning",
    "waits",
    "modifiers",
    "hooks",
    "pass",
    "limits",
    "throughput",
    "latency",
    "loss",
    "back_to_back",
    "recovery",
    "reset",
    "mlrsearch",
    "y1564",
    "service",
];

/// A suite file, or none, and the flags that go before it.
#[derive(Debug)]
pub struct SuiteFile {
    root: Node,
    flags: Flags,
    /// What paths are relative to; `None`: a suite that names no files.
    directory: Option<PathBuf>,
    /// Flows within.
    inline: Option<JsonText>,
    text: Option<Text>,
}

/// A suite file as it was written.
#[derive(Debug)]
enum Text {
    File(String),
    Json(JsonText),
}

/// What every reader of a section needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) root: Section<'a>,
    pub(super) flags: &'a Flags,
    pub(super) profile: Profile,
    /// What paths in the file are relative to; `None`: there may be none.
    pub(super) directory: Option<&'a Path>,
    /// Flows within the suite.
    pub(super) inline: Option<&'a JsonText>,
}

impl SuiteFile {
    /// Reads a suite file (YAML if its name ends in .yaml or .yml, else TOML) as far as its
    /// syntax goes.
    pub fn from_path(path: &Path, flags: &SuiteFlags) -> Result<Self, SpecError> {
        let text = fs::read_to_string(path)
            .map_err(|source| SpecError::ReadSuite { path: path.to_owned(), source })?;
        let file = Some(path.display().to_string().into());
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let yaml = ending.eq_ignore_ascii_case("yaml") || ending.eq_ignore_ascii_case("yml");
        let root = if yaml { parse::yaml(&text, file)? } else { parse::toml(&text, file)? };
        let directory = path.parent().unwrap_or(Path::new("")).to_owned();
        Self::new(root, flags, directory, Some(text))
    }

    /// The same from a text in TOML.
    pub fn from_toml(text: &str, flags: &SuiteFlags) -> Result<Self, SpecError> {
        let root = parse::toml(text, None)?;
        Self::new(root, flags, PathBuf::new(), Some(text.to_owned()))
    }

    /// The same from a text in YAML, of the same shape.
    pub fn from_yaml(text: &str, flags: &SuiteFlags) -> Result<Self, SpecError> {
        let root = parse::yaml(text, None)?;
        Self::new(root, flags, PathBuf::new(), Some(text.to_owned()))
    }

    /// Flags alone.
    pub fn from_flags(flags: &SuiteFlags) -> Result<Self, SpecError> {
        let place = Arc::new(Place { key: "command line".into(), ..Place::default() });
        let root = Node { place, value: Value::Table(Vec::new()) };
        Self::new(root, flags, PathBuf::new(), None)
    }

    /// The same shape in JSON, with the flows themselves instead of the name of their file.
    /// Places are keys only.
    pub fn from_json(text: &JsonText) -> Result<Self, SpecError> {
        let mut inline = None;
        let mut entry = |(key, value): (&str, &RawValue)| {
            let place = json::place(key);
            let node = if key == "flows" && value.get().starts_with('{') {
                // They are read by themselves.
                inline = Some(value.into());
                Node { place: place.clone(), value: Value::Table(Vec::new()) }
            } else if KEYS.contains(&key) {
                json::node(value, key)?
            } else {
                // It is refused unread.
                Node { place: place.clone(), value: Value::Foreign("not read") }
            };
            Ok(Entry { key: key.to_owned(), place, node })
        };
        let root = match text.members()? {
            Some(members) => Node {
                place: json::place(""),
                value: Value::Table(
                    members.iter().map(&mut entry).collect::<Result<_, SpecError>>()?,
                ),
            },
            None => json::node(text.as_raw(), "")?,
        };
        Ok(Self {
            root,
            flags: Flags::of(&SuiteFlags::default())?,
            directory: None,
            inline,
            text: Some(Text::Json(text.clone())),
        })
    }

    fn new(
        root: Node,
        flags: &SuiteFlags,
        directory: PathBuf,
        text: Option<String>,
    ) -> Result<Self, SpecError> {
        let flags = Flags::of(flags)?;
        let text = text.map(Text::File);
        Ok(Self { root, flags, directory: Some(directory), inline: None, text })
    }

    /// The file as it was written; `None`: there is none.
    pub fn text(&self) -> Option<String> {
        self.text.as_ref().map(|text| match text {
            Text::File(text) => text.clone(),
            Text::Json(text) => format!("{:#}", text.to_value()),
        })
    }

    /// What `linerate rfc2544` is asked for.
    pub fn rfc2544(&self) -> Result<Rfc2544Spec, SpecError> {
        let source = self.source()?;
        mlrsearch::read(source)?;
        y1564::read(source)?;
        rfc2544::read(source)
    }

    /// What `linerate mlrsearch` is asked for.
    pub fn mlrsearch(&self) -> Result<MlrsearchSpec, SpecError> {
        let source = self.source()?;
        rfc2544::read(source)?;
        y1564::read(source)?;
        mlrsearch::read(source)
    }

    /// What `linerate y1564` is asked for.
    pub fn y1564(&self) -> Result<Y1564Spec, SpecError> {
        let source = self.source()?;
        rfc2544::read(source)?;
        mlrsearch::read(source)?;
        let spec = y1564::read(source)?;
        if spec.services.is_empty() {
            let allowed = "one [[service]] or more, each with a name, a size and a cir";
            return Err(self.root.wrong("there is no service", allowed));
        }
        Ok(spec)
    }

    fn source(&self) -> Result<Source<'_>, SpecError> {
        let root = Section::open(&self.root, &KEYS)?;
        let read = |node: &Node| {
            let word = values::word(node, &["quick", "rfc"])?;
            Ok(if word == 0 { Profile::Quick } else { Profile::Rfc })
        };
        let in_file = root.get("profile").map(read).transpose()?;
        let profile = self.flags.profile.as_ref().map(read).transpose()?.or(in_file);
        let profile = profile.unwrap_or_default();
        Ok(Source {
            root,
            flags: &self.flags,
            profile,
            directory: self.directory.as_deref(),
            inline: self.inline.as_ref(),
        })
    }
}
