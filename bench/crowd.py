#!/usr/bin/env python3
"""How long does a small query take while twenty heavy ones run?

    bench/crowd.py http://127.0.0.1:9090 --light up --heavy 'sum by (mode) (rate(node_cpu_seconds_total[5m]))'

Asks the small one alone, then beside the others, each of which is asked again as soon as it ends.
"""

import argparse
import threading
import time
import urllib.error
import urllib.parse
import urllib.request


def ask(url, path, **parameters):
    began = time.perf_counter()
    urllib.request.urlopen(f"{url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}", timeout=300).read()
    return (time.perf_counter() - began) * 1000


def measure(options):
    """Milliseconds of each small query, sorted."""
    took, until = [], time.time() + options.seconds
    while time.time() < until:
        took.append(ask(options.url, "query", query=options.light, time=options.end))
        time.sleep(0.02)
    return sorted(took)


def show(title, took):
    at = lambda share: took[min(len(took) - 1, int(len(took) * share))]
    print(f"{title}: median {at(0.5):.2f} ms, p99 {at(0.99):.2f} ms, longest {took[-1]:.2f} ms, {len(took)} queries", flush=True)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("url")
    arguments.add_argument("--light", default="up")
    arguments.add_argument("--heavy", required=True)
    arguments.add_argument("--beside", type=int, default=20)
    arguments.add_argument("--end", type=float, default=time.time())
    arguments.add_argument("--hours", type=float, default=6)
    arguments.add_argument("--step", type=float, default=15)
    arguments.add_argument("--seconds", type=float, default=10)
    options = arguments.parse_args()
    show("alone", measure(options))
    stop, heavy = threading.Event(), []

    def again():
        start = options.end - options.hours * 3600
        while not stop.is_set():
            heavy.append(ask(options.url, "query_range", query=options.heavy, start=start, end=options.end, step=options.step))

    threads = [threading.Thread(target=again) for _ in range(options.beside)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    took = measure(options)
    stop.set()
    for thread in threads:
        thread.join()
    show(f"beside {options.beside} others", took)
    show("the others", sorted(heavy))


main()
