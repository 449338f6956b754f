//! Settings of libtorch that hold for the whole process, put right again whatever happens.

/// Runs `work` without recording gradients, and records them again afterwards if they were before.
///
/// tch's function of this name leaves recording off when `work` panics, and nothing can be trained from then
/// on; this one puts it right even so.
///
/// ```
/// use icvae_core::{no_grad, tch::Tensor};
///
/// let x = Tensor::from(2.0f32).set_requires_grad(true);
/// assert!(!no_grad(|| &x * 3.0).requires_grad());
/// let panicked = std::panic::catch_unwind(|| no_grad(|| panic!("a mistake")));
/// assert!(panicked.is_err() && (&x * 3.0).requires_grad());
/// ```
pub fn no_grad<T>(work: impl FnOnce() -> T) -> T {
    let _guard = tch::no_grad_guard();
    work()
}

/// Sets libtorch's generator to a seed, of the type that seeds have everywhere else here.
///
/// ```
/// use icvae_core::{manual_seed, tch::{Device, Kind, Tensor}};
///
/// let draw = || Tensor::randn([3], (Kind::Float, Device::Cpu));
/// manual_seed(1);
/// let first = draw();
/// manual_seed(1);
/// assert_eq!(first, draw());
/// ```
pub fn manual_seed(seed: u64) {
    // The bits count, not the number.
    tch::manual_seed(seed as i64);
}

/// Runs `work` with libtorch's generator set to a seed, and lets it go on afterwards from where it does not depend
/// on what `work` has drawn: a model built so changes nothing that is drawn later, however many layers it has.
///
/// ```
/// use icvae_core::{seeded, tch::{self, Device, Kind, Tensor}};
///
/// let draw = |n: i64| Tensor::randn([n], (Kind::Float, Device::Cpu));
/// tch::manual_seed(1);
/// let (a, later) = (seeded(7, || draw(3)), draw(2));
/// tch::manual_seed(1);
/// let (_, the_same) = (seeded(8, || draw(500)), draw(2));
/// assert_eq!(later, the_same);
/// assert_eq!(a, seeded(7, || draw(3)));
/// ```
pub fn seeded<T>(seed: u64, work: impl FnOnce() -> T) -> T {
    /// Sets the generator when it goes, even by a panic.
    struct Then(i64);
    impl Drop for Then {
        fn drop(&mut self) {
            tch::manual_seed(self.0);
        }
    }
    let options = (tch::Kind::Int64, tch::Device::Cpu);
    let _then = Then(tch::Tensor::randint(i64::MAX, [], options).int64_value(&[]));
    manual_seed(seed);
    work()
}
