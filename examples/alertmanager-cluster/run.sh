#!/usr/bin/env bash
# Three Alertmanagers that gossip, and a webhook that prints what they notify. Ctrl-C ends all.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
vesta=${VESTA:-vesta}
config=${CONFIG:-$here/alertmanager.yml}
read -r web1 web2 web3 <<<"${WEB_PORTS:-9093 9094 9095}"
read -r gossip1 gossip2 gossip3 <<<"${GOSSIP_PORTS:-8001 8002 8003}"
webhook=${WEBHOOK_PORT:-5001}

# Logs and data; kept when given.
folder=${FOLDER:-$(mktemp -d)}
cd "$folder"

trap 'trap - EXIT; kill $(jobs -p) 2>/dev/null; wait' EXIT INT TERM

"$vesta" alertmanager --web.listen-address=":$web1" --cluster.listen-address="127.0.0.1:$gossip1" --config.file="$config" --log.level=debug > alert1.log 2>&1 & echo $! > alert1.pid
"$vesta" alertmanager --web.listen-address=":$web2" --cluster.listen-address="127.0.0.1:$gossip2" --cluster.peer="127.0.0.1:$gossip1" --config.file="$config" --log.level=debug > alert2.log 2>&1 & echo $! > alert2.pid
"$vesta" alertmanager --web.listen-address=":$web3" --cluster.listen-address="127.0.0.1:$gossip3" --cluster.peer="127.0.0.1:$gossip1" --config.file="$config" --log.level=debug > alert3.log 2>&1 & echo $! > alert3.pid
"$vesta" webhook --web.listen-address=":$webhook" > webhook.log 2>&1 &

echo "Alertmanagers: http://localhost:$web1 http://localhost:$web2 http://localhost:$web3"
echo "Logs: $folder"
echo "In another terminal: $here/send-alerts.sh"
# All notifications from here on.
tail -n +1 -F webhook.log &
wait $!
