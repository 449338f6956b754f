//! The pen: a path to grey pixels, by the distance of each pixel from the line, with a soft edge.

use super::SIDE;
use super::hand::Point;

/// Over how many pixels the ink fades out at the edge of a line.
pub(super) const EDGE: f32 = 1.35;

/// Draws the strokes onto a black image `[SIDE × SIDE]`.
pub(super) fn draw(strokes: &[Vec<Point>], ink: f32, image: &mut [u8]) {
    let mut cover = [0.0_f32; SIDE * SIDE];
    for stroke in strokes {
        for pair in stroke.windows(2) {
            segment(&pair[0], &pair[1], &mut cover);
        }
    }
    for (pixel, cover) in image.iter_mut().zip(cover) {
        *pixel = (255.0 * ink * cover).round() as u8;
    }
}

/// Inks the pixels near the line from `a` to `b`; where lines cross, the darker counts.
fn segment(a: &Point, b: &Point, cover: &mut [f32; SIDE * SIDE]) {
    let reach = a.radius.max(b.radius) + EDGE;
    let (dx, dy) = (b.x - a.x, b.y - a.y);
    let length2 = (dx * dx + dy * dy).max(f32::EPSILON);
    for row in pixels(a.y.min(b.y) - reach, a.y.max(b.y) + reach) {
        for column in pixels(a.x.min(b.x) - reach, a.x.max(b.x) + reach) {
            let (x, y) = (column as f32 + 0.5 - a.x, row as f32 + 0.5 - a.y);
            let t = ((x * dx + y * dy) / length2).clamp(0.0, 1.0);
            let distance = (x - t * dx).hypot(y - t * dy);
            let radius = a.radius + t * (b.radius - a.radius);
            let inside = ((radius - distance) / EDGE + 0.5).clamp(0.0, 1.0);
            let soft = inside * inside * (3.0 - 2.0 * inside);
            let pixel = &mut cover[row * SIDE + column];
            *pixel = pixel.max(soft);
        }
    }
}

/// The pixels whose centres may lie between two coordinates.
fn pixels(from: f32, to: f32) -> std::ops::Range<usize> {
    from.floor().max(0.0) as usize..(to.ceil().max(0.0) as usize).min(SIDE)
}
