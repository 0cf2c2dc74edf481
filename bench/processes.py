"""What benches need to know of a process: a port for it, its CPU and its memory."""

import os
import socket

TICKS = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def cpu_seconds(pid):
    """Seconds so far, of the program and of the kernel for it."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def rss_bytes(pid, what="VmRSS"):
    """Resident now, or at most so far with `VmHWM`."""
    with open(f"/proc/{pid}/status") as status:
        line = next(line for line in status if line.startswith(what + ":"))
    return int(line.split()[1]) << 10
