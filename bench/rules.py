#!/usr/bin/env python3
"""What does it cost to evaluate rules? CPU of a server with 10,000 rules over 100,000 series.

    bench/rules.py "target/release/vesta server" prometheus

Each server scrapes the same exporter every 15 s, first without rules, then with them; the
difference, by the number of evaluations, is what a rule costs.
"""

import http.server
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

from processes import cpu_seconds, rss_bytes

METRICS = 1000
INSTANCES = 100
TARGETS = 10
INTERVAL = 15
SECONDS = int(os.environ.get("SECONDS_EACH", "60"))

# Ten for each metric: a tenth alerts, the others record.
RULES = [
    ("record: m{i}:sum", "sum(m{i})"),
    ("record: m{i}:rate1m", "rate(m{i}[1m])"),
    ("record: m{i}:sum_rate1m", "sum by (job) (rate(m{i}[1m]))"),
    ("record: m{i}:avg_rate5m", "avg by (zone) (rate(m{i}[5m]))"),
    ("record: m{i}:max", "max by (zone) (m{i})"),
    ("record: m{i}:ratio", "sum by (zone) (m{i}) / on () group_left m{i}:sum"),
    ("record: m{i}:topk", "topk(3, m{i})"),
    ("record: m{i}:increase", "sum(increase(m{i}[2m]))"),
    ("record: m{i}:count", "count by (zone) (m{i} > 10)"),
    ("alert: M{i}High", "m{i} > 1e12"),
]


class Exporter(http.server.BaseHTTPRequestHandler):
    """A tenth of the instances on each path; counters that grow with time."""

    def do_GET(self):
        target = int(self.path.rsplit("/", 1)[1])
        now = int(time.time())
        lines = []
        per_target = INSTANCES // TARGETS
        for metric in range(METRICS):
            for nth in range(per_target):
                n = target * per_target + nth
                lines.append(f'm{metric}{{n="{n}",zone="z{n % 5}"}} {now % 100000 * (n + 1)}\n')
        body = "".join(lines).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def config(exporter, with_rules):
    jobs = "".join(
        f"- {{job_name: t{t}, metrics_path: /{t}, honor_labels: true,"
        f" static_configs: [{{targets: ['127.0.0.1:{exporter}']}}]}}\n"
        for t in range(TARGETS)
    )
    rules = "rule_files: [rules.yml]\n" if with_rules else ""
    return f"global: {{scrape_interval: {INTERVAL}s, evaluation_interval: {INTERVAL}s}}\n{rules}scrape_configs:\n{jobs}"


def rule_file():
    text = ["groups:\n"]
    for i in range(METRICS):
        text.append(f"- name: g{i}\n  rules:\n")
        for head, expr in RULES:
            text.append(f"  - {{{head.replace('{i}', str(i))}, expr: '{expr.replace('{i}', str(i))}'}}\n")
    return "".join(text)


def total(port, metric):
    body = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").read().decode()
    return sum(float(line.rsplit(" ", 1)[1]) for line in body.splitlines() if line.startswith(metric + "{"))


def measure(command, exporter, port):
    folder = tempfile.mkdtemp()
    write = lambda name, text: open(os.path.join(folder, name), "w").write(text)
    write("c.yml", config(exporter, False))
    write("rules.yml", rule_file())
    args = command.split() + [
        "--config.file=c.yml", "--storage.tsdb.path=data", f"--web.listen-address=127.0.0.1:{port}",
    ]
    log = open(os.path.join(folder, "log"), "w")
    args[0] = os.path.abspath(shutil.which(args[0]))
    server = subprocess.Popen(args, cwd=folder, stdout=log, stderr=log)
    try:
        time.sleep(3 * INTERVAL)
        before = cpu_seconds(server.pid)
        time.sleep(SECONDS)
        scraping = (cpu_seconds(server.pid) - before) / SECONDS
        write("c.yml", config(exporter, True))
        server.send_signal(signal.SIGHUP)
        time.sleep(3 * INTERVAL)
        before, evaluated = cpu_seconds(server.pid), total(port, "prometheus_rule_evaluations_total")
        started = time.time()
        time.sleep(SECONDS)
        seconds = time.time() - started
        both = (cpu_seconds(server.pid) - before) / seconds
        evaluated = total(port, "prometheus_rule_evaluations_total") - evaluated
        missed = total(port, "prometheus_rule_group_iterations_missed_total")
        failed = total(port, "prometheus_rule_evaluation_failures_total")
        per_rule = (both - scraping) * seconds / evaluated * 1e6
        print(
            f"{command}: {per_rule:.1f} µs of CPU an evaluation ({evaluated:.0f} evaluations,"
            f" {failed:.0f} failed, {missed:.0f} slots missed); scraping {scraping * 100:.1f} % of a core,"
            f" with rules {both * 100:.1f} %; {rss_bytes(server.pid) >> 20} MB",
            flush=True,
        )
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder)


def main():
    exporter = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Exporter)
    threading.Thread(target=exporter.serve_forever, daemon=True).start()
    for nth, command in enumerate(sys.argv[1:]):
        measure(command, exporter.server_port, 39400 + os.getpid() % 500 + nth)


main()
