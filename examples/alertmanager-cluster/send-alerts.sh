#!/usr/bin/env bash
# Sends six alerts of running full disks to the Alertmanagers that are named, or to all three: a
# warning among them is kept quiet by the critical alert of its device, and five are notified.
set -euo pipefail

name=${ALERT_NAME:-DiskRunningFull}
nodes=("$@")
[ ${#nodes[@]} -gt 0 ] || nodes=(http://localhost:9093 http://localhost:9094 http://localhost:9095)

alert() { # device, instance, more labels
  printf '{"labels": {"alertname": "%s", "dev": "%s", "instance": "%s"%s}, "annotations": {"summary": "the disk %s of %s is running full"}}' \
    "$name" "$1" "$2" "${3:-}" "$1" "$2"
}

alerts="[
$(alert sda1 example1),
$(alert sda2 example1),
$(alert sda1 example2),
$(alert sdb2 example2),
$(alert sda1 example3 ', "severity": "critical"'),
$(alert sda1 example3 ', "severity": "warning"')
]"

for node in "${nodes[@]}"; do
  curl --silent --show-error --fail -H 'Content-Type: application/json' -d "$alerts" "$node/api/v2/alerts"
done
