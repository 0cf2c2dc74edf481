#!/usr/bin/env bash
# System metrics are kept for two years, business metrics for a week: by two servers, and by one.
# Ctrl-C ends all.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/../lib.sh"

start host "$vesta" host --web.listen-address="127.0.0.1:${block}30"
start shop "$vesta" shop --web.listen-address="127.0.0.1:${block}31"
server system 00 --config.file=system.yml --storage.tsdb.retention.time=2y
server business 01 --config.file=business.yml --storage.tsdb.retention.time=7d
server both 02 --config.file=both.yml
for port in 00 01 02; do wait_for "http://127.0.0.1:$block$port/-/ready"; done

echo "System metrics, two years: http://127.0.0.1:${block}00"
echo "Business metrics, a week:  http://127.0.0.1:${block}01"
echo "Both in one server:        http://127.0.0.1:${block}02"
echo "  curl -s http://127.0.0.1:${block}00/api/v1/status/runtimeinfo | grep -o 'storageRetention[^,]*'"
stay
