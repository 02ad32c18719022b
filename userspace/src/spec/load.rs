//! A whole file, or flags that stand for one, to a [`Spec`].

use super::{
    Spec,
    error::{Place, SpecError},
    flow,
    node::{Node, Section, Value},
    parse,
    port::Ports,
};
use std::{collections::HashSet, fs, path::Path, sync::Arc};

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

    /// Reads and checks a flow file in JSON, of the same shape. Places are keys only.
    pub fn from_json(value: &serde_json::Value) -> Result<Spec, SpecError> {
        Self::from_node(&parse::json(value))
    }

    pub(super) fn from_node(root: &Node) -> Result<Spec, SpecError> {
        let section = Section::open(root, &["ports", "defaults", "flow"])?;
        let mut ports = Ports::read(section.get("ports"))?;
        let defaults = section.get("defaults");
        defaults.map(|node| Section::open(node, &flow::KEYS)).transpose()?;
        let allowed = "one [[flow]] or more";
        let list = section.get("flow").ok_or_else(|| root.wrong("there is no flow", allowed))?;
        let Value::List(nodes) = &list.value else { return Err(list.unfit(allowed)) };
        let (mut flows, mut origins) = (Vec::new(), Vec::new());
        for node in nodes {
            let merged = flow::merged(node, defaults)?;
            let origin = Arc::new(Origin::of(&merged));
            for i in 0..flow::repeat(&merged)? {
                for row in flow::read(&merged.replaced("{i}", &i.to_string()), &mut ports)? {
                    flows.push(row);
                    origins.push(origin.clone());
                }
                if flows.len() > flow::FLOWS_MAX {
                    let problem = format!("more than {} flows and directions", flow::FLOWS_MAX);
                    return Err(node.wrong(problem, format!("at most {}", flow::FLOWS_MAX)));
                }
            }
        }
        if flows.is_empty() {
            return Err(list.wrong("there is no flow", allowed));
        }
        let spec = Spec { ports: ports.into_used(), flows, origins: Origins(origins) };
        spec.check_names()?;
        Ok(spec)
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
        let place = origin.keys.iter().find(|(name, _)| name == key).map(|(_, place)| place);
        (**place.unwrap_or(&origin.flow)).clone()
    }
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
}
