//! `cargo kernel uninstall`: removes what `install` made.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::layout::Layout;
use crate::{announce, builds, disk, kernelspec};

/// Removes what `install` made, and with `all` also what the notebooks keep in the user's cache.
///
/// # Errors
/// If a kernel or an installation is at work, or something can't be removed.
pub fn run(layout: &Layout, all: bool) -> Result<()> {
    refuse_while_in_use(layout)?;
    let kept = [
        layout.digits(),
        layout.tables(),
        layout.models(),
        layout.logs(),
        layout.products(),
    ];
    let mut parts = kernelspec::written(layout);
    parts.extend([layout.state(), layout.evcxr_root()]);
    if all {
        parts.extend(kept.clone());
    }
    parts.retain(|path| path.exists());
    if parts.is_empty() {
        println!("There is nothing to remove.");
    }
    for path in &parts {
        remove(layout, path)?;
    }
    // Only the folder that is empty now: others may use it.
    let _ = fs::remove_dir(&layout.cache);
    for path in kept.iter().filter(|path| path.exists()) {
        let size = announce::bytes(disk::used(path));
        println!(
            "  kept     {} ({size}): `cargo kernel uninstall --all` removes it",
            path.display()
        );
    }
    Ok(())
}

fn remove(layout: &Layout, path: &Path) -> Result<()> {
    let size = announce::bytes(disk::used(path));
    fs::remove_dir_all(path).with_context(|| format!("{} can't be removed", path.display()))?;
    println!("  removed  {} ({size})", layout.show(path));
    Ok(())
}

fn refuse_while_in_use(layout: &Layout) -> Result<()> {
    let entries = fs::read_dir(layout.builds()).into_iter().flatten();
    let mut locks: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|kind| kind == "lock"))
        .collect();
    locks.extend(Some(layout.install_lock()).filter(|path| path.exists()));
    for path in locks {
        if builds::try_lock(&path)?.is_none() {
            bail!("a kernel or an installation is at work here: end it first");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(dir: &Path) -> Layout {
        let layout = Layout {
            root: dir.join("repo"),
            cache: dir.join("cache/icvae"),
            search: "".into(),
        };
        for path in [
            layout.root.join("notebooks/mine.ipynb"),
            layout.env().join("pyvenv.cfg"),
            layout.evcxr_root().join("0123456789abcdef/evcxr_jupyter"),
            layout.digits().join("train-images-idx3-ubyte"),
            layout.tables().join("adult.data"),
            layout.models().join("a.safetensors"),
            layout.logs().join("run/events.out.tfevents.1.icvae"),
            layout.products().join("0123456789abcdef.json"),
        ] {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        layout
    }

    #[test]
    fn what_install_made_goes_and_what_the_reader_made_stays() {
        let dir = tempfile::tempdir().unwrap();
        let layout = layout(dir.path());
        let (ours, other) = (
            dir.path().join("conda/ours"),
            dir.path().join("conda/other"),
        );
        for (folder, program) in [(&ours, layout.tool()), (&other, "/usr/bin/python".into())] {
            fs::create_dir_all(folder).unwrap();
            let content = serde_json::json!({ "argv": [program] });
            fs::write(folder.join("kernel.json"), content.to_string()).unwrap();
        }
        let list = format!("{}\n{}\n", ours.display(), other.display());
        fs::write(layout.kernelspecs(), list).unwrap();

        run(&layout, false).unwrap();
        for gone in [layout.state(), layout.evcxr_root(), ours] {
            assert!(!gone.exists(), "{}", gone.display());
        }
        for kept in [
            layout.root.join("notebooks/mine.ipynb"),
            layout.digits(),
            layout.tables(),
            layout.models(),
            layout.logs(),
            layout.products(),
            other,
        ] {
            assert!(kept.exists(), "{}", kept.display());
        }
        run(&layout, true).unwrap();
        assert!(!layout.cache.exists());
        run(&layout, true).unwrap();
    }

    #[test]
    fn a_running_kernel_keeps_its_folders() {
        let dir = tempfile::tempdir().unwrap();
        let layout = layout(dir.path());
        fs::create_dir_all(layout.builds()).unwrap();
        let _kernel = builds::try_lock(&layout.builds().join("0.lock"))
            .unwrap()
            .unwrap();
        let error = run(&layout, true).unwrap_err().to_string();
        assert!(
            error.contains("a kernel or an installation is at work"),
            "{error}"
        );
        assert!(layout.env().exists());
    }
}
