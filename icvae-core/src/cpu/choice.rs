//! Who multiplies: this crate, and with which instructions, or libtorch.
//!
//! Another rounding makes another run, so one machine must always answer alike, however busy it is. The processor's
//! widest instructions multiply, unless something else is clearly faster when all are tried in turn; and what was
//! found once is kept in the cache folder, for this processor, number of threads and version of the crate.

use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tch::{Device, Kind, Tensor};

use super::product::Kernel;
use crate::files::{cache_folder, hex, write_whole};
use crate::{Error, Result, no_grad};

/// Rows from which on libtorch multiplies: nothing is gained by leaving the weights where they are.
const MANY: usize = 1024;
/// Rows that stand for a class of batches: up to the middle between both, and beyond.
const CLASSES: [usize; 2] = [32, 128];
/// Units of the layer that is tried.
const UNITS: usize = 512;
/// Something else multiplies where it needs less than this share of the time. It is far from 1, so that noise does
/// not decide.
const CLEARLY: f64 = 0.7;
/// Times that each is tried, in turn with the others: the best counts, which other programs have disturbed least.
const ROUNDS: usize = 24;
/// A third of the times must be less than so much of the best, or that is no measurement.
const REPEATED: f64 = 1.2;
/// What trying them may take, which is ten times what it takes where nothing else is at work.
const LONG: Duration = Duration::from_millis(500);
/// What to wait for another process that is trying them.
const PATIENCE: Duration = Duration::from_secs(2);
/// The variable that answers instead.
const VARIABLE: &str = "ICVAE_PRODUCTS";

/// Who multiplies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Products {
    Avx512,
    Avx2,
    Libtorch,
}

impl Products {
    /// Those of this machine, the default first.
    fn here() -> Vec<Self> {
        let of = |kernel| match kernel {
            Kernel::Avx512 => Self::Avx512,
            Kernel::Avx2 => Self::Avx2,
        };
        let ours = Kernel::here().into_iter().map(of);
        ours.chain([Self::Libtorch]).collect()
    }

    fn kernel(self) -> Option<Kernel> {
        match self {
            Self::Avx512 => Some(Kernel::Avx512),
            Self::Avx2 => Some(Kernel::Avx2),
            Self::Libtorch => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Avx512 => "avx512",
            Self::Avx2 => "avx2",
            Self::Libtorch => "libtorch",
        }
    }

    /// What the environment asks for.
    fn asked_for(value: Option<&str>, here: &[Self]) -> Result<Option<Self>> {
        let Some(value) = value.filter(|value| !value.is_empty()) else {
            return Ok(None);
        };
        let found = here.iter().find(|products| products.name() == value);
        found.copied().map(Some).ok_or_else(|| {
            let names: Vec<_> = here.iter().map(|products| products.name()).collect();
            Error::Invalid(format!(
                "{VARIABLE} is {value:?}, but on this processor must be {}",
                names.join(" or ")
            ))
        })
    }
}

/// One answer for each class of batches.
type Answers = [Products; CLASSES.len()];

/// The kernel for a layer that sees this many rows at a time, none where libtorch should multiply.
///
/// The first question of all takes some ten milliseconds where nothing is kept: all are tried on a layer of 512
/// units. `ICVAE_PRODUCTS` (`avx512`, `avx2` or `libtorch`) answers instead of that.
///
/// # Errors
/// If `ICVAE_PRODUCTS` asks for what there isn't.
pub(crate) fn kernel_for(rows: usize) -> Result<Option<Kernel>> {
    static FOUND: Mutex<Vec<(i32, Answers)>> = Mutex::new(Vec::new());
    if rows == 0 || rows > MANY {
        return Ok(None);
    }
    let threads = tch::get_num_threads();
    let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    let known = found.iter().find(|(of, _)| *of == threads);
    let answers = match known {
        Some((_, answers)) => *answers,
        None => {
            let asked_for = std::env::var(VARIABLE).ok();
            let folder = cache_folder().ok().map(|cache| cache.join("products"));
            let key = Key::of(threads);
            let answers = decide(asked_for.as_deref(), folder.as_deref(), &key, measured)?;
            found.push((threads, answers));
            answers
        }
    };
    let class = usize::from(rows > CLASSES[0].midpoint(CLASSES[1]));
    Ok(answers[class].kernel())
}

/// By the environment, else by what is kept in a folder, else by measuring, which is then kept.
fn decide(
    asked_for: Option<&str>,
    folder: Option<&Path>,
    key: &Key,
    measure: impl FnOnce() -> Answers,
) -> Result<Answers> {
    let here = Products::here();
    if let Some(products) = Products::asked_for(asked_for, &here)? {
        return Ok([products; CLASSES.len()]);
    }
    if here.len() == 1 {
        return Ok([here[0]; CLASSES.len()]);
    }
    let Some(folder) = folder else {
        return Ok(measure());
    };
    let path = folder.join(key.file_name());
    if let Some(answers) = kept(&path, key, &here) {
        return Ok(answers);
    }
    // One process measures, the others wait for what it finds: they would disturb it, and might find otherwise.
    let _lock = lock(folder);
    if let Some(answers) = kept(&path, key, &here) {
        return Ok(answers);
    }
    let answers = measure();
    let file = Kept {
        key: key.clone(),
        answers,
    };
    if let Ok(bytes) = serde_json::to_vec_pretty(&file) {
        // Where nothing can be kept, the next process measures again.
        let _ = write_whole(&path, &bytes);
    }
    Ok(answers)
}

