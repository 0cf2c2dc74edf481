#!/usr/bin/env bash
# Three servers, each target on two of them, any of which answers for all. Ctrl-C ends all.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/../lib.sh"

start host "$vesta" host --web.listen-address="127.0.0.1:${block}30"
for n in 1 2 3; do
  start "shop-$n" "$vesta" shop --web.listen-address="127.0.0.1:${block}3$n"
done

member() {
  server "server-$1" "0$2" --config.file=prometheus.yml --cluster.member="server-$1" \
    --cluster.listen-address="127.0.0.1:${block}1$2" \
    --cluster.store-address="127.0.0.1:${block}2$2" \
    --cluster.replication-factor=2 \
    --cluster.peer="127.0.0.1:${block}10" --cluster.peer="127.0.0.1:${block}11" \
    --cluster.peer="127.0.0.1:${block}12"
}
member a 0
member b 1
member c 2
for n in 0 1 2; do wait_for "http://127.0.0.1:${block}0$n/-/ready"; done

echo "Three members: http://127.0.0.1:${block}00 http://127.0.0.1:${block}01 http://127.0.0.1:${block}02"
echo "  curl -s 'http://127.0.0.1:${block}02/api/v1/query?query=count(up)'"
echo "  kill -9 \$(cat $folder/server-b.pid)"
stay
