"""What benches of clusters have in common: servers that act as one, what they say and what they cost."""

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

from processes import cpu_seconds, free_port, rss_bytes

TARGETS = int(os.environ.get("TARGETS", "100"))
SERIES = int(os.environ.get("SERIES", "1000"))
INTERVAL = int(os.environ.get("INTERVAL", "15"))
LOADGEN = os.environ.get("LOADGEN", "loadgen")


class Process:
    """A program that ends with the bench."""

    def __init__(self, command, log):
        self.command, self.log = command, log
        self.start()

    def start(self):
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait()

    def cpu(self):
        """Seconds so far."""
        return cpu_seconds(self.process.pid)

    def rss(self):
        return rss_bytes(self.process.pid)


class Server(Process):
    """A `vesta server`, alone or with `others`, which are ports of gossip."""

    def __init__(self, vesta, folder, name, config, ports=None, others=(), flags=()):
        self.port, self.data = free_port(), os.path.join(folder, name)
        flags = [
            f"--config.file={config}",
            f"--storage.tsdb.path={self.data}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--web.enable-lifecycle",
            *flags,
        ]
        if ports:
            gossip, store = ports
            flags += [
                f"--cluster.member={name}",
                f"--cluster.listen-address=127.0.0.1:{gossip}",
                f"--cluster.store-address=127.0.0.1:{store}",
                *[f"--cluster.peer=127.0.0.1:{other}" for other in others],
            ]
        super().__init__([vesta, "server", *flags], os.path.join(folder, f"{name}.log"))

    def get(self, path, timeout=120):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=timeout) as answer:
            return answer.read()

    def ask(self, expression, at=None):
        """The result of an instant query, and its warnings."""
        parameters = {"query": expression, **({"time": at} if at else {})}
        body = json.loads(self.get("/api/v1/query?" + urllib.parse.urlencode(parameters)))
        return body["data"]["result"], body.get("warnings", [])

    def value(self, expression, at=None):
        """The one value of an instant query; nothing if there is none, or nobody answers."""
        try:
            result, _ = self.ask(expression, at)
        except (OSError, urllib.error.URLError):
            return None
        return float(result[0]["value"][1]) if result else None

    def cluster(self):
        return json.loads(self.get("/api/v1/status/cluster"))["data"]

    def reload(self):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/-/reload", method="POST")
        urllib.request.urlopen(request, timeout=60).read()

    def is_ready(self):
        try:
            self.get("/-/ready", timeout=5)
            return True
        except OSError:
            return False


def pair(vesta, folder, config, flags=()):
    """Two servers that act as one."""
    ports = [(free_port(), free_port()) for _ in range(2)]
    return [
        Server(vesta, folder, name, config, ports[idx], [ports[1 - idx][0]], flags)
        for idx, name in enumerate(["member-a", "member-b"])
    ]


def exporter(folder):
    """TARGETS targets, as `loadgen serve` serves them, and its port."""
    port = free_port()
    arguments = ["serve", "--listen", f"127.0.0.1:{port}", "--targets", str(TARGETS), "--series", str(SERIES)]
    return Process([LOADGEN, *arguments], os.path.join(folder, "loadgen.log")), port


def configuration(port=None):
    """Scrapes what `exporter` serves, if a port is given."""
    lines = [f"global: {{scrape_interval: {INTERVAL}s, external_labels: {{cluster: bench}}}}"]
    if port:
        lines += ["scrape_configs:", "- job_name: node", "  static_configs:"]
        for n in range(TARGETS):
            labels = f"{{__metrics_path__: /t/{n}/metrics, instance: 'host-{n:04d}.example.net:9100'}}"
            lines.append(f"  - {{targets: ['127.0.0.1:{port}'], labels: {labels}}}")
    return "\n".join(lines) + "\n"


def wait_for(what, is_so, seconds=300):
    """How long it took."""
    began = time.time()
    while not is_so():
        if time.time() > began + seconds:
            raise SystemExit(f"waited {seconds} s in vain: {what}")
        time.sleep(0.1)
    return time.time() - began


def write(path, text):
    with open(path, "w") as file:
        file.write(text)
