//! Who multiplies: this crate, and with which instructions, or libtorch.

use std::sync::OnceLock;
use std::time::Instant;

use tch::{Device, Kind, Tensor};

use super::product::Kernel;

/// Rows from which on libtorch multiplies: nothing is gained by leaving the weights where they are.
const MANY: usize = 1024;
/// Rows that stand for a class of batches: up to the middle between both, and beyond.
const CLASSES: [usize; 2] = [32, 128];
/// Units of the layer that is tried.
const UNITS: usize = 512;
/// libtorch multiplies where it needs less than this share of our time. It is far from 1, so that noise does not
/// decide: the same processor must always answer the same, since another rounding makes another run.
const CLEARLY: f64 = 0.7;
/// Times that libtorch must be that much faster, one after the other: another program may have disturbed one.
const TRIES: usize = 3;

/// The kernel for a layer that sees this many rows at a time, none where libtorch should multiply.
///
/// The first question about a class of batches takes some milliseconds: both are tried on a layer of 512 units.
/// `ICVAE_PRODUCTS` (`avx512`, `avx2` or `libtorch`) answers instead of that.
pub(crate) fn kernel_for(rows: usize) -> Option<Kernel> {
    static ANSWERS: [OnceLock<Option<Kernel>>; 2] = [const { OnceLock::new() }; 2];
    if rows == 0 || rows > MANY {
        return None;
    }
    let class = usize::from(rows > CLASSES[0].midpoint(CLASSES[1]));
    *ANSWERS[class].get_or_init(|| match std::env::var("ICVAE_PRODUCTS").as_deref() {
        Ok("libtorch") => None,
        Ok("avx512") => Kernel::here().into_iter().find(|k| *k == Kernel::Avx512),
        Ok("avx2") => Kernel::here().into_iter().find(|k| *k == Kernel::Avx2),
        _ => Kernel::here()
            .into_iter()
            .next()
            .filter(|&kernel| (0..TRIES).any(|_| is_fast_enough(kernel, CLASSES[class]))),
    })
}

/// Whether a kernel is not clearly slower than libtorch.
fn is_fast_enough(kernel: Kernel, rows: usize) -> bool {
    let numbers = |size: [i64; 2]| {
        // Not from the generator, which belongs to the run.
        Tensor::full(size, 0.5, (Kind::Float, Device::Cpu))
    };
    let (rows, units) = (rows as i64, UNITS as i64);
    let (x, w) = (numbers([rows, units]), numbers([units, units]));
    let mut y = numbers([rows, units]);
    tch::no_grad(|| {
        let theirs = best(|| {
            let _ = x.f_mm_out(&y, &w.tr());
        });
        let ours = best(|| super::dense::product(kernel, &x, &w, &mut y));
        ours * CLEARLY < theirs
    })
}

/// The best of some times, in seconds.
fn best(mut work: impl FnMut()) -> f64 {
    work();
    let times = (0..7).map(|_| {
        let since = Instant::now();
        work();
        since.elapsed().as_secs_f64()
    });
    times.fold(f64::INFINITY, f64::min)
}
