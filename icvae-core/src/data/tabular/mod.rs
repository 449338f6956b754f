//! Tables of people, for predictions that should not know a group: Adult and German credit from UCI's files, or a
//! drawn table with a known leak where they can't be had.
//!
//! [`load`] gives [`Tabular`]: training and test [`Rows`] of numbers x (one-hot and standardised columns, with their
//! names), an outcome y and a group c.
//!
//! ```
//! use icvae_core::data::tabular::{Tabular, Task};
//!
//! # fn main() -> icvae_core::Result<()> {
//! let table = Tabular::drawn(Task::Adult, 400, 100, None)?;
//! assert_eq!(table.train.x().size()[1] as usize, table.columns().len());
//! println!("{table}");
//! # Ok(())
//! # }
//! ```

mod adult;
mod drawn;
mod files;
mod german;
mod loader;
mod rows;
mod schema;
mod table;
mod task;

pub use drawn::{LEAK_ACCURACY, LEAK_NATS};
pub use files::{Address, TableFile};
pub use loader::{TabularLoader, load};
pub use rows::Rows;
pub use table::{Feature, Kind, Tabular, TabularSource};
pub use task::Task;
