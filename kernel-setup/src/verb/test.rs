//! `cargo kernel test`: every test of the workspace, and every notebook in smoke mode.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Context, Result};

use super::run::Exercises;
use super::{html, install, run};
use crate::layout::Layout;
use crate::python::Environment;
use crate::{announce, builds, jupyter, libtorch};

/// Drives JupyterLab in a headless browser.
const BROWSER: &str = include_str!("../../python/browser.py");

/// Begins the reason of a test that is left out for its length, until somebody asks for it.
const BY_CHOICE: &str = "by choice: ";

/// Counts, and the names of what failed or was left out.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    passed: usize,
    failed: Vec<String>,
    skipped: Vec<String>,
    /// Tests that a framework counted as left out without a name that is worth repeating.
    skipped_unnamed: usize,
}

impl Tally {
    fn count(&mut self, name: &str, passed: bool) {
        match passed {
            true => self.passed += 1,
            false => self.failed.push(name.to_owned()),
        }
    }

    fn skip(&mut self, name: &str, why: &str) {
        announce::skipped(name, why);
        self.skipped.push(format!("{name}: {why}"));
    }

    /// How many were left out for want of something. Jupyter's own suite leaves out what a kernel
    /// doesn't claim to have, some need another system, and a notebook's full run is its author's to make.
    fn could_be_had(&self) -> usize {
        let other = [
            BY_CHOICE,
            "jupyter_kernel_test",
            "needs Linux'",
            "on Linux only",
            "holds no outputs",
            // The installation has tried to fetch them.
            "needs the four files of MNIST",
            "needs UCI's files",
            // Of a cluster, not of a notebook's machine.
            "needs Slurm",
            "needs a processor",
        ];
        let named = self.skipped.iter();
        let named = named.filter(|name| !other.iter().any(|words| name.contains(words)));
        named.count() + self.skipped_unnamed
    }

    fn render(&self) -> String {
        let mut text = String::new();
        let (chosen, others): (Vec<&String>, Vec<&String>) = self
            .skipped
            .iter()
            .partition(|name| name.contains(BY_CHOICE));
        for name in others {
            text += &format!("skipped: {name}\n");
        }
        for name in &self.failed {
            text += &format!("FAILED:  {name}\n");
        }
        // Said last, where nobody passes over it: a part is no whole.
        for name in chosen {
            let why = name.split_once(BY_CHOICE).map_or("", |(_, why)| why);
            text += &format!("LEFT OUT by choice: {why}\n");
        }
        let skipped = self.skipped.iter().map(|name| tests(name));
        let skipped = skipped.sum::<usize>() + self.skipped_unnamed;
        text + &format!(
            "total: {} passed, {} failed, {skipped} skipped\n",
            self.passed,
            self.failed.len()
        )
    }
}

/// How many tests a line about those left out stands for: pytest says so in front, as in `[3]`.
fn tests(name: &str) -> usize {
    let count = name.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    count.and_then(|(count, _)| count.parse().ok()).unwrap_or(1)
}

/// Runs all tests; the exit status is 1 if any failed, or, to be `complete`, was left out needlessly.
///
/// # Errors
/// If the installation fails or a test program can't be started.
pub fn run(layout: &Layout, complete: bool) -> Result<ExitCode> {
    let installed = install::run(layout)?;
    let environment = &installed.environment;
    let mut tally = Tally::default();
    static_checks(layout, &mut tally)?;
    rust_tests(layout, &mut tally)?;
    python_tests(
        "kernel protocol",
        "protocol",
        layout,
        environment,
        &mut tally,
    )?;
    python_tests("pages", "page", layout, environment, &mut tally)?;
    python_tests(
        "prose of the notebooks",
        "notebooks",
        layout,
        environment,
        &mut tally,
    )?;
    notebooks(layout, environment, &mut tally)?;
    browser(layout, environment, &mut tally)?;
    println!();
    print!("{}", tally.render());
    let missed = tally.could_be_had();
    if complete && missed > 0 {
        println!("{missed} were left out that this machine could have had: install what they name");
    }
    let failed = !tally.failed.is_empty() || complete && missed > 0;
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// A part of the tests, announced and timed.
fn part<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("\n== {name}");
    let start = Instant::now();
    let value = work()?;
    println!("== {name}: {}", announce::seconds(start.elapsed()));
    Ok(value)
}

