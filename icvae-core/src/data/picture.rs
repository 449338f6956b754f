//! Images of one's own, brought into the form of MNIST.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use tch::{Kind, Tensor};

use crate::{Error, Result};

/// Rows and columns of an image of MNIST, and of the box that the digit is fitted into.
const SIDE: usize = 28;
const BOX: f64 = 20.0;
/// A picture larger than this is a photograph, not a digit.
const LARGEST: u32 = 4096;
/// Ink below this share of the strongest is the ground's, not the digit's.
const GROUND: f32 = 0.1;

/// An image of one's own from a PNG file, as MNIST would hold it: float `[1, 784]` in [0, 1], white on black.
///
/// See [`like_mnist`] for what is done to it. A picture whose edges are bright is taken as ink on paper, and
/// inverted; transparent pixels are paper.
///
/// # Errors
/// If the file can't be read, is no PNG, is larger than 4096 pixels, or is empty of ink.
pub fn from_png(path: impl AsRef<Path>) -> Result<Tensor> {
    let path = path.as_ref();
    let wrong = |problem: String| Error::Invalid(format!("{} {problem}", path.display()));
    let file = File::open(path).map_err(|source| Error::Io {
        path: path.to_owned(),
        source,
    })?;
    let mut decoder = png::Decoder::new(BufReader::new(file));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let no_png = |error: png::DecodingError| wrong(format!("is no PNG that can be read: {error}"));
    let mut reader = decoder.read_info().map_err(no_png)?;
    let (width, height) = (reader.info().width, reader.info().height);
    if width > LARGEST || height > LARGEST {
        return Err(wrong(format!(
            "has {width}×{height} pixels: crop or shrink it to {LARGEST} at most"
        )));
    }
    let size = reader
        .output_buffer_size()
        .ok_or_else(|| wrong("is too large for this machine".into()))?;
    let mut bytes = vec![0; size];
    let frame = reader.next_frame(&mut bytes).map_err(no_png)?;
    let channels = frame.color_type.samples();
    let grey = bytes[..frame.buffer_size()]
        .chunks_exact(channels)
        .map(|pixel| {
            let at = |i: usize| f32::from(pixel[i]) / 255.0;
            let (bright, alpha) = match channels {
                1 => (at(0), 1.0),
                2 => (at(0), at(1)),
                3 => (0.299 * at(0) + 0.587 * at(1) + 0.114 * at(2), 1.0),
                _ => (0.299 * at(0) + 0.587 * at(1) + 0.114 * at(2), at(3)),
            };
            (bright, alpha)
        })
        .collect::<Vec<_>>();
    // What is transparent is the ground, whether that is white or black.
    let (rows, columns) = (height as usize, width as usize);
    let edge: Vec<f32> = (0..rows * columns)
        .filter(|i| {
            let (y, x) = (i / columns, i % columns);
            y == 0 || x == 0 || y + 1 == rows || x + 1 == columns
        })
        .map(|i| grey[i])
        .filter(|&(_, alpha)| alpha > 0.5)
        .map(|(bright, _)| bright)
        .collect();
    let paper = if edge.is_empty() {
        grey.iter()
            .map(|(bright, alpha)| bright * alpha)
            .sum::<f32>()
            < 0.5 * grey.iter().map(|(_, alpha)| alpha).sum::<f32>()
    } else {
        edge.iter().sum::<f32>() / edge.len() as f32 > 0.5
    };
    let ink: Vec<f32> = grey
        .iter()
        .map(|&(bright, alpha)| alpha * if paper { 1.0 - bright } else { bright })
        .map(|ink| if ink < GROUND { 0.0 } else { ink })
        .collect();
    let ink = Tensor::f_from_slice(&ink)?.f_view([i64::from(height), i64::from(width)])?;
    like_mnist(&ink).map_err(|error| wrong(format!("can't be used: {error}")))
}

