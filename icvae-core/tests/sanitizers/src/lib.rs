//! The kernels' own tests, and the team's, in a program without libtorch; and both together, as a training step uses
//! them: threads that rearrange and multiply parts of one product in one memory.

#![allow(dead_code)]

mod cpu;

#[cfg(test)]
mod tests {
    use crate::cpu::panel::{Panel, transpose};
    use crate::cpu::product::{Kernel, MatrixPtr, Start, multiply, multiply_in_place};
    use crate::cpu::team::{lines_of, part_of, share_both};

    fn place(numbers: &[f32], row: usize) -> MatrixPtr<*const f32> {
        MatrixPtr {
            first: numbers.as_ptr(),
            row,
        }
    }

    fn place_mut(numbers: &mut [f32], row: usize) -> MatrixPtr<*mut f32> {
        MatrixPtr {
            first: numbers.as_mut_ptr(),
            row,
        }
    }

    fn all_are(found: &[f32], expected: usize) -> bool {
        found.iter().all(|one| (one - expected as f32).abs() < 1e-2)
    }

    /// The three products of a layer, x: [rows, inner] and w: [outer, inner], as its node computes them.
    #[test]
    fn threads_share_the_products_of_a_layer() {
        for (rows, inner, outer) in [(32, 784, 512), (33, 512, 16), (7, 5, 37), (128, 30, 70)] {
            for kernel in Kernel::here() {
                forward(kernel, rows, inner, outer);
                backward(kernel, rows, inner, outer);
            }
        }
    }

    fn forward(kernel: Kernel, rows: usize, inner: usize, outer: usize) {
        let (x, w) = (vec![0.5; rows * inner], vec![2.0; outer * inner]);
        let mut y = vec![0.0; rows * outer];
        let (x, w, target) = (place(&x, inner), place(&w, inner), place_mut(&mut y, outer));
        let [mut lanes, mut turned] = [Panel::default(), Panel::default()];
        let lanes = lanes.lanes(kernel, inner, rows);
        let turned = turned.transposed(lanes.tiles() * kernel.tile(), outer);
        // SAFETY: every thread fills its own rows.
        let fill = |part, parts| unsafe { lanes.fill_transposed(x, part_of(inner, part, parts)) };
        share_both(&fill, &|part, parts| {
            let mine = lines_of(outer, part, parts);
            let all = (lanes, 0..lanes.tiles());
            // SAFETY: every thread writes the columns of its own units.
            unsafe {
                multiply(kernel, all, (w, mine.clone()), turned, Start::Zero);
                transpose(turned.read(), (mine, 0..rows), target, 0);
            }
        });
        assert!(all_are(&y, inner));
    }

    fn backward(kernel: Kernel, rows: usize, inner: usize, outer: usize) {
        let (x, w, d) = (
            vec![0.5; rows * inner],
            vec![0.5; outer * inner],
            vec![2.0; rows * outer],
        );
        let [mut dx, mut dw] = [vec![0.0; rows * inner], vec![0.0; outer * inner]];
        let (x, w, d) = (place(&x, inner), place(&w, inner), place(&d, outer));
        let (to_dx, to_dw) = (place_mut(&mut dx, inner), place_mut(&mut dw, inner));
        let [mut units, mut turned] = [Panel::default(), Panel::default()];
        let units = units.lanes(kernel, rows, inner);
        let turned = turned.transposed(rows, outer);
        // SAFETY: every thread fills its own rows.
        let fill = |part, parts| unsafe {
            transpose(d, (0..rows, lines_of(outer, part, parts)), turned, 0);
            units.fill(x, part_of(rows, part, parts));
        };
        share_both(&fill, &|part, parts| {
            let others = (turned.read(), lines_of(outer, part, parts));
            let all = (units, 0..units.tiles());
            let columns = (w, lines_of(inner, part, parts), outer);
            // SAFETY: every thread writes its own rows of dW and columns of dx.
            unsafe {
                multiply(kernel, all, others, to_dw, Start::Zero);
                multiply_in_place(kernel, columns, (d, 0..rows), to_dx);
            }
        });
        assert!(all_are(&dw, rows) && all_are(&dx, outer));
    }
}
