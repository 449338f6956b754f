//! Tables: files of every kind, right and wrong, the fetch from a server on this machine, the drawn table's leak, and
//! UCI's files against an independent reading (`golden/tabular.py`).

#![allow(clippy::unwrap_used)]

mod cases;

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Cursor, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cases::cases;
use icvae_core::Settings;
use icvae_core::data::tabular::{
    Address, Kind, LEAK_ACCURACY, LEAK_NATS, Rows, TableFile, Tabular, TabularLoader,
    TabularSource, Task,
};
use icvae_core::serde_json::{self, Value};
use icvae_core::settings::DataSource;
use icvae_core::tch::{self, Device, Tensor};
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

const ADULT_LINE: &str = "40, Private, 1000, Masters, 14, Never-married, Sales, Husband, White, Male, 0, 0, 38, \
                          Canada, >50K";
const GERMAN_LINE: &str =
    "A11 12 A34 A43 1000 A65 A75 4 A93 A101 4 A121 67 A143 A152 2 A173 1 A192 A201 1";

/// Six rows, two of them not complete; and three for the test, behind a remark and with points, one not complete.
fn adult() -> [String; 2] {
    let other = ADULT_LINE
        .replace("40,", "20,")
        .replace("Husband", "Unmarried")
        .replace("Male", "Female")
        .replace(">50K", "<=50K");
    let wife = ADULT_LINE
        .replace("Husband", "Wife")
        .replace("Male", "Female");
    let unknown = ADULT_LINE.replace("Canada", "?");
    let train = [ADULT_LINE, &other, &wife, ADULT_LINE, &unknown, &unknown].join("\n");
    let test = [&wife, &other, &unknown].map(|line| format!("{line}."));
    [
        format!("{train}\n\n"),
        format!("|1x3 Cross validator\n{}\n", test.join("\n")),
    ]
}

fn german() -> String {
    let young = GERMAN_LINE
        .replace(" 67 ", " 25 ")
        .replace("A93", "A92")
        .replace("A201 1", "A201 2");
    format!("{GERMAN_LINE}\n{young}\n").repeat(10)
}

fn contents() -> HashMap<&'static str, String> {
    let [train, test] = adult();
    HashMap::from([
        ("adult.data", train),
        ("adult.test", test),
        ("german.data", german()),
    ])
}

fn digest(content: &[u8]) -> String {
    let sum = Sha256::digest(content);
    sum.iter().map(|b| format!("{b:02x}")).collect()
}

/// A loader of these contents.
fn loader(contents: &HashMap<&str, impl AsRef<[u8]>>) -> TabularLoader {
    let files = contents.iter().map(|(name, content)| TableFile {
        name: (*name).to_owned(),
        sha256: digest(content.as_ref()),
        addresses: Vec::new(),
    });
    TabularLoader {
        files: files.collect(),
        cache: None,
        connect_timeout: Duration::from_millis(500),
        stall_timeout: Duration::from_millis(300),
    }
}

fn settings(folder: Option<&Path>) -> Settings {
    Settings {
        data: DataSource::Mnist,
        mnist_dir: None,
        tabular_dir: folder.map(PathBuf::from),
        smoke: false,
        device: Device::Cpu,
    }
}

fn folder_of(contents: &HashMap<&str, impl AsRef<[u8]>>) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, content) in contents {
        fs::write(folder.path().join(name), content.as_ref()).unwrap();
    }
    folder
}

fn read(
    loader: &TabularLoader,
    folder: &Path,
    task: Task,
    split: u64,
) -> icvae_core::Result<Tabular> {
    loader.load(&settings(Some(folder)), task, split, &mut |progress| {
        panic!("asked the network: {progress}")
    })
}

fn ints(tensor: &Tensor) -> Vec<i64> {
    Vec::try_from(tensor).unwrap()
}

/// The columns of a row that are 1, without the numbers.
fn said(table: &Tabular, row: i64) -> Vec<String> {
    let columns = table.columns();
    let values = Vec::<f32>::try_from(table.train.x().get(row)).unwrap();
    columns
        .into_iter()
        .zip(values)
        .filter(|(name, value)| name.contains('=') && *value == 1.0)
        .map(|(name, _)| name)
        .collect()
}

