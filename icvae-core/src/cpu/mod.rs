//! What the processor computes by itself: products of matrices, activation functions and losses, each in one
//! pass over memory, as nodes of libtorch's autograd.
//!
//! | file | holds |
//! |---|---|
//! | `node.rs`, `node.cpp` | a function of ours as a node of the graph that libtorch derives |
//! | `dense.rs` | a dense layer and its activation, forward and backward |
//! | `delayed.rs` | gradients of weights that wait for the optimiser, to be made while it reads them |
//! | `product.rs`, `choice.rs` | products of matrices, and which instructions they use |
//! | `pointwise.rs`, `wide.rs`, `team.rs` | loops over numbers, with wide instructions, on several threads |

pub(crate) mod choice;
pub(crate) mod delayed;
pub(crate) mod dense;
pub(crate) mod node;
pub(crate) mod pointwise;
pub(crate) mod product;
pub(crate) mod team;
pub(crate) mod wide;
