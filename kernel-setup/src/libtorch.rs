//! The folder of links that stands for libtorch: `lib/`, `include/`, `build-version`.
//!
//! torch-sys links `libtorch_cuda.so` wherever it sees it, and that library needs gigabytes of
//! others. On a machine without a GPU the links leave it out.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::layout::{Layout, TORCH_VERSION};
use crate::python::Environment;

/// What `libtorch_cpu.so` of a CUDA build needs even where there is no GPU.
const CUDA_LIBRARIES_OF_THE_CPU: [&str; 2] = ["libcudart", "libcupti"];

/// The library that all of libtorch's processor half is in.
const LIBRARY: &str = if cfg!(target_os = "macos") {
    "libtorch_cpu.dylib"
} else {
    "libtorch_cpu.so"
};

/// The variable in which the loader of this system is told where libraries lie.
pub const SEARCH_PATH: &str = if cfg!(target_os = "macos") {
    "DYLD_LIBRARY_PATH"
} else {
    "LD_LIBRARY_PATH"
};

/// A libtorch that is already on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A folder with `lib`, `include` and `build-version`, named by `LIBTORCH`.
    Folder(PathBuf),
    /// The torch package of a Python environment.
    Package(PathBuf),
}

impl Source {
    /// The folder that holds `lib` and `include`.
    pub fn folder(&self) -> &Path {
        match self {
            Self::Folder(path) | Self::Package(path) => path,
        }
    }

    /// The libraries to link to, by name.
    fn libraries(&self, gpu: bool) -> Result<BTreeMap<String, PathBuf>> {
        let mut libraries = BTreeMap::new();
        let torch = self.folder().join("lib");
        collect(&torch, &mut libraries, |name| gpu || !is_cuda_half(name))?;
        if let Self::Package(package) = self {
            let nvidia = package.with_file_name("nvidia");
            for entry in fs::read_dir(nvidia)
                .into_iter()
                .flatten()
                .filter_map(Result::ok)
            {
                let part = entry.path().join("lib");
                if part.is_dir() {
                    let of_the_cpu = |name: &str| {
                        CUDA_LIBRARIES_OF_THE_CPU
                            .iter()
                            .any(|library| name.starts_with(library))
                    };
                    collect(&part, &mut libraries, |name| gpu || of_the_cpu(name))?;
                }
            }
        }
        ensure!(
            libraries.contains_key(LIBRARY),
            "{} holds no {LIBRARY}: install torch {TORCH_VERSION} anew",
            torch.display()
        );
        Ok(libraries)
    }
}

fn is_cuda_half(name: &str) -> bool {
    [
        "libtorch_cuda",
        "libc10_cuda",
        "libtorch_nvshmem",
        "libtorch_python",
        "libcaffe2_nvrtc",
    ]
    .iter()
    .any(|library| name.starts_with(library))
}

/// Whether this system would load a file of that name: `.so`, also with a version behind it, or `.dylib`.
fn is_library(name: &str) -> bool {
    match cfg!(target_os = "macos") {
        true => name.ends_with(".dylib"),
        false => name.contains(".so"),
    }
}

fn collect(
    dir: &Path,
    libraries: &mut BTreeMap<String, PathBuf>,
    wanted: impl Fn(&str) -> bool,
) -> Result<()> {
    let entries = fs::read_dir(dir).with_context(|| format!("{} can't be read", dir.display()))?;
    for entry in entries {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        if is_library(name) && wanted(name) {
            libraries.insert(name.to_owned(), path);
        }
    }
    Ok(())
}

/// The libtorch that the variable `LIBTORCH` names, if it is of the right version.
///
/// The links of this repository don't count: cargo's configuration sets `LIBTORCH` to them.
pub fn named(layout: &Layout, variable: Option<PathBuf>) -> Option<Source> {
    folder_of_right_version(&variable?, &layout.libtorch())
}

