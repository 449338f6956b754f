//! Showing a value now, and changing it later: `notebook-live`, for tensors too.

use notebook_live::{self as live, Bundle, Html};

/// A value that a notebook can show.
///
/// `notebook_live::Rich` would do, but for tensors, whose type and that trait are both of other crates.
pub trait Rich {
    /// The value in all the representations that it has.
    fn rich(&self) -> Bundle;
}

/// What shows itself by `notebook-live` shows itself here.
macro_rules! shows_itself {
    ($([$($generics:tt)*] $value:ty),* $(,)?) => {$(
        impl $($generics)* Rich for $value {
            fn rich(&self) -> Bundle {
                live::Rich::rich(self)
            }
        }
    )*};
}
shows_itself!(
    [] Bundle, [] Html, [] str, [] String,
    [] crate::plot::Figure, [] crate::plot::Animation,
    [] crate::train::History, [] super::Playground,
    [<T: live::Number>] live::Slider<T>,
    [] live::Choice, [] live::Checkbox, [] live::Button, [] live::Text, [] live::AnyWidget,
);

/// Shows a value at once.
///
/// On a plain evcxr_jupyter only the last picture of a cell is seen, when the cell ends; elsewhere
/// the value's text is printed.
pub fn display<T: Rich + ?Sized>(value: &T) {
    live::display(&value.rich());
}

/// Makes any value that a notebook can show fit to be the last expression of a cell.
///
/// evcxr shows a last expression richly only if its type says how, and a `Tensor` is not of this
/// crate: `show(&tensor)` prints its shape, type, device and a few entries, where `tensor` alone
/// prints what tch prints.
pub fn show<T: Rich + ?Sized>(value: &T) -> Bundle {
    value.rich()
}

/// An output that can be replaced in place.
///
/// Outside the live kernel nothing can be replaced, so the last value is shown once, when the handle
/// goes out of scope.
#[derive(Debug)]
pub struct DisplayHandle(live::DisplayHandle);

impl DisplayHandle {
    /// Shows the first value.
    pub fn new<T: Rich + ?Sized>(value: &T) -> Self {
        Self(live::DisplayHandle::new(&value.rich()))
    }

    /// Replaces what is shown.
    pub fn update<T: Rich + ?Sized>(&mut self, value: &T) {
        self.0.update(&value.rich());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_and_all_that_shows_itself_are_shown_alike() {
        let zeros = tch::Tensor::zeros([2], (tch::Kind::Float, tch::Device::Cpu));
        assert!(show(&zeros).as_text().starts_with("Tensor [2] f32"));
        assert_eq!(
            show(&live::slider("digit", 0..=9)).as_text(),
            "digit: 0 (0 to 9)"
        );
        assert_eq!(show("x").rich(), Bundle::text("x"));
        show(&crate::train::History::default());
        show(&crate::notebook::Playground::new((2, 2)));
    }
}
