//! Installing torch for its libtorch: as small as the machine allows.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::announce;
use crate::libtorch;
use crate::lock::{self, Locks, Part};
use crate::process;
use crate::python::Environment;

/// Where PyTorch publishes builds without CUDA.
pub const CPU_INDEX: &str = "https://download.pytorch.org/whl/cpu";

/// How long the index may take to answer at all before PyPI is used instead.
const INDEX_ANSWERS: Duration = Duration::from_secs(4);

/// What a build with CUDA is linked to even on a machine without a GPU.
const CUDA_RUNTIME: [&str; 2] = ["nvidia-cuda-cupti", "nvidia-cuda-runtime"];

/// Installs the locked torch into `environment`.
///
/// With a GPU: PyPI's build and all that it depends on. Without: the CPU build from `cpu_index`,
/// or, where that isn't locked or can't be reached, PyPI's build with just the two CUDA libraries
/// that `libtorch_cpu.so` itself is linked to.
///
/// # Errors
/// If pip fails, as it does for a file that isn't the locked one.
pub fn install(
    environment: &Environment,
    locks: &Locks,
    gpu: bool,
    cpu_index: &str,
    log: &Path,
    cancel: &AtomicBool,
) -> Result<()> {
    let pip = |arguments: &[&str], locked: &Path| {
        let mut command = environment.pip();
        command
            .arg("install")
            .args(arguments)
            .args(lock::arguments(locked));
        process::logged(&mut command, "libtorch", log, cancel)
    };
    // Without this, pip takes a damaged torch, or one for the CPU, for the one that is asked for.
    let anew = match environment.version_of("torch") {
        Some(_) => "--force-reinstall",
        None => "--upgrade",
    };
    if gpu {
        let torch = lock::for_pip(&locks.only(Part::Torch, &["torch"])?)?;
        pip(&["--no-deps", anew], torch.path())?;
        return pip(&[], &locks.path(Part::Torch));
    }
    if libtorch::of_environment(environment).is_none() {
        cpu_torch(environment, locks, anew, cpu_index, &pip)?;
    }
    if wants_cuda(environment)? {
        let runtime = lock::for_pip(&locks.only(Part::Torch, &CUDA_RUNTIME)?)?;
        pip(&["--no-deps"], runtime.path())?;
    }
    Ok(())
}

/// Installs torch alone: the CPU build, or PyPI's where that can't be had.
fn cpu_torch(
    environment: &Environment,
    locks: &Locks,
    anew: &str,
    cpu_index: &str,
    pip: &dyn Fn(&[&str], &Path) -> Result<()>,
) -> Result<()> {
    if locks.has(Part::CpuTorch) {
        if answers(environment, cpu_index) {
            let arguments = ["--no-deps", anew, "--index-url", cpu_index];
            match pip(&arguments, &locks.path(Part::CpuTorch)) {
                Ok(()) => return Ok(()),
                Err(error) => announce::note(&format!("the CPU build can't be had ({error:#})")),
            }
        } else {
            announce::note(&format!(
                "{cpu_index} doesn't answer: PyPI's build is used instead"
            ));
        }
    }
    let torch = lock::for_pip(&locks.only(Part::Torch, &["torch"])?)?;
    pip(&["--no-deps", anew], torch.path())
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

/// Whether this build of torch is one with CUDA, by its own metadata.
fn wants_cuda(environment: &Environment) -> Result<bool> {
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
    needs_cuda(&metadata)
}

fn needs_cuda(metadata: &str) -> Result<bool> {
    let Some(line) = metadata
        .lines()
        .find_map(|line| line.strip_prefix("Requires-Dist: cuda-toolkit"))
    else {
        return Ok(false);
    };
    ensure!(
        ["cudart", "cupti"].iter().all(|part| line.contains(part)),
        "torch's cuda-toolkit{line} lacks cudart or cupti"
    );
    Ok(cfg!(target_os = "linux"))
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

    /// Locks the wheel that the index has packed, with this digest or its own.
    fn lock(dir: &Path, digest: Option<&str>) -> Locks {
        use sha2::Digest;
        let wheel = fs::read(dir.join("torch/torch-9.9.9+cpu-py3-none-any.whl")).unwrap();
        let own: String = sha2::Sha256::digest(&wheel)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let locks = Locks(dir.join("locks"));
        fs::create_dir_all(&locks.0).unwrap();
        let digest = digest.unwrap_or(&own);
        let text = format!("torch==9.9.9+cpu \\\n    --hash=sha256:{digest}\n");
        fs::write(locks.path(Part::CpuTorch), &text).unwrap();
        fs::write(locks.path(Part::Torch), text).unwrap();
        locks
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
        // Another file than the locked one is refused.
        let wrong = lock(dir.path(), Some(&"0".repeat(64)));
        install(&environment, &wrong, false, &address, &log, &cancel).unwrap_err();
        assert_eq!(environment.version_of("torch"), None);
        let text = fs::read_to_string(&log).unwrap();
        assert!(
            text.contains("THESE PACKAGES DO NOT MATCH THE HASHES"),
            "{text}"
        );

        let locks = lock(dir.path(), None);
        install(&environment, &locks, false, &address, &log, &cancel).unwrap();
        assert_eq!(environment.version_of("torch").as_deref(), Some("9.9.9"));
        assert!(!wants_cuda(&environment).unwrap());
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
    fn torch_itself_says_whether_it_is_linked_to_cuda() {
        let metadata = "Name: torch\nRequires-Dist: cuda-toolkit[cublas,cudart,cupti]==13.0.3; \
                        platform_system == \"Linux\"\nRequires-Dist: filelock\n";
        assert_eq!(needs_cuda(metadata).unwrap(), cfg!(target_os = "linux"));
        assert!(!needs_cuda("Name: torch\n").unwrap());
        assert!(needs_cuda("Requires-Dist: cuda-toolkit[cublas]==1").is_err());
    }
}
