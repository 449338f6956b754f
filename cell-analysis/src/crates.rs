//! Which crates a notebook can name, and where their sources are.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use super::index::{Crate, Data, Index};
use super::read::{Features, Reader};

/// A crate's sources.
#[derive(Debug, Clone)]
struct Package {
    name: String,
    version: String,
    root: PathBuf,
    features: Vec<String>,
    published: bool,
    externs: BTreeMap<String, String>,
}

/// The crates behind a manifest, as `cargo metadata` tells them.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    packages: BTreeMap<String, Package>,
    /// What the manifest's own code can name.
    pub externs: BTreeMap<String, String>,
}

impl Graph {
    /// Reads what `cargo metadata --format-version 1` prints.
    pub fn read(json: &str) -> Option<Graph> {
        let json: Value = serde_json::from_str(json).ok()?;
        let mut graph = Graph::default();
        let root = json["resolve"]["root"].as_str()?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let mut nodes: BTreeMap<String, &Value> = BTreeMap::new();
        for node in json["resolve"]["nodes"].as_array()? {
            nodes.insert(text(&node["id"]), node);
        }
        for package in json["packages"].as_array()? {
            let id = text(&package["id"]);
            let externs: BTreeMap<String, String> = nodes
                .get(&id)
                .map(|node| list(&node["deps"]))
                .unwrap_or_default()
                .iter()
                .filter(|dep| {
                    list(&dep["dep_kinds"])
                        .iter()
                        .any(|kind| kind["kind"].is_null())
                })
                .map(|dep| (text(&dep["name"]), text(&dep["pkg"])))
                .collect();
            if id == root {
                graph.externs = externs;
                continue;
            }
            let kinds = ["lib", "rlib", "dylib", "cdylib"];
            let target = list(&package["targets"]).into_iter().find(|target| {
                list(&target["kind"])
                    .iter()
                    .any(|kind| kinds.contains(&kind.as_str().unwrap_or_default()))
            });
            let Some(target) = target else { continue };
            let features = nodes
                .get(&id)
                .map(|node| list(&node["features"]))
                .unwrap_or_default();
            graph.packages.insert(
                id,
                Package {
                    name: text(&target["name"]).replace('-', "_"),
                    version: text(&package["version"]),
                    root: text(&target["src_path"]).into(),
                    features: features.iter().map(text).collect(),
                    published: package["source"]
                        .as_str()
                        .is_some_and(|source| source.starts_with("registry+")),
                    externs,
                },
            );
        }
        Some(graph)
    }
}

impl Package {
    fn state(&self) -> String {
        let mut state = self.features.join(" ");
        if !self.published {
            let mut folders: Vec<PathBuf> =
                self.root.parent().map(PathBuf::from).into_iter().collect();
            let mut newest = None;
            while let Some(folder) = folders.pop() {
                for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                    let path = entry.path();
                    if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                        folders.push(path);
                    } else if path.extension().is_some_and(|kind| kind == "rs") {
                        newest = newest.max(entry.metadata().and_then(|of| of.modified()).ok());
                    }
                }
            }
            state += &format!(" {newest:?}");
        }
        state
    }
}

/// Whether a crate is not any more what was read of it.
pub fn changed(index: &Index, graph: &Graph) -> bool {
    graph.packages.iter().any(|(key, package)| {
        let known = index.keys.get(key).map(|number| &index.crates[*number]);
        known.is_some_and(|known| known.state != package.state())
    })
}

/// Reads the crates that a notebook can name, and those whose names they show in turn. A crate that
/// is known already is kept.
pub fn load(index: &mut Index, graph: &Graph) {
    let mut next: Vec<(String, usize)> =
        graph.externs.values().map(|key| (key.clone(), 0)).collect();
    while let Some((key, depth)) = next.pop() {
        let Some(package) = graph.packages.get(&key) else {
            continue;
        };
        if index.keys.contains_key(&key) {
            continue;
        }
        let folder = package.root.parent().map(PathBuf::from).unwrap_or_default();
        let krate = index.add_crate(
            &key,
            Crate {
                name: package.name.clone(),
                version: package.version.clone(),
                externs: package.externs.clone(),
                published: package.published,
                state: package.state(),
                root: 0,
            },
        );
        let root = index.crates[krate].root;
        let features = Features(package.features.clone());
        Reader::new(index, krate, features).file(&package.root, root, folder);
        // A crate's signatures name what it uses; of those crates only what they show matters.
        let mut wanted: Vec<&String> = Vec::new();
        for item in index.items[root..]
            .iter()
            .filter(|item| item.krate == krate)
        {
            if let Data::Module { uses, .. } = &item.data {
                for one in uses.iter().filter(|one| depth == 0 || one.public) {
                    let first = one.path.first().and_then(|name| package.externs.get(name));
                    wanted.extend(first);
                }
            }
        }
        if depth < 3 {
            next.extend(wanted.into_iter().map(|key| (key.clone(), depth + 1)));
        }
    }
}