/// Cargo with this repository's libtorch, wherever the reader's variables point.
fn cargo(layout: &Layout) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    jupyter::forget_cargo(&mut command);
    let own = layout.libtorch().join("lib");
    let others = env::var_os(libtorch::SEARCH_PATH).unwrap_or_default();
    let libraries = env::join_paths(std::iter::once(own).chain(env::split_paths(&others)));
    if let Ok(libraries) = libraries {
        command.env(libtorch::SEARCH_PATH, libraries);
    }
    command
        .env("LIBTORCH", layout.libtorch())
        .current_dir(&layout.root);
    command
}

fn static_checks(layout: &Layout, tally: &mut Tally) -> Result<()> {
    let lints = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ];
    let docs = ["doc", "--workspace", "--no-deps"];
    for (arguments, component) in [
        (&["fmt", "--check"][..], Some("rustfmt")),
        (&lints, Some("clippy")),
        (&docs, None),
    ] {
        let verb = arguments[0];
        let name = format!("cargo {verb}");
        // Rust's smallest installation lacks these two.
        if let Some(component) = component
            && !cargo(layout)
                .args([verb, "--version"])
                .output()?
                .status
                .success()
        {
            tally.skip(
                &name,
                &format!("run `rustup component add {component}` for it"),
            );
            continue;
        }
        let mut command = cargo(layout);
        command.args(arguments).env("RUSTDOCFLAGS", "-D warnings");
        let passed = part(&name, || Ok(command.status()?.success()))?;
        tally.count(&name, passed);
    }
    Ok(())
}

fn rust_tests(layout: &Layout, tally: &mut Tally) -> Result<()> {
    let mut command = cargo(layout);
    command.args(["test", "--workspace", "--no-fail-fast"]);
    // Those that need something run where it is, and are named where it isn't.
    command.args(["--", "--include-ignored"]);
    let (digits, tables) = (mnist(layout), tables(layout));
    let slurm = rustix::process::geteuid().is_root()
        && ["slurmctld", "slurmd"]
            .iter()
            .all(|daemon| layout.program(daemon).is_some());
    for (name, why, there) in [
        (
            "the_real_mnist",
            "needs the four files of MNIST in ICVAE_MNIST_DIR",
            digits.is_some(),
        ),
        (
            "the_real_tables",
            "needs UCI's files in ICVAE_TABULAR_DIR",
            tables.is_some(),
        ),
        (
            "an_array_job_makes",
            "needs Slurm (Debian: slurm-wlm), as root",
            slurm,
        ),
        ("with_avx2_", "needs a processor with AVX2", has_avx2()),
        (
            "with_avx512_",
            "needs a processor with AVX-512",
            has_avx512(),
        ),
    ] {
        if !there {
            command.args(["--skip", name]);
            tally.skip(name, why);
        }
    }
    for (variable, folder) in [("ICVAE_MNIST_DIR", digits), ("ICVAE_TABULAR_DIR", tables)] {
        if let Some(folder) = folder {
            command.env(variable, folder);
        }
    }
    let (success, lines) = part("cargo test", || tee(&mut command))?;
    read_cargo(&lines, success, tally);
    Ok(())
}

#[cfg(target_arch = "x86_64")]
fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
}

#[cfg(target_arch = "x86_64")]
fn has_avx512() -> bool {
    has_avx2() && is_x86_feature_detected!("avx512f")
}

#[cfg(not(target_arch = "x86_64"))]
fn has_avx2() -> bool {
    false
}

#[cfg(not(target_arch = "x86_64"))]
fn has_avx512() -> bool {
    false
}

/// Where the real digits are, if they are: named by the reader, or fetched by the installation.
fn mnist(layout: &Layout) -> Option<PathBuf> {
    let named = env::var_os("ICVAE_MNIST_DIR").filter(|folder| !folder.is_empty());
    let folders = named.map(PathBuf::from).into_iter();
    folders.chain([layout.digits()]).find(|folder| {
        let images = folder.join("t10k-images-idx3-ubyte");
        images.is_file() || images.with_extension("gz").is_file()
    })
}

/// Where UCI's tables are, if all of them are: named by the reader, or fetched for a notebook.
fn tables(layout: &Layout) -> Option<PathBuf> {
    let named = env::var_os("ICVAE_TABULAR_DIR").filter(|folder| !folder.is_empty());
    let folders = named.map(PathBuf::from).into_iter();
    folders.chain([layout.tables()]).find(|folder| {
        ["adult.data", "adult.test", "german.data"]
            .iter()
            .all(|name| folder.join(name).is_file() || folder.join(format!("{name}.gz")).is_file())
    })
}