/// All that an answer depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    version: String,
    /// The compiler's level of optimisation, and whether it checks: our products are slow without the one or with the
    /// other.
    optimised: String,
    checked: bool,
    processor: String,
    threads: i32,
}

impl Key {
    fn of(threads: i32) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").into(),
            optimised: env!("ICVAE_OPT_LEVEL").into(),
            checked: cfg!(debug_assertions),
            processor: processor(),
            threads,
        }
    }

    fn file_name(&self) -> String {
        let all = format!("{self:?}");
        format!("{}.json", hex(&Sha256::digest(all.as_bytes())[..8]))
    }
}

/// What is written to the cache folder.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    key: Key,
    answers: Answers,
}

/// The answers that a file holds, if it is one of ours, whole, and for this key.
fn kept(path: &Path, key: &Key, here: &[Products]) -> Option<Answers> {
    let found: Kept = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    let fits = found.key == *key && found.answers.iter().all(|answer| here.contains(answer));
    fits.then_some(found.answers)
}

/// Waits for other processes; none where there is no lock to be had, or not in time.
fn lock(folder: &Path) -> Option<File> {
    fs::create_dir_all(folder).ok()?;
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    let file = options.open(folder.join("lock")).ok()?;
    let since = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Some(file),
            Err(TryLockError::WouldBlock) if since.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(_) => return None,
        }
    }
}

/// The processor by its own account: maker's name and model.
fn processor() -> String {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::__cpuid;
        const NAME: std::ops::RangeInclusive<u32> = 0x8000_0002..=0x8000_0004;
        let mut name = Vec::new();
        if __cpuid(0x8000_0000).eax >= *NAME.end() {
            for leaf in NAME {
                let part = __cpuid(leaf);
                for register in [part.eax, part.ebx, part.ecx, part.edx] {
                    name.extend(register.to_le_bytes().into_iter().filter(|byte| *byte != 0));
                }
            }
        }
        let name = String::from_utf8_lossy(&name);
        format!("{} {:x}", name.trim(), __cpuid(1).eax)
    }
    #[cfg(not(target_arch = "x86_64"))]
    std::env::consts::ARCH.to_owned()
}

/// The answers of this machine as it is now.
fn measured() -> Answers {
    let here = Products::here();
    CLASSES.map(|rows| match times(&here, rows) {
        Ok(times) => clearly_fastest(&here, &times),
        Err(_) => here[0],
    })
}

/// The default, which is the first, unless one after it is clearly faster. The times of each are sorted.
fn clearly_fastest(products: &[Products], times: &[Vec<f64>]) -> Products {
    // Where other programs are at work nothing repeats, and the loser may be who was disturbed more.
    let repeats =
        |times: &Vec<f64>| times.len() == ROUNDS && times[ROUNDS / 3] < REPEATED * times[0];
    if !times.iter().all(repeats) {
        return products[0];
    }
    let mut best = 0;
    for (i, one) in times.iter().enumerate() {
        if one[0] < CLEARLY * times[best][0] {
            best = i;
        }
    }
    products[best]
}

