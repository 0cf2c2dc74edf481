#!/usr/bin/env bash
# One server takes from another what it wants to keep. Ctrl-C ends all.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/../lib.sh"

start host "$vesta" host --web.listen-address="127.0.0.1:${block}30"
server cluster 00 --config.file=cluster.yml
server central 01 --config.file=central.yml
wait_for "http://127.0.0.1:${block}01/-/ready"

echo "In the cluster: http://127.0.0.1:${block}00   central: http://127.0.0.1:${block}01"
echo "  curl -s 'http://127.0.0.1:${block}01/api/v1/query?query=node_load1'"
stay
