#!/usr/bin/env python3
"""How fast does a sender catch up? The receiver is away for ten minutes at 100,000 samples a second.

    LOADGEN=loadgen bench/catchup.py "target/release/vesta server" ["receiver command"]

Both ends run on this machine, as does the exporter. The sender scrapes 200 targets of 1,000 series
each, every 2 s, and sends with the settings that are the default. When it has settled, the receiver is
stopped; after the outage it is started again, and the sender has caught up when the newest sample that
was sent is not older than two scrapes, and no more waits than one scrape gives. Then nothing may be missing: both ends count the samples of
`up` and of one metric.

$LOADGEN names the exporter, which is called as
`$LOADGEN serve --listen ADDRESS --targets N --series N` and serves `/t/<n>/metrics`. $OUTAGE is in
seconds; $TARGETS, $SERIES and $INTERVAL are sizes; $MESSAGE is the protobuf message, the older one
by default.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

from processes import cpu_seconds, free_port, rss_bytes

OUTAGE = int(os.environ.get("OUTAGE", "600"))
TARGETS = int(os.environ.get("TARGETS", "200"))
SERIES = int(os.environ.get("SERIES", "1000"))
INTERVAL = int(os.environ.get("INTERVAL", "2"))
MESSAGE = os.environ.get("MESSAGE", "prometheus.WriteRequest")
PREFIX = "prometheus_remote_storage_"


def get(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
        return answer.read()


def query(port, text):
    answer = json.loads(get(port, "/api/v1/query?query=" + urllib.parse.quote(text)))
    result = answer["data"]["result"]
    return float(result[0]["value"][1]) if result else 0.0


def figures(port):
    """The sums of a server's metrics of remote storage, by name."""
    sums = {}
    for line in get(port, "/metrics").decode().splitlines():
        if line.startswith(PREFIX):
            name = line[len(PREFIX) :].split("{")[0]
            sums[name] = sums.get(name, 0.0) + float(line.rsplit(" ", 1)[1])
    return sums


def scrapes(exporter):
    lines = ["scrape_configs:", "- job_name: bench", "  static_configs:"]
    for n in range(TARGETS):
        labels = f"{{__metrics_path__: /t/{n}/metrics, instance: 'host-{n:04d}:9100'}}"
        lines.append(f"  - {{targets: ['127.0.0.1:{exporter}'], labels: {labels}}}")
    return "\n".join(lines)


class Server:
    def __init__(self, command, folder, name, config):
        self.port, self.folder, self.name = free_port(), folder, name
        self.write(config)
        self.args = [
            *command.split(),
            f"--config.file={folder}/{name}.yml",
            f"--storage.tsdb.path={folder}/{name}-data",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--web.enable-remote-write-receiver",
            "--web.enable-lifecycle",
        ]
        self.process = None

    def write(self, config):
        with open(f"{self.folder}/{self.name}.yml", "w") as file:
            file.write(config)

    def start(self):
        log = open(f"{self.folder}/{self.name}.log", "a")
        self.process = subprocess.Popen(self.args, stdout=log, stderr=log)
        wait_for(f"{self.name} to start", lambda: get(self.port, "/-/ready"), 120)

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait()
            self.process = None


def wait_for(what, probe, limit, pause=0.25):
    end = time.time() + limit
    while time.time() < end:
        try:
            found = probe()
            if found:
                return found
        except OSError:
            pass
        time.sleep(pause)
    sys.exit(f"waited in vain for {what}")


def lag(port):
    """How old the newest sample is that was sent, in seconds, and how many wait in shards."""
    now = figures(port)
    return time.time() - now["queue_highest_sent_timestamp_seconds"], now["samples_pending"]


def measure(sender, receiver):
    receiver.start()
    sender.start()
    samples = TARGETS * SERIES / INTERVAL
    wait_for("the first samples", lambda: figures(sender.port)["samples_total"] > samples * 10, 120)
    receiver.stop()
    print(f"the receiver is away for {OUTAGE} s", flush=True)
    time.sleep(OUTAGE)
    before, rss = figures(sender.port), [rss_bytes(sender.process.pid)]
    receiver.start()
    began, cpu = time.time(), [cpu_seconds(sender.process.pid), cpu_seconds(receiver.process.pid)]
    last = began

    def has_caught_up():
        nonlocal last
        behind, pending = lag(sender.port)
        rss.append(rss_bytes(sender.process.pid))
        if time.time() > last + 5:
            last = time.time()
            n_shards = figures(sender.port)["shards"]
            print(f"{last - began:5.0f} s: {behind:.0f} s behind, {n_shards:.0f} shards", flush=True)
        return behind <= 2 * INTERVAL and pending <= samples * INTERVAL

    wait_for("the sender to catch up", has_caught_up, 1800)
    took, after = time.time() - began, figures(sender.port)
    cpu = [cpu_seconds(sender.process.pid) - cpu[0], cpu_seconds(receiver.process.pid) - cpu[1]]
    n_sent = after["samples_total"] - before["samples_total"]
    print(f"caught up after {took:.1f} s: {n_sent / 1e6:.1f} million samples, {n_sent / took / 1e6:.2f} million a second")
    print(f"CPU for a sample: sender {cpu[0] / n_sent * 1e6:.2f} us with its scrapes, receiver {cpu[1] / n_sent * 1e6:.2f} us")
    print(f"sender's memory: {rss[0] / 1e6:.0f} MB before, {max(rss) / 1e6:.0f} MB at most")
    failed = {name: after[name] for name in ("samples_failed_total", "samples_dropped_total") if after.get(name)}
    print(f"refused or dropped: {failed or 'none'}")


def compare(sender, receiver):
    """Nothing comes any more; then both ends have the same."""
    sender.write(sends(receiver))
    urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{sender.port}/-/reload", method="POST"))
    for text in ["sum(count_over_time(up[2h]))", "sum(count_over_time(scrape_samples_scraped[2h]))"]:
        wait_for(text, lambda: query(sender.port, text) == query(receiver.port, text), 120)
        print(f"{text} at both ends: {query(receiver.port, text):.0f}")


def sends(receiver):
    message = "" if MESSAGE == "prometheus.WriteRequest" else f", protobuf_message: {MESSAGE}"
    return f"global: {{scrape_interval: {INTERVAL}s}}\nremote_write: [{{url: 'http://127.0.0.1:{receiver.port}/api/v1/write'{message}}}]\n"


def main():
    loadgen = os.environ.get("LOADGEN")
    if len(sys.argv) < 2 or not loadgen:
        sys.exit(__doc__)
    folder, exporter = tempfile.mkdtemp(dir=os.environ.get("WORK")), free_port()
    log = open(os.path.join(folder, "loadgen.log"), "w")
    args = ["serve", "--listen", f"127.0.0.1:{exporter}", "--targets", str(TARGETS), "--series", str(SERIES)]
    source = subprocess.Popen([loadgen, *args], stdout=log, stderr=log)
    receiver = Server(sys.argv[-1], folder, "receiver", "global: {}\n")
    sender = Server(sys.argv[1], folder, "sender", "")
    sender.write(sends(receiver) + scrapes(exporter) + "\n")
    try:
        measure(sender, receiver)
        compare(sender, receiver)
    finally:
        for server in (sender, receiver):
            server.stop()
        source.terminate()
        source.wait()
        shutil.rmtree(folder, ignore_errors=True)


main()
