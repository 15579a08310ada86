#!/usr/bin/env bash
# Installs the Elasticsearch test server: jars by Maven, a small launcher compiled beside them, libzstd from Debian.
# usage: install.sh [DEST]     default ${XDG_CACHE_HOME:-$HOME/.cache}/kubetape/servers/elasticsearch
# Does nothing when DEST holds what these sources make. Prints DEST.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dest=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/kubetape/servers/elasticsearch}
mkdir -p "$(dirname "$dest")"; dest=$(cd "$(dirname "$dest")" && pwd)/$(basename "$dest")
say() { echo "elasticsearch: $*" >&2; }

stamp=$(cd "$here" && find pom.xml install.sh start.sh src -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-32)
installed() { [ "$(cat "$dest/stamp" 2>/dev/null)" = "$stamp" ] && [ -x "$(cat "$dest/java" 2>/dev/null)/bin/java" ]; }
if installed; then echo "$dest"; exit 0; fi

# A JDK of 22 or newer: the server's calls into native code need it; javac must read class files of that age too.
find_jdk() {
  local home version
  for home in "${ES_JAVA_HOME:-}" "${JAVA_HOME:-}" $(ls -d /usr/lib/jvm/* 2>/dev/null | sort -rV); do
    [ -x "$home/bin/javac" ] || continue
    version=$("$home/bin/javac" -version 2>&1 | sed 's/^javac //; s/[^0-9].*//')
    [ "${version:-0}" -ge 22 ] && { echo "$home"; return; }
  done
  say "needs a JDK of 22 or newer: set ES_JAVA_HOME"; return 1
}
jdk=$(find_jdk)
command -v mvn >/dev/null || { say "needs Maven (Debian: maven)"; exit 1; }

# One installation at a time; a second caller waits and then finds it done.
exec 9> "$dest.lock"; flock 9
if installed; then echo "$dest"; exit 0; fi
make=$(mktemp -d "$dest.XXXXXX"); trap 'rm -rf "$make"' EXIT
say "fetching jars"
mvn -q -B -f "$here/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies \
  -DincludeScope=runtime -DoutputDirectory="$make/lib" >&2

say "compiling the launcher"
mkdir -p "$make/classes"
find "$here/src" -name '*.java' -print0 | xargs -0 "$jdk/bin/javac" -nowarn -proc:none -cp "$make/lib/*" -d "$make/classes"
"$jdk/bin/jar" --create --file "$make/lib/rig.jar" -C "$make/classes" .
rm -rf "$make/classes"

# The native zstd library: under the name and in the folder where the server looks for it.
arch=$(uname -m); case $arch in x86_64) arch=x64 ;; aarch64) arch=aarch64 ;; esac
# awk reads to the end: where it left early, ldconfig would fail now and then for having nobody to write to.
zstd=$(PATH=$PATH:/sbin ldconfig -p | awk '/libzstd\.so\.1 / && !found++ {print $NF}')
if [ -z "$zstd" ]; then
  (cd "$make" && apt-get download libzstd1 >&2 && dpkg-deb -x libzstd1_*.deb deb)
  zstd=$(find "$make/deb" -name 'libzstd.so.1' | head -1)
fi
mkdir -p "$make/lib/platform/linux-$arch"
cp -L "$zstd" "$make/lib/platform/linux-$arch/libzstd.so"

rm -rf "$dest"; mv "$make" "$dest"; trap - EXIT
echo "$jdk" > "$dest/java"
chmod -R a+rX "$dest"

# One start and a little work write an archive of the loaded classes: it halves the time of every later start.
# The archive is only an economy: without it start.sh starts the same server, slower.
say "training run"
trial=$(mktemp -d)
if url=$(ES_SERVER=$dest ES_JAVA_OPTS="-XX:ArchiveClassesAtExit=$dest/classes.jsa.new" "$here/start.sh" "$trial" 0 512m); then
  ask() { curl -s -o "$trial/answer" -H 'content-type: application/json' "$@"; }
  ask -X PUT "$url/_index_template/trial" -d '{"index_patterns":["trial-*"],"data_stream":{},"priority":500}'
  printf '{"create":{}}\n{"@timestamp":"2026-01-01T00:00:00Z","message":"one two","n":1,"o":{"k":"v"}}\n' > "$trial/bulk"
  ask -X POST "$url/trial-a/_bulk?refresh=true" -H 'content-type: application/x-ndjson' --data-binary "@$trial/bulk"
  ask "$url/trial-a/_search" -d '{"sort":[{"@timestamp":"desc"}],"aggs":{"a":{"terms":{"field":"o.k.keyword"}}}}'
  "$here/stop.sh" "$trial" && mv "$dest/classes.jsa.new" "$dest/classes.jsa" && chmod a+r "$dest/classes.jsa"
else
  say "the server does not start: see above"; exit 1
fi
rm -rf "$trial"

echo "$stamp" > "$dest/stamp"
say "installed $(du -sm "$dest" | cut -f1) MB in $dest"
echo "$dest"
