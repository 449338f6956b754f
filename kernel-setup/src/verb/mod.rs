//! What the tool can do: one verb a file.

pub mod install;
pub mod lab;
pub mod run;
