//! Widgets: what a reader moves, and what a cell reads of it.
//!
//! A widget is made of ipywidgets' own models, so every frontend that has ipywidgets draws it: JupyterLab
//! with `jupyterlab_widgets`, VS Code. The kernel carries its messages (Jupyter's *comms*).
//!
//! A widget is a handle: it can be cloned, kept between cells and moved into closures. Its value is
//! what the reader has set last, also while a cell runs. Closures ([`Slider::on_change`] and the like)
//! run in a thread of the reader's process, one at a time and never beside a cell; what has changed
//! meanwhile is skipped, so the last one always sees the newest value. Whatever a closure prints or
//! shows stands below the widget, and takes the place of what it showed before; so does its error,
//! which ends nothing. A closure that does not end holds up the cells, until somebody interrupts it.
//!
//! Without the live kernel a widget shows as a line of text and keeps its first value.

mod any;
mod button;
mod checkbox;
mod choice;
mod closure;
mod control;
mod model;
mod slider;
mod text;

pub use any::{AnyWidget, any_widget};
pub use button::{Button, button};
pub use checkbox::{Checkbox, checkbox};
pub use choice::{Choice, choice};
pub use closure::Ended;
pub(crate) use closure::area;
pub use slider::{Number, Slider, slider};
pub use text::{Text, text};

/// What every widget can do, beside its own: `$value` is the type of its value.
macro_rules! handle {
    ([$($generics:tt)*] $name:ty, $value:ty) => {
        impl $($generics)* $name {
            /// Calls `closure` with the value: now, in this cell, and from then on whenever the reader
            /// has changed it and no cell runs. Its output stands below the widget.
            ///
            /// The closure owns what it uses: `move`, and clones of what later cells need too. It may
            /// return nothing or a `Result`.
            pub fn on_change<R: super::Ended>(&self, closure: impl FnMut($value) -> R + Send + 'static) {
                self.control.on_change(false, closure);
            }

            /// Like [`on_change`](Self::on_change), but the closure also runs beside a cell: what it changes
            /// must bear that. What it displays stands below the widget; what it prints, then, with the
            /// cell's own.
            pub fn on_change_beside_cells<R: super::Ended>(
                &self,
                closure: impl FnMut($value) -> R + Send + 'static,
            ) {
                self.control.on_change(true, closure);
            }

            /// Takes the widget away, and ends its closures.
            pub fn close(&self) {
                self.control.close();
            }

            /// Shows the widget as the last expression of a cell (evcxr calls this).
            pub fn evcxr_display(&self) {
                crate::display(self);
            }
        }

        impl $($generics)* crate::Rich for $name {
            fn rich(&self) -> crate::Bundle {
                self.control.rich(self.line())
            }
        }
    };
}
use handle;
