//! The threads that share a loop over memory.

use std::ffi::c_void;
use std::hint::spin_loop;
use std::sync::OnceLock;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::{AcqRel, Acquire};

/// Runs `work(part, parts)` once for each part, on as many threads as libtorch uses.
///
/// libtorch computes on OpenMP's threads, which keep their cores busy for a while after each product,
/// waiting for the next. Threads of another pool would fight with them for the cores, so where libtorch
/// brought GNU's OpenMP its own team does the work. Elsewhere rayon does.
pub(crate) fn share(work: &(dyn Fn(usize, usize) + Sync)) {
    let threads = usize::try_from(tch::get_num_threads()).unwrap_or(1).max(1);
    if threads == 1 {
        work(0, 1);
        return;
    }
    #[cfg(target_os = "linux")]
    if let Some(openmp) = OpenMp::loaded() {
        openmp.run(threads, work);
        return;
    }
    rayon::scope(|scope| {
        for part in 0..threads {
            scope.spawn(move |_| work(part, threads));
        }
    });
}

/// Runs two loops, the second of which reads what any part of the first has written: cheaper than two calls, since no
/// thread is woken in between.
pub(crate) fn share_both(
    first: &(dyn Fn(usize, usize) + Sync),
    second: &(dyn Fn(usize, usize) + Sync),
) {
    if !side_by_side() {
        share(first);
        share(second);
        return;
    }
    let done = AtomicUsize::new(0);
    share(&|part, parts| {
        first(part, parts);
        meet(&done, parts);
        second(part, parts);
    });
}

/// Waits until all parts are here.
fn meet(here: &AtomicUsize, parts: usize) {
    here.fetch_add(1, AcqRel);
    let mut looks = 0;
    while here.load(Acquire) < parts {
        looks += 1;
        if looks < LOOKS {
            spin_loop();
        } else {
            // Somebody else may have the core of whoever is late.
            std::thread::yield_now();
        }
    }
}

/// Whether all parts run at the same time, each on a thread of its own.
fn side_by_side() -> bool {
    #[cfg(target_os = "linux")]
    if OpenMp::loaded().is_some() {
        return true;
    }
    tch::get_num_threads() == 1
}

/// The part of `length` numbers that belongs to `part` of `parts`.
pub(crate) fn part_of(length: usize, part: usize, parts: usize) -> std::ops::Range<usize> {
    (length * part / parts)..(length * (part + 1) / parts)
}

/// Numbers of a cache line: what two threads write to is shared out in multiples of it.
pub(crate) const LINE: usize = 16;
/// Products of fewer multiplications are done before a second thread has begun.
const WORTH_SHARING: usize = 500_000;
/// Multiplications that take as long as to move one number.
pub(crate) const MOVE: usize = 32;

/// How often a thread looks whether the others are as far as it is, before it lets others have its core.
const LOOKS: usize = 2000;

/// Shares out two loops, as [`share_both`], if the second is worth it, by the multiplications that it takes.
pub(crate) fn shared_both(
    multiplications: usize,
    first: &(dyn Fn(usize, usize) + Sync),
    second: &(dyn Fn(usize, usize) + Sync),
) {
    if multiplications < WORTH_SHARING {
        first(0, 1);
        second(0, 1);
    } else {
        share_both(first, second);
    }
}

/// Shares out work that is worth it, by the multiplications that it takes.
pub(crate) fn shared(multiplications: usize, work: &(dyn Fn(usize, usize) + Sync)) {
    if multiplications < WORTH_SHARING {
        work(0, 1);
    } else {
        share(work);
    }
}

/// Columns for a part, whole cache lines where there are enough.
pub(crate) fn lines_of(columns: usize, part: usize, parts: usize) -> std::ops::Range<usize> {
    let lines = part_of(columns.div_ceil(LINE), part, parts);
    (lines.start * LINE).min(columns)..(lines.end * LINE).min(columns)
}

