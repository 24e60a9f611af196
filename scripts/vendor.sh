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

# The agents' page. Bare imports become relative ones (an import map in the page would break its policy), and the
# comments that point to source maps go. Beside each module stands where its types are, for `make lint`.
vendor=inbox/page/vendor
rm -rf "$vendor" connectors/webchat/static/vendor
mkdir -p "$vendor"
: > "$vendor/LICENSES.txt"

fetch() { # PACKAGE VERSION: unpacks it into $work/PACKAGE, and keeps its licence
    mkdir -p "$work/$1"
    (cd "$work/$1" && npm pack --silent "$1@$2" > name && tar xzf "$(cat name)" --strip-components 1)
    { echo "$1 $2"; echo; cat "$work/$1/LICENSE"; echo; } >> "$vendor/LICENSES.txt"
}

keep() { # FILE AS TYPES
    sed -e 's#"preact/hooks"#"./hooks.js"#g; s#"preact"#"./preact.js"#g; s#"@preact/signals-core"#"./signals-core.js"#g' \
        -e 's#//\# sourceMappingURL=.*##' "$work/$1" > "$vendor/$2.js"
    echo "export * from \"$3\";" > "$vendor/$2.d.ts"
}

fetch preact 11.2.0
keep preact/dist/preact.mjs preact preact
keep preact/hooks/dist/hooks.mjs hooks preact/hooks
fetch htm 3.1.1
keep htm/dist/htm.mjs htm htm
echo 'export { default } from "htm";' > "$vendor/htm.d.ts"

# The chat widget is made of these three, in a package of its own.
cp -r "$vendor" connectors/webchat/static/vendor

fetch @preact/signals-core 1.14.5
keep @preact/signals-core/dist/signals-core.mjs signals-core @preact/signals-core
fetch @preact/signals 2.11.4
keep @preact/signals/dist/signals.mjs signals @preact/signals
fetch uplot 1.6.32
keep uplot/dist/uPlot.iife.min.js uplot uplot
echo 'export default uPlot;' >> "$vendor/uplot.js"
echo 'export { default } from "uplot";' > "$vendor/uplot.d.ts"
cp "$work/uplot/dist/uPlot.min.css" "$vendor/uplot.css"

# What previews need; each is loaded with the first file of its kind.
fetch papaparse 5.7.1
keep papaparse/papaparse.min.js papaparse papaparse
sed -i 's#})(this,function#})(globalThis,function#' "$vendor/papaparse.js" # a module has no `this`
echo 'export default globalThis.Papa;' >> "$vendor/papaparse.js"
fetch pdfjs-dist 6.5.438
keep pdfjs-dist/build/pdf.min.mjs pdf pdfjs-dist
keep pdfjs-dist/build/pdf.worker.min.mjs pdf.worker pdfjs-dist
rm "$vendor/pdf.worker.d.ts" # nobody imports it
mkdir -p "$vendor/pdf" # decoders of scans (JBIG2, JPEG 2000) that take no WebAssembly, by the names under which they are asked for
for name in JBIG2:jbig2 OPENJPEG:openjpeg; do
    cp "$work/pdfjs-dist/wasm/${name#*:}_nowasm_fallback.js" "$vendor/pdf/"
    { echo "${name#*:}, in pdfjs-dist"; echo; cat "$work/pdfjs-dist/wasm/LICENSE_${name%:*}" "$work/pdfjs-dist/wasm/LICENSE_PDFJS_${name%:*}"; echo; } >> "$vendor/LICENSES.txt"
done
# Their types would bring 40 MB, and types of their own.
echo 'export const getDocument: (source: object) => any, GlobalWorkerOptions: { workerSrc: string };' > "$vendor/pdf.d.ts"
echo 'declare const csv: { parse(text: string, how: object): { data: string[][] } }; export default csv;' > "$vendor/papaparse.d.ts"

# Emoji and their names: tables of which only what the page offers is kept.
fetch unicode-emoji-json 0.9.0
fetch cldr-annotations-full 48.2.0
fetch cldr-annotations-derived-full 48.2.0

# emoji-datasource 16.0.0 (MIT): Slack's names of emoji, which no page needs
mkdir "$work/emoji-datasource"
(cd "$work/emoji-datasource" && npm pack --silent emoji-datasource@16.0.0 && tar xzf emoji-datasource-16.0.0.tgz --strip-components 1)
cp "$work/emoji-datasource/LICENSE" normalizer/slack/emoji.LICENSE.txt
python3 scripts/emoji_tables.py "$work"
