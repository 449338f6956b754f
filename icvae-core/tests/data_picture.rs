//! Images of one's own in the form of MNIST.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use icvae_core::data::{picture, synthetic};
use icvae_core::tch::{Device, Kind, Tensor};

/// Where the ink of an image is: centre of mass (row, column) and the sides of the box around it.
fn place(image: &Tensor) -> ((f64, f64), (i64, i64)) {
    let image = image.view([28, 28]).to_kind(Kind::Double);
    let mass = image.sum(Kind::Double);
    let middles = Tensor::arange(28, (Kind::Double, Device::Cpu)) + 0.5;
    let along = |dim: i64| {
        let marginal = image.sum_dim_intlist(1 - dim, false, Kind::Double);
        let center = ((&marginal * &middles).sum(Kind::Double) / &mass).double_value(&[]);
        let inked = marginal.gt(0.05).nonzero();
        let extent = (inked.max() - inked.min()).int64_value(&[]) + 1;
        (center, extent)
    };
    let ((y, height), (x, width)) = (along(0), along(1));
    ((y, x), (height, width))
}

fn zeros(rows: i64, columns: i64) -> Tensor {
    Tensor::zeros([rows, columns], (Kind::Float, Device::Cpu))
}

#[test]
fn a_digit_fills_twenty_pixels_and_is_balanced_in_the_middle() {
    // A seven, off-centre and of any size.
    for (rows, columns, unit) in [(50, 40, 5), (400, 600, 40), (20, 15, 2)] {
        let drawn = zeros(rows, columns);
        let bar = |top: i64, left: i64, height: i64, width: i64| {
            let _ = drawn
                .narrow(0, top, height)
                .narrow(1, left, width)
                .fill_(0.7);
        };
        bar(unit, unit, unit, 5 * unit);
        bar(unit, 5 * unit, 8 * unit, unit);
        let image = picture::like_mnist(&drawn).unwrap();
        assert_eq!((image.size(), image.kind()), (vec![1, 784], Kind::Float));
        assert_eq!(image.max().double_value(&[]), 1.0);
        let ((y, x), (height, width)) = place(&image);
        assert!(
            (y - 14.0).abs() <= 0.51 && (x - 14.0).abs() <= 0.51,
            "{y} {x}"
        );
        assert!((20..=21).contains(&height), "{height}");
        assert!((12..=14).contains(&width), "5/8 of 20, {width}");
    }
}

#[test]
fn what_has_the_form_already_stays_as_it_is() {
    let (digits, _) = synthetic::draw(30, 3).unwrap();
    let mut changed = Vec::new();
    for i in 0..30 {
        let once = picture::like_mnist(&digits.x().get(i).view([28, 28])).unwrap();
        let twice = picture::like_mnist(&once.view([28, 28])).unwrap();
        changed.push((twice - once).abs().mean(Kind::Float).double_value(&[]));
    }
    let unchanged = changed.iter().filter(|&&by| by < 1e-6).count();
    assert!(unchanged >= 10, "{changed:?}");
    assert!(changed.iter().all(|&by| by < 0.05), "{changed:?}");
}

fn write(path: &Path, color: png::ColorType, size: (u32, u32), bytes: &[u8]) {
    let file = std::fs::File::create(path).unwrap();
    let mut encoder = png::Encoder::new(file, size.0, size.1);
    encoder.set_color(color);
    encoder.set_depth(png::BitDepth::Eight);
    encoder
        .write_header()
        .unwrap()
        .write_image_data(bytes)
        .unwrap();
}

#[test]
fn a_png_gives_the_same_digit_in_every_colouring() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.png");
    let inked = |x: u32, y: u32| (20..26).contains(&x) && (10..50).contains(&y);
    let pixels = || (0..60 * 40).map(|i| (i % 40, i / 40));
    let expected = {
        let ink: Vec<f32> = pixels()
            .map(|(x, y)| f32::from(u8::from(inked(x, y))))
            .collect();
        picture::like_mnist(&Tensor::from_slice(&ink).view([60, 40])).unwrap()
    };
    let grey = |on: u8, off: u8| -> Vec<u8> {
        pixels()
            .map(|(x, y)| if inked(x, y) { on } else { off })
            .collect()
    };
    let rgba: Vec<u8> = pixels()
        .flat_map(|(x, y)| {
            if inked(x, y) {
                [0, 0, 0, 255]
            } else {
                [0, 0, 0, 0]
            }
        })
        .collect();
    let size = (40, 60);
    for (color, bytes) in [
        (png::ColorType::Grayscale, grey(255, 0)),
        (png::ColorType::Grayscale, grey(0, 255)),
        (png::ColorType::Grayscale, grey(10, 250)),
        (
            png::ColorType::Rgb,
            grey(0, 255).iter().flat_map(|&v| [v, v, v]).collect(),
        ),
        (png::ColorType::Rgba, rgba),
    ] {
        write(&path, color, size, &bytes);
        let found = picture::from_png(&path).unwrap();
        assert!(found.allclose(&expected, 1e-3, 1e-3, false), "{color:?}");
    }
}

#[test]
fn what_is_no_digit_is_refused_in_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("picture.png");
    let says = |result: icvae_core::Result<Tensor>, words: &str| {
        let text = result.unwrap_err().to_string();
        assert!(
            text.contains(words) && !text.contains('\n'),
            "{text:?}: {words:?}"
        );
    };
    says(picture::from_png(&path), "picture.png");
    std::fs::write(&path, "GIF89a").unwrap();
    says(picture::from_png(&path), "is no PNG that can be read");
    write(&path, png::ColorType::Grayscale, (8, 8), &[255; 64]);
    says(picture::from_png(&path), "the picture is empty");
    says(picture::like_mnist(&zeros(5, 5)), "the picture is empty");
    says(picture::like_mnist(&zeros(5, 5).get(0)), "[rows, columns]");
    says(picture::like_mnist(&(zeros(5, 5) / 0.0)), "not finite");
}
