#!/usr/bin/env bash
# A pair behind HAProxy: one address for Grafana. Ctrl-C ends all.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/../lib.sh"
command -v haproxy >/dev/null || { echo "there is no haproxy: apt-get install haproxy" >&2; exit 1; }

start host "$vesta" host --web.listen-address="127.0.0.1:${block}30"
member() {
  server "server-$1" "0$2" --config.file=prometheus.yml --cluster.member="server-$1" \
    --cluster.listen-address="127.0.0.1:${block}1$2" \
    --cluster.store-address="127.0.0.1:${block}2$2" \
    --cluster.peer="127.0.0.1:${block}10" --cluster.peer="127.0.0.1:${block}11"
}
member a 0
member b 1
wait_for "http://127.0.0.1:${block}00/-/ready"
wait_for "http://127.0.0.1:${block}01/-/ready"
start haproxy haproxy -db -f haproxy.cfg
wait_for "http://127.0.0.1:${block}60/-/ready"

echo "Grafana's data source: http://127.0.0.1:${block}60"
echo "Whoever writes:        http://127.0.0.1:${block}61"
echo "  kill -9 \$(cat $folder/server-a.pid)"
stay
