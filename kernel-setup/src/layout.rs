//! Where everything lies: the one place that knows paths.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The version of evcxr_jupyter that the kernel is made of.
pub const EVCXR_VERSION: &str = "0.22.0";
/// The version of libtorch that tch links against.
pub const TORCH_VERSION: &str = "2.13.0";
/// The kernel's name in Jupyter's list.
pub const KERNEL_NAME: &str = "icvae-rust";

/// The folders this tool reads and writes.
///
/// ```text
/// <root>/.icvae/env            the Python environment, where no active one serves
/// <root>/.icvae/libtorch       lib/, include/, build-version: links to the libtorch in use
/// <root>/.icvae/bin            the copy of this tool that Jupyter starts as the kernel, and `cell-analysis`
/// <root>/.icvae/evcxr          evcxr's configuration (empty: a reader's own must not leak in)
/// <root>/.icvae/builds/warm    the warm build folder; kernels work in copies of it: builds/0, builds/1, …
/// <root>/.icvae/log            what the installers printed
/// <cache>/evcxr                the Rust kernel, shared by every clone with the same sources
/// <cache>/live                 the kernel that `register` has registered: its program and its builds
/// <cache>/mnist, tabular, models  fetched digits and tables, and trained weights, which the library writes
/// <cache>/products             which products of matrices are the fastest here, which it writes, too
/// ```
#[derive(Debug, Clone)]
pub struct Layout {
    /// The repository.
    pub root: PathBuf,
    /// The user's cache folder for this project.
    pub cache: PathBuf,
    /// Where programs are looked for: the value of `PATH`.
    pub search: OsString,
}

impl Layout {
    /// Finds the repository: by this tool's own place in it, else above the current folder, else
    /// where the tool was built.
    ///
    /// # Errors
    /// If none of these is the repository.
    pub fn find() -> Result<Self> {
        let exe = env::current_exe().ok();
        let installed = exe.as_deref().and_then(installed_root);
        let above = env::current_dir().ok().and_then(|dir| root_above(&dir));
        let built = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
        let root = installed
            .or(above)
            .or_else(|| built.filter(|dir| is_root(dir)).map(Path::to_owned))
            .context("the repository isn't here: run this from inside its folder")?;
        let root = root
            .canonicalize()
            .with_context(|| format!("{} can't be read: check its permissions", root.display()))?;
        Ok(Self {
            root,
            cache: cache_dir(|name| env::var_os(name).map(PathBuf::from))?,
            search: env::var_os("PATH").unwrap_or_default(),
        })
    }

    /// For the kernel without the repository: what it keeps lies in `<cache>/live`.
    ///
    /// # Errors
    /// If there is no cache folder.
    pub fn alone() -> Result<Self> {
        let cache = cache_dir(|name| env::var_os(name).map(PathBuf::from))?;
        Ok(Self {
            root: cache.join("live"),
            cache,
            search: env::var_os("PATH").unwrap_or_default(),
        })
    }

