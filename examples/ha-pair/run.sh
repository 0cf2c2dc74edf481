#!/usr/bin/env bash
# Two servers with one file that act as one. Ctrl-C ends all.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/../lib.sh"

start webhook "$vesta" webhook --web.listen-address="127.0.0.1:${block}41"
start alertmanager "$vesta" alertmanager --web.listen-address="127.0.0.1:${block}40" \
  --config.file=alertmanager.yml --storage.path=alertmanager --cluster.listen-address=
start host "$vesta" host --web.listen-address="127.0.0.1:${block}30"
start shop "$vesta" shop --web.listen-address="127.0.0.1:${block}31"

# member NAME N: beside its usual flags each says where it gossips, where it can be read, and whom
# it knows.
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

echo "The pair: http://127.0.0.1:${block}00 and http://127.0.0.1:${block}01"
echo "  kill -9 \$(cat $folder/server-a.pid)"
echo "  $vesta drill --members http://127.0.0.1:${block}00,http://127.0.0.1:${block}01 --duration 1m"
stay
