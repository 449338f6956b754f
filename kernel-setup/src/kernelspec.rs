//! The kernelspec: all that Jupyter needs to start the kernel, in whichever way it is started.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::files;
use crate::layout::{KERNEL_NAME, Layout};
use crate::libtorch;
use crate::python::Environment;

/// The files of the kernelspec beside `kernel.json`.
const LOGOS: [(&str, &[u8]); 3] = [
    ("logo-svg.svg", include_bytes!("../assets/logo-svg.svg")),
    ("logo-32x32.png", include_bytes!("../assets/logo-32x32.png")),
    ("logo-64x64.png", include_bytes!("../assets/logo-64x64.png")),
];

/// The kernelspec's folder in an environment.
pub fn folder(environment: &Environment) -> PathBuf {
    environment
        .prefix
        .join("share/jupyter/kernels")
        .join(KERNEL_NAME)
}

/// The variables that a kernel needs, whoever starts it.
pub fn variables(layout: &Layout, evcxr: &Path) -> Vec<(&'static str, PathBuf)> {
    vec![
        ("LIBTORCH", layout.libtorch()),
        (libtorch::SEARCH_PATH, layout.libtorch().join("lib")),
        ("EVCXR_CONFIG_DIR", layout.evcxr_config()),
        ("ICVAE_EVCXR_JUPYTER", evcxr.to_owned()),
    ]
}

fn content(layout: &Layout, evcxr: &Path) -> Value {
    let variables: serde_json::Map<_, _> = variables(layout, evcxr)
        .into_iter()
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect();
    json!({
        "argv": [layout.tool(), "kernel", "--connection-file", "{connection_file}"],
        "display_name": "Rust (ICVAE)",
        "language": "rust",
        "interrupt_mode": "message",
        "env": variables,
        "metadata": { "debugger": false },
    })
}

/// What is wrong with the installed kernelspec, or `None`.
pub fn fault(layout: &Layout, environment: &Environment, evcxr: &Path) -> Option<String> {
    let path = folder(environment).join("kernel.json");
    let Ok(text) = fs::read_to_string(&path) else {
        return Some(format!("{} is missing", layout.show(&path)));
    };
    if serde_json::from_str::<Value>(&text).ok().as_ref() != Some(&content(layout, evcxr)) {
        return Some(format!("{} is not what it should be", layout.show(&path)));
    }
    (!layout.tool().is_file()).then(|| format!("{} is missing", layout.show(&layout.tool())))
}

/// Writes the kernelspec, each file whole.
///
/// # Errors
/// If the environment can't be written.
pub fn install(layout: &Layout, environment: &Environment, evcxr: &Path) -> Result<()> {
    let folder = folder(environment);
    write(&folder, &content(layout, evcxr))?;
    note(layout, &folder)?;
    let config = layout.evcxr_config();
    fs::create_dir_all(&config).with_context(|| format!("{} can't be made", config.display()))
}

/// Writes the files of a kernelspec into its folder.
///
/// # Errors
/// If it can't be written.
pub fn write(folder: &Path, content: &Value) -> Result<()> {
    let text = serde_json::to_string_pretty(content)?;
    for (name, content) in LOGOS.into_iter().chain([("kernel.json", text.as_bytes())]) {
        files::write_whole(&folder.join(name), content, 0o644)?;
    }
    Ok(())
}

/// Adds a folder to the list of those that were written.
fn note(layout: &Layout, folder: &Path) -> Result<()> {
    let mut list = written(layout);
    if !list.iter().any(|known| known == folder) {
        list.push(folder.to_owned());
        let lines: Vec<_> = list.iter().map(|path| path.display().to_string()).collect();
        files::write_whole(
            &layout.kernelspecs(),
            (lines.join("\n") + "\n").as_bytes(),
            0o644,
        )?;
    }
    Ok(())
}

/// The kernelspecs of this repository that are there, in whichever environment.
pub fn written(layout: &Layout) -> Vec<PathBuf> {
    let tool = layout.tool();
    let is_ours = |folder: &PathBuf| {
        let text = fs::read_to_string(folder.join("kernel.json")).unwrap_or_default();
        let content: Value = serde_json::from_str(&text).unwrap_or_default();
        content["argv"][0]
            .as_str()
            .is_some_and(|program| Path::new(program) == tool)
    };
    let list = fs::read_to_string(layout.kernelspecs()).unwrap_or_default();
    list.lines().map(PathBuf::from).filter(is_ours).collect()
}

/// Whether the copy of this tool that Jupyter starts is this very program.
pub fn tool_is_current(layout: &Layout, program: &Path) -> bool {
    match (fs::read(program), fs::read(layout.tool())) {
        (Ok(this), Ok(copy)) => this == copy,
        _ => false,
    }
}

/// Puts a copy of `program` where the kernelspec expects it.
///
/// Kernels that run go on with the old one: its file is replaced, not overwritten.
///
/// # Errors
/// If it can't be written.
pub fn install_tool(layout: &Layout, program: &Path) -> Result<()> {
    let content =
        fs::read(program).with_context(|| format!("{} can't be read", program.display()))?;
    files::write_whole(&layout.tool(), &content, 0o755)
}
