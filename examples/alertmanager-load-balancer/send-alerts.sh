#!/usr/bin/env bash
# Does what a server does while an alert fires: sends it again and again, here every second for
# ten seconds, or as often as COUNT says.
set -euo pipefail

node=${1:-http://localhost:${BALANCER_PORT:-9090}}
name=${ALERT_NAME:-DiskRunningFull}
alert="[{\"labels\": {\"alertname\": \"$name\", \"dev\": \"sda1\", \"instance\": \"example1\"}}]"

for _ in $(seq "${COUNT:-10}"); do
  curl --silent --show-error --fail -H 'Content-Type: application/json' -d "$alert" "$node/api/v2/alerts"
  sleep "${PAUSE:-1}"
done
