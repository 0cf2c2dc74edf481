#!/usr/bin/env bash
# Builds the pages into `dist`, which is checked in. With --check: says whether `dist` is what the
# sources give, and leaves it so.
set -euo pipefail
cd "$(dirname "$0")"

# Compressed, all of it; first paint is to be quick over a slow line too.
bytes_max=250000

npm ci --no-audit --no-fund --silent
npm run --silent check
npm run --silent test
before=$(mktemp -d)
trap 'rm -r "$before"' EXIT
cp -r dist "$before/" 2>/dev/null || true
npm run --silent build -- --logLevel warn

if [ -n "${CHROMIUM-}" ] || command -v chromium chromium-browser google-chrome >/dev/null; then
  npm run --silent browser
else
  echo "pages: no Chromium here, so none of them was opened"
fi

bytes=0
for file in dist/index.html dist/assets/*; do bytes=$((bytes + $(gzip -9 <"$file" | wc -c))); done
echo "pages: $bytes bytes compressed, of at most $bytes_max"
[ "$bytes" -le "$bytes_max" ]

if [ "${1-}" = --check ]; then
  diff -rq "$before/dist" dist || { echo "crates/ui/web/dist is not what the sources give: run crates/ui/web/build.sh and commit it" >&2; exit 1; }
fi
