//! What cargo-deny would say of licences, bans and sources under deny.toml, for
//! machines that do not have it; and our own rule that xtask needs no C.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::{shell, workspace};

mod spdx;

/// The tier of `cargo xtask test`.
pub fn main() -> Result<()> {
    let rules = Rules::read(&std::fs::read_to_string(workspace::root().join("deny.toml"))?)?;
    let metadata = workspace::metadata()?;
    let packages = packages(&metadata)?;
    let mut faults = c_beneath_xtask(&metadata, &packages);
    if shell::find_program("cargo-deny").is_some() {
        shell::run(&mut workspace::cargo(&["deny", "check", "bans", "licenses", "sources"]))?;
    } else {
        faults.extend(check(&rules, &packages));
        println!("No cargo-deny here: checked by xtask, but without the advisory database.");
    }
    for fault in &faults {
        println!("{fault}");
    }
    if !faults.is_empty() {
        bail!("{} faults in {} packages", faults.len(), packages.len());
    }
    println!("deny: {} packages, no fault", packages.len());
    Ok(())
}

/// What deny.toml says, as far as it is checked here.
#[derive(Debug, Default)]
struct Rules {
    licences: BTreeSet<String>,
    banned: Vec<Spec>,
    skipped: Vec<Spec>,
}

/// `name` or `name@version`, where the version may be a prefix.
#[derive(Debug, PartialEq)]
struct Spec {
    name: String,
    version: Option<String>,
}

impl Spec {
    fn names(&self, package: &Package) -> bool {
        let version = self.version.as_deref();
        self.name == package.name
            && version.is_none_or(|prefix| {
                package.version == prefix || package.version.starts_with(&format!("{prefix}."))
            })
    }
}

impl Rules {
    fn read(text: &str) -> Result<Self> {
        let table: toml::Table = text.parse().context("deny.toml")?;
        let list = |section: &str, key: &str| -> Vec<toml::Value> {
            table
                .get(section)
                .and_then(|s| s.get(key))
                .and_then(|v| v.as_array())
                .cloned()
                .unwrap_or_default()
        };
        let specs = |key: &str| -> Result<Vec<Spec>> {
            list("bans", key).iter().map(|entry| spec(key, entry)).collect()
        };
        let licences: BTreeSet<String> = list("licenses", "allow")
            .iter()
            .filter_map(|l| l.as_str().map(str::to_owned))
            .collect();
        if licences.is_empty() {
            bail!("deny.toml allows no licence");
        }
        Ok(Self { licences, banned: specs("deny")?, skipped: specs("skip")? })
    }
}

fn spec(key: &str, entry: &toml::Value) -> Result<Spec> {
    let text = |field: &str| entry.get(field).and_then(toml::Value::as_str);
    let name = text("crate").with_context(|| format!("an entry of bans.{key} names no crate"))?;
    if text("reason").is_none_or(str::is_empty) {
        bail!("bans.{key} gives no reason for {name}");
    }
    let (name, version) = match name.split_once('@') {
        Some((name, version)) => (name, Some(version.to_owned())),
        None => (name, None),
    };
    Ok(Spec { name: name.to_owned(), version })
}

#[derive(Clone, Debug, Default)]
struct Package {
    id: String,
    name: String,
    version: String,
    licence: Option<String>,
    source: Option<String>,
    /// The native library it links.
    links: Option<String>,
}

fn packages(metadata: &Value) -> Result<Vec<Package>> {
    let list = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    Ok(list
        .iter()
        .map(|package| {
            let text = |key: &str| package[key].as_str().map(str::to_owned);
            Package {
                id: text("id").unwrap_or_default(),
                name: text("name").unwrap_or_default(),
                version: text("version").unwrap_or_default(),
                licence: text("license"),
                source: text("source"),
                links: text("links"),
            }
        })
        .collect())
}

fn check(rules: &Rules, packages: &[Package]) -> Vec<String> {
    let mut faults = Vec::new();
    let allowed = |name: &str| rules.licences.contains(name);
    for package in packages {
        let Package { name, version, .. } = package;
        match package.licence.as_deref().map(|text| spdx::satisfied(text, &allowed)) {
            Some(Ok(true)) => {}
            Some(Ok(false)) => {
                let licence = package.licence.as_deref().unwrap_or_default();
                faults.push(format!("{name} {version}: licence {licence} is not allowed"));
            }
            Some(Err(error)) => faults.push(format!("{name} {version}: licence: {error}")),
            None => faults.push(format!("{name} {version} names no licence")),
        }
        // None: a crate of this workspace.
        if let Some(source) = &package.source
            && source != "registry+https://github.com/rust-lang/crates.io-index"
        {
            faults.push(format!("{name} {version} comes from {source}"));
        }
        if rules.banned.iter().any(|spec| spec.names(package)) {
            faults.push(format!("{name} {version} is banned"));
        }
    }
    faults.extend(duplicates(rules, packages));
    faults
}

