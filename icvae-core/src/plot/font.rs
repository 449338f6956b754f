//! Text: two embedded typefaces, measured and rasterised.

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

/// Height of a capital letter, in ems.
pub(super) const CAP_HEIGHT: f64 = 0.69;

/// How much each stroke is thickened, in ems: the embedded face has but one, light weight.
const WEIGHT: f64 = 0.0145;
const BOLD: f64 = 0.03;

/// Width of a text whose em is so many units long, in these units.
pub(super) fn width(text: &str, em: f64) -> f64 {
    // Measured large: hinting at small sizes would make the width a matter of scale.
    place(text, 1000.0).1 * em / 1000.0
}

/// Breaks `text` between words into lines of at most `most` units where words allow it.
pub(super) fn wrap(text: &str, em: f64, most: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(&format!("{line} {word}"), em) <= most => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Calls `ink(x, y, coverage)` for each pixel that the text touches, with the baseline's left end at (0, 0) and an
/// em of so many pixels.
pub(super) fn rasterise(text: &str, em: f64, bold: bool, mut ink: impl FnMut(i32, i32, f32)) {
    // Strokes are thickened by drawing them again, a little to the right.
    let weight = em * if bold { BOLD } else { WEIGHT };
    for (face, glyph) in place(text, em).0 {
        let Some(outline) = face.outline_glyph(glyph) else {
            continue;
        };
        let bounds = outline.px_bounds();
        let (left, top) = (bounds.min.x as i32, bounds.min.y as i32);
        outline.draw(|x, y, coverage| {
            for copy in 0..=weight.ceil() as i32 {
                let share = (weight - f64::from(copy - 1)).clamp(0.0, 1.0) as f32;
                ink(left + x as i32 + copy, top + y as i32, coverage * share);
            }
        });
    }
}

/// The glyphs of `text` with their positions, and the text's width.
fn place(text: &str, em: f64) -> (Vec<(&'static FontRef<'static>, Glyph)>, f64) {
    let (mut pen, mut last_advance) = (0.0_f32, 0.0);
    let mut before: Option<(usize, ab_glyph::GlyphId)> = None;
    let mut glyphs = Vec::new();
    for c in text.chars() {
        let (c, over) = match c {
            // The faces have accents only as characters of their own, to be set above the letter before.
            '\u{302}' => ('ˆ', true),
            '\u{303}' => ('˜', true),
            '\u{304}' | '\u{305}' => ('ˉ', true),
            c => (c, false),
        };
        let has_glyph = |face: &FontRef<'_>| face.glyph_id(c).0 != 0;
        let found = FACES.iter().position(has_glyph);
        let Some(index) = found.or(FACES.len().checked_sub(1)) else {
            continue;
        };
        let face = &FACES[index];
        let to_px = face.height_unscaled() / face.units_per_em().unwrap_or(1000.0);
        let px = PxScale::from(em as f32 * to_px);
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
