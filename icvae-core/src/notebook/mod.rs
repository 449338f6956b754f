//! What a notebook shows: pictures, values, progress; and how it is stopped.
//!
//! The one part of the crate that knows where it runs. The same calls work in three places:
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

mod channel;
mod display;
mod history_table;
mod playground;
mod progress;
mod rich;
mod shown;
mod tensor;
mod training_view;

pub use display::{DisplayHandle, clear_output, display, show};
pub use playground::{Layers, Playground};
pub use progress::Progress;
pub use rich::{Bundle, Html, Rich};
pub use tensor::{Shown, show_images};
pub use training_view::{TrainingView, tell_interrupted};

pub use crate::interrupt::interrupted;