/// A picture of a digit, `[rows, columns]` of any size with bright ink on a dark ground, as MNIST would hold it:
/// float `[1, 784]` in [0, 1].
///
/// As LeCun, Cortes and Burges did: the digit is scaled to fit a box of 20×20 pixels without changing its
/// proportions, each pixel the mean of what it covers, and set into 28×28 pixels with its centre of mass in the
/// middle. The brightest pixel becomes 1.
///
/// ```
/// # fn main() -> icvae_core::Result<()> {
/// use icvae_core::{data::picture, tch::{Device, Kind, Tensor}};
///
/// let bar = Tensor::zeros([100, 60], (Kind::Float, Device::Cpu));
/// let _ = bar.narrow(0, 10, 80).narrow(1, 5, 8).fill_(1.0);
/// let image = picture::like_mnist(&bar)?.view([28, 28]);
/// assert_eq!(image.double_value(&[14, 14]), 1.0);
/// assert_eq!(image.double_value(&[14, 5]), 0.0);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// If the picture is no matrix of finite numbers, or has no ink.
pub fn like_mnist(picture: &Tensor) -> Result<Tensor> {
    let [rows, columns] = picture.size()[..] else {
        return Err(Error::Shape {
            what: "the picture",
            expected: "[rows, columns]".into(),
            found: picture.size(),
        });
    };
    let device = picture.device();
    let (rows, columns) = (rows as usize, columns as usize);
    let ink = picture
        .detach()
        .to_device(tch::Device::Cpu)
        .to_kind(Kind::Float)
        .contiguous();
    let mut ink = Vec::<f32>::try_from(ink.flatten(0, -1))?;
    if ink.iter().any(|value| !value.is_finite()) {
        return Err(Error::Invalid(
            "the picture holds a number that is not finite".into(),
        ));
    }
    let brightest = ink.iter().fold(0.0_f32, |a, &b| a.max(b));
    if brightest <= 0.0 {
        return Err(Error::Invalid(
            "the picture is empty: its ink must be brighter than its ground, which is 0".into(),
        ));
    }
    for value in &mut ink {
        *value = (*value / brightest).max(0.0);
    }
    let inked = |along: usize, across: usize, at: &dyn Fn(usize, usize) -> f32| {
        let any = |i: &usize| (0..across).any(|j| at(*i, j) >= GROUND);
        let first = (0..along).find(any).unwrap_or(0);
        let last = (0..along).rev().find(any).unwrap_or(0);
        (first as f64, (last + 1) as f64)
    };
    let (top, bottom) = inked(rows, columns, &|y, x| ink[y * columns + x]);
    let (left, right) = inked(columns, rows, &|x, y| ink[y * columns + x]);
    // Pixels of the picture that one of the image's covers.
    let step = ((bottom - top).max(right - left) / BOX).max(f64::MIN_POSITIVE);
    let (mut mass, mut y_mass, mut x_mass) = (0.0, 0.0, 0.0);
    for (i, &value) in ink.iter().enumerate() {
        mass += f64::from(value);
        y_mass += f64::from(value) * ((i / columns) as f64 + 0.5);
        x_mass += f64::from(value) * ((i % columns) as f64 + 0.5);
    }
    let middle = SIDE as f64 / 2.0;
    // Whole pixels of the image, so that a picture that has this form already stays as it is.
    let origin =
        |mass_at: f64, first: f64| first + ((mass_at - first) / step - middle).round() * step;
    let (y0, x0) = (origin(y_mass / mass, top), origin(x_mass / mass, left));
    let covered = |from: f64, length: usize| -> Vec<(usize, f64)> {
        let (low, high) = (from.max(0.0), (from + step).min(length as f64));
        let pixels = low.floor() as usize..(high.ceil().max(0.0) as usize).min(length);
        pixels
            .map(|i| (i, (high.min(i as f64 + 1.0) - low.max(i as f64)).max(0.0)))
            .collect()
    };
    let mut image = vec![0.0_f32; SIDE * SIDE];
    for (i, pixel) in image.iter_mut().enumerate() {
        let across = covered(x0 + (i % SIDE) as f64 * step, columns);
        for (y, share_y) in covered(y0 + (i / SIDE) as f64 * step, rows) {
            for &(x, share_x) in &across {
                *pixel += ink[y * columns + x] * (share_y * share_x / (step * step)) as f32;
            }
        }
    }
    let brightest = image.iter().fold(f32::MIN_POSITIVE, |a, &b| a.max(b));
    image.iter_mut().for_each(|value| *value /= brightest);
    Ok(Tensor::f_from_slice(&image)?
        .f_view([1, -1])?
        .to_device(device))
}
