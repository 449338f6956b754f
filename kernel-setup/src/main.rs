//! `cargo kernel`: prepares, runs, publishes and checks the notebooks.
fn main() {}
