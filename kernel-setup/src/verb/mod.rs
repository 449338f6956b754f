//! What the tool can do: one verb a file.

pub mod doctor;
pub mod html;
pub mod install;
pub mod lab;
pub mod register;
pub mod run;
pub mod test;
pub mod uninstall;
