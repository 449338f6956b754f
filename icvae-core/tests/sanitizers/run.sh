#!/usr/bin/env bash
# The unsafe kernels and the team of threads under AddressSanitizer and ThreadSanitizer.
# Sanitizers are not stable in Rust yet, and ThreadSanitizer wants the standard library compiled with it
# (`rustup component add rust-src`).
set -euo pipefail
cd "$(dirname "$0")"
target=$(rustc -vV | sed -n 's/^host: //p')
export RUSTC_BOOTSTRAP=1 RUST_TEST_THREADS=1
RUSTFLAGS="-Zsanitizer=address" cargo test --lib --target "$target" --target-dir ../../../target/address
RUSTFLAGS="-Zsanitizer=thread" cargo test --lib -Zbuild-std --target "$target" --target-dir ../../../target/thread
