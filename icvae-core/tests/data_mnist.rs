//! MNIST's files: read, refused, fetched, kept. A small archive of the same form stands in for the
//! real one.

#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flate2::{Compression, write::GzEncoder};
use icvae_core::data::{Archive, Digits, FetchEvent, Loader, Source};
use icvae_core::settings::DataSource;
use icvae_core::{
    Settings,
    tch::{Device, Kind},
};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

const TRAIN: usize = 6;
const TEST: usize = 3;

fn idx(sizes: &[u32], values: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, 8, sizes.len() as u8];
    sizes
        .iter()
        .for_each(|size| file.extend(size.to_be_bytes()));
    file.extend(values);
    file
}

/// Images of 2×3 pixels, and labels 0, 1, 2, …
fn contents() -> [Vec<u8>; 4] {
    let images = |n: usize| {
        let values: Vec<u8> = (0..n * 6).map(|v| (v * 7 % 256) as u8).collect();
        idx(&[n as u32, 2, 3], &values)
    };
    let labels = |n: usize| idx(&[n as u32], &(0..n as u8).collect::<Vec<_>>());
    [images(TRAIN), labels(TRAIN), images(TEST), labels(TEST)]
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// The small archive, to be fetched from `mirrors`.
fn archive(mirrors: &[&Mirror]) -> Archive {
    let mut archive = Archive::mnist();
    for (file, content) in archive.files.iter_mut().zip(contents()) {
        file.sha256 = Sha256::digest(&content)
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
    }
    archive.mirrors = mirrors
        .iter()
        .map(|mirror| mirror.address.clone())
        .collect();
    archive.connect_timeout = Duration::from_millis(500);
    archive.stall_timeout = Duration::from_millis(300);
    archive
}

fn settings(mnist_dir: Option<&Path>) -> Settings {
    Settings {
        data: DataSource::Mnist,
        mnist_dir: mnist_dir.map(PathBuf::from),
        tabular_dir: None,
        smoke: true, // what stands in for the archive is then small as well
        device: Device::Cpu,
    }
}

fn load_folder(folder: &Path) -> icvae_core::Result<Digits> {
    let loader = Loader {
        archive: archive(&[]),
        cache: None,
    };
    loader.load(&settings(Some(folder)), &mut |progress| {
        panic!("asked the network: {progress}")
    })
}

fn folder_of(contents: &[Vec<u8>; 4]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (file, content) in Archive::mnist().files.iter().zip(contents) {
        fs::write(folder.path().join(&file.name), content).unwrap();
    }
    folder
}

fn files_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .map(|entries| {
            entries
                .map(|e| e.unwrap().file_name().into_string().unwrap())
                .collect()
        })
        .unwrap_or_default();
    names.sort();
    names
}

#[test]
fn a_damaged_file_does_not_hide_the_good_one_beside_it() {
    let folder = folder_of(&contents());
    for file in &Archive::mnist().files {
        let plain = folder.path().join(&file.name);
        let good = fs::read(&plain).unwrap();
        fs::write(folder.path().join(format!("{}.gz", file.name)), gzip(&good)).unwrap();
        fs::write(&plain, &good[..good.len() - 1]).unwrap();
    }
    let digits = load_folder(folder.path()).unwrap();
    assert_eq!((digits.train.len(), digits.notice()), (TRAIN, None));
    // As a cache: nothing is fetched.
    let fetched = archive(&[]).fetch(Some(folder.path()), &mut |progress| panic!("{progress}"));
    assert_eq!(fetched.unwrap().contents, contents());
}

#[test]
fn a_folder_is_read_gzipped_or_not() {
    let folder = folder_of(&contents());
    let images = &Archive::mnist().files[0].name;
    fs::remove_file(folder.path().join(images)).unwrap();
    fs::write(
        folder.path().join(format!("{images}.gz")),
        gzip(&contents()[0]),
    )
    .unwrap();

    let digits = load_folder(folder.path()).unwrap();
    assert_eq!((digits.train.len(), digits.test.len()), (TRAIN, TEST));
    assert_eq!(digits.train.image_shape(), (2, 3));
    assert_eq!(
        Vec::<u8>::try_from(digits.train.images().get(1)).unwrap(),
        [42, 49, 56, 63, 70, 77]
    );
    assert_eq!(
        Vec::<i64>::try_from(digits.test.labels()).unwrap(),
        [0, 1, 2]
    );
    assert_eq!(
        digits.source,
        Source::Mnist {
            folder: folder.path().into()
        }
    );
    assert_eq!(digits.notice(), None);
    let text = digits.to_string();
    assert!(
        text.contains("6 training and 3 test images of 2×3 pixels"),
        "{text}"
    );
}

