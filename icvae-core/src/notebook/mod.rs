//! What a notebook shows: pictures, values, progress; and how it is stopped.
//!
//! The one part of the crate that knows where it runs. Displays, progress, widgets and interrupts are
//! [`notebook_live`]'s; this part adds tensors, figures and the view of a training. The same calls work in
//! three places:
//!
//! | where | pictures and HTML | updates and progress |
//! |---|---|---|
//! | the live kernel (`cargo kernel install`) | at once, in order, any number per cell | in place |
//! | a plain evcxr_jupyter | the last one of a cell, when it ends | a few plain lines |
//! | a terminal, `cargo test` | their text | one line, or a few plain lines |
//!
//! ```
//! use icvae_core::notebook::{Html, Progress, display, show};
//!
//! display("training starts");
//! display(&Html::new("<b>training</b> starts", "training starts"));
//! let mut progress = Progress::new("epoch 1", 3);
//! for step in 1..=3 {
//!     progress.set(step);
//! }
//! progress.finish();
//!
//! let x = icvae_core::tch::Tensor::from_slice(&[0.5_f32, 1.0]);
//! show(&x) // as the last expression of a cell: shape, type, device, a few entries; with `use …::Shown`, `x` does
//! # ;
//! ```

mod display;
mod history_table;
mod playground;
mod shown;
mod tensor;
mod training_view;

pub use display::{DisplayHandle, Rich, display, show};
pub use notebook_live::{
    AnyWidget, Bundle, Button, Checkbox, Choice, Html, Progress, Slider, Text, any_widget, button,
    checkbox, choice, clear_output, interrupted, slider, tell_interrupted, text,
};
pub use playground::{Layers, Playground};
pub use tensor::{Shown, show_images};
pub use training_view::TrainingView;
