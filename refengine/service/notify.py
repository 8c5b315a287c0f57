"""Words to the service manager, in systemd's protocol: datagrams to the socket that it names."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping


class Supervisor:
    """Tells the service manager in the environment how things are; says nothing where there is none.

    `watchdog` is the number of seconds after which it takes this program for dead that has not said `alive`,
    None where it does not care.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        environment = os.environ if environment is None else environment
        address = environment.get("NOTIFY_SOCKET", "")
        # A name in the abstract name space is written with an @ and begins with a zero byte.
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self.watchdog = _watchdog(environment) if address else None

    def ready(self, status: str) -> None:
        """Say that all has been started, or that a reload is over."""
        self._send(f"READY=1\nSTATUS={status}\nMAINPID={os.getpid()}")

    def complete(self, status: str) -> None:
        """Say that nothing more is to come that belongs to the start. The manager shows the status only."""
        self._send(f"STATUS={status}\nX_COMPLETE=1")

    def reloading(self) -> None:
        """Say that a reload has begun."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}\nSTATUS=Loading rules")

    def stopping(self) -> None:
        """Say that the end has begun."""
        self._send("STOPPING=1")

    def alive(self) -> None:
        """Say that the program still does its work."""
        self._send("WATCHDOG=1")

    def _send(self, text: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as manager:
                manager.settimeout(1.0)
                manager.sendto(text.encode(), self._address)
        except OSError:
            return  # a manager that does not listen is no reason to stop working


def _watchdog(environment: Mapping[str, str]) -> float | None:
    interval, pid = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    if not interval.isdigit() or int(interval) == 0 or pid not in ("", str(os.getpid())):
        return None
    return int(interval) / 1_000_000
