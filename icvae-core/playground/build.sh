#!/usr/bin/env bash
# Makes dense.wasm from src/. rust-src is enough (`rustup component add rust-src`): the core library is compiled too.
set -euo pipefail
cd "$(dirname "$0")"
target=$(mktemp -d)
trap 'rm -rf "$target"' EXIT
env -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="$target" \
    cargo build --quiet --release -Zbuild-std=core,panic_abort
cp "$target/wasm32-unknown-unknown/release/icvae_playground.wasm" "${1:-dense.wasm}"
