#!/usr/bin/env bash
# Three Alertmanagers behind HAProxy, without gossip, and a webhook that prints what they notify.
# Ctrl-C ends all. With GOSSIP=1 the same three gossip, and HAProxy makes no difference any more.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
vesta=${VESTA:-vesta}
config=${CONFIG:-$here/alertmanager.yml}
read -r WEB_PORT_1 WEB_PORT_2 WEB_PORT_3 <<<"${WEB_PORTS:-9093 9094 9095}"
read -r gossip1 gossip2 gossip3 <<<"${GOSSIP_PORTS:-8001 8002 8003}"
export BALANCER_PORT=${BALANCER_PORT:-9090} WEB_PORT_1 WEB_PORT_2 WEB_PORT_3
webhook=${WEBHOOK_PORT:-5001}

# Logs and data; kept when given.
folder=${FOLDER:-$(mktemp -d)}
cd "$folder"

trap 'trap - EXIT; kill $(jobs -p) 2>/dev/null; wait' EXIT INT TERM

start() { # number, web port, gossip flags
  local number=$1 port=$2
  shift 2
  "$vesta" alertmanager --web.listen-address=":$port" --config.file="$config" --storage.path="data$number" "$@" > "alert$number.log" 2>&1 &
  echo $! > "alert$number.pid"
}

if [ -n "${GOSSIP:-}" ]; then
  start 1 "$WEB_PORT_1" --cluster.listen-address="127.0.0.1:$gossip1"
  start 2 "$WEB_PORT_2" --cluster.listen-address="127.0.0.1:$gossip2" --cluster.peer="127.0.0.1:$gossip1"
  start 3 "$WEB_PORT_3" --cluster.listen-address="127.0.0.1:$gossip3" --cluster.peer="127.0.0.1:$gossip1"
else
  start 1 "$WEB_PORT_1" --cluster.listen-address=
  start 2 "$WEB_PORT_2" --cluster.listen-address=
  start 3 "$WEB_PORT_3" --cluster.listen-address=
fi
"$vesta" webhook --web.listen-address=":$webhook" > webhook.log 2>&1 &
haproxy -db -f "$here/haproxy.cfg" > haproxy.log 2>&1 &

echo "Alertmanager: http://localhost:$BALANCER_PORT (HAProxy), logs in $folder"
echo "In another terminal: $here/send-alerts.sh"
# All notifications from here on.
tail -n +1 -F webhook.log &
wait $!
