//! What a Rust notebook shows and asks: pictures, progress, widgets; and how it is stopped.
//!
//! A library that depends on this crate shows itself in a notebook at once, in order and in place, and
//! prints plain text where there is none. The crate needs nothing but JSON and base64.
//!
//! | where | pictures and HTML | updates and progress | widgets |
//! |---|---|---|---|
//! | the live kernel, *Rust (live)* | at once, in order, any number per cell | in place | move, and call closures |
//! | a plain evcxr_jupyter | the last one of a cell, when it ends | a few plain lines | a line with their value |
//! | a terminal, `cargo test` | their text | one line, or a few plain lines | a line with their value |
//!
//! ```
//! use notebook_live::{Html, Progress, display, slider};
//!
//! display("work starts");
//! display(&Html::new("<b>work</b> starts", "work starts"));
//! let mut progress = Progress::new("work", 3);
//! for _ in 0..3 {
//!     progress.step();
//! }
//! progress.finish();
//!
//! let digit = slider("digit", 0..=9).at(3);
//! digit.on_change(|digit| println!("the square of {digit} is {}", digit * digit));
//! display(&digit);
//! assert_eq!(digit.value(), 3); // a later cell reads what the reader has set
//! ```
//!
//! # To show a type of your own
//!
//! Implement [`Rich`], and give the type a method `evcxr_display` for a cell's last expression:
//!
//! ```
//! use notebook_live::{Bundle, Rich, display};
//!
//! pub struct Board { fields: Vec<bool> }
//!
//! impl Rich for Board {
//!     fn rich(&self) -> Bundle {
//!         let text: String = self.fields.iter().map(|&full| if full { '●' } else { '○' }).collect();
//!         Bundle::html(format!("<tt>{text}</tt>"), text)
//!     }
//! }
//!
//! impl Board {
//!     pub fn evcxr_display(&self) {
//!         display(self);
//!     }
//! }
//! # display(&Board { fields: vec![true, false] });
//! ```

mod channel;
mod display;
mod interrupt;
mod progress;
mod rich;
mod widget;

pub use channel::Place;
pub use display::{DisplayHandle, clear_output, display, show};
pub use interrupt::{interrupted, tell_interrupted};
pub use progress::Progress;
pub use rich::{Bundle, Html, Rich};
/// JSON, re-exported for the states of widgets.
pub use serde_json::{Value, json};
pub use widget::{
    AnyWidget, Button, Checkbox, Choice, Ended, Number, Slider, Text, any_widget, button, checkbox,
    choice, slider, text,
};
