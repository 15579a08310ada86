#!/usr/bin/env bash
# Builds the OpenTelemetry Collector that the benches of logs compare with, into DEST. Does nothing where DEST holds a build of exactly these sources.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
dest="$1"

mkdir -p "$dest"
exec 9>"$dest/.lock"
flock 9
stamp="$(cd "$here" && cat build.sh go.mod go.sum main.go | sha256sum | cut -c1-64)"
if [ -x "$dest/otelcol" ] && [ "$(cat "$dest/stamp" 2>/dev/null)" = "$stamp" ]; then
	exit 0
fi
version="$(sed -n 's|^\tgo.opentelemetry.io/collector/otelcol \(v[0-9.]*\).*|\1|p' "$here/go.mod")"
(cd "$here" && CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$version" -o "$dest/otelcol.new" .)
mv "$dest/otelcol.new" "$dest/otelcol"
echo "$stamp" >"$dest/stamp"
