#!/usr/bin/env python3
"""What does clustering cost? 100,000 series by a server alone, then by a pair that acts as one.

    LOADGEN=loadgen bench/cluster_cost.py target/release/vesta

First one server, then two with the same targets: CPU and resident memory of each over a minute and a
half, bytes on the links between them. Then queries over recent data: of the server alone, of a member
of the pair, and of one that was restarted a moment ago and so reads what it may lack of the other
one. Medians of $REPS requests, one after the other. `$LOADGEN` is the project's load generator;
$TARGETS, $SERIES, $INTERVAL and $SECONDS_EACH are sizes.
"""

import os
import shutil
import statistics
import sys
import tempfile
import time
import urllib.parse

import members
from members import INTERVAL, SERIES, TARGETS, wait_for

SECONDS = int(os.environ.get("SECONDS_EACH", "90"))
REPS = int(os.environ.get("REPS", "7"))
ONE_HOST = 'instance="host-0003.example.net:9100"'
QUERIES = {
    "one host": f"node_cpu_seconds_total{{{ONE_HOST}}}",
    "rate, one host": f"rate(node_cpu_seconds_total{{{ONE_HOST}}}[5m])",
    "count of all": 'count({job="node"})',
    "rate by mode": "sum by (mode) (rate(node_cpu_seconds_total[5m]))",
    "top ten": "topk(10, rate(container_cpu_usage_seconds_total[5m]))",
    "quantiles": "histogram_quantile(0.99, sum by (le, handler) (rate(http_request_duration_seconds_bucket[5m])))",
    "by name": 'count by (__name__) ({__name__=~"container_.+_total", pod=~"(api|db)-.*"})',
    "ratio": "sum by (instance) (rate(http_request_duration_seconds_sum[5m])) / sum by (instance) (rate(http_request_duration_seconds_count[5m]))",
    "gauges": "sum by (namespace) (container_memory_working_set_bytes)",
}


def scrape(servers):
    """Once all is scraped by all: CPU a sample, memory, bytes on links, for each of `servers`."""
    for server in servers:
        wait_for("targets", lambda: server.value("sum(up)") == TARGETS)
    time.sleep(2 * INTERVAL)
    before, began = [(server.cpu(), link_bytes(server)) for server in servers], time.time()
    rss = [[] for _ in servers]
    while time.time() < began + SECONDS:
        for server, seen in zip(servers, rss):
            seen.append(server.rss())
        time.sleep(1)
    took = time.time() - began
    costs = []
    for server, (cpu, sent), seen in zip(servers, before, rss):
        costs.append({
            "cores": (server.cpu() - cpu) / took,
            "rss": statistics.median(seen),
            "link": (link_bytes(server) - sent) / took,
        })
    return costs


def link_bytes(server):
    """Sent to the other member so far."""
    status = server.cluster()
    return sum(member["bytesSent"] for member in status.get("members", []))


def medians(server, queries=QUERIES):
    """Of each query the median, in milliseconds; the last two minutes, a step of 15 s."""
    found = {}
    for name, expression in queries.items():
        took = []
        for _ in range(REPS):
            now = int(time.time())
            parameters = {"query": expression, "start": now - 120, "end": now, "step": 15}
            began = time.perf_counter()
            server.get("/api/v1/query_range?" + urllib.parse.urlencode(parameters))
            took.append((time.perf_counter() - began) * 1000)
        found[name] = statistics.median(took)
    return found


def is_whole(server):
    return not server.cluster()["holes"]


def measure(vesta, folder, running):
    config = os.path.join(folder, "prometheus.yml")
    exporter, port = members.exporter(folder)
    running.append(exporter)
    members.write(config, members.configuration(port))

    alone = members.Server(vesta, folder, "alone", config)
    running.append(alone)
    costs = scrape([alone])
    queries = [medians(alone)]
    alone.end()

    pair = members.pair(vesta, folder, config)
    running.extend(pair)
    costs += scrape(pair)
    wait_for("the pair to be whole", lambda: all(is_whole(member) for member in pair), 600)
    queries.append(medians(pair[0]))
    pair[1].end()
    time.sleep(30)
    pair[1].start()
    wait_for("the one that comes back", pair[1].is_ready)
    queries.append(medians(pair[1]))
    merged = not is_whole(pair[1])
    return costs, queries, merged


def show(costs, queries, merged):
    alone = costs[0]
    print(f"{TARGETS} targets of {SERIES} series, every {INTERVAL} s, over {SECONDS} s")
    print(f"{'':10} {'cores':>8} {'ratio':>6} {'RSS MB':>8} {'ratio':>6} {'link kB/s':>10}")
    for name, cost in zip(["alone", "member-a", "member-b"], costs):
        cores, rss = cost["cores"], cost["rss"]
        ratios = cores / alone["cores"], rss / alone["rss"]
        print(f"{name:10} {cores:8.4f} {ratios[0]:6.2f} {rss / 1e6:8.0f} {ratios[1]:6.2f} {cost['link'] / 1e3:10.1f}")
    print(f"\n{'median, ms':16} {'alone':>9} {'member':>9} {'ratio':>6} {'merged':>9} {'ratio':>6}")
    for name in QUERIES:
        alone, member, both = (found[name] for found in queries)
        print(f"{name:16} {alone:9.2f} {member:9.2f} {member / alone:6.2f} {both:9.2f} {both / alone:6.2f}")
    middle = [statistics.median(found.values()) for found in queries]
    print(f"{'the middle':16} {middle[0]:9.2f} {middle[1]:9.2f} {middle[1] / middle[0]:6.2f} {middle[2]:9.2f} {middle[2] / middle[0]:6.2f}")
    if not merged:
        print("the member that came back was whole before the queries were over: ask fewer of them")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder, running = tempfile.mkdtemp(prefix="cluster-cost-"), []
    try:
        show(*measure(os.path.abspath(sys.argv[1]), folder, running))
    finally:
        for process in running:
            process.process.kill()
            process.process.wait()
        shutil.rmtree(folder, ignore_errors=True)


main()
