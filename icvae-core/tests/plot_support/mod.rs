//! What the tests of figures share: reading a PNG back.

/// A decoded PNG.
#[allow(dead_code)] // Not every test file asks for the size.
pub struct Picture {
    pub width: u32,
    pub height: u32,
    rgb: Vec<[u8; 3]>,
}

impl Picture {
    pub fn at(&self, x: u32, y: u32) -> [u8; 3] {
        self.rgb[(y * self.width + x) as usize]
    }

    /// How many pixels have a colour within 30 of this one on each channel.
    #[allow(dead_code)] // Not every test file counts pixels.
    pub fn count(&self, color: [u8; 3]) -> usize {
        let near = |p: &&[u8; 3]| (0..3).all(|i| p[i].abs_diff(color[i]) <= 30);
        self.rgb.iter().filter(near).count()
    }
}

pub fn decode(png: &[u8]) -> Picture {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(png));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let dims = reader.info().pixel_dims.unwrap();
    // Two pixels to a CSS pixel, of which 96 make an inch.
    assert_eq!(
        (dims.xppu, dims.yppu, dims.unit),
        (7559, 7559, png::Unit::Meter)
    );
    let mut data = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut data).unwrap();
    let rgb = match info.color_type {
        png::ColorType::Grayscale => data.iter().map(|&v| [v; 3]).collect(),
        png::ColorType::Rgb => data.as_chunks().0.to_vec(),
        other => panic!("a figure has no colour type {other:?}"),
    };
    Picture {
        width: info.width,
        height: info.height,
        rgb,
    }
}
