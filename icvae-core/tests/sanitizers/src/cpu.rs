//! The files of the crate itself, which name each other by this module.

#[path = "../../../src/cpu/panel.rs"]
pub(crate) mod panel;
#[path = "../../../src/cpu/product.rs"]
pub(crate) mod product;
#[path = "../../../src/cpu/team.rs"]
pub(crate) mod team;
#[path = "../../../src/cpu/tile.rs"]
mod tile;
