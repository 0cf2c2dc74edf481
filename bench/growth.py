#!/usr/bin/env python3
"""How does the cost of queries grow? The same ones over 2, 20 and 200 thousand series and over
1, 6 and 24 hours; a table for docs/performance.md and a plot beside it.

    bench/growth.py target/release/vesta [--quick] [--plot docs/images/query-growth.svg]

Starts a server, writes a day of one sample a minute by remote write, asks, stops it.
"""

import argparse
import math
import os
import shutil
import statistics
import struct
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request

SERIES = [2_000, 20_000, 200_000]
HOURS = [1, 6, 24]
STEP = 60
QUERIES = [
    ("sum of rates", "sum by (zone) (rate({metric}[5m]))"),
    ("sum of gauges", "sum by (zone) ({metric})"),
    ("highest of an hour", "max(max_over_time({metric}[1h]))"),
    ("five largest", "topk(5, {metric})"),
    ("quantile of rates", "quantile(0.9, rate({metric}[5m]))"),
    ("ratio of two sums", "sum by (zone) (rate({metric}[5m])) / sum by (zone) ({metric})"),
]
COLOURS = ["#1b6ca8", "#c8553d", "#3a7d44", "#8a4fa3", "#b8860b", "#444444"]


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def labels(pairs):
    return b"".join(field(1, field(1, n.encode()) + field(2, v.encode())) for n, v in sorted(pairs))


def snappy(content):
    """As one literal: the server need not know that nothing was compressed."""
    return varint(len(content)) + bytes([63 << 2]) + struct.pack("<I", len(content) - 1) + content


def name(n_series):
    return f"growth_{n_series}_total"


def write_day(url, end):
    """In order of time; all series have the same samples, which does not change what they cost."""
    sets = [
        labels([("__name__", name(n)), ("job", "growth"), ("zone", f"z{i % 10}"), ("pod", f"pod-{i:06}")])
        for n in SERIES
        for i in range(n)
    ]
    start, value = end - 24 * 3600, 0.0
    for begin in range(start, end, 3600):
        samples = bytearray()
        for time_s in range(begin, begin + 3600, STEP):
            value += 1 + (time_s // STEP * 2654435761 % 97) / 7
            samples += field(2, b"\x09" + struct.pack("<d", value) + b"\x10" + varint(time_s * 1000))
        series = [field(1, one + samples) for one in sets]
        for first in range(0, len(series), 2_000):
            body = snappy(b"".join(series[first : first + 2_000]))
            headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}
            request = urllib.request.Request(url + "/api/v1/write", body, headers)
            urllib.request.urlopen(request).read()


def ask(url, query, start, end, step):
    """Milliseconds."""
    parameters = {"query": query, "start": start, "end": end, "step": step}
    began = time.perf_counter()
    urllib.request.urlopen(f"{url}/api/v1/query_range?{urllib.parse.urlencode(parameters)}").read()
    return (time.perf_counter() - began) * 1000


