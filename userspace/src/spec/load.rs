//! A whole file, or flags that stand for one, to a [`Spec`].

use super::{
    Flow, PortSpec, Spec,
    error::{Place, SpecError},
    flow,
    json::{self, JsonText},
    node::{Entry, Node, Section, Value},
    parse,
    port::Ports,
};
use serde_json::value::RawValue;
use std::{
    collections::HashSet,
    fs,
    hash::{BuildHasher, RandomState},
    path::Path,
    sync::Arc,
};

/// Where each flow and its keys stand, so that what is found out later (a rate over the
/// line, a frame over the MTU) can still name its place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origins(Vec<Arc<Origin>>);

#[derive(Debug, PartialEq, Eq)]
struct Origin {
    flow: Arc<Place>,
    keys: Vec<(String, Arc<Place>)>,
}

impl Spec {
    /// Reads and checks a flow file: YAML if its name ends in .yaml or .yml, else TOML.
    pub fn from_path(path: &Path) -> Result<Spec, SpecError> {
        let text = fs::read_to_string(path)
            .map_err(|source| SpecError::Read { path: path.to_owned(), source })?;
        let file = Some(path.display().to_string().into());
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let yaml = ending.eq_ignore_ascii_case("yaml") || ending.eq_ignore_ascii_case("yml");
        Self::from_node(&if yaml { parse::yaml(&text, file)? } else { parse::toml(&text, file)? })
    }

    /// Reads and checks a flow file in TOML.
    pub fn from_toml(text: &str) -> Result<Spec, SpecError> {
        Self::from_node(&parse::toml(text, None)?)
    }

    /// Reads and checks a flow file in YAML, of the same shape.
    pub fn from_yaml(text: &str) -> Result<Spec, SpecError> {
        Self::from_node(&parse::yaml(text, None)?)
    }

    /// Reads and checks a flow file in JSON, of the same shape. Places are keys only. Flows are
    /// read one by one: there is never a tree of all.
    pub fn from_json(text: &JsonText) -> Result<Spec, SpecError> {
        Self::from_json_at(text, "")
    }

    /// The same of a part of a file.
    pub(super) fn from_json_at(text: &JsonText, path: &str) -> Result<Spec, SpecError> {
        json_rows(text, path, &mut |_| ())?.end()
    }

    /// Checks a flow file in JSON and keeps none of its rows: `each` sees them one by one. The
    /// ports are those that the flows use.
    pub fn check_json(
        text: &JsonText,
        each: &mut dyn FnMut(&Row<'_>),
    ) -> Result<Vec<PortSpec>, SpecError> {
        let (state, mut names, mut twice) = (RandomState::new(), HashSet::new(), false);
        let rows = json_rows(text, "", &mut |rows| {
            for (flow, origin) in rows.flows.drain(..).zip(rows.origins.drain(..)) {
                twice |= !names.insert(state.hash_one(&flow.name));
                each(&Row { flow: &flow, origin: &origin, ports: &rows.ports });
            }
        })?;
        if twice {
            // Two names, or a chance of one in billions: that takes all of them to tell.
            return Self::from_json(text).map(|spec| spec.ports);
        }
        rows.not_empty()?;
        Ok(rows.ports.into_used())
    }

    pub(super) fn from_node(root: &Node) -> Result<Spec, SpecError> {
        let (mut rows, list) = Rows::open(root)?;
        let Value::List(nodes) = &list.value else { return Err(list.unfit(Rows::ALLOWED)) };
        nodes.iter().try_for_each(|node| rows.add(node))?;
        rows.end()
    }

    fn check_names(&self) -> Result<(), SpecError> {
        let mut names = HashSet::new();
        match self.flows.iter().position(|flow| !names.insert(&flow.name)) {
            Some(twice) => Err(SpecError::invalid(
                &self.place(twice, "name"),
                format!("a second flow with the name \"{}\"", self.flows[twice].name),
                "a name of its own for each flow; under `repeat`, with {i} in it",
            )),
            None => Ok(()),
        }
    }

    /// Where a flow has its `key`, or else where the flow itself stands.
    pub fn place(&self, flow: usize, key: &str) -> Place {
        let Some(origin) = self.origins.0.get(flow) else {
            return Place { key: format!("flow[{flow}].{key}"), ..Place::default() };
        };
        origin.place(key)
    }
}

/// A row that was just read.
#[derive(Debug)]
pub struct Row<'a> {
    /// One flow in one direction; its ports have the numbers of [`Self::port`].
    pub flow: &'a Flow,
    origin: &'a Origin,
    ports: &'a Ports,
}

