//! Bitmaps and PNG: as few bits a pixel as the picture allows.

use std::collections::HashMap;

use super::{DENSITY, PlotError, Rgb};

/// Pixels a metre that stand for one CSS pixel (96 an inch).
const CSS_PIXELS_PER_METRE: f64 = 96.0 / 0.0254;

/// How far a colour may move, in units of 1/255 along each axis, so that a picture fits a palette.
const PALETTE_TOLERANCE: u8 = 20;

/// Finished pixels.
#[derive(Debug, Clone)]
pub(super) struct Bitmap {
    pub width: u32,
    pub height: u32,
    /// Red, green, blue; row-major.
    pub rgb: Vec<u8>,
}

impl Bitmap {
    /// Copies `other` so that its upper left corner lies at (`x`, `y`); it must fit.
    pub fn paste(&mut self, other: &Bitmap, x: u32, y: u32) {
        let bytes = other.width as usize * 3;
        for (row, line) in other.rgb.chunks_exact(bytes).enumerate() {
            let start = ((y as usize + row) * self.width as usize + x as usize) * 3;
            self.rgb[start..start + bytes].copy_from_slice(line);
        }
    }

    /// The PNG: greyscale where the picture is grey, else a palette of up to 256 colours where that hardly moves
    /// a colour, else RGB.
    pub fn encode(&self) -> Result<Vec<u8>, PlotError> {
        if self
            .rgb
            .chunks_exact(3)
            .all(|p| p[0] == p[1] && p[1] == p[2])
        {
            let grey: Vec<u8> = self.rgb.chunks_exact(3).map(|p| p[0]).collect();
            return self.write(png::ColorType::Grayscale, None, &grey);
        }
        match self.palette() {
            Some((palette, indices)) => {
                self.write(png::ColorType::Indexed, Some(palette), &indices)
            }
            None => self.write(png::ColorType::Rgb, None, &self.rgb),
        }
    }

    /// The palette of the commonest colours, and each pixel's entry in it; `None` where a colour has no near
    /// relative among them.
    fn palette(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        let mut counts: HashMap<[u8; 3], u32> = HashMap::new();
        for p in self.rgb.chunks_exact(3) {
            *counts.entry([p[0], p[1], p[2]]).or_default() += 1;
        }
        let mut colors: Vec<([u8; 3], u32)> = counts.into_iter().collect();
        // The colour itself breaks ties, so that the same picture always gives the same file.
        colors.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        let kept: Vec<[u8; 3]> = colors.iter().take(256).map(|c| c.0).collect();
        let mut index = HashMap::with_capacity(colors.len());
        for (place, (color, _)) in colors.iter().enumerate() {
            let place = match u8::try_from(place) {
                Ok(place) => place,
                Err(_) => nearest(&kept, *color)?,
            };
            index.insert(*color, place);
        }
        let indices = self.rgb.chunks_exact(3).map(|p| index[&[p[0], p[1], p[2]]]);
        Some((kept.concat(), indices.collect()))
    }

    fn write(
        &self,
        color: png::ColorType,
        palette: Option<Vec<u8>>,
        data: &[u8],
    ) -> Result<Vec<u8>, PlotError> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width, self.height);
        encoder.set_color(color);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::High);
        encoder.set_filter(png::Filter::NoFilter);
        if let Some(palette) = palette {
            encoder.set_palette(palette);
        }
        let per_metre = (CSS_PIXELS_PER_METRE * f64::from(DENSITY)).round() as u32;
        encoder.set_pixel_dims(Some(png::PixelDimensions {
            xppu: per_metre,
            yppu: per_metre,
            unit: png::Unit::Meter,
        }));
        let failed = |e: png::EncodingError| PlotError::Png(e.to_string());
        let mut writer = encoder.write_header().map_err(failed)?;
        writer.write_image_data(data).map_err(failed)?;
        writer.finish().map_err(failed)?;
        Ok(bytes)
    }

    /// Reads a PNG that [`Bitmap::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self, PlotError> {
        let failed = |e: png::DecodingError| PlotError::Png(e.to_string());
        let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().map_err(failed)?;
        let size = reader
            .output_buffer_size()
            .ok_or_else(|| PlotError::Png("it is too large to be read".into()))?;
        let mut data = vec![0; size];
        let info = reader.next_frame(&mut data).map_err(failed)?;
        let rgb = match info.color_type {
            png::ColorType::Grayscale => data.iter().flat_map(|&v| [v; 3]).collect(),
            _ => data,
        };
        Ok(Self {
            width: info.width,
            height: info.height,
            rgb,
        })
    }
}

/// The entry of `palette` closest to `color`, if it is close enough.
fn nearest(palette: &[[u8; 3]], color: [u8; 3]) -> Option<u8> {
    let apart = |p: &[u8; 3]| (0..3).map(|i| p[i].abs_diff(color[i])).max().unwrap_or(0);
    let best = (0..palette.len()).min_by_key(|&i| apart(&palette[i]))?;
    (apart(&palette[best]) <= PALETTE_TOLERANCE).then(|| best.try_into().ok())?
}

impl From<Rgb> for [u8; 3] {
    fn from(color: Rgb) -> Self {
        [color.0, color.1, color.2]
    }
}