/// What is wrong with the folder that the variable `LIBTORCH` names, if it names another than the
/// links of this repository: it is not used here, but whatever is compiled without this tool takes it.
pub fn misnamed(layout: &Layout, variable: Option<PathBuf>) -> Option<String> {
    let folder = variable?;
    let version = fs::read_to_string(folder.join("build-version")).unwrap_or_default();
    let version = version.trim().split('+').next().unwrap_or_default();
    let problem = if folder == layout.libtorch() {
        return None;
    } else if !folder.is_dir() {
        "which is no folder".to_owned()
    } else if !folder.join("lib").join(LIBRARY).is_file() {
        "which holds no libtorch".to_owned()
    } else if version != TORCH_VERSION {
        format!("which is of another version than {TORCH_VERSION}")
    } else {
        return None;
    };
    Some(format!("LIBTORCH names {}, {problem}", folder.display()))
}

/// The first link that points nowhere.
pub fn first_gone(layout: &Layout) -> Option<String> {
    links(layout)
        .into_iter()
        .find(|(_, target)| !target.exists())
        .map(|(name, target)| format!("{name} points to {}, which is gone", target.display()))
}

/// The links that are there, by name.
fn links(layout: &Layout) -> BTreeMap<String, PathBuf> {
    fs::read_dir(layout.libtorch().join("lib"))
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .map(|entry| {
            let target = fs::read_link(entry.path()).unwrap_or_default();
            (entry.file_name().to_string_lossy().into_owned(), target)
        })
        .collect()
}

fn folder_of_right_version(folder: &Path, own: &Path) -> Option<Source> {
    let folder = folder.canonicalize().ok()?;
    let is_own = own.canonicalize().is_ok_and(|own| own == folder);
    // Links that another clone made belong to that clone and go when it goes.
    let is_links = folder.join("lib").join(LIBRARY).is_symlink();
    let version = fs::read_to_string(folder.join("build-version")).ok()?;
    let right = version.trim().split('+').next() == Some(TORCH_VERSION);
    (right && !is_own && !is_links && folder.join("lib").join(LIBRARY).is_file())
        .then_some(Source::Folder(folder))
}

/// The libtorch of an environment's torch package, if it is of the right version.
pub fn of_environment(environment: &Environment) -> Option<Source> {
    let right = environment.version_of("torch").as_deref() == Some(TORCH_VERSION);
    let package = environment.site_packages()?.join("torch");
    (right && package.join("lib").join(LIBRARY).is_file()).then_some(Source::Package(package))
}

/// Whether the CUDA libraries are there as this machine needs them.
pub fn complete(source: &Source, gpu: bool) -> bool {
    let Source::Package(package) = source else {
        return true;
    };
    let cuda_build = package.join("lib/libtorch_cuda.so").is_file();
    let nvidia = package.with_file_name("nvidia");
    let has = |library: &str| {
        fs::read_dir(&nvidia)
            .into_iter()
            .flatten()
            .filter_map(Result::ok)
            .any(|part| {
                fs::read_dir(part.path().join("lib"))
                    .into_iter()
                    .flatten()
                    .filter_map(Result::ok)
                    .any(|file| file.file_name().to_string_lossy().starts_with(library))
            })
    };
    match (gpu, cuda_build) {
        (true, false) => false,
        (true, true) => has("libcudnn.") && has("libnccl."),
        (false, false) => true,
        (false, true) => CUDA_LIBRARIES_OF_THE_CPU.iter().all(|library| has(library)),
    }
}

/// What is wrong with the links, or `None` if they are as they should be.
pub fn fault(layout: &Layout, source: &Source, gpu: bool) -> Option<String> {
    let folder = layout.libtorch();
    if !folder.join("lib").is_dir() {
        return Some(format!("{} is missing", layout.show(&folder)));
    }
    let wanted = match source.libraries(gpu) {
        Ok(wanted) => wanted,
        Err(error) => return Some(format!("{error:#}")),
    };
    if let Some(gone) = first_gone(layout) {
        return Some(gone);
    }
    let found = links(layout);
    if found != wanted {
        return Some("the links are not those of the libtorch in use".to_owned());
    }
    let include = fs::read_link(folder.join("include")).ok();
    if include.as_deref() != Some(&source.folder().join("include")) {
        return Some("its include folder is not that of the libtorch in use".to_owned());
    }
    let version = fs::read_to_string(folder.join("build-version")).unwrap_or_default();
    (version.trim() != TORCH_VERSION).then(|| format!("it is of version {:?}", version.trim()))
}

