//! The sweep as a reader runs it: cut off, sharded, with points that fail, and on a Slurm cluster of one machine.

#![allow(clippy::unwrap_used)]

mod turn;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use icvae_core::serde_json::{self, Value};
use tempfile::TempDir;
use turn::turn;

/// The compiled example. Built by the command that `cargo test` builds it with, so there it is ready.
fn program() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let mut command = Command::new(env!("CARGO"));
        command
            .args(["build", "--workspace", "--example", "sweep"])
            .current_dir(env!("CARGO_MANIFEST_DIR"));
        // What cargo tells of the package under test would have other packages compiled anew.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            let told = ["CARGO_PKG_", "CARGO_MANIFEST_"];
            if name == "OUT_DIR" || told.iter().any(|start| name.starts_with(start)) {
                command.env_remove(&*name);
            }
        }
        let tests = std::env::current_exe().unwrap();
        let profile = tests.parent().unwrap().parent().unwrap();
        if profile.ends_with("release") {
            command.arg("--release");
        }
        assert!(command.status().unwrap().success());
        profile.join("examples").join("sweep")
    })
}

/// Six quick points, of drawn data.
const GRID: &str = r#"
    seed = [0, 1]
    epochs = 1
    batch_size = 100
    learning_rate = 1e-3
    hidden = [16]
    dropout = 0.0

    [[curve]]
    curve = "prediction"
    model = "predictor"
    data = "drawn"
    latent = 4
    beta = 0.01
    lambda = [0.01, 1]

    [[curve]]
    curve = "from x"
    model = "classifier"
    data = "drawn"
"#;

/// Points that take long enough to be killed between two epochs, without the smoke run's single one.
const LONG: &str = r#"
    seed = [0, 1]
    epochs = 30
    batch_size = 100
    learning_rate = 1e-3
    hidden = [16]
    dropout = 0.0

    [[curve]]
    curve = "from x"
    model = "classifier"
    data = "drawn"
"#;

struct Place {
    folder: TempDir,
}

impl Place {
    fn new(grid: &str) -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("grid.toml"), grid).unwrap();
        Self { folder }
    }

    fn output(&self) -> PathBuf {
        self.folder.path().join("output")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command
            .arg(self.folder.path().join("grid.toml"))
            .arg("--output")
            .arg(self.output())
            .args(arguments)
            .env("ICVAE_SMOKE", "1")
            .env("ICVAE_DEVICE", "cpu")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str]) -> (bool, String) {
        told(self.command(arguments).output().unwrap())
    }

    /// The table, without what no two runs have in common.
    fn table(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.output().join("results.jsonl")).unwrap();
        let lines = text.lines().map(|line| {
            let mut line: Value = serde_json::from_str(line).unwrap();
            assert!(line["seconds"].as_f64().unwrap() > 0.0, "{line}");
            line.as_object_mut().unwrap().remove("seconds");
            line
        });
        lines.collect()
    }

    fn files(&self, folder: &str) -> Vec<PathBuf> {
        let found = fs::read_dir(self.output().join(folder));
        let mut files: Vec<PathBuf> = found
            .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
            .unwrap_or_default();
        files.sort();
        files
    }
}

fn told(output: Output) -> (bool, String) {
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

/// The whole grid, by one process: what all other ways are compared with.
fn whole() -> &'static Vec<Value> {
    static TABLE: OnceLock<Vec<Value>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let place = Place::new(GRID);
        let (good, told) = place.run(&[]);
        assert!(good, "{told}");
        assert!(told.contains("6 of 6 points"), "{told}");
        assert!(place.output().join("drawn.png").is_file(), "{told}");
        assert!(place.files("weights").is_empty());
        place.table()
    })
}

