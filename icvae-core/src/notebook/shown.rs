//! How the crate's own values show as the last expression of a cell.

use notebook_live::{Bundle, Rich, display};

use crate::data::Digits;
use crate::plot::{Animation, Figure};
use crate::train::Outcome;

impl Rich for Figure {
    /// The picture, its alternative text, and what the figure has to say besides.
    fn rich(&self) -> Bundle {
        let png = Bundle::png(self.png(), self.size(), self.alt());
        match self.svg() {
            Some(svg) => png.and_svg(svg),
            None => png,
        }
    }
}

impl Figure {
    /// Shows the picture, and its notes under it (evcxr calls this).
    pub fn evcxr_display(&self) {
        display(self);
        for note in self.notes() {
            println!("{note}");
        }
    }
}

impl Rich for Animation {
    fn rich(&self) -> Bundle {
        Bundle::gif(self.gif(), self.size(), self.alt())
    }
}

impl Animation {
    /// Shows the animation (evcxr calls this).
    pub fn evcxr_display(&self) {
        display(self);
    }
}

impl Outcome {
    /// Shows the sentence that sums the run up (evcxr calls this).
    pub fn evcxr_display(&self) {
        display(&self.to_string());
    }
}

impl Digits {
    /// Shows what was loaded (evcxr calls this).
    pub fn evcxr_display(&self) {
        display(&self.to_string());
    }
}
