"""A program that a soak can take for a monitor, and that keeps so many kilobytes a second for good:

python leaking.py KILOBYTES [-o webserver.listen_address=ADDRESS -o webserver.listen_port=NUMBER] …
"""

from __future__ import annotations

import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

from refengine.service.notify import Supervisor

ADDRESS, PORT = "webserver.listen_address=", "webserver.listen_port="
METRICS = """refengine_memory_blocks 250000
falcosecurity_scap_n_threads_total 100
falcosecurity_scap_n_fds_total{kind="a"} 40
falcosecurity_scap_n_evts_total 3000
falcosecurity_falco_n_evts_total 1000
falcosecurity_scap_n_drops_total 0
"""


class Metrics(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(METRICS.encode())

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


def main() -> None:
    size = int(sys.argv[1]) * 1024 // 20
    address, port = (
        next(word.removeprefix(key) for word in sys.argv if word.startswith(key)) for key in (ADDRESS, PORT)
    )
    server = HTTPServer((address, int(port)), Metrics)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Supervisor().ready("leaking")
    sys.stdout.write("soak opened /tmp/opened-0\n")
    sys.stdout.flush()
    kept = []
    try:
        while True:
            kept.append(b"x" * size)
            time.sleep(0.05)
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
