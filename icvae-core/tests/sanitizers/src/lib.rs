//! The kernels' own tests, and the team's, in a program without libtorch; and both together, as a training step uses
//! them: threads that multiply parts of one product into one memory.

#![allow(dead_code)]

#[path = "../../../src/cpu/product.rs"]
mod product;
#[path = "../../../src/cpu/team.rs"]
mod team;
#[path = "../../../src/cpu/wide.rs"]
mod wide;

#[cfg(test)]
mod tests {
    use super::product::{Kernel, Panel, Place, Target, multiply};
    use super::team::{part_of, share};

    /// Raw pointers that threads share.
    struct Shared<T>(T);
    // SAFETY: the threads below write to rows of their own.
    unsafe impl<T> Sync for Shared<T> {}

    #[test]
    fn threads_share_a_product() {
        for (lanes, inner, others) in [(512, 784, 32), (16, 512, 33), (37, 5, 7)] {
            let a = vec![0.5_f32; lanes * inner];
            let b = vec![2.0_f32; others * inner];
            let mut found = vec![0.0_f32; lanes * others];
            for kernel in Kernel::here() {
                let mut panel = Panel::default();
                let filling = panel.resize(inner, lanes);
                let target = Shared(Target {
                    place: Place::of_rows(found.as_mut_ptr(), others),
                    lanes_are_rows: true,
                    bias: None,
                    add: false,
                });
                let filling = Shared(filling);
                let (from, with) = (
                    Place::of_rows(a.as_ptr(), inner),
                    Place::of_rows(b.as_ptr(), inner),
                );
                let places = Shared((from, with));
                share(&|part, parts| {
                    // SAFETY: every thread fills its own part of the panel.
                    let (filling, places) = (&filling, &places);
                    unsafe {
                        filling
                            .0
                            .fill(places.0.0.transposed(), part_of(inner, part, parts))
                    };
                });
                share(&|part, parts| {
                    // SAFETY: every thread writes the columns of its own others, and the panel is filled.
                    let (filling, places, target) = (&filling, &places, &target);
                    let mine = part_of(others, part, parts);
                    unsafe {
                        multiply(*kernel, filling.0, places.0.1.transposed(), mine, target.0)
                    };
                });
                assert!(found.iter().all(|&one| (one - inner as f32).abs() < 1e-2));
            }
        }
    }
}
