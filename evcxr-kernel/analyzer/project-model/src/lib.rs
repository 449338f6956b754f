//! Where evcxr's cell stands: the folder of its manifest.

use anyhow::{Context, Result};
use ra_ap_ide_db::FxHashMap;
use ra_ap_paths::{AbsPath, AbsPathBuf};
use ra_ap_vfs::FileId;

/// A manifest.
#[derive(Debug)]
pub struct ProjectManifest(AbsPathBuf);

impl ProjectManifest {
    /// The manifest at a path.
    ///
    /// # Errors
    /// None: it is read by cargo.
    pub fn from_manifest_file(path: AbsPathBuf) -> Result<Self> {
        Ok(Self(path))
    }
}

/// Where the standard library's sources are.
#[derive(Debug, Clone)]
pub enum RustLibSource {
    /// They are to be looked for.
    Discover,
}

/// How a manifest is to be read.
#[derive(Debug, Clone, Default)]
pub struct CargoConfig {
    /// With the standard library.
    pub sysroot: Option<RustLibSource>,
    /// As cargo does by itself in everything else.
    pub extra_args: Vec<String>,
}

/// A folder of sources.
#[derive(Debug)]
pub struct PackageRoot {
    /// What belongs to it.
    pub include: Vec<AbsPathBuf>,
    /// And what doesn't.
    pub exclude: Vec<AbsPathBuf>,
}

/// The folder of a manifest.
#[derive(Debug)]
pub struct ProjectWorkspace(AbsPathBuf);

/// What the folder of a manifest is to the analyzer.
#[derive(Debug)]
pub struct CrateGraph {
    /// The folder.
    pub folder: AbsPathBuf,
}

impl ProjectWorkspace {
    /// The folder of a manifest.
    ///
    /// # Errors
    /// If the manifest's path has none.
    pub fn load(
        manifest: ProjectManifest,
        _: &CargoConfig,
        _: &(dyn Fn(String) + Sync),
    ) -> Result<Self> {
        let folder = manifest.0.parent().context("a manifest without a folder")?;
        Ok(Self(folder.to_path_buf()))
    }

    /// The folders to be read: none.
    pub fn to_roots(&self) -> Vec<PackageRoot> {
        Vec::new()
    }

    /// The folder, for the analyzer.
    pub fn to_crate_graph(
        &self,
        _: &mut dyn FnMut(&AbsPath) -> Option<FileId>,
        _: &FxHashMap<String, String>,
    ) -> (CrateGraph, ()) {
        let folder = self.0.clone();
        (CrateGraph { folder }, ())
    }
}
