//! Installing torch for its libtorch: as small as the machine allows.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::libtorch;
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
    // Without this, pip takes a damaged torch, or one for the CPU, for the one that is asked for.
    let anew = match environment.version_of("torch") {
        Some(_) => "--force-reinstall",
        None => "--upgrade",
    };
    if gpu {
        pip(&["--no-deps", anew, &requirement])?;
        return pip(&[&requirement]);
    }
    if libtorch::of_environment(environment).is_none() {
        cpu_torch(environment, &requirement, anew, cpu_index, &pip)?;
    }
    match cuda_runtime_requirement(environment)? {
        Some(runtime) => pip(&[&runtime]),
        None => Ok(()),
    }
}

/// Installs torch alone: the CPU build, or PyPI's where that can't be had.
fn cpu_torch(
    environment: &Environment,
    requirement: &str,
    anew: &str,
    cpu_index: &str,
    pip: &dyn Fn(&[&str]) -> Result<()>,
) -> Result<()> {
    if answers(environment, cpu_index) {
        match pip(&["--no-deps", anew, "--index-url", cpu_index, requirement]) {
            Ok(()) => return Ok(()),
            Err(error) => report::note(&format!("the CPU build can't be had ({error:#})")),
        }
    } else {
        report::note(&format!(
            "{cpu_index} doesn't answer: PyPI's build is used instead"
        ));
    }
    pip(&["--no-deps", anew, requirement])
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
    use std::net::TcpListener;
    use std::process::{Child, Stdio};
    use std::thread;
    use std::time::Instant;

    use crate::layout::Layout;
    use crate::pins::Pins;
    use crate::python;

    /// Packs a wheel of a torch without content, and serves it as an index of packages.
    const INDEX: &str = r#"
import functools, http.server, os, sys, zipfile
os.makedirs("torch")
info = "torch-9.9.9+cpu.dist-info/"
with zipfile.ZipFile("torch/torch-9.9.9+cpu-py3-none-any.whl", "w") as wheel:
    wheel.writestr("torch/__init__.py", "")
    wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: torch\nVersion: 9.9.9+cpu\n")
    wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr(info + "RECORD", "")
server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
open("port.part", "w").write(str(server.server_port))
os.rename("port.part", "port")
server.serve_forever()
"#;

    /// An index on loopback that ends with the test.
    struct Index(Child, u16);

    impl Drop for Index {
        fn drop(&mut self) {
            let _ = self.0.kill().and_then(|()| self.0.wait().map(drop));
        }
    }

    fn serve(dir: &Path, environment: &Environment) -> Index {
        let mut command = Command::new(environment.python());
        command
            .args(["-c", INDEX])
            .current_dir(dir)
            .stderr(Stdio::null());
        let child = command.spawn().unwrap();
        let port = (0..400).find_map(|_| {
            thread::sleep(Duration::from_millis(50));
            fs::read_to_string(dir.join("port")).ok()?.parse().ok()
        });
        Index(child, port.unwrap())
    }

    fn environment(dir: &Path) -> Environment {
        let environment = Environment {
            prefix: dir.join("env"),
        };
        let search = std::env::var_os("PATH").unwrap();
        let layout = Layout {
            root: dir.to_owned(),
            cache: dir.join("cache"),
            search,
        };
        let pins = Pins {
            python: (3, 10),
            packages: Vec::new(),
        };
        let cancel = AtomicBool::new(false);
        python::create(&layout, &environment, &pins, &dir.join("venv.log"), &cancel).unwrap();
        environment
    }

    #[test]
    fn the_cpu_build_is_taken_from_its_index_where_that_answers() {
        let dir = tempfile::tempdir().unwrap();
        let environment = environment(dir.path());
        let index = serve(dir.path(), &environment);
        let address = format!("http://127.0.0.1:{}", index.1);
        let (log, cancel) = (dir.path().join("torch.log"), AtomicBool::new(false));
        install(&environment, "9.9.9", false, &address, &log, &cancel).unwrap();
        assert_eq!(environment.version_of("torch").as_deref(), Some("9.9.9"));
        assert_eq!(cuda_runtime_requirement(&environment).unwrap(), None);
    }

    #[test]
    fn a_silent_index_is_given_up_soon() {
        let dir = tempfile::tempdir().unwrap();
        let python = python::interpreter(
            &Layout {
                root: dir.path().to_owned(),
                cache: dir.path().to_owned(),
                search: std::env::var_os("PATH").unwrap(),
            },
            (3, 10),
        );
        let bin = dir.path().join("bin");
        fs::create_dir(&bin).unwrap();
        std::os::unix::fs::symlink(python.unwrap().0, bin.join("python")).unwrap();
        let environment = Environment {
            prefix: dir.path().to_owned(),
        };
        // It accepts connections and never says a word.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let start = Instant::now();
        assert!(!answers(&environment, &address));
        assert!(start.elapsed() < 4 * INDEX_ANSWERS, "the limit isn't kept");
    }

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
