//! The programs of this repository beside the tool itself: compiled by the tool, when they are needed.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result};

use crate::layout::Layout;
use crate::{builds, jupyter, process};

/// One of them.
#[derive(Debug, Clone, Copy)]
pub struct OwnProgram {
    /// Its crate, and that crate's folder.
    pub package: &'static str,
    /// Its own name.
    pub name: &'static str,
    /// How it is compiled (`Cargo.toml`), and cargo's folder for that.
    pub profile: (&'static str, &'static str),
    /// What else than its manifest it is made of, in its folder.
    pub parts: &'static [&'static str],
}

impl OwnProgram {
    /// Compiles it.
    ///
    /// # Errors
    /// If it can't be compiled or read.
    pub fn compile(
        &self,
        layout: &Layout,
        log: &Path,
        cancel: &AtomicBool,
        tell: &(dyn Fn(&str) + Sync),
    ) -> Result<Vec<u8>> {
        let target = layout.root.join("target");
        let (profile, folder) = self.profile;
        let mut command = Command::new("cargo");
        jupyter::forget_cargo(&mut command);
        command
            .args(["build", "--locked", "--package", self.package])
            .args(["--profile", profile])
            .arg("--target-dir")
            .arg(&target)
            .envs(process::CARGO_TELLS)
            .env_remove("CARGO_BUILD_BUILD_DIR")
            .env_remove("CARGO_BUILD_TARGET")
            .current_dir(&layout.root);
        // JupyterLab is what a newcomer waits for first, and what they read in meanwhile.
        process::stand_back(&mut command);
        process::watched(&mut command, log, cancel, tell)?;
        let made = target.join(folder).join(self.name);
        fs::read(&made).with_context(|| format!("{} can't be read", made.display()))
    }

    /// What it is made of, as a short text.
    ///
    /// # Errors
    /// If the sources can't be read.
    pub fn stamp(&self, layout: &Layout) -> Result<String> {
        let mut hasher = DefaultHasher::new();
        let mut files = Vec::from(["Cargo.lock", "Cargo.toml"].map(|name| layout.root.join(name)));
        let folder = layout.root.join(self.package);
        files.push(folder.join("Cargo.toml"));
        for part in self.parts {
            builds::list_files(&folder.join(part), &mut files)?;
        }
        files.sort();
        for file in files {
            let content =
                fs::read(&file).with_context(|| format!("{} can't be read", file.display()))?;
            // Another clone makes the same program.
            (file.strip_prefix(&layout.root).unwrap_or(&file), content).hash(&mut hasher);
        }
        Ok(format!("{:016x}", hasher.finish()))
    }
}
