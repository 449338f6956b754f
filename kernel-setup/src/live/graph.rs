//! What rust-analyzer, inside evcxr, has to know of a cell's dependencies: the crates whose types a cell can
//! meet.
//!
//! It asks `cargo metadata` which crates there are, and reads all of them. Most of them work unseen inside a
//! library; which, that library says in its manifest:
//!
//! ```toml
//! [package.metadata.kernel.unseen]
//! this-library = ["a-crate", "another"]
//! a-crate-it-shows = ["a-third"]
//! ```
//!
//! Each line names the dependencies of one crate that no type or trait of its public face needs.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

/// Leaves out of cargo's answer what no cell can meet: what the libraries say, what procedural macros are made of,
/// and what is there for building and testing alone. A cell's own dependencies stay, whatever a library says.
pub fn prune(metadata: &mut Value) -> Option<()> {
    let packages = metadata["packages"].as_array()?;
    let name: HashMap<&str, &str> = packages
        .iter()
        .filter_map(|package| Some((package["id"].as_str()?, package["name"].as_str()?)))
        .collect();
    let macros: HashSet<&str> = packages
        .iter()
        .filter(|package| is_macro(package))
        .filter_map(|package| package["id"].as_str())
        .collect();
    let unseen: HashSet<(&str, &str)> = packages
        .iter()
        .filter_map(|package| package["metadata"]["kernel"]["unseen"].as_object())
        .flatten()
        .flat_map(|(of, names)| {
            let names = names.as_array().into_iter().flatten();
            names.filter_map(move |name| Some((of.as_str(), name.as_str()?)))
        })
        .collect();
    let root = metadata["resolve"]["root"].as_str()?.to_owned();
    let mut kept: HashMap<String, Vec<String>> = HashMap::new();
    for node in metadata["resolve"]["nodes"].as_array()? {
        let id = node["id"].as_str()?;
        let mut dependencies = Vec::new();
        for dependency in node["deps"].as_array()? {
            let other = dependency["pkg"].as_str()?;
            let normal = dependency["dep_kinds"]
                .as_array()
                .is_none_or(|kinds| kinds.iter().any(|kind| kind["kind"].is_null()));
            let said = unseen.contains(&(name.get(id)?, name.get(other)?));
            if normal && (id == root || !said) && !macros.contains(id) {
                dependencies.push(other.to_owned());
            }
        }
        kept.insert(id.to_owned(), dependencies);
    }
    let mut met = HashSet::new();
    let mut next = vec![root];
    while let Some(id) = next.pop() {
        if met.insert(id.clone()) {
            next.extend(kept.get(&id).into_iter().flatten().cloned());
        }
    }
    let is_met = |id: &Value| id.as_str().is_some_and(|id| met.contains(id));
    metadata["packages"]
        .as_array_mut()?
        .retain(|package| is_met(&package["id"]));
    let nodes = metadata["resolve"]["nodes"].as_array_mut()?;
    nodes.retain(|node| is_met(&node["id"]));
    for node in nodes {
        let dependencies = kept.get(node["id"].as_str()?)?;
        let stays = |id: &Value| dependencies.iter().any(|other| id == other.as_str());
        node["deps"]
            .as_array_mut()?
            .retain(|dependency| stays(&dependency["pkg"]));
        if let Some(ids) = node["dependencies"].as_array_mut() {
            ids.retain(stays);
        }
    }
    Some(())
}

fn is_macro(package: &Value) -> bool {
    let targets = package["targets"].as_array().into_iter().flatten();
    let kinds = targets.flat_map(|target| target["kind"].as_array().into_iter().flatten());
    kinds.into_iter().any(|kind| kind == "proc-macro")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// `(name, kind, dependencies)`; a dependency's kind after a colon.
    fn metadata(packages: &[(&str, &str, &[&str])], unseen: Value) -> Value {
        let nodes = packages.iter().map(|(name, _, dependencies)| {
            let deps = dependencies.iter().map(|text| {
                let (other, kind) = text.split_once(':').unwrap_or((text, ""));
                let kind = if kind.is_empty() { Value::Null } else { json!(kind) };
                json!({"name": other, "pkg": other, "dep_kinds": [{"kind": kind}]})
            });
            let ids = dependencies.iter().map(|text| text.split(':').next());
            json!({"id": name, "deps": deps.collect::<Vec<_>>(), "dependencies": ids.collect::<Vec<_>>()})
        });
        let packages_of = packages.iter().map(|(name, kind, _)| {
            let said = if *name == "library" {
                &unseen
            } else {
                &Value::Null
            };
            json!({"id": name, "name": name, "metadata": said, "targets": [{"kind": [kind]}]})
        });
        json!({
            "packages": packages_of.collect::<Vec<_>>(),
            "resolve": {"root": "cell", "nodes": nodes.collect::<Vec<_>>()},
        })
    }

    fn left(metadata: &Value) -> Vec<String> {
        let nodes = metadata["resolve"]["nodes"].as_array().unwrap();
        let line = |node: &Value| {
            let deps = node["deps"].as_array().unwrap();
            let names: Vec<_> = deps.iter().map(|d| d["pkg"].as_str().unwrap()).collect();
            assert_eq!(node["dependencies"], json!(names));
            format!("{} {}", node["id"].as_str().unwrap(), names.join(" "))
        };
        let names = |list: &Value| -> Vec<Value> {
            let list = list.as_array().unwrap().iter();
            list.map(|entry| entry["id"].clone()).collect()
        };
        assert_eq!(
            names(&metadata["packages"]),
            names(&metadata["resolve"]["nodes"])
        );
        nodes.iter().map(line).collect()
    }

    const ALL: [(&str, &str, &[&str]); 8] = [
        ("cell", "dylib", &["library", "net"]),
        (
            "library",
            "lib",
            &["net", "shown", "macros", "tool:build", "check:dev"],
        ),
        ("shown", "lib", &["net"]),
        ("net", "lib", &[]),
        ("macros", "proc-macro", &["parser"]),
        ("parser", "lib", &[]),
        ("tool", "lib", &[]),
        ("check", "lib", &[]),
    ];

    #[test]
    fn what_no_cell_can_meet_is_left_out_and_a_cells_own_crates_stay() {
        let unseen =
            json!({"kernel": {"unseen": {"library": ["net"], "shown": ["net"], "cell": ["net"]}}});
        let mut told = metadata(&ALL, unseen);
        prune(&mut told).unwrap();
        let expected = [
            "cell library net",
            "library shown macros",
            "shown ",
            "net ",
            "macros ",
        ];
        assert_eq!(left(&told), expected);

        let mut untold = metadata(&ALL, Value::Null);
        prune(&mut untold).unwrap();
        let expected = [
            "cell library net",
            "library net shown macros",
            "shown net",
            "net ",
            "macros ",
        ];
        assert_eq!(left(&untold), expected);
    }

    #[test]
    fn without_a_resolution_nothing_is_done() {
        let mut bare = json!({"packages": [], "resolve": null});
        assert_eq!(prune(&mut bare), None);
        assert_eq!(bare, json!({"packages": [], "resolve": null}));
    }
}
