//! Bitmaps and PNG: as few bits a pixel as the picture allows.

use std::collections::HashMap;

use super::{DENSITY, PlotError, Rgb};

/// Pixels a metre that stand for one CSS pixel (96 an inch).
const CSS_PIXELS_PER_METRE: f64 = 96.0 / 0.0254;

/// A colour is common if it fills one of so many pixels.
const COMMON: usize = 10_000;

/// How far apart, in 1/255 of each channel, rare colours may be to share an entry of a palette.
const NEAR: u8 = 14;

/// No palette is used if more than one of so many pixels would change visibly.
const FEW: usize = 2_000;

/// Finished pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bitmap {
    pub width: u32,
    pub height: u32,
    /// Red, green, blue; row-major.
    pub rgb: Vec<u8>,
}

impl Bitmap {
    /// A white one.
    pub fn white(width: u32, height: u32) -> Self {
        Self {
            width,
            height,
            rgb: vec![255; width as usize * height as usize * 3],
        }
    }

    /// Copies `other` so that its upper left corner lies at (`x`, `y`); it must fit.
    pub fn paste(&mut self, other: &Bitmap, x: u32, y: u32) {
        let bytes = other.width as usize * 3;
        for (row, line) in other.rgb.chunks_exact(bytes).enumerate() {
            let start = ((y as usize + row) * self.width as usize + x as usize) * 3;
            self.rgb[start..start + bytes].copy_from_slice(line);
        }
    }

    /// The PNG: greyscale where the picture is grey, else a palette of up to 256 colours where that
    /// hardly moves a colour, else RGB.
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

    /// A palette of up to 256 colours and each pixel's entry in it; `None` where that would change
    /// the picture.
    fn palette(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        // Where many colours are common, those that no eye tells apart share an entry.
        [0, 6].into_iter().find_map(|apart| {
            let (palette, indices, changed) = self.nearest_palette(256, apart);
            (changed * FEW <= indices.len()).then_some((palette, indices))
        })
    }

    /// A palette of up to so many colours, each pixel's nearest entry in it, and how many pixels that
    /// changes visibly.
    ///
    /// Common colours are in it as they are, if they differ by more than `least` from each other; of the many
    /// rare ones at the smooth edges of shapes, only some that differ well from each other.
    pub fn nearest_palette(&self, most: usize, least: u8) -> (Vec<u8>, Vec<u8>, usize) {
        let (pixels, _) = self.rgb.as_chunks::<3>();
        // Neighbours are mostly equal: whole runs are counted and looked up at once.
        let runs = || {
            pixels
                .chunk_by(|a, b| a == b)
                .map(|run| (run[0], run.len()))
        };
        let mut counts: HashMap<[u8; 3], usize> = HashMap::new();
        for (color, length) in runs() {
            *counts.entry(color).or_default() += length;
        }
        let mut colors: Vec<([u8; 3], usize)> = counts.into_iter().collect();
        // The colour itself breaks ties, so that the same picture always gives the same file.
        colors.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        let mut palette: Vec<[u8; 3]> = Vec::with_capacity(most);
        let mut index = HashMap::with_capacity(colors.len());
        let mut changed = 0;
        for &(color, count) in &colors {
            let closest = nearest(&palette, color);
            let common = count * COMMON >= pixels.len();
            let place = match closest {
                Some((place, apart))
                    if palette.len() == most || apart <= if common { least } else { NEAR } =>
                {
                    if apart > 2 * NEAR {
                        changed += count;
                    }
                    place
                }
                _ => {
                    palette.push(color);
                    palette.len() - 1
                }
            };
            index.insert(color, place as u8);
        }
        let indices = runs().flat_map(|(color, length)| std::iter::repeat_n(index[&color], length));
        (palette.concat(), indices.collect(), changed)
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
        encoder.set_compression(png::Compression::Balanced);
        // Indices into a palette are no quantities: their differences say nothing.
        encoder.set_filter(match palette {
            Some(_) => png::Filter::NoFilter,
            None => png::Filter::Adaptive,
        });
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
}

/// The entry of `palette` closest to `color`, and how far its furthest channel is.
fn nearest(palette: &[[u8; 3]], color: [u8; 3]) -> Option<(usize, u8)> {
    let apart = |p: &[u8; 3]| {
        let [r, g, b] = [0, 1, 2].map(|i| p[i].abs_diff(color[i]));
        r.max(g).max(b)
    };
    palette
        .iter()
        .map(apart)
        .enumerate()
        .min_by_key(|entry| entry.1)
}

impl From<Rgb> for [u8; 3] {
    fn from(color: Rgb) -> Self {
        [color.0, color.1, color.2]
    }
}
