#!/usr/bin/env python3
"""What does scraping cost, and how punctual is it? 2,000 targets of 1,000 series each, every 15 s.

    bench/scrape.py "target/release/vesta server" prometheus

The servers take turns. Each stores the moments at which it scraped as they were, so that the stored
times of `up` tell how far intervals were from 15 s, and whether a slot was missed. CPU is that of
the server's process over the window, by stored samples; memory is what it holds (RSS).

$LOADGEN names a faster exporter, which is called as
`$LOADGEN serve --listen ADDRESS --targets N --series N` and serves `/t/<n>/metrics`; without it the
one below is used, and takes a good part of a core. $TARGETS, $SERIES and $SECONDS_EACH are sizes.
"""

import http.server
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

from processes import cpu_seconds, free_port, rss_bytes

TARGETS = int(os.environ.get("TARGETS", "2000"))
SERIES = int(os.environ.get("SERIES", "1000"))
SECONDS = int(os.environ.get("SECONDS_EACH", "180"))
INTERVAL = 15


class Exporter(http.server.BaseHTTPRequestHandler):
    """All targets say the same; labels tell their series apart."""

    protocol_version = "HTTP/1.1"
    body = "".join(f'm{n % 100}{{n="{n}",zone="z{n % 5}"}} {n}.5\n' for n in range(SERIES)).encode()

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 1024
    daemon_threads = True


def start_exporter(folder):
    port = free_port()
    loadgen = os.environ.get("LOADGEN")
    if not loadgen:
        exporter = Server(("127.0.0.1", port), Exporter)
        threading.Thread(target=exporter.serve_forever, daemon=True).start()
        return port, None
    log = open(os.path.join(folder, "loadgen.log"), "w")
    args = ["serve", "--listen", f"127.0.0.1:{port}", "--targets", str(TARGETS)]
    process = subprocess.Popen([loadgen, *args, "--series", str(SERIES)], stdout=log, stderr=log)
    return port, process


def ask(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
        return json.load(answer)["data"]["result"]


def query(port, text):
    return ask(port, "/api/v1/query?query=" + urllib.parse.quote(text))


def configuration(port):
    lines = [f"global: {{scrape_interval: {INTERVAL}s}}", "scrape_configs:", "- job_name: bench", "  static_configs:"]
    for n in range(TARGETS):
        labels = f"{{__metrics_path__: /t/{n}/metrics, instance: 'host-{n:04d}:9100'}}"
        lines.append(f"  - {{targets: ['127.0.0.1:{port}'], labels: {labels}}}")
    return "\n".join(lines) + "\n"


def wait_until_all_are_up(port):
    limit = time.time() + 300
    while time.time() < limit:
        try:
            up = query(port, "sum(up)")
            if up and int(up[0]["value"][1]) == TARGETS:
                return
        except OSError:
            pass
        time.sleep(1)
    sys.exit(f"the targets are not up on port {port}")


def percentile(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * part))]


def punctuality(port):
    """How far intervals were from the one that is configured, in ms, and how many slots are missing."""
    off, missing = [], 0
    for series in query(port, f"up[{SECONDS}s]"):
        times = [time for time, _ in series["values"]]
        for before, after in zip(times, times[1:]):
            slots = round((after - before) / INTERVAL)
            missing += slots - 1
            off.append(abs(after - before - slots * INTERVAL) * 1000)
    return off, missing


def measure(command, folder, exporter):
    port = free_port()
    name = os.path.basename(command[0])
    config = os.path.join(folder, "scrape.yml")
    with open(config, "w") as file:
        file.write(configuration(exporter))
    data = tempfile.mkdtemp(dir=folder)
    flags = [f"--config.file={config}", f"--storage.tsdb.path={data}", f"--web.listen-address=127.0.0.1:{port}"]
    log = open(os.path.join(folder, f"{name}.log"), "w")
    process = subprocess.Popen([*command, *flags, "--no-scrape.adjust-timestamps"], stdout=log, stderr=log)
    try:
        wait_until_all_are_up(port)
        time.sleep(2 * INTERVAL)
        before, began, rss = cpu_seconds(process.pid), time.time(), []
        while time.time() < began + SECONDS:
            rss.append(rss_bytes(process.pid))
            time.sleep(1)
        cpu, took = cpu_seconds(process.pid) - before, time.time() - began
        samples = TARGETS * (SERIES + 5) * took / INTERVAL
        off, missing = punctuality(port)
        return {
            "name": name,
            "cpu_us": cpu / samples * 1e6,
            "cores": cpu / took,
            "rss": statistics.median(rss),
            "p50": percentile(off, 0.5),
            "p99": percentile(off, 0.99),
            "max": max(off),
            "missing": missing,
        }
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(data, ignore_errors=True)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    folder = tempfile.mkdtemp()
    exporter, process = start_exporter(folder)
    try:
        results = [measure(command.split(), folder, exporter) for command in sys.argv[1:]]
    finally:
        if process:
            process.terminate()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{TARGETS} targets, {SERIES} series each, every {INTERVAL} s, over {SECONDS} s")
    print(f"{'':12} {'us/sample':>10} {'cores':>7} {'RSS MB':>8} {'off p50':>9} {'p99 ms':>8} {'max ms':>8} {'missed':>7}")
    for r in results:
        print(
            f"{r['name']:12} {r['cpu_us']:10.3f} {r['cores']:7.3f} {r['rss'] / 1e6:8.0f}"
            f" {r['p50']:9.2f} {r['p99']:8.2f} {r['max']:8.2f} {r['missing']:7}"
        )
    first = results[0]
    for other in results[1:]:
        cpu, rss = first["cpu_us"] / other["cpu_us"], first["rss"] / other["rss"]
        print(f"{first['name']} / {other['name']}: CPU {cpu:.2f}, memory {rss:.2f}")


main()