#[test]
fn a_folder_is_read_gzipped_or_not_and_incomplete_rows_are_counted() {
    let folder = folder_of(&contents());
    let loader = loader(&contents());
    let packed = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(adult()[0].as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    fs::write(folder.path().join("adult.data.gz"), packed).unwrap();
    // A damaged file must not hide the good one beside it.
    fs::write(folder.path().join("adult.data"), "damaged").unwrap();

    let table = read(&loader, folder.path(), Task::Adult, 0).unwrap();
    assert_eq!((table.train.len(), table.test.len()), (4, 2));
    assert_eq!(table.left_out, (2, 1));
    assert_eq!(table.columns().len(), 103);
    assert_eq!(table.widths().iter().sum::<i64>(), 103);
    assert_eq!(ints(table.train.y()), [1, 0, 1, 1]);
    assert_eq!(ints(table.train.c()), [1, 0, 0, 1]);
    assert_eq!(ints(table.test.y()), [1, 0]);
    assert_eq!(
        said(&table, 0),
        [
            "workclass=Private",
            "education=Masters",
            "marital-status=Never-married",
            "occupation=Sales",
            "relationship=Husband",
            "race=White",
            "native-country=Canada"
        ]
    );
    assert!(table.columns().iter().all(|name| !name.starts_with("sex")));
    // Ages 40, 20, 40, 40: standardised by the training rows.
    let Kind::Number { mean, deviation } = table.features[0].kind else {
        panic!("{:?}", table.features[0])
    };
    assert_eq!((mean, deviation), (35.0, 75f64.sqrt()));
    let age = table.test.x().double_value(&[1, 0]);
    assert!((age + 15.0 / 75f64.sqrt()).abs() < 1e-6, "{age}");
    // All weigh the same, and nothing is divided by 0.
    let weight = table.columns().iter().position(|c| c == "fnlwgt").unwrap() as i64;
    assert_eq!(table.train.x().double_value(&[0, weight]), 0.0);
    assert_eq!(
        table.source,
        TabularSource::Files {
            folder: folder.path().into()
        }
    );
    let shown = table.to_string();
    for words in [
        "Becker and Kohavi 1996",
        "CC BY 4.0",
        "2 and 1 rows with an unknown value",
    ] {
        assert!(shown.contains(words), "{shown}");
    }

    let merged = read(&loader, folder.path(), Task::AdultSpouses, 0).unwrap();
    assert_eq!(merged.columns().len(), 102);
    let of = |row| said(&merged, row)[4].clone();
    assert_eq!(
        [of(0), of(1), of(2)],
        [
            "relationship=Spouse",
            "relationship=Unmarried",
            "relationship=Spouse"
        ]
    );
}

#[test]
fn german_rows_are_split_by_a_number() {
    let folder = folder_of(&contents());
    let loader = loader(&contents());
    let table = |task, split| read(&loader, folder.path(), task, split).unwrap();
    let age = table(Task::GermanAge, 0);
    assert_eq!((age.train.len(), age.test.len()), (14, 6));
    assert!(!age.columns().contains(&"age".to_owned()));
    assert!(
        age.columns()
            .iter()
            .any(|c| c.starts_with("personal status and sex="))
    );
    let sex = table(Task::GermanSex, 0);
    assert!(sex.columns().contains(&"age".to_owned()));
    assert!(
        !sex.columns()
            .iter()
            .any(|c| c.starts_with("personal status and sex="))
    );
    for table in [&age, &sex] {
        assert_eq!(
            ints(table.train.y()),
            ints(table.train.c()),
            "by construction"
        );
    }
    let places = |split| ints(table(Task::GermanAge, split).train.y());
    assert_eq!(places(0), places(0));
    assert!((1..5).any(|split| places(split) != places(0)));
}

#[test]
fn wrong_files_are_refused_with_a_reason() {
    let good = adult()[0].clone();
    let cases = [
        ("is empty: replace it", String::new()),
        (
            "line 3 has 14 values instead of 15",
            good.replacen("Wife, ", "", 1),
        ),
        (
            "line 3 has the relationship \"Cousin\", which its documentation doesn't know",
            good.replacen("Wife", "Cousin", 1),
        ),
        (
            "line 2 has the age \"young\", which is no number",
            good.replacen("20,", "young,", 1),
        ),
        (
            "line 2 has the age \"inf\"",
            good.replacen("20,", "inf,", 1),
        ),
        (
            "holds no complete row",
            format!("{}\n", ADULT_LINE.replace("Canada", "?")),
        ),
        ("line 1 has 1 values", "<html>Not found</html>".into()),
    ];
    for (expected, content) in cases {
        let mut files = contents();
        files.insert("adult.data", content);
        let folder = folder_of(&files);
        let error = read(&loader(&files), folder.path(), Task::Adult, 0).unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains(expected) && error.contains("adult.data") && !error.contains('\n'),
            "{error}"
        );
    }
    let folder = folder_of(&contents());
    fs::write(
        folder.path().join("adult.test"),
        adult()[0].replace("40,", "41,"),
    )
    .unwrap();
    let error = read(&loader(&contents()), folder.path(), Task::Adult, 0).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("adult.test is not UCI's file: its SHA-256 begins with"),
        "{error}"
    );
    for place in [
        folder.path().join("nowhere"),
        folder.path().join("adult.data"),
    ] {
        let error = read(&loader(&contents()), &place, Task::GermanAge, 0).unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains("holds neither german.data nor german.data.gz")
                && error.contains("ICVAE_TABULAR_DIR"),
            "{error}"
        );
    }
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn whatever_a_file_holds_a_reader_answers_in_one_sentence(
        at in any::<prop::sample::Index>(),
        cut in any::<bool>(),
        new in prop::collection::vec(any::<u8>(), 0..9),
    ) {
        let mut content = adult()[0].clone().into_bytes();
        let at = at.index(content.len());
        let end = if cut { content.len() } else { (at + new.len()).min(content.len()) };
        content.splice(at..end, new);
        let [_, test] = adult();
        let files = HashMap::from([("adult.data", content), ("adult.test", test.into_bytes())]);
        let folder = folder_of(&files);
        if let Err(error) = read(&loader(&files), folder.path(), Task::Adult, 0) {
            let text = error.to_string();
            prop_assert!(!text.contains('\n') && text.len() < 400, "{text:?}");
        }
    }
}

