#!/usr/bin/env python3
"""How soon is a member whole again that lacks two hours of 100,000 series?

    LOADGEN=loadgen bench/rejoin.py target/release/vesta

A pair becomes whole, then one of the two is stopped and loses its disk. The other one gets two hours
of history meanwhile (one sample in 15 s, by remote write, in order of time), and scrapes the same
100,000 series from then on. Then the lost one comes back with nothing. What counts is the time from
its start until

- it answers,
- what it answers of an hour ago is right: all series,
- it has taken over all that it lacked,

and whether it then gives the same answers alone. `$LOADGEN` is the project's load generator;
$TARGETS, $SERIES and $HOURS are sizes.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse

import members
from members import INTERVAL, SERIES, TARGETS, wait_for

HOURS = float(os.environ.get("HOURS", "2"))
EXPECTED = TARGETS * SERIES
QUESTIONS = [
    'sum by (instance) (count_over_time(node_cpu_seconds_total{instance=~"host-000[0-4].*"}[1h]))',
    'sum by (mode) (rate(node_cpu_seconds_total[5m]))',
    'count({job="node"})',
]


def send_history(server):
    arguments = ["--series", str(EXPECTED), "--series-per-target", str(SERIES), "--hours", str(HOURS)]
    arguments += ["--interval", str(INTERVAL), "--samples-per-series", "20", "--conns", "2", "--quiet"]
    url = f"http://127.0.0.1:{server.port}"
    subprocess.run([members.LOADGEN, "write", "--url", url, *arguments], check=True, stdout=subprocess.DEVNULL)


def answers(server, times):
    """To the byte."""
    paths = [urllib.parse.urlencode({"query": q, "time": at}) for q in QUESTIONS for at in times]
    return [server.get("/api/v1/query?" + path) for path in paths]


def oldest_hole(server):
    """In seconds since the epoch; nothing where there is none."""
    holes = server.cluster()["holes"]
    return min((hole["start"] for hole in holes), default=None)


def lacks_the_past(server, since):
    oldest = oldest_hole(server)
    return oldest is not None and oldest < since


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder, vesta = tempfile.mkdtemp(prefix="rejoin-"), os.path.abspath(sys.argv[1])
    config, running = os.path.join(folder, "prometheus.yml"), []
    try:
        measure(vesta, folder, config, running)
    finally:
        for process in running:
            process.process.kill()
            process.process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def measure(vesta, folder, config, running):
    members.write(config, members.configuration())
    stay, leave = pair = members.pair(vesta, folder, config, ["--web.enable-remote-write-receiver"])
    running.extend(pair)
    wait_for("both to be ready", lambda: all(member.is_ready() for member in pair))
    wait_for("the pair to be whole", lambda: oldest_hole(stay) is None, 600)
    leave.end()
    shutil.rmtree(leave.data)

    began = time.time()
    send_history(stay)
    print(f"history of {HOURS:g} h, {EXPECTED:,} series: written in {time.time() - began:.0f} s")
    exporter, port = members.exporter(folder)
    running.append(exporter)
    members.write(config, members.configuration(port))
    stay.reload()
    wait_for("scrapes", lambda: stay.value("sum(up)") == TARGETS)
    then = time.time() - 3600 * HOURS / 2
    expected = stay.value('count({job="node"})', then)

    began = time.time()
    leave.start()
    wait_for("an answer", leave.is_ready)
    ready = time.time() - began
    first = leave.value('count({job="node"})', then)
    right = time.time() - began
    print(f"ready after {ready:.2f} s; a right answer about the past after {right:.2f} s: {first:,.0f} of {expected:,.0f}")
    wait_for("all that was lacking", lambda: not lacks_the_past(leave, began - 180), 900)
    whole = time.time() - began
    repair = leave.cluster()["repair"]
    print(f"whole after {whole:.1f} s: {repair['samplesWritten']:,} samples, {repair['bytesFetched'] / 1e6:,.0f} MB")
    print(f"CPU of the one that came back {leave.cpu():.1f} s, resident {leave.rss() / 1e6:,.0f} MB; of the other one {stay.rss() / 1e6:,.0f} MB")

    times = [began - part * 3600 * HOURS for part in (0.1, 0.4, 0.9)]
    before = answers(stay, times)
    stay.end()
    alone = answers(leave, times)
    same = sum(one == other for one, other in zip(before, alone))
    print(f"the same answers alone: {same} of {len(before)}")


main()