/// Reads what the Rust test harness printed.
fn read_cargo(lines: &[String], success: bool, tally: &mut Tally) {
    let failed_before = tally.failed.len();
    let (mut named, mut unnamed) = (0, 0);
    for line in lines {
        if let Some(counts) = line.trim().strip_prefix("test result: ") {
            let number = |what: &str| number_before(counts, what);
            tally.passed += number("passed");
            unnamed += number("ignored");
        } else if let Some((name, why)) = line
            .strip_prefix("test ")
            .and_then(|rest| rest.split_once(" ... ignored, "))
        {
            tally.skipped.push(format!("{name}: {why}"));
            named += 1;
        } else if let Some(name) = line
            .strip_prefix("test ")
            .and_then(|rest| rest.strip_suffix(" ... FAILED"))
        {
            tally.failed.push(name.to_owned());
        }
    }
    tally.skipped_unnamed += usize::saturating_sub(unnamed, named);
    // It didn't build, or a test program died without a word.
    if !success && tally.failed.len() == failed_before {
        tally.failed.push("cargo test: see above".to_owned());
    }
}

/// The number in front of a word: 3 in `3 passed; 1 failed`.
fn number_before(text: &str, what: &str) -> usize {
    let words: Vec<&str> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    words
        .windows(2)
        .find(|pair| pair[1] == what)
        .and_then(|pair| pair[0].parse().ok())
        .unwrap_or(0)
}

fn python_tests(
    name: &str,
    folder: &str,
    layout: &Layout,
    environment: &Environment,
    tally: &mut Tally,
) -> Result<()> {
    let folder = layout.root.join("kernel-setup/tests").join(folder);
    if !folder.is_dir() {
        return Ok(());
    }
    let mut command = Command::new(environment.python());
    jupyter::environment(&mut command, layout, environment);
    // Short and complete: every failure and every skip on a line of its own, then the counts.
    command
        .args(["-m", "pytest", "-q", "-rfEs", "-p", "no:cacheprovider"])
        .arg(folder);
    let (success, lines) = part(name, || tee(&mut command))?;
    read_pytest(name, &lines, success, tally);
    Ok(())
}

/// Reads pytest's summary.
fn read_pytest(part: &str, lines: &[String], success: bool, tally: &mut Tally) {
    let failed_before = tally.failed.len();
    for line in lines {
        if let Some(name) = line
            .strip_prefix("FAILED ")
            .or_else(|| line.strip_prefix("ERROR "))
        {
            tally.failed.push(name.to_owned());
        } else if let Some(name) = line.strip_prefix("SKIPPED ") {
            tally.skipped.push(name.to_owned());
        }
    }
    if let Some(counts) = lines.iter().rev().find(|line| line.contains(" in ")) {
        tally.passed += number_before(counts, "passed");
    }
    if !success && tally.failed.len() == failed_before {
        tally.failed.push(format!("{part}: see above"));
    }
}

/// Runs a program with its output passed on, and returns it.
fn tee(command: &mut Command) -> Result<(bool, Vec<String>)> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .context("the tests can't be started")?;
    let mut lines = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n') {
            let line = String::from_utf8_lossy(&line?).into_owned();
            println!("{line}");
            std::io::stdout().flush()?;
            lines.push(line);
        }
    }
    Ok((child.wait()?.success(), lines))
}

fn notebooks(layout: &Layout, environment: &Environment, tally: &mut Tally) -> Result<()> {
    let list = fs::read_to_string(layout.notebooks().join("README.md")).unwrap_or_default();
    let mut executed = Vec::new();
    for notebook in builds::notebooks(layout)? {
        let file = notebook
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        tally.count(
            &format!("notebooks/README.md lists {file}"),
            list.contains(&file),
        );
        let name = format!("notebooks/{file}");
        let copy = layout.root.join("target/smoke").join(&file);
        let smoke = [("ICVAE_SMOKE", "1")];
        let passed = part(&name, || {
            run::execute(
                layout,
                environment,
                &notebook,
                &copy,
                Exercises::Solved,
                &smoke,
            )
        })?;
        tally.count(&name, passed);
        if passed {
            executed.push((notebook, copy));
        }
    }
    if !executed.is_empty() {
        let name = "pages of the notebooks";
        let output = layout.root.join("target/smoke/pages");
        let passed = part(name, || {
            html::publish_copies(layout, environment, &executed, &output)
        })?;
        tally.count(name, passed);
    }
    Ok(())
}

