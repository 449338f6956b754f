//! Installing torch for its libtorch: as small as the machine allows.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::process;
use crate::python::Environment;
use crate::report;

/// Where PyTorch publishes builds without CUDA.
pub const CPU_INDEX: &str = "https://download.pytorch.org/whl/cpu";

/// How long the index may take to answer at all before PyPI is used instead.
const INDEX_ANSWERS: Duration = Duration::from_secs(4);

/// Installs `torch==version` into `environment`.
///
/// With a GPU: PyPI's build and all that it depends on. Without: the CPU build from `cpu_index`,
/// or, where that can't be reached, PyPI's build with just the two CUDA libraries that
/// `libtorch_cpu.so` itself is linked to.
///
/// # Errors
/// If pip fails.
pub fn install(
    environment: &Environment,
    version: &str,
    gpu: bool,
    cpu_index: &str,
    log: &Path,
    cancel: &AtomicBool,
) -> Result<()> {
    let requirement = format!("torch=={version}");
    let pip = |arguments: &[&str]| {
        let mut command = environment.pip();
        command.arg("install").args(arguments);
        process::logged(&mut command, "libtorch", log, cancel)
    };
    if gpu {
        return pip(&[&requirement]);
    }
    if answers(environment, cpu_index) {
        match pip(&["--no-deps", "--index-url", cpu_index, &requirement]) {
            Ok(()) => return Ok(()),
            Err(error) => report::note(&format!("the CPU build can't be had ({error:#})")),
        }
    } else {
        report::note(&format!(
            "{cpu_index} doesn't answer: PyPI's build is used instead"
        ));
    }
    pip(&["--no-deps", &requirement])?;
    match cuda_runtime_requirement(environment)? {
        Some(runtime) => pip(&[&runtime]),
        None => Ok(()),
    }
}

/// Whether the index lists torch, asked with a short time-out.
fn answers(environment: &Environment, index: &str) -> bool {
    let script = "import sys, urllib.request as r; r.urlopen(sys.argv[1], timeout=3).read(1)";
    let mut command = Command::new(environment.python());
    command
        .args(["-c", script])
        .arg(format!("{}/torch/", index.trim_end_matches('/')));
    process::output(&mut command, INDEX_ANSWERS).is_ok()
}

/// The requirement for `libcudart` and `libcupti` alone, at the version that the installed torch
/// names in its own metadata; `None` if this build of torch wants no CUDA.
fn cuda_runtime_requirement(environment: &Environment) -> Result<Option<String>> {
    let site = environment
        .site_packages()
        .context("the environment has no packages")?;
    let folder = fs::read_dir(&site)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| {
            path.file_name()
                .and_then(|name| name.to_str())
                .is_some_and(|name| name.starts_with("torch-") && name.ends_with(".dist-info"))
        })
        .context("torch isn't among the environment's packages")?;
    let metadata = fs::read_to_string(folder.join("METADATA"))
        .with_context(|| format!("{} has no METADATA", folder.display()))?;
    parse_cuda_requirement(&metadata)
}

fn parse_cuda_requirement(metadata: &str) -> Result<Option<String>> {
    let Some(line) = metadata
        .lines()
        .find_map(|line| line.strip_prefix("Requires-Dist: cuda-toolkit"))
    else {
        return Ok(None);
    };
    let requirement = line.split(';').next().unwrap_or(line).trim();
    let (extras, version) = requirement
        .split_once(']')
        .with_context(|| format!("torch asks for cuda-toolkit{line}, which isn't understood"))?;
    ensure!(
        ["cudart", "cupti"].iter().all(|part| extras.contains(part)),
        "torch's cuda-toolkit{line} lacks cudart or cupti"
    );
    Ok(Some(format!("cuda-toolkit[cudart,cupti]{version}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::sync::{Arc, Mutex};
    use std::thread;
    use std::time::Instant;

    #[test]
    fn torch_itself_says_which_cuda_runtime_it_is_linked_to() {
        let metadata = "Name: torch\nRequires-Dist: cuda-toolkit[cublas,cudart,cupti]==13.0.3; \
                        platform_system == \"Linux\"\nRequires-Dist: filelock\n";
        let requirement = parse_cuda_requirement(metadata).unwrap();
        assert_eq!(
            requirement.as_deref(),
            Some("cuda-toolkit[cudart,cupti]==13.0.3")
        );
        assert_eq!(parse_cuda_requirement("Name: torch\n").unwrap(), None);
        assert!(parse_cuda_requirement("Requires-Dist: cuda-toolkit[cublas]==1").is_err());
    }
}