/// The times of each, in seconds, the best first, for a layer that sees this many rows; fewer than [`ROUNDS`] where
/// that would take long.
fn times(products: &[Products], rows: usize) -> Result<Vec<Vec<f64>>> {
    let numbers = |size: [i64; 2]| {
        // Not from the generator, which belongs to the run.
        Tensor::f_full(size, 0.5, (Kind::Float, Device::Cpu))
    };
    let (rows, units) = (rows as i64, UNITS as i64);
    let (x, w) = (numbers([rows, units])?, numbers([units, units])?);
    let mut y = numbers([rows, units])?;
    let mut all = vec![Vec::with_capacity(ROUNDS); products.len()];
    let begun = Instant::now();
    no_grad(|| {
        for round in 0..=ROUNDS {
            if begun.elapsed() > LONG {
                break;
            }
            for (products, times) in products.iter().zip(&mut all) {
                let since = Instant::now();
                match products.kernel() {
                    Some(kernel) => super::dense::product(kernel, &x, &w, &mut y),
                    None => drop(x.f_mm_out(&y, &w.f_tr()?)?),
                }
                // The first time is that of threads that begin and memory that is new.
                if round > 0 {
                    times.push(since.elapsed().as_secs_f64());
                }
            }
        }
        Ok::<_, Error>(())
    })?;
    all.iter_mut()
        .for_each(|times| times.sort_by(f64::total_cmp));
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Products; 3] = [Products::Avx512, Products::Avx2, Products::Libtorch];

    fn key() -> Key {
        Key::of(2)
    }

    fn not_asked() -> Answers {
        panic!("nothing is to be measured")
    }

    #[test]
    fn only_what_is_clearly_faster_replaces_the_default() {
        let all = |times: [f64; 3], third: f64| {
            let sorted = |best: f64| {
                let time = |i| best * if i < ROUNDS / 3 { 1.0 } else { third };
                (0..ROUNDS).map(time).collect()
            };
            clearly_fastest(&ALL, &times.map(sorted))
        };
        let best = |times| all(times, 1.1);
        assert_eq!(best([1.0, 1.0, 1.0]), Products::Avx512);
        assert_eq!(best([1.0, 0.8, 0.71]), Products::Avx512);
        assert_eq!(best([1.0, 0.6, 0.5]), Products::Avx2);
        assert_eq!(best([1.0, 0.6, 0.4]), Products::Libtorch);
        assert_eq!(best([1.0, 0.9, 0.6]), Products::Libtorch);
        // On a busy machine no time repeats.
        assert_eq!(all([1.0, 0.9, 0.4], 1.3), Products::Avx512);
        let few = clearly_fastest(&ALL, &[vec![1.0], vec![0.9], vec![0.4]]);
        assert_eq!(few, Products::Avx512);
        // What was measured here is something that is here.
        let here = Products::here();
        assert!(measured().iter().all(|answer| here.contains(answer)));
    }

    #[test]
    #[cfg_attr(not(target_arch = "x86_64"), ignore = "needs a processor with AVX2")]
    fn with_avx2_what_was_measured_once_is_kept_and_what_is_damaged_is_measured_anew() {
        let here = Products::here();
        assert!(here.len() > 1, "this processor has no AVX2");
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("products");
        let (first, second) = ([here[0], Products::Libtorch], [Products::Libtorch, here[0]]);
        let ask = |measure: fn() -> Answers, key: &Key| {
            decide(None, Some(&folder), key, measure).unwrap()
        };
        fn default_first() -> Answers {
            [Products::here()[0], Products::Libtorch]
        }
        fn libtorch_first() -> Answers {
            [Products::Libtorch, Products::here()[0]]
        }
        assert_eq!(ask(default_first, &key()), first);
        assert_eq!(ask(not_asked, &key()), first);
        // Another number of threads is another question.
        assert_eq!(ask(libtorch_first, &Key::of(3)), second);
        assert_eq!(ask(not_asked, &key()), first);
        assert_eq!(ask(not_asked, &Key::of(3)), second);

        let path = folder.join(key().file_name());
        let whole = fs::read(&path).unwrap();
        let foreign = fs::read(folder.join(Key::of(3).file_name())).unwrap();
        let text = String::from_utf8(whole.clone()).unwrap();
        let unknown = text.replace("libtorch", "abacus").into_bytes();
        let half = whole[..whole.len() / 2].to_vec();
        for spoilt in [Vec::new(), half, vec![0xff; 300], foreign, unknown] {
            fs::write(&path, &spoilt).unwrap();
            assert_eq!(ask(libtorch_first, &key()), second);
            assert_eq!(ask(not_asked, &key()), second, "kept again");
        }
        // A folder in the file's place, and no place at all.
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert_eq!(ask(default_first, &key()), first);
        assert_eq!(ask(libtorch_first, &key()), second);
        let occupied = path.with_extension("file");
        fs::write(&occupied, "").unwrap();
        for place in [None, Some(occupied.as_path())] {
            assert_eq!(decide(None, place, &key(), default_first).unwrap(), first);
        }
    }

    #[test]
    #[cfg_attr(not(target_arch = "x86_64"), ignore = "needs a processor with AVX2")]
    fn with_avx2_processes_that_begin_together_answer_alike() {
        assert!(Products::here().len() > 1, "this processor has no AVX2");
        let folder = tempfile::tempdir().unwrap();
        let ask = |i: usize| {
            let measure = || {
                std::thread::sleep(Duration::from_millis(50));
                [[Products::Libtorch; 2], [Products::here()[0]; 2]][i % 2]
            };
            decide(None, Some(folder.path()), &key(), measure).unwrap()
        };
        let answers: Vec<Answers> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..4).map(|i| scope.spawn(move || ask(i))).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert!(answers.iter().all(|one| *one == answers[0]), "{answers:?}");
    }

    #[test]
    fn the_environment_answers_before_anything_else() {
        let here = Products::here();
        let folder = tempfile::tempdir().unwrap();
        let ask = |value, measure: fn() -> Answers| {
            decide(Some(value), Some(folder.path()), &key(), measure)
        };
        for products in &here {
            let found = ask(products.name(), not_asked).unwrap();
            assert_eq!(found, [*products; 2]);
        }
        // Nothing of that is kept, and what is kept does not answer before it.
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let measure = || [Products::here()[0]; 2];
        assert_eq!(ask("", measure).unwrap(), [here[0]; 2]);
        let found = ask("libtorch", not_asked).unwrap();
        assert_eq!(found, [Products::Libtorch; 2]);
        let error = ask("AVX", not_asked).unwrap_err().to_string();
        assert!(
            error.starts_with("ICVAE_PRODUCTS is \"AVX\", but"),
            "{error}"
        );
    }
}
