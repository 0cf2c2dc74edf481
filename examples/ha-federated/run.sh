#!/usr/bin/env bash
# Two functional shards, a third server that takes what matters from both and persists it. Ctrl-C
# ends all.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/../lib.sh"

start host "$vesta" host --web.listen-address="127.0.0.1:${block}30"
start shop "$vesta" shop --web.listen-address="127.0.0.1:${block}31"
server server-a 00 --config.file=system.yml
server server-b 01 --config.file=business.yml
server store 50 --config.file=store.yml --web.enable-remote-write-receiver \
  --storage.tsdb.retention.time=5y
server server-c 02 --config.file=central.yml
for port in 00 01 02 50; do wait_for "http://127.0.0.1:$block$port/-/ready"; done

echo "Shards: http://127.0.0.1:${block}00 (system) and http://127.0.0.1:${block}01 (business)"
echo "ServerC: http://127.0.0.1:${block}02   long-term: http://127.0.0.1:${block}50"
echo "  curl -s 'http://127.0.0.1:${block}50/api/v1/query?query=job:shop_requests:rate30s'"
stay
