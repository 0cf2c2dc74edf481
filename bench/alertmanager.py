#!/usr/bin/env python3
"""What does an Alertmanager with many alerts cost, and how soon has everybody been told?

    bench/alertmanager.py "target/release/vesta alertmanager" prometheus-alertmanager

10,000 alerts in 1,000 groups, with 100 silences and 100 inhibition rules, sent as a server sends
them: all at once, then again every 15 s. All Alertmanagers run at the same time, each with a
webhook of its own (`vesta webhook`, from the first command or from $VESTA). Time counts from the
first alert that is sent to the last group that is told.
"""

import datetime
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from processes import cpu_seconds, free_port, rss_bytes

GROUPS = 1000
ALERTS_PER_GROUP = 10
SILENCES = 100
RULES = 100
BATCH = 256
SEND_INTERVAL = 15
SECONDS = int(os.environ.get("SECONDS_EACH", "120"))
GROUP_WAIT = 5

CONFIG = """
route:
  receiver: hook
  group_by: [group]
  group_wait: {wait}s
  group_interval: 15s
  repeat_interval: 4h
receivers:
  - name: hook
    webhook_configs:
      - url: http://127.0.0.1:{port}/
inhibit_rules:
{rules}
"""

RULE = """  - source_matchers: [severity="critical", area="{n}"]
    target_matchers: [severity="warning", area="{n}"]
    equal: [group]
"""


def request(port, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    asked = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, headers)
    with urllib.request.urlopen(asked, timeout=60) as answer:
        return answer.read()


def alerts(now):
    """One of ten is critical, five are warnings that it keeps quiet, four are neither."""
    end = (now + datetime.timedelta(seconds=4 * SEND_INTERVAL)).isoformat().replace("+00:00", "Z")
    for group in range(GROUPS):
        for nth in range(ALERTS_PER_GROUP):
            severity = "critical" if nth == 0 else "warning" if nth <= 5 else "info"
            yield {
                "labels": {
                    "alertname": f"Alert{group % 50}",
                    "group": f"group-{group}",
                    "area": str(group % RULES),
                    "instance": f"10.0.{group // 250}.{group % 250}:910{nth}",
                    "job": "node",
                    "severity": severity,
                },
                "annotations": {
                    "summary": f"Something is wrong with instance {nth} of group {group}",
                    "description": "It has been so for some minutes; see the runbook.",
                },
                "endsAt": end,
                "generatorURL": "http://prometheus:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1",
            }


def silences(now):
    """Each keeps one kind of instance of some groups quiet."""
    for n in range(SILENCES):
        yield {
            "matchers": [
                {"name": "area", "value": str(n), "isRegex": False},
                {"name": "instance", "value": ".*:910[89]", "isRegex": True},
            ],
            "startsAt": now.isoformat().replace("+00:00", "Z"),
            "endsAt": (now + datetime.timedelta(hours=2)).isoformat().replace("+00:00", "Z"),
            "createdBy": "bench",
            "comment": "measured",
        }


class Subject:
    def __init__(self, command, vesta):
        self.name = os.path.basename(command.split()[0])
        self.folder = tempfile.mkdtemp()
        self.port, webhook = free_port(), free_port()
        rules = "".join(RULE.format(n=n) for n in range(RULES))
        with open(f"{self.folder}/am.yml", "w") as file:
            file.write(CONFIG.format(wait=GROUP_WAIT, port=webhook, rules=rules))
        self.log = open(f"{self.folder}/webhook.log", "w+")
        self.webhook = subprocess.Popen(
            [vesta, "webhook", f"--web.listen-address=127.0.0.1:{webhook}"], stdout=self.log)
        errors = open(f"{self.folder}/am.log", "w")
        self.process = subprocess.Popen(
            [*command.split(), f"--config.file={self.folder}/am.yml",
             f"--storage.path={self.folder}/data", "--cluster.listen-address=",
             f"--web.listen-address=127.0.0.1:{self.port}"], stdout=errors, stderr=errors)
        self.told_at = []
        self.resident = []

    def wait_until_ready(self):
        for _ in range(200):
            try:
                request(self.port, "/-/ready")
                return
            except OSError:
                time.sleep(0.05)
        sys.exit(f"{self.name} does not start: see {self.folder}/am.log")

    def send(self):
        now = datetime.datetime.now(datetime.timezone.utc)
        everything = list(alerts(now))
        for start in range(0, len(everything), BATCH):
            request(self.port, "/api/v2/alerts", everything[start:start + BATCH])

    def measure(self):
        """Runs in a thread of its own."""
        now = datetime.datetime.now(datetime.timezone.utc)
        for silence in silences(now):
            request(self.port, "/api/v2/silences", silence)
        begin = self.cpu()
        self.started = time.monotonic()
        watching = threading.Thread(target=self.watch)
        watching.start()
        while time.monotonic() < self.started + SECONDS:
            sent = time.monotonic()
            self.send()
            self.resident.append(self.memory("VmRSS"))
            time.sleep(max(0, SEND_INTERVAL - (time.monotonic() - sent)))
        self.cpu_seconds = self.cpu() - begin
        self.peak = self.memory("VmHWM")
        watching.join()

    def watch(self):
        """Notes when each line of the webhook's log has come."""
        with open(f"{self.folder}/webhook.log") as log:
            while time.monotonic() < self.started + SECONDS:
                lines = log.readlines()
                now = time.monotonic() - self.started
                self.told_at += [now] * len(lines)
                time.sleep(0.02)

    def cpu(self):
        return cpu_seconds(self.process.pid)

    def memory(self, what):
        return rss_bytes(self.process.pid, what) / (1 << 20)

    def check(self):
        groups = json.loads(request(self.port, "/api/v2/alerts/groups"))
        states = [alert["status"]["state"] for group in groups for alert in group["alerts"]]
        return f"{len(groups)} groups, {len(states)} alerts, {states.count('suppressed')} quiet"

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.webhook.terminate()
        self.webhook.wait()
        shutil.rmtree(self.folder)


def main():
    commands = sys.argv[1:]
    if not commands:
        sys.exit(__doc__)
    vesta = os.environ.get("VESTA") or commands[0].split()[0]
    subjects = [Subject(command, vesta) for command in commands]
    for subject in subjects:
        subject.wait_until_ready()
    threads = [threading.Thread(target=subject.measure) for subject in subjects]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"{'':28}{'CPU s':>8}{'RSS MB':>8}{'peak':>8}{'told':>7}{'first s':>9}{'last s':>8}")
    for subject in subjects:
        told = subject.told_at
        last = told[GROUPS - 1] if len(told) >= GROUPS else float("nan")
        print(f"{subject.name:28}{subject.cpu_seconds:8.2f}"
              f"{statistics.median(subject.resident):8.1f}{subject.peak:8.1f}{len(told):7}"
              f"{told[0] if told else float('nan'):9.2f}{last:8.2f}   {subject.check()}")
    for subject in subjects:
        subject.stop()


if __name__ == "__main__":
    main()
