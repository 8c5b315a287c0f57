"""The audit events that an API server posts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from refengine.backends.base import Interest, Statistics
from refengine.backends.k8s_audit.capabilities import CAPABILITIES
from refengine.backends.k8s_audit.documents import event_of
from refengine.backends.k8s_audit.endpoint import endpoint_of
from refengine.backends.k8s_audit.inbox import Inbox
from refengine.backends.k8s_audit.rate import Rate
from refengine.backends.k8s_audit.receiver import Receiver
from refengine.backends.k8s_audit.server import Server
from refengine.backends.target import Address
from refengine.errors import BackendError
from refengine.event import Event

EVENTS_LIMIT: Final = 65536
SIZE_LIMIT: Final = 64 << 20
"""The events that wait to be evaluated, and the bytes that their texts have, at most."""


class WebhookBackend:
    """Listens at an address for the events that API servers post, one by one or in lists."""

    name = "k8s_audit"
    capabilities = CAPABILITIES
    exit_code: int | None = None

    def __init__(self, address: Address, *, events: int = EVENTS_LIMIT, size: int = SIZE_LIMIT) -> None:
        self._address = address
        self._inbox = Inbox(events, size)
        self._server: Server | None = None
        self._statistics = Statistics()

    def open(self, interest: Interest) -> None:
        """Begin to listen.

        :raises BackendError: when the address cannot be listened at, or a certificate cannot be used.
        """
        address = self._address
        endpoint = endpoint_of(address)
        rate = Rate(address.requests_per_second)
        receiver = Receiver(endpoint.path, self._inbox, address.body_limit, rate, self._statistics)
        self._server = Server(endpoint, receiver.answer)
        self._server.start()

    @property
    def port(self) -> int:
        """The port that is listened at."""
        return 0 if self._server is None else self._server.port

    def read(self, timeout: float) -> Sequence[Event]:
        """Return the events that came together, none of them after `timeout` seconds without any."""
        if self._server is None:
            raise BackendError("the address has not been listened at yet")
        events = []
        for document in self._inbox.take(timeout):
            self._statistics.delivered += 1
            events.append(event_of(document, self._statistics.delivered))
        return events

    @property
    def warnings(self) -> tuple[str, ...]:
        """What there is to say of clients, in sentences."""
        too_many, silent = (0, 0) if self._server is None else self._server.refused
        found = []
        if too_many:
            found.append(f"{too_many} connections were closed, as there were too many at a time")
        if silent:
            found.append(f"{silent} connections were closed, as no request came")
        return tuple(found)

    def statistics(self) -> Statistics:
        """Return the counters so far."""
        return self._statistics

    def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.stop()
