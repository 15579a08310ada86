#!/usr/bin/env bash
# Starts one real Kafka broker, or several as one cluster, waits until all are ready, prints the bootstrap list.
# Run again on the same DIR it starts the nodes that are down, on their ports and with their data (that is how a test restarts a killed node).
# usage: DIR=… PORTS="client controller internal …" [SASL=plain|scram] [TLS=1] [HEAP=512m] [CONF="key=value …"] [BROKER=n] start.sh
#   PORTS: three free ports for each node; how many there are says how many nodes there are. Loopback only. Kept in DIR/ports for the next time.
#   SASL: user kubetape, password kubetape-secret (SCRAM-SHA-256 and -512). TLS: the CA is DIR/tls/ca.pem
#   CONF: appended to kraft.properties of every node.
#   BROKER: start this one node only.  KAFKA_HOME: where install.sh put the jars
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
home=${KAFKA_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/kubetape/servers/kafka}
dir=$(mkdir -p "${DIR:?DIR is not set}" && cd "$DIR" && pwd)
[ -f "$home/stamp" ] || { echo "Kafka is not installed: run test/servers/kafka/install.sh" >&2; exit 3; }
[ -f "$dir/ports" ] || echo "${PORTS:?PORTS is not set}" >"$dir/ports"
read -ra ports <"$dir/ports"
nodes=$((${#ports[@]}/3))
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
quick="-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto"

case "${SASL:-}/${TLS:+tls}" in
  /) protocol=PLAINTEXT ;; /tls) protocol=SSL ;; */tls) protocol=SASL_SSL ;; *) protocol=SASL_PLAINTEXT ;;
esac
if [ -n "${TLS:-}" ] && [ ! -f "$dir/tls/node.pem" ]; then
  mkdir -p "$dir/tls"; ( cd "$dir/tls"
  openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj "/CN=kubetape test CA" -keyout ca.key -out ca.pem
  openssl req -newkey rsa:2048 -nodes -subj "/CN=127.0.0.1" -keyout node.key -out node.csr
  printf 'subjectAltName=IP:127.0.0.1,DNS:localhost\n' >san
  openssl x509 -req -in node.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 -extfile san -out node.crt
  cat node.key node.crt >node.pem ) >/dev/null 2>&1
fi
[ -f "$dir/cluster.id" ] || head -c 16 /dev/urandom | base64 | tr '+/' 'ab' | cut -c1-22 >"$dir/cluster.id"

client() { echo "${ports[$(($1*3-3))]}"; }
controller() { echo "${ports[$(($1*3-2))]}"; }
internal() { echo "${ports[$(($1*3-1))]}"; }
voters=; for ((i=1;i<=nodes;i++)); do voters+="${voters:+,}$i@127.0.0.1:$(controller "$i")"; done
replicas=$((nodes<3?nodes:3)); min_isr=$((replicas>2?2:1))

configure() { # node
  local n=$1 d="$dir/n$1"
  mkdir -p "$d"
  sed -e "s|@ID@|$n|; s|@VOTERS@|$voters|; s|@DIR@|$d|; s|@CLIENT_PROTOCOL@|$protocol|" \
      -e "s|@CLIENT_PORT@|$(client "$n")|g; s|@CONTROLLER_PORT@|$(controller "$n")|g; s|@INTERNAL_PORT@|$(internal "$n")|g" \
      -e "s|@REPLICAS@|$replicas|; s|@MIN_ISR@|$min_isr|" "$here/kraft.properties" >"$d/kraft.properties"
  {
    [ -n "${TLS:-}" ] && printf '%s\n' ssl.keystore.type=PEM "ssl.keystore.location=$dir/tls/node.pem"
    case "${SASL:-}" in
      plain) printf '%s\n' sasl.enabled.mechanisms=PLAIN \
        'listener.name.client.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_kubetape="kubetape-secret";' ;;
      scram) printf '%s\n' sasl.enabled.mechanisms=SCRAM-SHA-256,SCRAM-SHA-512
        for m in 256 512; do echo "listener.name.client.scram-sha-$m.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;"; done ;;
    esac
    for kv in ${CONF:-}; do echo "$kv"; done
  } >>"$d/kraft.properties"
  [ -f "$d/data/meta.properties" ] && return
  local scram=(); [ "${SASL:-}" = scram ] && for m in 256 512; do scram+=(-S "SCRAM-SHA-$m=[name=kubetape,password=kubetape-secret]"); done
  "$java" $quick -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$home/libs/*" kafka.tools.StorageTool \
    format -t "$(cat "$dir/cluster.id")" -c "$d/kraft.properties" ${scram[@]+"${scram[@]}"} >"$d/format.log" 2>&1 || { cat "$d/format.log" >&2; exit 3; }
}
running() { [ -f "$1/pid" ] && kill -0 "$(cat "$1/pid")" 2>/dev/null && grep -qs kafka.Kafka "/proc/$(cat "$1/pid")/cmdline"; }

started=()
for ((i=1;i<=nodes;i++)); do
  [ -n "${BROKER:-}" ] && [ "$BROKER" != "$i" ] && continue
  d="$dir/n$i"; running "$d" && continue
  [ -f "$d/kraft.properties" ] || configure "$i"
  setsid "$java" -Xms128m -Xmx"${HEAP:-512m}" -XX:+UseSerialGC -Djava.net.preferIPv4Stack=true \
    -Dorg.slf4j.simpleLogger.showDateTime=true -Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS \
    -cp "$home/libs/*" kafka.Kafka "$d/kraft.properties" </dev/null >"$d/log" 2>&1 &
  echo $! >"$d/pid"; started+=("$i")
done
deadline=$((SECONDS+${WAIT:-90}))
for i in ${started[@]+"${started[@]}"}; do
  until grep -qs 'Kafka Server started' "$dir/n$i/log"; do
    running "$dir/n$i" || { echo "node $i ended:" >&2; tail -20 "$dir/n$i/log" >&2; exit 3; }
    [ $SECONDS -lt $deadline ] || { echo "node $i is not ready after ${WAIT:-90} s" >&2; tail -20 "$dir/n$i/log" >&2; exit 3; }
    sleep 0.1
  done
done
list=; for ((i=1;i<=nodes;i++)); do list+="${list:+,}127.0.0.1:$(client "$i")"; done
echo "$list"
