"""How many alerts a second outputs take, and that one that is stuck does not hold up who raises them.

`python -m benchmarks.outputs [ALERTS]`
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from refengine.output.alert import Alert
from refengine.output.channel import Channel, FileChannel
from refengine.output.formats import LineFormat
from refengine.output.http import HttpChannel
from refengine.output.http_settings import HttpOutput
from refengine.output.program import ProgramChannel
from refengine.output.queue import OutputQueue
from refengine.priority import Priority

ALERT = Alert(
    "Read sensitive file untrusted",
    Priority.WARNING,
    "syscall",
    1_700_000_000_123_456_789,
    7,
    "Sensitive file opened for reading by non-trusted program (file=/etc/shadow user=root command=cat /etc/shadow)",
    {"fd.name": "/etc/shadow", "user.name": "root", "proc.cmdline": "cat /etc/shadow", "proc.pid": 4242},
    ("T1555", "container", "filesystem", "host"),
)


class _Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    def log_message(self, format: str, *args: object) -> None:
        pass


def measure(name: str, channel: Channel, alerts: int) -> None:
    """Print how fast alerts are handed over, and how fast they are taken."""
    lines = LineFormat(json=True)
    queue = OutputQueue(name, channel, capacity=None, report=print)
    begin = time.perf_counter()
    for _ in range(alerts):
        queue.put(lines.line(ALERT, "node"), ALERT.priority)
    handed = time.perf_counter() - begin
    queue.close(120)
    taken = time.perf_counter() - begin
    print(
        f"{name:<24} handed over {alerts / handed:>9,.0f}/s   taken {alerts / taken:>9,.0f}/s   lost {queue.lost}"
    )


class _Stuck:
    def write(self, line: str, priority: Priority) -> None:
        threading.Event().wait()

    def ready(self, line: str) -> bool:
        return False

    def close(self) -> None:
        pass


def main() -> None:
    """Measure each output in turn."""
    alerts = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Receiver)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}/"
    with tempfile.TemporaryDirectory() as folder:
        measure("file", FileChannel(Path(folder) / "a"), alerts)
        measure("file, kept open", FileChannel(Path(folder) / "b", keep_alive=True), alerts)
        measure("program, kept", ProgramChannel("cat >/dev/null", keep_alive=True), alerts)
        measure("http", HttpChannel(HttpOutput(url, json=True)), alerts // 10)
        measure("http, kept", HttpChannel(HttpOutput(url, json=True, keep_alive=True)), alerts // 10)
    stuck = OutputQueue("stuck", _Stuck(), capacity=1000, report=lambda text: None)
    lines = LineFormat(json=True)
    worst, begin = 0.0, time.perf_counter()
    for _ in range(alerts):
        before = time.perf_counter()
        stuck.put(lines.line(ALERT, "node"), ALERT.priority)
        worst = max(worst, time.perf_counter() - before)
    rate = alerts / (time.perf_counter() - begin)
    print(
        f"{'stuck':<24} handed over {rate:>9,.0f}/s   dropped {stuck.dropped}   longest wait {worst * 1e3:.2f} ms"
    )


if __name__ == "__main__":
    main()
