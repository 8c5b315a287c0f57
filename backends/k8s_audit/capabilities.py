"""What audit events can tell."""

from __future__ import annotations

from refengine.backends.base import Capabilities
from refengine.backends.k8s_audit.documents import SOURCE

CAPABILITIES = Capabilities(
    SOURCE,
    None,
    "the right to read the file, or to listen at the address",
    frozenset({"CAP_NET_BIND_SERVICE"}),  # of addresses with small port numbers
    absent_fields={
        "ka.sourceips": "audit events have no such place; jevt.value[/sourceIPs/0] is the client's address"
    },
    selective=False,
)