def measure(url, end, repetitions):
    """For each query, number of series and hours: milliseconds, samples in its time."""
    rows = []
    for title, form in QUERIES:
        for n_series in SERIES:
            for hours in HOURS:
                query = form.format(metric=name(n_series))
                took = [ask(url, query, end - hours * 3600, end, STEP * max(1, hours // 6)) for _ in range(repetitions)]
                samples = n_series * hours * 3600 // STEP
                rows.append((title, n_series, hours, statistics.median(took[1:] or took), samples))
                print("%-20s %7d series %3d h %10.1f ms %12d samples" % rows[-1], flush=True)
    return rows


def table(rows):
    columns = [(n, h) for n in SERIES for h in HOURS]
    out = ["| ms | " + " | ".join(f"{n // 1000} k, {h} h" for n, h in columns) + " |"]
    out.append("|---|" + "---:|" * len(columns))
    for title, _ in QUERIES:
        cells = {(n, h): f"{ms:.3g}" if ms < 1000 else f"{ms:.0f}" for t, n, h, ms, _ in rows if t == title}
        out.append(f"| {title} | " + " | ".join(cells[column] for column in columns) + " |")
    return "\n".join(out)


def plot(rows):
    """Both axes are logarithmic: a cost in proportion to what is read is a line at 45 degrees."""
    width, height, left, bottom, top, right = 760, 470, 70, 50, 20, 190
    samples, millis = [row[4] for row in rows], [row[3] for row in rows]
    x_low, x_high = math.floor(math.log10(min(samples))), math.ceil(math.log10(max(samples)))
    y_low, y_high = math.floor(math.log10(min(millis))), math.ceil(math.log10(max(millis)))
    x = lambda v: left + (math.log10(v) - x_low) / (x_high - x_low) * (width - left - right)
    y = lambda v: height - bottom - (math.log10(v) - y_low) / (y_high - y_low) * (height - bottom - top)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    line = lambda x1, y1, x2, y2, style: out.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" {style}/>')
    text = lambda at_x, at_y, words, extra="": out.append(f'<text x="{at_x:.1f}" y="{at_y:.1f}" fill="#333333" {extra}>{words}</text>')
    for power in range(x_low, x_high + 1):
        line(x(10**power), top, x(10**power), height - bottom, 'stroke="#e5e5e5"')
        words = {3: "1 k", 4: "10 k", 5: "100 k", 6: "1 M", 7: "10 M", 8: "100 M", 9: "1 G"}.get(power, f"1e{power}")
        text(x(10**power), height - bottom + 18, words, 'text-anchor="middle"')
    for power in range(y_low, y_high + 1):
        line(left, y(10**power), width - right, y(10**power), 'stroke="#e5e5e5"')
        words = f"{10**power} ms" if power < 3 else f"{10 ** (power - 3)} s"
        text(left - 8, y(10**power) + 4, words, 'text-anchor="end"')
    # In proportion to the samples, through the cheapest query per sample at the right edge.
    per_sample = min(ms / n for _, _, _, ms, n in rows)
    low = max(10**x_low, 10**y_low / per_sample)
    high = min(10**x_high, 10**y_high / per_sample)
    line(x(low), y(low * per_sample), x(high), y(high * per_sample), 'stroke="#999999" stroke-dasharray="5 4"')
    for place, (title, _) in enumerate(QUERIES):
        own = sorted((n, ms) for t, _, _, ms, n in rows if t == title)
        points = " ".join(f"{x(n):.1f},{y(ms):.1f}" for n, ms in own)
        colour = COLOURS[place]
        out.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.6"/>')
        out.extend(f'<circle cx="{x(n):.1f}" cy="{y(ms):.1f}" r="2.6" fill="{colour}"/>' for n, ms in own)
        at = top + 14 + 20 * place
        line(width - right + 14, at - 4, width - right + 38, at - 4, f'stroke="{colour}" stroke-width="2"')
        text(width - right + 44, at, title)
    at = top + 14 + 20 * len(QUERIES)
    line(width - right + 14, at - 4, width - right + 38, at - 4, 'stroke="#999999" stroke-dasharray="5 4"')
    text(width - right + 44, at, "as the samples grow")
    text((left + width - right) / 2, height - 10, "samples of its series in its time", 'text-anchor="middle"')
    out.append("</svg>")
    return "\n".join(out) + "\n"


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("vesta")
    arguments.add_argument("--port", type=int, default=19391)
    arguments.add_argument("--repetitions", type=int, default=4)
    arguments.add_argument("--plot", default="docs/images/query-growth.svg")
    arguments.add_argument("--quick", action="store_true", help="a tenth of the series, to try it out")
    options = arguments.parse_args()
    if options.quick:
        SERIES[:] = [n // 10 for n in SERIES]
    folder, url = tempfile.mkdtemp(), f"http://127.0.0.1:{options.port}"
    open(os.path.join(folder, "c.yml"), "w").write("")
    args = [os.path.abspath(options.vesta), "server", "--config.file=c.yml", "--storage.tsdb.path=data",
            f"--web.listen-address=127.0.0.1:{options.port}", "--web.enable-remote-write-receiver",
            "--query.max-samples=2000000000", "--query.timeout=10m", "--log.level=warn"]
    log = open(os.path.join(folder, "log"), "w")
    server = subprocess.Popen(args, cwd=folder, stdout=log, stderr=log)
    try:
        while True:
            try:
                urllib.request.urlopen(url + "/-/ready").read()
                break
            except OSError:
                time.sleep(0.1)
        end = int(time.time()) // 3600 * 3600
        write_day(url, end)
        # Until the head has given what is old to blocks.
        time.sleep(5 if options.quick else 90)
        rows = measure(url, end, options.repetitions)
        print("\n" + table(rows))
        open(options.plot, "w").write(plot(rows))
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder)


main()
