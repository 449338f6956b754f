//! Animations, read back frame by frame.

#![allow(clippy::unwrap_used)]

use icvae_core::plot::{Animation, Figure, ImageGrid, Scatter};
use icvae_core::tch::{Device, Kind, Tensor};

/// The frames of a GIF as they are seen: each laid over the one before; with their delays in 1/100 s.
fn seen(gif: &[u8]) -> Vec<(Vec<[u8; 3]>, u16)> {
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    let mut decoder = options.read_info(gif).unwrap();
    assert_eq!(decoder.repeat(), gif::Repeat::Infinite);
    let (width, height) = (decoder.width() as usize, decoder.height() as usize);
    let mut canvas = vec![[1, 2, 3]; width * height];
    let mut frames = Vec::new();
    while let Some(frame) = decoder.read_next_frame().unwrap() {
        let columns = frame.width as usize;
        for (i, rgba) in frame.buffer.chunks_exact(4).enumerate() {
            let x = frame.left as usize + i % columns;
            let y = frame.top as usize + i / columns;
            if rgba[3] > 0 {
                canvas[y * width + x] = [rgba[0], rgba[1], rgba[2]];
            }
        }
        frames.push((canvas.clone(), frame.delay));
    }
    frames
}

/// The pixels of a figure at one pixel to a CSS pixel.
fn halved(figure: &Figure) -> Vec<[u8; 3]> {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(figure.png()));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut data = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut data).unwrap();
    let channels = data.len() / (info.width * info.height) as usize;
    let at = |x: usize, y: usize, c: usize| {
        let c = if channels == 1 { 0 } else { c };
        u32::from(data[(y * info.width as usize + x) * channels + c])
    };
    let (width, height) = (info.width as usize / 2, info.height as usize / 2);
    let places = (0..width * height).map(|i| (2 * (i % width), 2 * (i / width)));
    places
        .map(|(x, y)| {
            [0, 1, 2].map(|c| {
                let sum = at(x, y, c) + at(x + 1, y, c) + at(x, y + 1, c) + at(x + 1, y + 1, c);
                (sum / 4) as u8
            })
        })
        .collect()
}

fn furthest(found: &[[u8; 3]], expected: &[[u8; 3]]) -> u8 {
    assert_eq!(found.len(), expected.len());
    let apart = |(a, b): (&[u8; 3], &[u8; 3])| (0..3).map(|i| a[i].abs_diff(b[i])).max();
    found.iter().zip(expected).filter_map(apart).max().unwrap()
}

#[test]
fn grey_frames_come_back_to_within_half_a_step_of_grey() {
    let grid = |level: f64| {
        let images = Tensor::arange(48, (Kind::Float, Device::Cpu)).view([4, 12]) / 47.0 * level;
        ImageGrid::new(&images, (4, 3), (2, 2)).draw().unwrap()
    };
    // The second is the first once more: nothing changes.
    let frames = [grid(1.0), grid(1.0), grid(0.3), grid(0.9)];
    let animation = Animation::new("Fading", &frames, 0.1).unwrap();
    assert_eq!(animation.size(), frames[0].size());
    let seen = seen(animation.gif());
    assert_eq!(seen.len(), 4);
    for (i, ((found, delay), figure)) in seen.iter().zip(&frames).enumerate() {
        let off = furthest(found, &halved(figure));
        assert!(off <= 9, "frame {i} is off by {off}");
        assert_eq!(*delay, if i == 3 { 100 } else { 10 });
    }
    assert!(animation.alt().contains("4 frames"));
}

#[test]
fn coloured_frames_come_back_in_their_colours() {
    let labels = Tensor::arange(60, (Kind::Int64, Device::Cpu)).remainder(10);
    let plot = |turn: f64| {
        let angle = Tensor::arange(60, (Kind::Float, Device::Cpu)) / 9.0 + turn;
        let xy = Tensor::stack(&[angle.cos(), angle.sin()], 1);
        Scatter::by_class(&xy, &labels, 10)
            .x_limits(-1.2, 1.2)
            .y_limits(-1.2, 1.2)
            .size(360, 360)
            .legend(false)
            .title(format!("turned by {turn}"))
            .draw()
            .unwrap()
    };
    let frames: Vec<_> = [0.0, 0.5, 1.0].map(plot).into();
    let animation = Animation::new("A wheel", &frames, 0.2).unwrap();
    for (i, ((found, _), figure)) in seen(animation.gif()).iter().zip(&frames).enumerate() {
        let expected = halved(figure);
        let apart = |(a, b): (&[u8; 3], &[u8; 3])| (0..3).any(|i| a[i].abs_diff(b[i]) > 28);
        let off = found
            .iter()
            .zip(&expected)
            .filter(|&pair| apart(pair))
            .count();
        assert!(off * 500 < expected.len(), "frame {i}: {off} pixels off");
    }
    // The second and third frame hold only what moves.
    let one = Animation::new("One", &frames[..1], 0.2).unwrap();
    assert!(animation.gif().len() < 3 * one.gif().len());

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wheel.gif");
    animation.save(&path).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), animation.gif());
}

#[test]
fn what_makes_no_animation_is_refused_in_one_sentence() {
    let images = Tensor::zeros([4, 12], (Kind::Float, Device::Cpu));
    let small = ImageGrid::new(&images, (4, 3), (2, 2)).draw().unwrap();
    let large = ImageGrid::new(&images, (4, 3), (2, 2))
        .title("with a title")
        .draw()
        .unwrap();
    let says = |frames: &[Figure], seconds: f64, words: &str| {
        let error = Animation::new("No", frames, seconds)
            .unwrap_err()
            .to_string();
        assert!(error.contains(words) && !error.contains('\n'), "{error}");
    };
    says(&[], 0.1, "frames of an animation hold nothing");
    says(&[large, small.clone()], 0.1, "frame 0 of an animation has");
    says(&[small], f64::NAN, "stays NaN s");
}
