//! A finished picture.

use std::io::Write as _;
use std::path::Path;

use super::canvas::Canvas;
use super::font::Type;
use super::png_file::Bitmap;
use super::{DENSITY, MOST_PIXELS, PlotError};
use crate::{Error, Result};

/// A finished picture: a PNG and what a page needs to show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    png: Vec<u8>,
    size: (u32, u32),
    title: String,
    alt: String,
    notes: Vec<String>,
}

impl Figure {
    pub(super) fn new(
        bitmap: &Bitmap,
        title: String,
        alt: String,
        notes: Vec<String>,
    ) -> Result<Self> {
        Ok(Self {
            png: bitmap.encode()?,
            size: (bitmap.width / DENSITY, bitmap.height / DENSITY),
            title,
            alt,
            notes,
        })
    }

    /// The PNG's bytes.
    pub fn png(&self) -> &[u8] {
        &self.png
    }

    /// Width and height in CSS pixels; the PNG has twice as many each way.
    pub fn size(&self) -> (u32, u32) {
        self.size
    }

    /// The title that stands above the picture; empty if it has none.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The picture in words, for those who cannot see it.
    pub fn alt(&self) -> &str {
        &self.alt
    }

    /// Sentences about what was not drawn as asked, for instance rows that were added to a grid.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The same picture with another text for those who cannot see it.
    pub fn with_alt(mut self, alt: impl Into<String>) -> Self {
        self.alt = alt.into();
        self
    }

    /// Writes the PNG; a file that is already there is replaced once the new one is complete.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder does not exist or cannot be written to.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        save_whole(path.as_ref(), &self.png)
    }

    /// One picture of several, side by side, under a common title (which may be empty).
    ///
    /// # Errors
    /// If there is none, or the result would be too large.
    pub fn beside(title: &str, figures: &[Figure]) -> Result<Figure> {
        Self::joined(title, figures, false)
    }

    /// One picture of several, one below the other, under a common title (which may be empty).
    ///
    /// # Errors
    /// If there is none, or the result would be too large.
    pub fn stacked(title: &str, figures: &[Figure]) -> Result<Figure> {
        Self::joined(title, figures, true)
    }

    fn joined(title: &str, figures: &[Figure], downwards: bool) -> Result<Figure> {
        if figures.is_empty() {
            return Err(PlotError::Empty("figures to be joined".into()).into());
        }
        let sum =
            |side: fn(&Figure) -> u32| figures.iter().map(|f| u64::from(side(f))).sum::<u64>();
        let most = |side: fn(&Figure) -> u32| {
            figures
                .iter()
                .map(|f| u64::from(side(f)))
                .max()
                .unwrap_or(0)
        };
        let (width, height) = if downwards {
            (most(|f| f.size.0), sum(|f| f.size.1))
        } else {
            (sum(|f| f.size.0), most(|f| f.size.1))
        };
        let lines = Type::TITLE.wrap(title, width as f64 - 2.0 * super::chart::MARGIN);
        let header = super::chart::title_height(lines.len()).ceil() as u64;
        let too_large = PlotError::TooLarge {
            width: width * u64::from(DENSITY),
            height: (height + header) * u64::from(DENSITY),
        };
        let (Ok(wide), Ok(high)) = (u32::try_from(width), u32::try_from(height + header)) else {
            return Err(too_large.into());
        };
        if width * (height + header) * u64::from(DENSITY * DENSITY) > MOST_PIXELS {
            return Err(too_large.into());
        }
        let mut canvas = Canvas::new(wide, high, 1)?;
        super::chart::draw_title(&mut canvas, &lines);
        let mut whole = canvas.finish();
        let (mut x, mut y) = (0, header as u32);
        for figure in figures {
            whole.paste(&Bitmap::decode(&figure.png)?, x * DENSITY, y * DENSITY);
            if downwards {
                y += figure.size.1;
            } else {
                x += figure.size.0;
            }
        }
        let alts: Vec<&str> = figures.iter().map(Figure::alt).collect();
        let alt = match title {
            "" => alts.join(" "),
            title => format!("{title}: {}", alts.join(" ")),
        };
        let notes = figures.iter().flat_map(|f| f.notes.clone()).collect();
        Figure::new(&whole, title.to_owned(), alt, notes)
    }
}

/// Writes a file under a temporary name in its own folder, then renames it.
pub(super) fn save_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |source| Error::Io {
        path: path.to_owned(),
        source,
    };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // A temporary file is its owner's alone; a figure is an ordinary file.
        let ordinary = std::fs::Permissions::from_mode(0o644);
        file.as_file().set_permissions(ordinary).map_err(failed)?;
    }
    file.persist(path).map_err(|e| failed(e.error))?;
    Ok(())
}
