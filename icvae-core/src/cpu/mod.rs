//! What the processor computes by itself: products of matrices, activation functions and losses, each in one
//! pass over memory, as nodes of libtorch's autograd.
//!
//! | file | holds |
//! |---|---|
//! | `node.rs`, `node.cpp` | a function of ours as a node of the graph that libtorch derives |
//! | `dense.rs` | a dense layer and its activation, forward and backward |
//! | `comparison.rs` | how far a reconstruction is from its image |
//! | `divergence.rs` | how far Gaussians are from the prior, and from each other |
//! | `dropout.rs` | units left out at random, by libtorch's own draws |
//! | `delayed.rs` | gradients of weights that wait for the optimiser, to be made while it reads them |
//! | `product.rs`, `tile.rs`, `panel.rs` | products of matrices, their innermost loops, and what these read |
//! | `choice.rs` | which instructions multiply |
//! | `pointwise.rs`, `wide.rs`, `team.rs` | loops over numbers, with wide instructions, on several threads |

pub(crate) mod choice;
pub(crate) mod comparison;
pub(crate) mod delayed;
pub(crate) mod dense;
pub(crate) mod divergence;
pub(crate) mod dropout;
pub(crate) mod node;
pub(crate) mod panel;
pub(crate) mod pointwise;
pub(crate) mod product;
pub(crate) mod team;
#[cfg(target_arch = "x86_64")]
mod tile;
pub(crate) mod wide;