fn browser(layout: &Layout, environment: &Environment, tally: &mut Tally) -> Result<()> {
    let name = "JupyterLab in the browser";
    let tutorial = layout.notebooks().join("tutorial.ipynb");
    if !tutorial.is_file() {
        return Ok(());
    }
    let Some(chromium) = chromium(layout) else {
        tally.skip(name, "Chromium isn't installed");
        return Ok(());
    };
    let mut command = Command::new(environment.python());
    jupyter::environment(&mut command, layout, environment);
    command
        .args(["-c", BROWSER])
        .args([&chromium, &tutorial, &layout.core()])
        .arg(layout.root.join("target/browser"))
        .env("ICVAE_SMOKE", "1");
    let passed = part(name, || Ok(command.status()?.success()))?;
    tally.count(name, passed);
    Ok(())
}

/// A Chromium or Chrome that can be driven.
pub fn chromium(layout: &Layout) -> Option<PathBuf> {
    [
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
    ]
    .into_iter()
    .find_map(|name| layout.program(name))
    .or_else(|| {
        let bundle = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";
        Some(Path::new(bundle))
            .filter(|path| path.is_file())
            .map(Path::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn the_last_line_adds_up_what_the_frameworks_counted() {
        let mut tally = Tally::default();
        let cargo = "test a::b ... ok\ntest a::c ... FAILED\n\
                     test result: FAILED. 3 passed; 1 failed; 2 ignored; 0 measured\n\
                     test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured";
        read_cargo(&lines(cargo), false, &mut tally);
        let pytest = "FAILED x.py::test_y - boom\nSKIPPED [1] x.py:3: no pager\n\
                      1 failed, 5 passed, 1 skipped in 3.21s";
        read_pytest("kernel protocol", &lines(pytest), false, &mut tally);
        tally.count("cargo fmt", true);
        tally.skip("browser", "none");
        insta::assert_snapshot!(tally.render());
    }

    #[test]
    fn what_was_left_out_needlessly_is_counted() {
        let mut tally = Tally::default();
        let pytest = "SKIPPED [1] page/test_browser.py:87: Chromium isn't installed\n\
                      SKIPPED [1] ../x/jupyter_kernel_test/__init__.py:3: No code pager\n\
                      SKIPPED [2] test_lifecycle.py:14: needs Linux' /proc\n\
                      5 passed, 4 skipped in 3.21s";
        read_pytest("pages", &lines(pytest), true, &mut tally);
        assert_eq!(tally.could_be_had(), 1);
        tally.skip("cargo clippy", "run `rustup component add clippy` for it");
        read_cargo(
            &lines("test result: ok. 1 passed; 0 failed; 1 ignored"),
            true,
            &mut tally,
        );
        assert_eq!(tally.could_be_had(), 3);
        // Named once, and not the tester's to have.
        let cargo = "test the_real_mnist ... ignored, needs the four files of MNIST in ICVAE_MNIST_DIR\n\
                     test result: ok. 9 passed; 0 failed; 1 ignored";
        read_cargo(&lines(cargo), true, &mut tally);
        assert!(
            tally
                .render()
                .contains("skipped: the_real_mnist: needs the four files")
        );
        assert_eq!(tally.could_be_had(), 3);
    }

    #[test]
    fn what_was_left_out_by_choice_is_counted_and_said_but_no_fault() {
        let mut tally = Tally::default();
        let pytest = "SKIPPED [122] protocol/test_changes.py:112: by choice: 122 of 160 readers' changes are left \
                      out; ICVAE_CHANGES=all takes them all\n\
                      SKIPPED [2] test_lifecycle.py:14: needs Linux' /proc\n\
                      40 passed, 124 skipped in 90.21s";
        read_pytest("kernel protocol", &lines(pytest), true, &mut tally);
        assert_eq!(tally.could_be_had(), 0);
        assert_eq!(
            tally.render(),
            "skipped: [2] test_lifecycle.py:14: needs Linux' /proc\n\
             LEFT OUT by choice: 122 of 160 readers' changes are left out; ICVAE_CHANGES=all takes them all\n\
             total: 40 passed, 0 failed, 124 skipped\n"
        );
    }

    #[test]
    fn a_program_that_fails_without_a_count_is_a_failure() {
        let mut tally = Tally::default();
        read_cargo(&lines("error: could not compile"), false, &mut tally);
        read_pytest("kernel protocol", &lines("ImportError"), false, &mut tally);
        assert_eq!(tally.failed.len(), 2);
    }
}
