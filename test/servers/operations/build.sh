#!/usr/bin/env bash
# Builds helm and promtool, as go.mod beside each of them pins them, into DEST (default: ~/.cache/kubetape/servers). Does nothing where DEST holds these builds.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
dest="${1:-${XDG_CACHE_HOME:-$HOME/.cache}/kubetape/servers}"

mkdir -p "$dest"
exec 9>"$dest/.operations.lock"
flock 9
build() { # NAME PACKAGE
	local stamp
	stamp="$(cat "$here/build.sh" "$here/$1/go.mod" "$here/$1/go.sum" | sha256sum | cut -c1-64)"
	if [ -x "$dest/$1" ] && [ "$(cat "$dest/$1.stamp" 2>/dev/null)" = "$stamp" ]; then
		return
	fi
	local start=$SECONDS
	(cd "$here/$1" && CGO_ENABLED=0 go build -mod=readonly -trimpath -buildvcs=false -ldflags "-s -w" -o "$dest/$1.new" "$2")
	mv "$dest/$1.new" "$dest/$1"
	echo "$stamp" >"$dest/$1.stamp"
	echo "$1: built in $((SECONDS - start)) s" >&2
}
build helm helm.sh/helm/v4/cmd/helm
build promtool github.com/prometheus/prometheus/cmd/promtool