fn duplicates(rules: &Rules, packages: &[Package]) -> Vec<String> {
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in packages {
        if !rules.skipped.iter().any(|spec| spec.names(package)) {
            versions.entry(&package.name).or_default().push(&package.version);
        }
    }
    let doubled = versions.into_iter().filter(|(_, versions)| versions.len() > 1);
    let mut faults: Vec<_> = doubled
        .map(|(name, versions)| {
            format!("{name} comes in {} versions: {}", versions.len(), versions.join(", "))
        })
        .collect();
    for spec in &rules.skipped {
        if !packages.iter().any(|package| spec.names(package)) {
            faults.push(format!("bans.skip names {}, which is gone", spec.name));
        }
    }
    faults
}

/// xtask must build where there is no C compiler's library yet: nothing beneath
/// it may compile or link C.
fn c_beneath_xtask(metadata: &Value, packages: &[Package]) -> Vec<String> {
    let by_id: BTreeMap<&str, &Package> = packages.iter().map(|p| (p.id.as_str(), p)).collect();
    let nodes: BTreeMap<&str, &Value> = metadata["resolve"]["nodes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|node| Some((node["id"].as_str()?, node)))
        .collect();
    let top = packages.iter().find(|p| p.name == "xtask" && p.source.is_none());
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut open: Vec<&str> = top.iter().map(|package| package.id.as_str()).collect();
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        let Some(node) = nodes.get(id) else { continue };
        for dependency in node["deps"].as_array().into_iter().flatten() {
            let kinds = dependency["dep_kinds"].as_array();
            let for_tests = kinds.is_some_and(|kinds| kinds.iter().all(|k| k["kind"] == "dev"));
            if let Some(id) = dependency["pkg"].as_str().filter(|_| !for_tests) {
                open.push(id);
            }
        }
    }
    let compiles_c = |package: &&&Package| {
        // rayon-core and the like use `links` only to be unique; *-sys crates bind C.
        package.links.is_some()
            || ["cc", "cmake", "bindgen", "pkg-config"].contains(&&*package.name)
    };
    let beneath: Vec<&Package> = seen.iter().filter_map(|id| by_id.get(id).copied()).collect();
    let guilty = beneath.iter().filter(compiles_c);
    guilty.map(|p| format!("xtask must be pure Rust, but needs {} {}", p.name, p.version)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = r#"
        [licenses]
        allow = ["MIT"]
        [bans]
        deny = [{ crate = "bad", reason = "x" }]
        skip = [{ crate = "old@1.2", reason = "x" }]
    "#;

    fn package(name: &str, version: &str, licence: &str) -> Package {
        Package {
            id: format!("{name}@{version}"),
            name: name.into(),
            version: version.into(),
            licence: Some(licence.into()),
            ..Package::default()
        }
    }

    fn found(extra: Package) -> Vec<String> {
        let rules = Rules::read(RULES).unwrap();
        let good = [package("old", "1.2.9", "MIT"), package("old", "2.0.0", "MIT"), extra];
        check(&rules, &good)
    }

    #[test]
    fn what_is_allowed_passes() {
        assert_eq!(found(package("fine", "1.0.0", "GPL-3.0 OR MIT")), [""; 0]);
    }

    #[test]
    fn each_kind_of_fault_is_named() {
        assert_eq!(
            found(package("x", "1.0.0", "GPL-3.0")),
            ["x 1.0.0: licence GPL-3.0 is not allowed"]
        );
        assert_eq!(found(package("bad", "1.0.0", "MIT")), ["bad 1.0.0 is banned"]);
        assert_eq!(
            found(package("old", "1.3.0", "MIT")),
            ["old comes in 2 versions: 2.0.0, 1.3.0"]
        );
        let fork = Package { source: Some("git+https://x".into()), ..package("x", "1.0.0", "MIT") };
        assert_eq!(found(fork), ["x 1.0.0 comes from git+https://x"]);
        let none = Package { licence: None, ..package("x", "1.0.0", "MIT") };
        assert_eq!(found(none), ["x 1.0.0 names no licence"]);
    }

    #[test]
    fn an_exception_without_a_reason_or_without_a_crate_is_a_fault() {
        assert!(Rules::read(&RULES.replace("reason = \"x\"", "reason = \"\"")).is_err());
        let rules = Rules::read(RULES).unwrap();
        assert_eq!(check(&rules, &[]), ["bans.skip names old, which is gone"]);
    }

    #[test]
    fn c_beneath_xtask_is_found_through_others_but_not_through_tests() {
        let edge =
            |to: &str, kind: Value| serde_json::json!({"pkg": to, "dep_kinds": [{"kind": kind}]});
        let metadata = serde_json::json!({"resolve": {"nodes": [
            {"id": "xtask@1", "deps": [edge("mid@1", Value::Null), edge("cmake@1", "dev".into())]},
            {"id": "mid@1", "deps": [edge("cc@1", "build".into())]},
        ]}});
        let all = ["xtask", "mid", "cc", "cmake"].map(|name| package(name, "1", "MIT"));
        assert_eq!(c_beneath_xtask(&metadata, &all), ["xtask must be pure Rust, but needs cc 1"]);
    }
}
