"""The monitor of a soak: started, asked for its figures, and listened to."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter, deque
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from benchmarks.monitor import PATIENCE, private, processor_time, resident
from benchmarks.readiness import Readiness
from benchmarks.soak_rules import alert_of
from benchmarks.soak_verdict import Sample

NICENESS = -10
"""The monitor goes first, as far as that is allowed, since who floods the machine must not keep it from looking."""
_PORT = 20_000  # below the ports that the kernel gives to those who name none
PROGRAM = (sys.executable, "-m", "refengine", "--backend", "ebpf", "-U")


class Watcher:
    """The monitor, from when it is ready to the end of the body of `with`.

    `command` is the program, to which options are added. `told` are the alerts of the soak's own rules, and how often each
    came; `said` are the last lines of all.

    :raises RuntimeError: when it does not get ready.
    """

    def __init__(self, rules: Sequence[Path], command: Sequence[str | Path] = PROGRAM) -> None:
        # A loopback address that this process has for itself: of one that others use, too, any port may be taken meanwhile.
        pid = os.getpid()
        self._host = f"127.{128 + (pid >> 16)}.{pid >> 8 & 255}.{pid & 255}"
        options = [
            *("-o", "webserver.enabled=true"),
            *("-o", f"webserver.listen_address={self._host}"),
            *("-o", f"webserver.listen_port={_PORT}"),
            *("-o", "webserver.prometheus_metrics_enabled=true"),
            *("-o", "metrics.enabled=true"),
        ]
        for path in rules:
            options += ["-r", str(path)]
        self.told: Counter[str] = Counter()
        self.said: deque[str] = deque(maxlen=40)
        with Readiness() as readiness:
            environment = {**os.environ, **readiness.environment}
            self.process = subprocess.Popen(
                [*command, *options], stdout=subprocess.PIPE, text=True, errors="replace", env=environment
            )
            with contextlib.suppress(PermissionError):
                os.setpriority(os.PRIO_PROCESS, self.process.pid, NICENESS)
            self._reader = threading.Thread(target=self._read)
            self._reader.start()
            try:
                readiness.wait(self.process)
            except BaseException:
                self._kill()
                raise
        self._started = time.monotonic()

    def __enter__(self) -> Watcher:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._kill()

    def sample(self) -> Sample:
        """Return the figures of now."""
        pid = self.process.pid
        with urllib.request.urlopen(f"http://{self._host}:{_PORT}/metrics", timeout=PATIENCE) as answer:
            metrics = answer.read().decode()
        return Sample(
            at=time.monotonic() - self._started,
            private=private(pid) / 1024,
            resident=resident(pid) / 1024,
            objects=_figure(metrics, "refengine_memory_blocks"),
            open=_count(f"/proc/{pid}/fd"),
            threads=_count(f"/proc/{pid}/task"),
            known_threads=_figure(metrics, "falcosecurity_scap_n_threads_total"),
            known_descriptors=_figure(metrics, "falcosecurity_scap_n_fds_total"),
            processor=processor_time(pid),
            seen=_figure(metrics, "falcosecurity_scap_n_evts_total"),
            evaluated=_figure(metrics, "falcosecurity_falco_n_evts_total"),
            dropped=_figure(metrics, "falcosecurity_scap_n_drops_total"),
            alerts=self.told.total(),
        )

    def wait_for(self, alerts: set[str]) -> None:
        """Return when all of these alerts have been told, or none has come for some time that was not there before."""
        last, limit = -1, 0.0
        while (missing := len(alerts - self.told.keys())) and (missing != last or time.monotonic() < limit):
            if missing != last:
                last, limit = missing, time.monotonic() + PATIENCE / 4
            time.sleep(0.2)

    def stop(self) -> tuple[int, float]:
        """Tell it to end; return its exit code and the seconds that took."""
        asked = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(PATIENCE)
        self._reader.join()
        return code, time.monotonic() - asked

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            text = line.rstrip("\n")
            alert = alert_of(text)
            if alert is not None:
                self.told[alert] += 1
            self.said.append(text)

    def _kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()


def _count(folder: str) -> int:
    return sum(1 for _ in Path(folder).iterdir())


def _figure(metrics: str, name: str) -> int:
    """Return the figure of a metric, which has one sample.

    :raises ValueError: when it is not there.
    """
    found = re.search(rf"^{name}(?:{{[^}}]*}})? (\S+)$", metrics, re.MULTILINE)
    if found is None:
        raise ValueError(f"the monitor does not tell {name}")
    return int(float(found[1]))