/// Waits until something is so.
#[track_caller]
fn wait(what: &str, so: impl Fn() -> bool) {
    let began = Instant::now();
    while !so() {
        assert!(
            began.elapsed() < Duration::from_secs(240),
            "waited for {what}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn kill(process: u32) {
    let killed = Command::new("kill")
        .args(["-KILL", &process.to_string()])
        .status();
    assert!(killed.unwrap().success());
}

/// The processes that a process has started.
fn children(parent: &Child) -> Vec<u32> {
    let id = parent.id();
    let text = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
    text.split_whitespace()
        .map(|id| id.parse().unwrap())
        .collect()
}

#[test]
fn a_line_a_point_with_what_was_set_and_measured() {
    // Each has processes enough of its own.
    let _turn = turn();
    let table = whole();
    assert_eq!(table.len(), 6);
    let seeds: Vec<_> = table
        .iter()
        .map(|line| line["settings"]["seed"].as_u64().unwrap())
        .collect();
    assert_eq!(seeds, [0, 0, 0, 1, 1, 1]);
    let of = |line: &Value, name: &str| line["measures"][name].as_f64().unwrap();
    for line in table {
        assert_eq!(line["version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(line["id"].as_str().unwrap().len(), 12);
        let code = if line["settings"]["model"] == "predictor" {
            "samples"
        } else {
            "x"
        };
        for name in ["accuracy", "majority_group", &format!("probe_{code}_3")] {
            assert!((0.0..=1.0).contains(&of(line, name)), "{name} in {line}");
        }
        assert!(of(line, "gap_parity") >= 0.0);
        assert!(of(line, &format!("code_length_{code}")) > 0.0);
    }
    // Measured, not made up: the group can be read from x.
    assert!(
        of(&table[2], "probe_x_1") > of(&table[2], "majority_group") + 0.1,
        "{}",
        table[2]
    );
}

#[test]
fn what_is_done_is_not_repeated() {
    let _turn = turn();
    let place = Place::new(GRID);
    assert!(place.run(&["--jobs", "2"]).0);
    assert_eq!(&place.table(), whole(), "two at a time change nothing");
    let (good, told) = place.run(&["--list"]);
    assert!(good && told.matches(" done ").count() == 6, "{told}");
    let times = |place: &Place| -> Vec<_> {
        let files = place.files("points").into_iter();
        files
            .map(|file| fs::metadata(file).unwrap().modified().unwrap())
            .collect()
    };
    let before = times(&place);
    // A damaged result is none.
    let damaged = place.files("points").remove(0);
    let text = fs::read(&damaged).unwrap();
    fs::write(&damaged, &text[..text.len() / 2]).unwrap();
    let (good, told) = place.run(&[]);
    assert!(
        good && told.contains("5 of 6 points are done already"),
        "{told}"
    );
    assert_eq!(&place.table(), whole());
    let after = times(&place);
    assert_eq!(before.iter().zip(&after).filter(|(a, b)| a != b).count(), 1);
}

#[test]
fn shards_share_no_work_and_make_the_same_table() {
    let _turn = turn();
    let place = Place::new(GRID);
    let machines = ["0/4", "1/4", "2/4", "3/4"].map(|shard| {
        let child = place.command(&["--shard", shard]).spawn().unwrap();
        (shard, child)
    });
    for (shard, child) in machines {
        let (good, told) = told(child.wait_with_output().unwrap());
        assert!(good, "{shard}: {told}");
        let points = if shard < "2/4" {
            "2 of 2 points"
        } else {
            "1 of 1 points"
        };
        assert!(told.contains(points), "{shard}: {told}");
    }
    assert_eq!(&place.table(), whole());
}

#[test]
fn a_sweep_that_is_killed_goes_on_where_it_was() {
    let _turn = turn();
    let full = |place: &Place, arguments: &[&str]| {
        let mut command = place.command(arguments);
        command.env_remove("ICVAE_SMOKE");
        command
    };
    let expected = Place::new(LONG);
    assert!(
        full(&expected, &["--jobs", "2"])
            .status()
            .unwrap()
            .success()
    );

    let place = Place::new(LONG);
    let log_says = |words: &str| {
        let logs = place.files("logs").into_iter();
        logs.filter_map(|log| fs::read_to_string(log).ok())
            .any(|log| log.contains(words))
    };
    let mut parent = full(&place, &[]).spawn().unwrap();
    wait("the third epoch", || log_says("epoch 3 of 30"));
    let of_parent = children(&parent);
    assert_eq!(of_parent.len(), 1);
    parent.kill().unwrap();
    parent.wait().unwrap();
    // What it had started ends with it.
    wait("the end of its point", || {
        of_parent.iter().all(|id| {
            let state = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
            state.is_empty() || state.contains(") Z ")
        })
    });
    assert!(place.files("points").is_empty());

    let (good, text) = told(full(&place, &[]).output().unwrap());
    assert!(good, "{text}");
    // The one that was cut off does not begin at its first epoch.
    let logs = place
        .files("logs")
        .into_iter()
        .map(|log| fs::read_to_string(log).unwrap());
    assert_eq!(
        logs.filter(|log| !log.contains("epoch 1 of 30\n")).count(),
        1
    );
    assert_eq!(place.table(), expected.table());
}

#[test]
fn a_point_that_fails_is_reported_and_the_others_go_on() {
    let _turn = turn();
    let grid = GRID
        .replace("lambda = [0.01, 1]", "lambda = [-1, 1]")
        .replace("seed = [0, 1]", "seed = 0")
        + r#"
            [[curve]]
            curve = "no data"
            model = "classifier"
            data = "german_age"
        "#;
    let place = Place::new(&grid);
    let mut command = place.command(&["--jobs", "2"]);
    let (good, text) = told(
        command
            .env("ICVAE_TABULAR_DIR", "/nowhere")
            .output()
            .unwrap(),
    );
    assert!(!good, "{text}");
    for words in [
        "FAILED prediction, drawn, β 0.01, λ -1, seed 0: lambda is -1, but must be a number of 0 or more",
        "FAILED no data, german_age, seed 0: /nowhere holds neither german.data nor german.data.gz",
        "2 points failed, and are tried again when the command is repeated:",
        "2 of the grid's 4 points",
    ] {
        assert!(text.contains(words), "{text}");
    }
    let done = place.table();
    assert_eq!(done.len(), 2);
    assert!(done.iter().all(|line| whole().contains(line)), "{text}");

    // One whose process is killed, as for want of memory.
    let place = Place::new(&GRID.replace("seed = [0, 1]", "seed = 1"));
    let parent = place.command(&[]).spawn().unwrap();
    wait("a point to run", || !children(&parent).is_empty());
    kill(children(&parent)[0]);
    let (good, text) = told(parent.wait_with_output().unwrap());
    assert!(
        !good && text.contains("signal: 9") && text.contains("1 failed"),
        "{text}"
    );
    assert_eq!(place.table().len(), 2);
    assert!(place.run(&[]).0, "it is tried again");
    assert_eq!(place.table(), whole()[3..]);
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_runs() {
    let _turn = turn();
    let place = Place::new("seed = 0");
    let (good, told) = place.run(&[]);
    assert!(
        !good && told.contains("grid.toml: the grid has no curve"),
        "{told}"
    );
    let place = Place::new(GRID);
    for (arguments, words) in [
        (["--shard", "4/4"], "must be I/N with I from 0 to N − 1"),
        (["--jobs", "0"], "invalid value '0'"),
        (
            ["--point", "000000000000"],
            "the grid has no point 000000000000",
        ),
    ] {
        let (good, told) = place.run(&arguments);
        assert!(!good && told.contains(words), "{told}");
    }
    assert!(!place.output().exists());
}

/// A Slurm cluster of this machine alone, in a folder of its own.
struct Cluster {
    folder: TempDir,
    daemons: Vec<Child>,
}

impl Cluster {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let output = Command::new("hostname").arg("-s").output().unwrap();
        let host = String::from_utf8(output.stdout).unwrap();
        let free = || {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap().port()
        };
        let settings = [
            ("ClusterName", "sweep".into()),
            ("SlurmctldHost", format!("{}(127.0.0.1)", host.trim())),
            ("SlurmctldPort", free().to_string()),
            ("SlurmdPort", free().to_string()),
            ("AuthType", "auth/none".into()),
            ("CredType", "cred/none".into()),
            ("SlurmUser", "root".into()),
            ("ProctrackType", "proctrack/linuxproc".into()),
            ("TaskPlugin", "task/none".into()),
            ("SelectType", "select/cons_tres".into()),
            ("SelectTypeParameters", "CR_CPU".into()),
            ("MpiDefault", "none".into()),
            // Four tasks at a time, however few cores there are.
            ("SlurmdParameters", "config_overrides".into()),
            (
                "NodeName",
                format!("{} NodeAddr=127.0.0.1 CPUs=4", host.trim()),
            ),
            ("PartitionName", "all Nodes=ALL Default=YES State=UP".into()),
        ];
        let mut text = String::new();
        for (name, value) in settings {
            text += &format!("{name}={value}\n");
        }
        for (name, file) in [
            ("StateSaveLocation", "state"),
            ("SlurmdSpoolDir", "spool"),
            ("SlurmctldPidFile", "slurmctld.pid"),
            ("SlurmdPidFile", "slurmd.pid"),
            ("SlurmctldLogFile", "slurmctld.log"),
            ("SlurmdLogFile", "slurmd.log"),
        ] {
            text += &format!("{name}={}\n", folder.path().join(file).display());
        }
        for name in ["state", "spool"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        fs::write(folder.path().join("slurm.conf"), text).unwrap();
        let mut cluster = Self {
            folder,
            daemons: Vec::new(),
        };
        for daemon in ["slurmctld", "slurmd"] {
            let mut command = cluster.command(daemon);
            command
                .arg("-D")
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            cluster.daemons.push(command.spawn().unwrap());
            std::thread::sleep(Duration::from_secs(1));
        }
        wait("the node", || {
            cluster.ask("sinfo", &["-h", "-o", "%T"]).contains("idle")
        });
        cluster
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("SLURM_CONF", self.folder.path().join("slurm.conf"))
            .current_dir(self.folder.path());
        command
    }

    /// What it answers; a daemon that is busy is asked again.
    fn ask(&self, program: &str, arguments: &[&str]) -> String {
        for _ in 0..20 {
            let output = self.command(program).args(arguments).output().unwrap();
            if output.status.success() {
                return String::from_utf8(output.stdout).unwrap();
            }
            std::thread::sleep(Duration::from_millis(500));
        }
        panic!("{program} {arguments:?} fails");
    }

    /// Submits the shipped script as it stands; returns the number of its job.
    fn submit(&self, place: &Place) -> String {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/sweep/slurm.sh");
        let output = self
            .command("sbatch")
            .arg("--parsable")
            .arg(script)
            .arg(place.folder.path().join("grid.toml"))
            .arg(place.output())
            .env("SWEEP", program())
            .env("ICVAE_DEVICE", "cpu")
            .output()
            .unwrap();
        let (good, job) = told(output);
        assert!(good, "{job}");
        job.trim().to_owned()
    }

    /// The states of the tasks that have not ended.
    fn states(&self) -> Vec<String> {
        let states = self.ask("squeue", &["-h", "-r", "-o", "%K %T"]);
        states.lines().map(str::to_owned).collect()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for daemon in &mut self.daemons {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

#[test]
#[ignore = "needs Slurm (Debian: slurm-wlm), as root"]
fn an_array_job_makes_the_table_of_a_single_process() {
    let _turn = turn();
    let grid = LONG.replace("seed = [0, 1]", "seed = [0, 1, 2, 3, 4, 5, 6, 7]");
    let alone = Place::new(&grid);
    let mut command = alone.command(&["--jobs", "2"]);
    assert!(
        command
            .env_remove("ICVAE_SMOKE")
            .status()
            .unwrap()
            .success()
    );

    let cluster = Cluster::start();
    let place = Place::new(&grid);
    let job = cluster.submit(&place);
    // Each of the four has begun its first point, and none has ended.
    wait("four tasks", || {
        place.files("logs").len() == 4
            && place
                .files("logs")
                .iter()
                .all(|log| fs::read_to_string(log).unwrap().contains("epoch 2 of 30"))
    });
    assert_eq!(cluster.states().len(), 4);
    cluster.ask("scancel", &["--full", "--signal=KILL", &format!("{job}_1")]);
    cluster.ask("scontrol", &["requeue", &format!("{job}_2")]);
    wait("one to end, one to wait", || {
        let states = cluster.states();
        states.len() == 3 && states.iter().any(|state| state == "2 PENDING")
    });
    // Slurm lets a requeued task wait for two minutes, and refuses to start it in the second in which it was ended
    // ("Job credential revoked").
    std::thread::sleep(Duration::from_secs(3));
    cluster.ask(
        "scontrol",
        &["update", &format!("JobId={job}_2"), "StartTime=now"],
    );
    wait("the end of the job", || cluster.states().is_empty());
    // Two of eight were those of the task that was killed.
    let done = place.table().len();
    let log = fs::read_to_string(cluster.folder.path().join("slurmctld.log")).unwrap();
    assert!((6..8).contains(&done), "{done} points: {log}");
    let output =
        fs::read_to_string(cluster.folder.path().join(format!("sweep-{job}-2.txt"))).unwrap();
    assert!(output.contains("2 of 2 points"), "{output}");

    // The same command runs what is missing.
    let again = cluster.submit(&place);
    wait("the end of the second job", || cluster.states().is_empty());
    let output =
        fs::read_to_string(cluster.folder.path().join(format!("sweep-{again}-0.txt"))).unwrap();
    assert!(
        output.contains("2 of 2 points are done already"),
        "{output}"
    );
    assert_eq!(place.table().len(), 8);
    assert_eq!(place.table(), alone.table());
}
