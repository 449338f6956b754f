#!/usr/bin/env bash
# Makes panel.min.js from panel.js.
set -euo pipefail
cd "$(dirname "$0")"
npx --yes esbuild@0.28.2 --minify --target=es2022 --charset=utf8 --log-level=warning panel.js >"${1:-panel.min.js}"
