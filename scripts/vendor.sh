#!/bin/sh
# Fetches the front-end libraries that Santral serves, as they were published, and keeps them in the tree: nothing is
# built or fetched to run it. What is kept is named here, with its version; each comes with its licence.
set -eu

cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# swagger-ui-dist 5.35.0 (Apache-2.0): the page at /api/docs
(cd "$work" && npm pack --silent swagger-ui-dist@5.35.0 && tar xzf swagger-ui-dist-5.35.0.tgz)
for file in swagger-ui-bundle.js swagger-ui.css LICENSE NOTICE swagger-ui-bundle.js.LICENSE.txt; do
    cp "$work/package/$file" inbox/api/page/
done