impl Row<'_> {
    /// One of its ports.
    pub fn port(&self, number: usize) -> &PortSpec {
        &self.ports.used()[number]
    }

    /// Where it has its `key`, or else where the flow itself stands.
    pub fn place(&self, key: &str) -> Place {
        self.origin.place(key)
    }
}

/// A spec that is being read.
struct Rows {
    ports: Ports,
    defaults: Option<Node>,
    /// Where all flows stand.
    place: Arc<Place>,
    count: usize,
    flows: Vec<Flow>,
    origins: Vec<Arc<Origin>>,
}

impl Rows {
    const ALLOWED: &'static str = "one [[flow]] or more";

    /// Reads all but the flows, whose list is still to be read.
    fn open(root: &Node) -> Result<(Self, &Node), SpecError> {
        let section = Section::open(root, &["ports", "defaults", "flow"])?;
        let ports = Ports::read(section.get("ports"))?;
        let defaults = section.get("defaults");
        defaults.map(|node| Section::open(node, &flow::KEYS)).transpose()?;
        let missing = || root.wrong("there is no flow", Self::ALLOWED);
        let list = section.get("flow").ok_or_else(missing)?;
        let (flows, origins) = (Vec::new(), Vec::new());
        let (defaults, place) = (defaults.cloned(), list.place.clone());
        Ok((Self { ports, defaults, place, count: 0, flows, origins }, list))
    }

    /// The rows of the next flow.
    fn add(&mut self, node: &Node) -> Result<(), SpecError> {
        let merged = flow::merged(node, self.defaults.as_ref())?;
        let origin = Arc::new(Origin::of(&merged));
        for i in 0..flow::repeat(&merged)? {
            for row in flow::read(&merged.replaced("{i}", &i.to_string()), &mut self.ports)? {
                self.flows.push(row);
                self.origins.push(origin.clone());
                self.count += 1;
            }
            if self.count > flow::FLOWS_MAX {
                let problem = format!("more than {} flows and directions", flow::FLOWS_MAX);
                return Err(node.wrong(problem, format!("at most {}", flow::FLOWS_MAX)));
            }
        }
        Ok(())
    }

    fn not_empty(&self) -> Result<(), SpecError> {
        match self.count {
            0 => Err(SpecError::invalid(&self.place, "there is no flow", Self::ALLOWED)),
            _ => Ok(()),
        }
    }

    fn end(self) -> Result<Spec, SpecError> {
        self.not_empty()?;
        let (ports, origins) = (self.ports.into_used(), Origins(self.origins));
        let spec = Spec { ports, flows: self.flows, origins };
        spec.check_names()?;
        Ok(spec)
    }
}

/// Reads a flow file in JSON; after each flow, `added` may take its rows.
fn json_rows(
    text: &JsonText,
    path: &str,
    added: &mut dyn FnMut(&mut Rows),
) -> Result<Rows, SpecError> {
    let below = |key: &str| json::child(path, key);
    let entry = |(key, value): (&str, &RawValue)| {
        let path = below(key);
        let node = match key {
            "ports" | "defaults" => json::node(value, &path)?,
            // Flows have their turn; what is unknown is refused unread.
            _ => Node { place: json::place(&path), value: Value::Foreign("not read") },
        };
        Ok(Entry { key: key.to_owned(), place: json::place(&path), node })
    };
    let members = text.members()?;
    let root = match &members {
        Some(members) => {
            let entries = members.iter().map(entry).collect::<Result<_, SpecError>>()?;
            Node { place: json::place(path), value: Value::Table(entries) }
        }
        None => json::node(text.as_raw(), path)?,
    };
    let (mut rows, _) = Rows::open(&root)?;
    let path = below("flow");
    // It is there, as was just seen.
    let list = members.as_ref().and_then(|it| it.get("flow")).unwrap_or(RawValue::NULL);
    let flows = json::elements(list, flow::FLOWS_MAX);
    let flows = flows.ok_or_else(|| json::unfit(list, &path, Rows::ALLOWED))?;
    for (at, text) in flows.into_iter().enumerate() {
        rows.add(&json::node(text, &format!("{path}[{at}]"))?)?;
        added(&mut rows);
    }
    Ok(rows)
}

impl Origin {
    fn of(flow: &Node) -> Self {
        let keys = match &flow.value {
            Value::Table(entries) => {
                entries.iter().map(|entry| (entry.key.clone(), entry.node.place.clone())).collect()
            }
            _ => Vec::new(),
        };
        Self { flow: flow.place.clone(), keys }
    }

    fn place(&self, key: &str) -> Place {
        let place = self.keys.iter().find(|(name, _)| name == key).map(|(_, place)| place);
        (**place.unwrap_or(&self.flow)).clone()
    }
}
