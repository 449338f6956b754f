//! Image grids: where every pixel lies, rows that are added, labels, sizes, and what is refused.
#![allow(missing_docs, clippy::unwrap_used)]

mod plot_support;

use icvae_core::plot::ImageGrid;
use icvae_core::tch::{Device, Kind, Tensor};
use plot_support::{Picture, decode};

/// Images `[n, high, wide]` of which each pixel names its image and its place.
fn marked(n: i64, high: i64, wide: i64) -> Tensor {
    let value = |i: i64| ((i * 37) % 64) as f32 / 63.0;
    let values: Vec<f32> = (0..n * high * wide).map(value).collect();
    Tensor::from_slice(&values).reshape([n, high, wide])
}

fn grey(i: i64) -> u8 {
    (((i * 37) % 64) as f64 * 255.0 / 63.0).round() as u8
}

/// Upper left corners of the images in PNG pixels: found by their frames, which no image can be mistaken for.
fn corners(picture: &Picture) -> (Vec<u32>, Vec<u32>) {
    let frame = [176, 176, 176];
    let first = (0..picture.height)
        .flat_map(|y| (0..picture.width).map(move |x| (x, y)))
        .find(|&(x, y)| picture.at(x, y) == frame && picture.at(x + 3, y) == frame)
        .unwrap();
    let along = |length: u32, at: &dyn Fn(u32) -> [u8; 3]| -> Vec<u32> {
        (1..length - 1)
            .filter(|&i| at(i) == frame && at(i - 1) == [255; 3])
            .map(|i| i + 2)
            .collect()
    };
    (
        along(picture.width, &|x| picture.at(x, first.1)),
        along(picture.height, &|y| picture.at(first.0, y)),
    )
}

#[test]
fn every_pixel_of_every_image_is_in_its_cell() {
    for (n, rows, columns, high, wide) in [
        (6, 2, 3, 3, 5),
        (6, 3, 2, 5, 3),
        (7, 1, 7, 4, 4),
        (5, 5, 1, 3, 3),
        (10, 3, 4, 28, 28),
        (1, 1, 1, 7, 2),
    ] {
        let images = marked(n, high, wide);
        for images in [
            images.shallow_clone(),
            images.reshape([n, -1]),
            images.unsqueeze(1),
        ] {
            let figure = ImageGrid::new(&images, (high, wide), (rows, columns))
                .image_size(4 * wide as u32)
                .draw()
                .unwrap();
            assert!(figure.notes().is_empty());
            let picture = decode(figure.png());
            let (xs, ys) = corners(&picture);
            // The last row may be the only one that is not full, so rows are counted in the first column.
            assert_eq!(
                (ys.len(), xs.len()),
                ((n as usize).div_ceil(columns), columns)
            );
            let zoom = 8;
            for i in 0..n {
                let (x0, y0) = (xs[i as usize % columns], ys[i as usize / columns]);
                for y in 0..high as u32 * zoom {
                    for x in 0..wide as u32 * zoom {
                        let pixel = i64::from(y / zoom) * wide + i64::from(x / zoom);
                        let expected = [grey(i * high * wide + pixel); 3];
                        assert_eq!(
                            picture.at(x0 + x, y0 + y),
                            expected,
                            "image {i} at {x}, {y}"
                        );
                    }
                }
            }
            // Cells that are left over stay white.
            for cell in n as usize..ys.len() * columns {
                let (x0, y0) = (xs[cell % columns], ys[cell / columns]);
                for (dx, dy) in [(0, 0), (5, 7), (zoom * 2, zoom)] {
                    assert_eq!(picture.at(x0 + dx, y0 + dy), [255; 3]);
                }
            }
        }
    }
}

#[test]
fn rows_are_added_as_needed_and_said() {
    let images = marked(25, 4, 4);
    let draw = |rows, columns| {
        ImageGrid::new(&images, (4, 4), (rows, columns))
            .draw()
            .unwrap()
    };
    let figure = draw(2, 10);
    assert_eq!(
        figure.notes(),
        ["A grid of 2 × 10 is too small for 25 images: 1 row was added."]
    );
    assert_eq!(
        figure.alt(),
        "25 images in 3 rows of up to 10 of 4 × 4 pixels."
    );
    assert_eq!(corners(&decode(figure.png())).1.len(), 3);
    assert_eq!(
        draw(1, 5).notes(),
        ["A grid of 1 × 5 is too small for 25 images: 4 rows were added."]
    );
    assert_eq!(corners(&decode(draw(1, 1).png())).1.len(), 25);
    assert!(draw(5, 5).notes().is_empty());
    assert!(draw(6, 5).notes().is_empty());
}

#[test]
fn values_run_from_black_to_white_or_back() {
    let values = Tensor::from_slice(&[0.0_f32, 1.0, 0.4, -0.2, 1.3, 0.0]).reshape([1, 6]);
    let read = |grid: ImageGrid| {
        let picture = decode(grid.image_size(12).draw().unwrap().png());
        let (xs, ys) = corners(&picture);
        [0, 1, 2, 3, 4].map(|i| picture.at(xs[0] + 4 * i, ys[0])[0])
    };
    let grid = || ImageGrid::new(&values, (1, 6), (1, 1));
    assert_eq!(read(grid()), [0, 255, 101, 0, 255]);
    assert_eq!(read(grid().inverted(true)), [255, 0, 154, 255, 0]);
    let bytes = Tensor::from_slice(&[0_u8, 255, 102, 0, 255, 0]).reshape([1, 6]);
    assert_eq!(
        read(ImageGrid::new(&bytes, (1, 6), (1, 1))),
        [0, 255, 101, 0, 255]
    );
}