    /// The first program of that name on the search path.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        which::which_in(name, Some(&self.search), &self.root).ok()
    }

    /// Held by an installation while it works.
    pub fn install_lock(&self) -> PathBuf {
        self.state().join("install.lock")
    }

    /// The list of kernelspecs that were written, so that `uninstall` finds them all.
    pub fn kernelspecs(&self) -> PathBuf {
        self.state().join("kernelspecs")
    }

    /// Where the library keeps the digits that it fetched.
    pub fn digits(&self) -> PathBuf {
        self.cache.join("mnist")
    }

    /// Where the library keeps the tables that it fetched.
    pub fn tables(&self) -> PathBuf {
        self.cache.join("tabular")
    }

    /// Where the library keeps trained weights.
    pub fn models(&self) -> PathBuf {
        self.cache.join("models")
    }

    /// Where the library keeps curves for TensorBoard.
    pub fn logs(&self) -> PathBuf {
        self.cache.join("logs")
    }

    /// Where the library keeps which products of matrices are the fastest here.
    pub fn products(&self) -> PathBuf {
        self.cache.join("products")
    }

    /// Everything that `install` makes inside the repository.
    pub fn state(&self) -> PathBuf {
        self.root.join(".icvae")
    }

    /// The Python environment of the repository's own.
    pub fn env(&self) -> PathBuf {
        self.state().join("env")
    }

    /// The libtorch that everything is built with.
    pub fn libtorch(&self) -> PathBuf {
        self.state().join("libtorch")
    }

    /// The copy of this tool that the kernelspec starts.
    pub fn tool(&self) -> PathBuf {
        self.state().join("bin").join("kernel-setup")
    }

    /// The folder for evcxr's own configuration.
    pub fn evcxr_config(&self) -> PathBuf {
        self.state().join("evcxr")
    }

    /// The folder that holds the build folders.
    pub fn builds(&self) -> PathBuf {
        self.state().join("builds")
    }

    /// The build folder that `install` warms, and that no kernel works in.
    pub fn warm_build(&self) -> PathBuf {
        self.builds().join("warm")
    }

    /// Connection files of kernels that are run headless.
    pub fn runtime(&self) -> PathBuf {
        self.state().join("runtime")
    }

    /// The full output of an installer.
    pub fn log(&self, name: &str) -> PathBuf {
        self.state().join("log").join(format!("{name}.log"))
    }

    /// Where evcxr_jupyter is installed for this user, a folder for each state of its sources.
    pub fn evcxr_root(&self) -> PathBuf {
        self.cache.join("evcxr")
    }

    /// The list of Python pins.
    pub fn environment_file(&self) -> PathBuf {
        self.root.join("environment.yml")
    }

    /// The notebooks.
    pub fn notebooks(&self) -> PathBuf {
        self.root.join("notebooks")
    }

    /// The library that the notebooks use.
    pub fn core(&self) -> PathBuf {
        self.root.join("icvae-core")
    }

    /// `path` as a reader wants to see it: relative to the repository where it lies in it.
    pub fn show(&self, path: &Path) -> String {
        path.strip_prefix(&self.root)
            .unwrap_or(path)
            .display()
            .to_string()
    }
}

fn is_root(dir: &Path) -> bool {
    dir.join("environment.yml").is_file() && dir.join("icvae-core/Cargo.toml").is_file()
}

fn root_above(dir: &Path) -> Option<PathBuf> {
    dir.ancestors().find(|dir| is_root(dir)).map(Path::to_owned)
}

/// `<root>` if `exe` is `<root>/.icvae/bin/kernel-setup`.
fn installed_root(exe: &Path) -> Option<PathBuf> {
    let state = exe.parent()?.parent()?;
    (state.file_name()? == ".icvae")
        .then(|| state.parent().map(Path::to_owned))
        .flatten()
}

fn cache_dir(var: impl Fn(&str) -> Option<PathBuf>) -> Result<PathBuf> {
    let base = match var("XDG_CACHE_HOME").filter(|dir| dir.is_absolute()) {
        Some(dir) => dir,
        None => match var("HOME") {
            Some(home) if cfg!(target_os = "macos") => home.join("Library/Caches"),
            Some(home) => home.join(".cache"),
            None => bail!("there is no cache folder: set HOME or XDG_CACHE_HOME"),
        },
    };
    Ok(base.join("icvae"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_folder_follows_the_environment() {
        let xdg = cache_dir(|name| (name == "XDG_CACHE_HOME").then(|| "/x".into()));
        assert_eq!(xdg.unwrap(), Path::new("/x/icvae"));
        let relative = cache_dir(|name| Some(if name == "HOME" { "/h" } else { "x" }.into()));
        assert!(relative.unwrap().starts_with("/h"));
        assert!(
            cache_dir(|_| None)
                .unwrap_err()
                .to_string()
                .contains("set HOME")
        );
    }

    #[test]
    fn the_installed_copy_knows_its_repository() {
        assert_eq!(
            installed_root(Path::new("/r/.icvae/bin/kernel-setup")),
            Some("/r".into())
        );
        assert_eq!(
            installed_root(Path::new("/r/target/debug/kernel-setup")),
            None
        );
    }
}