/// A web server on this machine: for each path a status and a body.
struct Server {
    address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(answers: HashMap<&'static str, Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let log = requests.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                answer(stream, &answers, &log);
            }
        });
        Self { address, requests }
    }

    fn requests(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

fn answer(mut stream: TcpStream, answers: &HashMap<&str, Vec<u8>>, log: &Mutex<Vec<String>>) {
    let lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let head: Vec<String> = lines
        .map_while(Result::ok)
        .take_while(|l| !l.is_empty())
        .collect();
    let path = head[0].split(' ').nth(1).unwrap().to_owned();
    let (status, body) = match answers.get(&*path) {
        Some(body) => (200, &body[..]),
        None => (404, &[][..]),
    };
    log.lock().unwrap().push(path);
    let head = format!(
        "HTTP/1.1 {status} -\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(&[head.as_bytes(), body].concat());
}

fn zip_of(files: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        zip.start_file(*name, zip::write::FileOptions::default())
            .unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A loader that fetches Adult as a zip archive, then by itself, and keeps it.
fn fetching(server: &Server, cache: Option<&Path>) -> TabularLoader {
    let mut loader = loader(&contents());
    for file in &mut loader.files {
        file.addresses = vec![
            Address::Zip(format!("{}/table.zip", server.address)),
            Address::Plain(format!("{}/{}", server.address, file.name)),
        ];
    }
    loader.cache = cache.map(PathBuf::from);
    loader
}

fn fetch(loader: &TabularLoader, task: Task) -> (Tabular, Vec<String>) {
    let mut events = Vec::new();
    let table = loader
        .load(&settings(None), task, 0, &mut |event| {
            events.push(event.to_string())
        })
        .unwrap();
    (table, events)
}

#[test]
fn a_fetched_table_is_kept_and_not_fetched_again() {
    let [train, test] = adult();
    let archive = zip_of(&[("folder/adult.data", &train), ("adult.test", &test)]);
    let server = Server::start(HashMap::from([("/table.zip", archive)]));
    let cache = TempDir::new().unwrap();
    let folder = cache.path().join("icvae").join("tabular");
    let loader = fetching(&server, Some(&folder));
    let (table, events) = fetch(&loader, Task::Adult);
    assert_eq!((table.train.len(), table.test.len()), (4, 2));
    assert_eq!(
        table.source,
        TabularSource::Files {
            folder: folder.clone()
        }
    );
    assert_eq!(table.notice(), None);
    assert!(events[0].starts_with("Fetching adult.data ("), "{events:?}");
    assert_eq!(
        fs::read_to_string(folder.join("adult.data")).unwrap(),
        train
    );

    let (_, events) = fetch(&loader, Task::Adult);
    assert_eq!((events.len(), server.requests()), (0, 2));
    // A kept file that was damaged later is fetched anew, and no other.
    fs::write(folder.join("adult.test"), "damaged").unwrap();
    let (again, _) = fetch(&loader, Task::Adult);
    assert_eq!((again.test.len(), server.requests()), (2, 3));
}

#[test]
fn an_address_that_fails_is_replaced_by_the_next() {
    let wrong = german().replace(" 12 ", " 13 ");
    let failures = [
        (None, "status 404"),
        (Some(b"<html>Log in</html>".to_vec()), "a web page"),
        (
            Some(b"nothing of the kind".to_vec()),
            "no whole zip archive",
        ),
        (Some(zip_of(&[("adult.data", "")])), "holds no german.data"),
        (
            Some(zip_of(&[("german.data", &wrong)])),
            "is not UCI's file",
        ),
        (Some(zip_of(&[("german.data", "")])), "is empty"),
    ];
    for (archive, expected) in failures {
        let mut answers = HashMap::from([("/german.data", german().into_bytes())]);
        answers.extend(archive.map(|archive| ("/table.zip", archive)));
        let server = Server::start(answers);
        let (table, events) = fetch(&fetching(&server, None), Task::GermanSex);
        assert_eq!(
            (table.source, server.requests()),
            (TabularSource::Fetched, 2)
        );
        let failed = events.iter().find(|e| e.contains("did not give")).unwrap();
        assert!(failed.contains(expected), "{failed}");
    }
}

#[test]
fn where_nothing_can_be_had_a_table_is_drawn_and_says_so() {
    let server = Server::start(HashMap::new());
    let place = TempDir::new().unwrap();
    let (table, _) = fetch(&fetching(&server, Some(place.path())), Task::GermanAge);
    assert!(matches!(
        table.source,
        TabularSource::Drawn { because: Some(_) }
    ));
    let notice = table.notice().unwrap();
    assert!(
        notice.starts_with(
            "A drawn table stands in for German credit, because german.data could not be fetched"
        ) && notice.contains("ICVAE_TABULAR_DIR"),
        "{notice}"
    );
    assert!(table.to_string().ends_with(&format!("\n{notice}")));
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);

    // And where it is asked for, nobody is asked.
    let wanted = Settings {
        data: DataSource::Synthetic,
        smoke: true,
        ..settings(None)
    };
    let table = loader(&contents())
        .load(&wanted, Task::Adult, 0, &mut |progress| {
            panic!("{progress}")
        })
        .unwrap();
    assert_eq!(
        (table.train.len(), table.test.len(), table.notice()),
        (1000, 500, None)
    );
}

#[test]
fn a_folder_that_cannot_be_written_does_no_harm() {
    let archive = zip_of(&[("german.data", &german())]);
    let server = Server::start(HashMap::from([("/table.zip", archive)]));
    let place = TempDir::new().unwrap();
    let file = place.path().join("file");
    fs::write(&file, "no folder").unwrap();
    let (table, _) = fetch(
        &fetching(&server, Some(&file.join("tabular"))),
        Task::GermanAge,
    );
    assert_eq!(
        (table.train.len(), table.source.clone()),
        (14, TabularSource::Fetched)
    );
    let notice = table.notice().unwrap();
    assert!(notice.contains("could not be kept"), "{notice}");
}

#[test]
fn rows_refuse_what_does_not_fit() {
    let x = || Tensor::zeros([3, 2], (tch::Kind::Float, Device::Cpu));
    let labels = |values: &[i64]| Tensor::from_slice(values);
    let told = |x: Tensor, y: &[i64], c: &[i64]| {
        Rows::new(x, labels(y), labels(c)).unwrap_err().to_string()
    };
    let wrong_kind = told(x().to_kind(tch::Kind::Double), &[0; 3], &[0; 3]);
    assert!(wrong_kind.contains("must be Float [N, P]"), "{wrong_kind}");
    assert!(told(x(), &[0; 2], &[0; 3]).contains("the outcomes y must have the shape [3]"));
    assert!(told(x(), &[0, 1, 2], &[0; 3]).contains("there is a label 2"));
    let rows = Rows::new(x(), labels(&[1, 0, 1]), labels(&[1, 1, 0])).unwrap();
    assert_eq!(ints(rows.dataset().unwrap().labels()), [3, 1, 2]);
    assert!((rows.majority_group() - 2.0 / 3.0).abs() < 1e-12);
}

#[test]
fn the_drawn_table_leaks_what_it_says() {
    let n = 40_000;
    let table = Tabular::drawn(Task::Adult, n, 10, None).unwrap();
    let columns = table.columns();
    let at = |name: &str| columns.iter().position(|column| column == name).unwrap() as i64;
    let Kind::Number { mean, deviation } = table.features[1].kind else {
        panic!("{:?}", table.features[1])
    };
    let numbers = |name: &str| Vec::<f32>::try_from(table.train.x().select(1, at(name))).unwrap();
    let clubs = ["club=rowing", "club=chess", "club=choir"].map(numbers);
    let groups = ints(table.train.c());
    // The posterior odds of the group by Bayes' rule, from the shares of the documentation.
    let (mut right, mut nats) = (0, 0.0);
    for (i, habit) in numbers("habit").into_iter().enumerate() {
        let habit = f64::from(habit) * deviation + mean;
        let club = clubs.iter().position(|club| club[i] == 1.0).unwrap();
        let odds = 2.0f64.ln() + [3.0f64, 1.0, 0.2][club].ln() + 2.0 * habit;
        let side = 2.0 * groups[i] as f64 - 1.0;
        right += usize::from(side * odds > 0.0);
        nats += (-side * odds).exp().ln_1p();
    }
    let n = n as f64;
    let accuracy = right as f64 / n;
    let error = (LEAK_ACCURACY * (1.0 - LEAK_ACCURACY) / n).sqrt();
    assert!((accuracy - LEAK_ACCURACY).abs() < 4.0 * error, "{accuracy}");
    let entropy = 3.0f64.ln() - 2.0 / 3.0 * 2.0f64.ln();
    let information = entropy - nats / n;
    assert!((information - LEAK_NATS).abs() < 0.01, "{information}");
    // The outcome is unfair: one group has it more often.
    let rate = |group| {
        let of = table.train.c().eq(group);
        let y = table
            .train
            .y()
            .masked_select(&of)
            .to_kind(tch::Kind::Double);
        y.mean(None).double_value(&[])
    };
    assert!(rate(1) - rate(0) > 0.2, "{} {}", rate(1), rate(0));
}

/// Whether a column has a 1 in any row, or is a number.
fn is_used(golden: &[(String, [f64; 2])]) -> impl Iterator<Item = &(String, [f64; 2])> {
    golden.iter().filter(|(_, sums)| *sums != [0.0, 0.0])
}

#[test]
#[ignore = "needs UCI's files in ICVAE_TABULAR_DIR"]
fn the_real_tables_are_those_of_an_independent_reading() {
    let folder = std::env::var_os("ICVAE_TABULAR_DIR").map(PathBuf::from);
    let folder = folder.expect("ICVAE_TABULAR_DIR names no folder with UCI's files");
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/tabular.json");
    let golden: Value = serde_json::from_str(&fs::read_to_string(golden).unwrap()).unwrap();
    for task in Task::ALL {
        let golden = &golden[task.to_string()];
        let split = golden["split"].as_u64().unwrap_or(0);
        let table = read(&TabularLoader::default(), &folder, task, split).unwrap();
        let parts = [&table.train, &table.test];
        let rows = parts.map(Rows::len);
        assert_eq!(serde_json::json!(rows), golden["rows"], "{task}");
        let left_out = golden
            .get("left_out")
            .cloned()
            .unwrap_or(serde_json::json!([0, 0]));
        assert_eq!(
            serde_json::json!([table.left_out.0, table.left_out.1]),
            left_out
        );
        for (part, labels) in parts.iter().zip(golden["labels"].as_array().unwrap()) {
            let sum = |t: Tensor| t.sum(tch::Kind::Int64).int64_value(&[]);
            let found = [
                sum(part.y().shallow_clone()),
                sum(part.c().shallow_clone()),
                sum(part.y() * part.c()),
            ];
            let expected = ["y", "c", "both"].map(|name| labels[name].as_i64().unwrap());
            assert_eq!(found, expected, "{task}");
        }
        let sums = parts.map(|part| {
            let sums = part
                .x()
                .sum_dim_intlist([0i64].as_slice(), false, tch::Kind::Double);
            Vec::<f64>::try_from(sums).unwrap()
        });
        let found: Vec<(String, [f64; 2])> = table
            .columns()
            .into_iter()
            .enumerate()
            .map(|(i, name)| (name, [sums[0][i], sums[1][i]]))
            .collect();
        // In the order of the file, which `HashMap`s of JSON don't keep: by name, save where codes have words.
        let expected: HashMap<String, [f64; 2]> =
            serde_json::from_value(golden["sums"].clone()).unwrap();
        if matches!(task, Task::Adult | Task::AdultSpouses) {
            assert_eq!(found.len(), expected.len());
            for (name, sums) in &found {
                close(sums, &expected[name], name);
            }
        } else {
            let mut expected: Vec<(String, [f64; 2])> = expected.into_iter().collect();
            expected.sort_by_key(|(name, _)| place(name));
            let found: Vec<_> = is_used(&found).collect();
            assert_eq!(found.len(), expected.len(), "{task}");
            for ((name, sums), (code, expected)) in found.into_iter().zip(&expected) {
                close(sums, expected, &format!("{name} {code}"));
            }
        }
    }
    let majorities = |task| {
        let table = read(&TabularLoader::default(), &folder, task, 0).unwrap();
        let percent = |share: f64| (1000.0 * share).round() / 10.0;
        let test = &table.test;
        (
            percent(test.majority_group()),
            percent(test.majority_outcome()),
        )
    };
    assert_eq!(majorities(Task::Adult), (67.4, 75.4));
    let table = read(&TabularLoader::default(), &folder, Task::GermanAge, 0).unwrap();
    let both = |of: fn(&Rows) -> &Tensor| {
        let all = Tensor::cat(&[of(&table.train), of(&table.test)], 0);
        all.to_kind(tch::Kind::Double).mean(None).double_value(&[])
    };
    assert_eq!((both(Rows::c), both(Rows::y)), (0.81, 0.7));
}

/// Where a column of German credit stands: `12`, or `3=A410` for a level of field 3.
fn place(name: &str) -> (usize, usize) {
    let (field, code) = name.split_once('=').unwrap_or((name, "A0"));
    (field.parse().unwrap(), code[1..].parse().unwrap())
}

#[track_caller]
fn close(found: &[f64; 2], expected: &[f64; 2], what: &str) {
    for (found, expected) in found.iter().zip(expected) {
        let error = (found - expected).abs() / expected.abs().max(1.0);
        // Thirty thousand rounded numbers add up to a mean of 0.
        assert!(error < 3e-3, "{what}: {found} instead of {expected}");
    }
}