#[test]
fn values_far_outside_are_noted() {
    let images = Tensor::full([2, 16], 255.0, (Kind::Float, Device::Cpu));
    let figure = ImageGrid::new(&images, (4, 4), (1, 2)).draw().unwrap();
    assert_eq!(
        figure.notes(),
        ["100 % of the pixels lie far outside of [0, 1] and are drawn black or white."]
    );
}

#[test]
fn the_alternative_text_names_title_rows_and_columns() {
    let images = marked(6, 2, 2);
    let grid = || {
        ImageGrid::new(&images, (2, 2), (2, 3))
            .title("Digits")
            .row_labels(["input", "output"])
            .column_labels(["a", "b", "c"])
            .split_after_column(1)
    };
    assert_eq!(
        grid().draw().unwrap().alt(),
        "Digits: 2 rows of 3 images of 2 × 2 pixels. Rows: input, output. Columns: a, b, c."
    );
    assert_eq!(grid().alt("Mine.").draw().unwrap().alt(), "Mine.");
}

#[test]
fn a_plane_of_codes_grows_to_the_right_and_upwards() {
    let images = marked(9, 4, 4);
    let plane = || {
        ImageGrid::new(&images, (4, 4), (3, 3))
            .x_label("z₁")
            .y_label("z₂")
    };
    let plain = plane().draw().unwrap();
    assert_eq!(
        plain.alt(),
        "3 rows of 3 images of 4 × 4 pixels. From left to right: z₁. From bottom to top: z₂."
    );
    let ranged = plane()
        .x_range(-2.0, 2.0)
        .y_range(-1.5, 1.5)
        .draw()
        .unwrap();
    let words = "From left to right: z₁ from −2 to 2. From bottom to top: z₂ from −1.5 to 1.5.";
    assert!(ranged.alt().ends_with(words), "{}", ranged.alt());
    let (small, large) = (plain.size(), ranged.size());
    assert!(
        large.0 > small.0 && large.1 > small.1,
        "{small:?} and {large:?}"
    );
    let backwards = plane().x_range(2.0, -2.0).draw().unwrap_err().to_string();
    assert!(backwards.contains("lower one first"));
}

#[test]
fn figures_fit_a_notebook_and_are_small() {
    tch::manual_seed(1);
    // Blobs on a background that is as uneven as a decoder's.
    let shape = [120, 1, 28, 28];
    let options = (Kind::Float, Device::Cpu);
    let blobs =
        Tensor::randn(shape, options).f_avg_pool2d([7, 7], [1, 1], [3, 3], false, true, None);
    let images =
        (blobs.unwrap() * 5.0 - 1.0).clamp(0.0, 1.0) + 0.01 * Tensor::randn(shape, options);
    let figure = ImageGrid::new(&images, (28, 28), (10, 12))
        .title("Each digit, its reconstruction, and the same as all ten")
        .column_labels(["x", "x̂", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9"])
        .inverted(true)
        .draw()
        .unwrap();
    let (width, height) = figure.size();
    assert!(
        (500..=760).contains(&width) && (420..=700).contains(&height),
        "{width} × {height}"
    );
    assert!(figure.png().len() < 80_000, "{} bytes", figure.png().len());
}

#[test]
fn bad_input_is_refused_in_a_sentence() {
    let images = marked(4, 3, 3);
    let error = |grid: ImageGrid| grid.draw().unwrap_err().to_string();
    let of = |tensor: &Tensor| error(ImageGrid::new(tensor, (3, 3), (2, 2)));
    assert_eq!(
        of(&marked(4, 3, 4)),
        "the images of a grid must have the shape [N, 9] or [N, 3, 3], \
         but the shape given is [4, 3, 4]"
    );
    assert!(of(&Tensor::zeros([9], (Kind::Float, Device::Cpu))).contains("is [9]"));
    assert!(of(&Tensor::zeros([0, 9], (Kind::Float, Device::Cpu))).contains("nothing to draw"));
    assert!(of(&Tensor::new()).contains("nothing to draw"));
    assert!(of(&Tensor::zeros([4, 9], (Kind::Int64, Device::Cpu))).contains("floats in [0, 1]"));
    let nan = Tensor::from_slice(&[0.0_f32, f32::NAN, 0.0, 0.0]).reshape([1, 4]);
    assert_eq!(
        error(ImageGrid::new(&nan, (2, 2), (1, 1))),
        "the images of a grid hold NaN at position 1: only finite values can be drawn"
    );
    for grid in [(0, 2), (2, 0)] {
        assert!(error(ImageGrid::new(&images, (3, 3), grid)).contains("has no cell"));
    }
    assert!(error(ImageGrid::new(&images, (0, 9), (2, 2))).contains("do not exist"));
    let grid = || ImageGrid::new(&images, (3, 3), (2, 2));
    assert_eq!(
        error(grid().row_labels(["one"])),
        "there are 1 row labels for 2 rows: give one for each"
    );
    assert!(error(grid().column_labels(["a", "b", "c"])).contains("3 column labels for 2 columns"));
    assert!(error(grid().split_after_column(2)).contains("separates nothing"));
    assert!(error(grid().image_size(30_000)).contains("draw fewer or smaller images"));
}