#[cfg(target_os = "linux")]
struct OpenMp {
    parallel: unsafe extern "C" fn(extern "C" fn(*mut c_void), *mut c_void, u32, u32),
    thread: unsafe extern "C" fn() -> i32,
    threads: unsafe extern "C" fn() -> i32,
}

#[cfg(target_os = "linux")]
impl OpenMp {
    /// The GNU OpenMP that is in the process already, if there is one.
    fn loaded() -> Option<&'static Self> {
        static FOUND: OnceLock<Option<OpenMp>> = OnceLock::new();
        FOUND
            .get_or_init(|| {
                use libloading::os::unix::{Library, RTLD_NOW};
                const RTLD_NOLOAD: i32 = 4;
                // SAFETY: nothing is loaded that was not there, and the signatures are those of libgomp's
                // public ABI. The library is never unloaded, so the functions stay.
                unsafe {
                    let library =
                        Library::open(Some("libgomp.so.1"), RTLD_NOW | RTLD_NOLOAD).ok()?;
                    let found = Self {
                        parallel: *library.get(b"GOMP_parallel\0").ok()?,
                        thread: *library.get(b"omp_get_thread_num\0").ok()?,
                        threads: *library.get(b"omp_get_num_threads\0").ok()?,
                    };
                    std::mem::forget(library);
                    Some(found)
                }
            })
            .as_ref()
    }

    fn run(&self, threads: usize, work: &(dyn Fn(usize, usize) + Sync)) {
        struct Job<'a> {
            openmp: &'a OpenMp,
            work: &'a (dyn Fn(usize, usize) + Sync),
        }
        extern "C" fn one(job: *mut c_void) {
            // SAFETY: `run` passes a Job that outlives the parallel region.
            let job = unsafe { &*job.cast::<Job<'_>>() };
            // SAFETY: both only ask for a number.
            let (part, parts) = unsafe { ((job.openmp.thread)(), (job.openmp.threads)()) };
            (job.work)(part as usize, parts as usize);
        }
        let mut job = Job { openmp: self, work };
        // SAFETY: GOMP_parallel calls `one` on each thread and returns when all are done. A panic in `work`
        // aborts at the edge of `one`, since it can't unwind through C.
        unsafe { (self.parallel)(one, (&raw mut job).cast(), threads as u32, 0) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// Writes in one loop, and reads in the next what other parts have written.
    fn agree(run: impl Fn(&(dyn Fn(usize, usize) + Sync), &(dyn Fn(usize, usize) + Sync))) {
        let written: Vec<_> = (0..300).map(|_| AtomicU32::new(0)).collect();
        let sum = AtomicU32::new(0);
        let write = |part, parts| {
            let mine = part_of(300, part, parts);
            mine.for_each(|i| written[i].store(1, Ordering::Relaxed));
        };
        run(&write, &|part, parts| {
            let seen = |i: usize| written[299 - i].load(Ordering::Relaxed);
            let seen = part_of(300, part, parts).map(seen).sum();
            sum.fetch_add(seen, Ordering::Relaxed);
        });
        assert_eq!(sum.into_inner(), 300);
    }

    #[test]
    fn the_second_loop_finds_all_that_the_first_has_written() {
        for _ in 0..200 {
            agree(share_both);
            // The same on threads that a sanitizer knows.
            agree(|first, second| {
                let here = AtomicUsize::new(0);
                std::thread::scope(|scope| {
                    for part in 0..3 {
                        let here = &here;
                        scope.spawn(move || {
                            first(part, 3);
                            meet(here, 3);
                            second(part, 3);
                        });
                    }
                });
            });
        }
    }

    #[test]
    fn every_number_belongs_to_exactly_one_part() {
        for length in [0, 1, 2, 7, 64, 1001] {
            let touched: Vec<_> = (0..length).map(|_| AtomicU32::new(0)).collect();
            share(&|part, parts| {
                for i in part_of(length, part, parts) {
                    touched[i].fetch_add(1, Ordering::Relaxed);
                }
            });
            assert!(
                touched.iter().all(|n| n.load(Ordering::Relaxed) == 1),
                "{length}"
            );
        }
    }
}
