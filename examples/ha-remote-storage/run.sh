#!/usr/bin/env bash
# A pair of which one writes to a remote storage. STORE=victoria-metrics takes that one. Ctrl-C ends
# all.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/../lib.sh"

start host "$vesta" host --web.listen-address="127.0.0.1:${block}30"
start shop "$vesta" shop --web.listen-address="127.0.0.1:${block}31"
if [ "${STORE:-vesta}" = victoria-metrics ]; then
  start store victoria-metrics -httpListenAddr="127.0.0.1:${block}50" -storageDataPath=store \
    -dedup.minScrapeInterval=1ms -search.latencyOffset=1s
  wait_for "http://127.0.0.1:${block}50/health"
else
  server store 50 --config.file=store.yml --web.enable-remote-write-receiver
  wait_for "http://127.0.0.1:${block}50/-/ready"
fi

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
echo "The remote storage: http://127.0.0.1:${block}50"
echo "  curl -s http://127.0.0.1:${block}00/-/leader                 # who writes?"
echo "  curl -s -X POST http://127.0.0.1:${block}00/-/lease/release  # let the other one write"
echo "  kill -9 \$(cat $folder/server-a.pid)"
stay
