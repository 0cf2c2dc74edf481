#!/usr/bin/env bash
# Builds the pages into `dist`, which is checked in. With --check: says whether `dist` is what the
# sources give, and leaves it so.
set -euo pipefail
cd "$(dirname "$0")"

# Compressed, all of it; first paint is to be quick over a slow line too.
bytes_max=256000

npm ci --no-audit --no-fund --silent
npm run --silent check
npm run --silent test
before=$(mktemp -d)
trap 'rm -r "$before"' EXIT
cp -r dist "$before/" 2>/dev/null || true
npm run --silent build -- --logLevel warn

export CHROMIUM=${CHROMIUM-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}
if [ -n "$CHROMIUM" ]; then
  npm run --silent browser
else
  echo "pages: no Chromium here, so none of them was opened"
fi

bytes=$(cat dist/index.html dist/assets/* | gzip -9 | wc -c)
echo "pages: $bytes bytes compressed, of at most $bytes_max"
[ "$bytes" -le "$bytes_max" ]

if [ "${1-}" = --check ]; then
  diff -rq "$before/dist" dist || { echo "crates/ui/web/dist is not what the sources give: run crates/ui/web/build.sh and commit it" >&2; exit 1; }
fi
