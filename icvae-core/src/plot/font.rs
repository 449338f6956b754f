//! Text: two embedded typefaces, measured and rasterised.
//!
//! Glyphs are placed here rather than by plotters, whose own text leaves out the space to the left
//! of each glyph.

use std::sync::LazyLock;

use ab_glyph::{Font as _, FontRef, Glyph, PxScale, ScaleFont as _, point};

/// Text first, then the one that fills its gaps (Greek, arrows, indices).
static FACES: LazyLock<Vec<FontRef<'static>>> = LazyLock::new(|| {
    [
        epaint_default_fonts::UBUNTU_LIGHT,
        epaint_default_fonts::HACK_REGULAR,
    ]
    .into_iter()
    .filter_map(|bytes| FontRef::try_from_slice(bytes).ok())
    .collect()
});

/// Size and weight of a piece of text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Type {
    /// Font size in CSS pixels.
    pub size: f64,
    /// How much each stroke is thickened, in CSS pixels: the embedded face has but one, light
    /// weight.
    pub weight: f64,
}

impl Type {
    pub const TITLE: Type = Type {
        size: 17.0,
        weight: 0.5,
    };
    pub const LABEL: Type = Type {
        size: 14.0,
        weight: 0.2,
    };
    pub const TICK: Type = Type {
        size: 12.5,
        weight: 0.2,
    };

    /// Height of a capital letter, in CSS pixels.
    pub fn cap_height(self) -> f64 {
        0.69 * self.size
    }

    /// From one baseline to the next, in CSS pixels.
    pub fn line_height(self) -> f64 {
        1.3 * self.size
    }

    /// Width in CSS pixels.
    pub fn width(self, text: &str) -> f64 {
        self.place(text, 1.0).1
    }

    /// Breaks `text` between words into lines of at most `width` CSS pixels where words allow it.
    pub fn wrap(self, text: &str, width: f64) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for word in text.split_whitespace() {
            match lines.last_mut() {
                Some(line) if self.width(&format!("{line} {word}")) <= width => {
                    line.push(' ');
                    line.push_str(word);
                }
                _ => lines.push(word.to_owned()),
            }
        }
        lines
    }

    /// Calls `ink(x, y, coverage)` for each pixel that the text touches, with the baseline's left
    /// end at (0, 0) and `scale` pixels to a CSS pixel.
    pub fn rasterise(self, text: &str, scale: f64, mut ink: impl FnMut(i32, i32, f32)) {
        for (face, glyph) in self.place(text, scale).0 {
            let Some(outline) = face.outline_glyph(glyph) else {
                continue;
            };
            let bounds = outline.px_bounds();
            outline.draw(|x, y, coverage| {
                ink(
                    bounds.min.x as i32 + x as i32,
                    bounds.min.y as i32 + y as i32,
                    coverage,
                );
            });
        }
    }

    /// The glyphs of `text` with their positions, and the text's width.
    fn place(self, text: &str, scale: f64) -> (Vec<(&'static FontRef<'static>, Glyph)>, f64) {
        let (mut pen, mut last_advance) = (0.0_f32, 0.0);
        let mut before: Option<(usize, ab_glyph::GlyphId)> = None;
        let mut glyphs = Vec::new();
        for c in text.chars() {
            let (c, over) = match c {
                // The faces have accents only as characters of their own, to be set above the
                // letter before.
                '\u{302}' => ('ˆ', true),
                '\u{303}' => ('˜', true),
                '\u{304}' | '\u{305}' => ('ˉ', true),
                c => (c, false),
            };
            let has_glyph = |face: &FontRef<'_>| face.glyph_id(c).0 != 0;
            let Some(index) = FACES
                .iter()
                .position(has_glyph)
                .or(FACES.len().checked_sub(1))
            else {
                continue;
            };
            let face = &FACES[index];
            let em = face.height_unscaled() / face.units_per_em().unwrap_or(1000.0);
            let px = PxScale::from((self.size * scale) as f32 * em);
            let scaled = face.as_scaled(px);
            let id = scaled.glyph_id(c);
            if over {
                let x = pen - (last_advance + scaled.h_advance(id)) / 2.0;
                glyphs.push((face, id.with_scale_and_position(px, point(x, 0.0))));
                continue;
            }
            if let Some((other, last)) = before
                && other == index
            {
                pen += scaled.kern(last, id);
            }
            glyphs.push((face, id.with_scale_and_position(px, point(pen, 0.0))));
            last_advance = scaled.h_advance(id);
            pen += last_advance;
            before = Some((index, id));
        }
        (glyphs, f64::from(pen))
    }
}