#[test]
fn other_files_of_the_same_form_are_read_and_said_to_be_others() {
    let mut others = contents();
    others[0][20] ^= 1;
    let digits = load_folder(folder_of(&others).path()).unwrap();
    assert!(
        digits
            .notice()
            .unwrap()
            .contains("not those of the original MNIST")
    );
}

#[test]
fn wrong_files_are_refused_with_a_reason() {
    let gzip_cut = gzip(&contents()[0]);
    let cases: [(&str, usize, Vec<u8>); 12] = [
        ("is cut off", 0, contents()[0][..30].to_vec()),
        ("is too long", 2, [contents()[2].clone(), vec![0]].concat()),
        ("starts with [00, 00, 08, 01]", 0, contents()[1].clone()),
        (
            "starts with [3c, 68, 74, 6d]",
            1,
            b"<html><body>Not found</body></html>".to_vec(),
        ),
        ("only 0 bytes", 3, Vec::new()),
        ("absurd size", 0, idx(&[u32::MAX, u32::MAX, u32::MAX], &[])),
        (
            "cut off or damaged (gzip",
            0,
            gzip_cut[..gzip_cut.len() / 2].to_vec(),
        ),
        ("holds 6 images, but", 1, idx(&[5], &[0; 5])),
        (
            "says that image 4 is a 10",
            1,
            idx(&[6], &[0, 1, 2, 9, 10, 3]),
        ),
        ("holds no image", 2, idx(&[0, 2, 3], &[])),
        ("of two data sets", 2, idx(&[3, 3, 2], &[0; 18])),
        ("holds no image", 0, idx(&[6, 0, 3], &[])),
    ];
    for (expected, which, content) in cases {
        let mut files = contents();
        files[which] = content;
        if expected == "holds no image" && which == 2 {
            files[3] = idx(&[0], &[]);
        }
        let error = load_folder(folder_of(&files).path())
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_folder_that_was_named_and_lacks_a_file_is_never_replaced_by_something_else() {
    let folder = folder_of(&contents());
    fs::remove_file(folder.path().join("t10k-labels-idx1-ubyte")).unwrap();
    let missing = folder.path().join("nowhere");
    let no_folder = folder.path().join("t10k-images-idx3-ubyte");
    for place in [folder.path(), &missing, &no_folder] {
        let error = load_folder(place).unwrap_err().to_string();
        assert!(
            error.contains("holds neither") && error.contains("ICVAE_MNIST_DIR"),
            "{error}"
        );
    }
}

/// How the mirror answers a request for a file.
#[derive(Clone)]
enum Answer {
    Whole(Vec<u8>),
    CutOff(Vec<u8>),
    Stalled(Vec<u8>),
    Silent,
    Status(u16),
}

/// A web server on this machine that answers as it is told to, and counts.
struct Mirror {
    address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Mirror {
    /// Gives all four files, save those that `but` answers otherwise.
    fn start(but: &[(usize, Answer)]) -> Self {
        let mut answers = HashMap::new();
        for (i, (file, content)) in Archive::mnist().files.iter().zip(contents()).enumerate() {
            let other = but
                .iter()
                .find(|(which, _)| *which == i)
                .map(|(_, answer)| answer.clone());
            let answer = other.unwrap_or_else(|| Answer::Whole(gzip(&content)));
            answers.insert(format!("/{}.gz", file.name), answer);
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let log = requests.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answers, log) = (answers.clone(), log.clone());
                std::thread::spawn(move || serve(stream, &answers, &log));
            }
        });
        Self { address, requests }
    }

    fn requests(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

fn serve(mut stream: TcpStream, answers: &HashMap<String, Answer>, log: &Mutex<Vec<String>>) {
    let lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let head: Vec<String> = lines
        .map_while(Result::ok)
        .take_while(|l| !l.is_empty())
        .collect();
    let path = head[0].split(' ').nth(1).unwrap().to_owned();
    log.lock().unwrap().push(path.clone());
    let mut send = |status: u16, length: usize, body: &[u8]| {
        let head =
            format!("HTTP/1.1 {status} -\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
        // The other side may have left already.
        let _ = stream.write_all(&[head.as_bytes(), body].concat());
    };
    match &answers[&path] {
        Answer::Whole(body) => send(200, body.len(), body),
        Answer::CutOff(body) => send(200, body.len(), &body[..body.len() / 2]),
        Answer::Stalled(body) => {
            send(200, body.len(), &body[..body.len() / 2]);
            std::thread::sleep(Duration::from_secs(20));
        }
        Answer::Silent => std::thread::sleep(Duration::from_secs(20)),
        Answer::Status(status) => send(*status, 0, &[]),
    }
}

/// Loads without a named folder; the events as text.
fn load_through(archive: Archive, cache: Option<&Path>) -> (Digits, Vec<String>) {
    let mut events = Vec::new();
    let loader = Loader {
        archive,
        cache: cache.map(PathBuf::from),
    };
    let digits = loader
        .load(&settings(None), &mut |event| events.push(event.to_string()))
        .unwrap();
    (digits, events)
}

/// The three ways in which the body may be wrong although it arrives whole.
fn disguises() -> [(Answer, &'static str); 3] {
    let mut flipped = contents()[0].clone();
    flipped[17] ^= 0x40;
    [
        (Answer::Whole(gzip(&flipped)), "another checksum"),
        (
            Answer::Whole(b"<!DOCTYPE html><title>Log in</title>".to_vec()),
            "a web page",
        ),
        (
            Answer::Whole(b"nothing of the kind".to_vec()),
            "another checksum",
        ),
    ]
}

#[test]
fn a_fetched_archive_is_kept_and_not_fetched_again() {
    let cache = TempDir::new().unwrap();
    let folder = cache.path().join("icvae").join("mnist");
    let mirror = Mirror::start(&[]);
    let (digits, events) = load_through(archive(&[&mirror]), Some(&folder));
    assert_eq!((digits.train.len(), digits.test.len()), (TRAIN, TEST));
    assert_eq!(
        digits.source,
        Source::Mnist {
            folder: folder.clone()
        }
    );
    assert_eq!(digits.notice(), None);
    assert!(
        events[0].starts_with("Fetching train-images-idx3-ubyte ("),
        "{events:?}"
    );
    assert_eq!(files_in(&folder).len(), 4);

    let (again, events) = load_through(archive(&[&mirror]), Some(&folder));
    assert!(events.is_empty(), "{events:?}");
    assert_eq!(mirror.requests(), 4);
    assert_eq!(again.train.fingerprint(), digits.train.fingerprint());

    // A kept file that was damaged later is fetched anew, and no other.
    fs::write(folder.join("train-labels-idx1-ubyte.gz"), b"damaged").unwrap();
    let (again, _) = load_through(archive(&[&mirror]), Some(&folder));
    assert_eq!(mirror.requests(), 5);
    assert_eq!(again.train.fingerprint(), digits.train.fingerprint());
}

#[test]
fn a_failing_mirror_is_replaced_by_the_other() {
    let packed = gzip(&contents()[0]);
    let failures = [
        (Answer::CutOff(packed.clone()), "Peer disconnected"),
        (Answer::Stalled(packed), "timeout"),
        (Answer::Silent, "timeout"),
        (Answer::Status(404), "404"),
        (Answer::Status(500), "500"),
    ];
    for (answer, expected) in failures.into_iter().chain(disguises()) {
        let cache = TempDir::new().unwrap();
        let (bad, good) = (Mirror::start(&[(0, answer)]), Mirror::start(&[]));
        let (digits, events) = load_through(archive(&[&bad, &good]), Some(cache.path()));
        assert_eq!(digits.train.len(), TRAIN);
        assert_eq!(digits.notice(), None);
        let failed = events.iter().find(|e| e.contains("did not give")).unwrap();
        assert!(failed.contains(expected), "{failed}");
        assert_eq!((bad.requests(), good.requests()), (1, 4));
        assert_eq!(files_in(cache.path()).len(), 4);
    }
}

#[test]
fn nothing_listens() {
    let dead = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let mut archive = archive(&[]);
    archive.mirrors = vec![format!("http://{dead}"), format!("http://{dead}/other")];
    let cache = TempDir::new().unwrap();
    let (digits, _) = load_through(archive, Some(cache.path()));
    let Source::Synthetic {
        because: Some(because),
    } = &digits.source
    else {
        panic!("{:?}", digits.source)
    };
    assert!(because.contains("could not be fetched"), "{because}");
    let notice = digits.notice().unwrap();
    let shown = digits.to_string();
    assert!(
        shown.ends_with(&format!("\n{notice}")),
        "whoever prints the digits sees it: {shown}"
    );
    assert!(
        notice.starts_with("Synthetic digits stand in for MNIST"),
        "{notice}"
    );
    assert_eq!((digits.train.len(), digits.test.len()), (2000, 500));
    assert_eq!(digits.styles.unwrap().test.len(), 500);
    assert!(files_in(cache.path()).is_empty());
}

#[test]
fn a_fetch_that_failed_half_way_goes_on_where_it_was() {
    for (answer, expected) in disguises() {
        let cache = TempDir::new().unwrap();
        let packed = gzip(&contents()[2]);
        let (one, two) = (
            Mirror::start(&[(2, answer)]),
            Mirror::start(&[(2, Answer::CutOff(packed))]),
        );
        let (digits, _) = load_through(archive(&[&one, &two]), Some(cache.path()));
        let notice = digits.notice().unwrap();
        assert!(
            notice.contains(expected) && notice.contains("Peer disconnected"),
            "{notice}"
        );
        let kept = ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"];
        assert_eq!(files_in(cache.path()), kept);

        let mended = Mirror::start(&[]);
        let (digits, _) = load_through(archive(&[&mended]), Some(cache.path()));
        assert_eq!(mended.requests(), 2);
        assert_eq!((digits.train.len(), digits.test.len()), (TRAIN, TEST));
    }
}

#[test]
fn a_cache_folder_that_cannot_be_written_does_not_stop_a_run() {
    let place = TempDir::new().unwrap();
    let file = place.path().join("file");
    fs::write(&file, "no folder").unwrap();
    let mirror = Mirror::start(&[]);
    let (digits, _) = load_through(archive(&[&mirror]), Some(&file.join("mnist")));
    assert_eq!(digits.train.len(), TRAIN);
    assert_eq!(digits.source, Source::Fetched);
    let notice = digits.notice().unwrap();
    assert!(
        notice.contains("could not be kept") && notice.contains("not a directory"),
        "{notice}"
    );
    assert_eq!(files_in(place.path()), ["file"]);

    let (digits, _) = load_through(archive(&[&mirror]), None);
    assert_eq!(
        (digits.source.clone(), digits.notice()),
        (Source::Fetched, None)
    );
}

#[test]
fn progress_counts_up_to_the_whole_file() {
    let mirror = Mirror::start(&[]);
    let mut last = HashMap::new();
    archive(&[&mirror])
        .fetch(None, &mut |event| {
            let FetchEvent::Receiving {
                file,
                received,
                total,
                ..
            } = event
            else {
                panic!("{event}")
            };
            last.insert(file, (received, total));
        })
        .unwrap();
    assert_eq!(last.len(), 4);
    assert!(
        last.values()
            .all(|(received, total)| Some(*received) == *total),
        "{last:?}"
    );
}

/// The real files.
#[test]
#[ignore = "needs the four files of MNIST in ICVAE_MNIST_DIR"]
fn the_real_mnist() {
    let folder = std::env::var_os("ICVAE_MNIST_DIR").map(PathBuf::from);
    let folder = folder.expect("ICVAE_MNIST_DIR names no folder with the files of MNIST");
    let settings = Settings {
        smoke: false,
        ..settings(Some(&folder))
    };
    let digits = icvae_core::data::load(&settings).unwrap();
    assert_eq!((digits.train.len(), digits.test.len()), (60_000, 10_000));
    assert_eq!(digits.notice(), None);
    let first = Vec::<i64>::try_from(digits.train.head(10).labels()).unwrap();
    assert_eq!(first, [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    let mean = digits.train.x().mean(Kind::Double).double_value(&[]);
    assert!((mean - 0.1306604).abs() < 1e-6, "{mean}");

    let smoke = icvae_core::data::load(&Settings {
        smoke: true,
        ..settings
    })
    .unwrap();
    assert_eq!((smoke.train.len(), smoke.test.len()), (2000, 500));
}