/// Makes the links anew, beside the old ones, and puts them in their place.
///
/// # Errors
/// If the source is incomplete or the folder can't be written.
pub fn link(layout: &Layout, source: &Source, gpu: bool) -> Result<()> {
    let libraries = source.libraries(gpu)?;
    let folder = layout.libtorch();
    let state = layout.state();
    fs::create_dir_all(&state).with_context(|| format!("{} can't be made", state.display()))?;
    let fresh = tempfile::Builder::new()
        .prefix("libtorch.")
        .tempdir_in(&state)?;
    let lib = fresh.path().join("lib");
    fs::create_dir(&lib)?;
    for (name, target) in libraries {
        symlink(target, lib.join(name))?;
    }
    symlink(
        source.folder().join("include"),
        fresh.path().join("include"),
    )?;
    fs::write(
        fresh.path().join("build-version"),
        format!("{TORCH_VERSION}\n"),
    )?;
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let fresh = fresh.keep();
    fs::rename(&fresh, &folder)
        .with_context(|| format!("{} can't be put in place", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(path: PathBuf) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }

    /// These names are Linux'; elsewhere there is no CUDA.
    #[cfg(target_os = "linux")]
    fn package(dir: &Path) -> Source {
        let package = dir.join("site-packages/torch");
        for library in [
            "libtorch_cpu.so",
            "libc10.so",
            "libtorch_cuda.so",
            "libc10_cuda.so",
        ] {
            touch(package.join("lib").join(library));
        }
        fs::create_dir_all(package.join("include")).unwrap();
        for library in [
            "cu13/lib/libcudart.so.13",
            "cu13/lib/libcupti.so.13",
            "cu13/lib/libcublas.so.13",
        ] {
            touch(dir.join("site-packages/nvidia").join(library));
        }
        Source::Package(package)
    }

    #[cfg(target_os = "linux")]
    fn linked(layout: &Layout) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(layout.libtorch().join("lib"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn without_a_gpu_the_cuda_half_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout {
            root: dir.path().join("repo"),
            cache: dir.path().join("cache"),
            search: "".into(),
        };
        let source = package(dir.path());
        assert!(complete(&source, false) && !complete(&source, true));

        link(&layout, &source, false).unwrap();
        assert_eq!(
            linked(&layout),
            [
                "libc10.so",
                "libcudart.so.13",
                "libcupti.so.13",
                "libtorch_cpu.so"
            ]
        );
        assert_eq!(fault(&layout, &source, false), None);
        assert!(
            fault(&layout, &source, true).is_some(),
            "a GPU was added since"
        );

        link(&layout, &source, true).unwrap();
        assert_eq!(linked(&layout).len(), 7);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_libtorch_that_moved_away_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout {
            root: dir.path().join("repo"),
            cache: dir.path().join("cache"),
            search: "".into(),
        };
        let source = package(dir.path());
        assert!(
            fault(&layout, &source, false)
                .unwrap()
                .contains("is missing")
        );
        link(&layout, &source, false).unwrap();
        fs::remove_file(source.folder().join("lib/libc10.so")).unwrap();
        assert!(
            fault(&layout, &source, false)
                .unwrap()
                .contains("libc10.so points to")
        );
    }

    #[test]
    fn a_libtorch_of_the_reader_is_used_in_the_right_version_only() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("libtorch");
        touch(folder.join("lib").join(LIBRARY));
        fs::write(folder.join("build-version"), "2.12.0+cpu\n").unwrap();
        assert_eq!(
            folder_of_right_version(&folder, &dir.path().join("own")),
            None
        );
        fs::write(folder.join("build-version"), "2.13.0+cpu\n").unwrap();
        assert!(folder_of_right_version(&folder, &dir.path().join("own")).is_some());
        assert_eq!(folder_of_right_version(&folder, &folder), None);
    }
}
