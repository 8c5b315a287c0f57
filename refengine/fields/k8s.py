"""The pod that the process runs in (`k8s.*`).

Control groups tell a pod's id, and the container's runtime what the kubelet told it of the pod. What only the
cluster knows, its services and replica sets and what they are called, is absent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from refengine.event import Event
from refengine.fields.container import facts_of, labels_text
from refengine.fields.evt import absent
from refengine.fields.extractor import Extract, Extractor, plain
from refengine.state.containers.facts import Pod

_POD = re.compile(r"kubepods.*pod([0-9a-f]{8}[-_](?:[0-9a-f]{4}[-_]){3}[0-9a-f]{12})")
_SHORT = 12


def pod_of(event: Event) -> Pod | None:
    """Return the pod of the acting thread's container, as far as the runtime knows it."""
    facts = facts_of(event)
    return None if facts is None else facts.pod


def pod_uid(event: Event) -> str | None:
    """`k8s.pod.uid`: the id of the pod, absent outside of any."""
    thread = event.thread
    for _, path in thread.cgroups if thread is not None else ():
        found = _POD.search(path)
        if found is not None:
            return found[1].replace("_", "-")
    pod = pod_of(event)
    return None if pod is None else pod.uid or None


def told(part: Callable[[Pod], str]) -> Extractor:
    """Return the extractor of something that the runtime says of the pod; what it leaves empty is absent."""

    def extract(event: Event) -> str | None:
        pod = pod_of(event)
        return None if pod is None else part(pod) or None

    return plain(extract)


def label(argument: str | None) -> Extract:
    """`k8s.pod.label`: the value of one label."""

    def extract(event: Event) -> str | None:
        pod = pod_of(event)
        return None if pod is None or argument is None else pod.labels.get(argument)

    return extract


_ABSENT = (
    *(
        f"k8s.{kind}.{what}"
        for kind in ("rc", "svc", "rs", "deployment")
        for what in ("name", "id", "label", "labels")
    ),
    "k8s.ns.id",
    "k8s.ns.label",
    "k8s.ns.labels",
)

EXTRACTORS: Mapping[str, Extractor] = {
    "k8s.pod.uid": plain(pod_uid),
    "k8s.pod.name": told(lambda pod: pod.name),
    "k8s.pod.id": told(lambda pod: pod.sandbox_id[:_SHORT]),
    "k8s.pod.sandbox_id": told(lambda pod: pod.sandbox_id[:_SHORT]),
    "k8s.pod.full_sandbox_id": told(lambda pod: pod.sandbox_id),
    "k8s.pod.label": Extractor(label),
    "k8s.pod.labels": told(lambda pod: labels_text(pod.labels)),
    "k8s.pod.ip": told(lambda pod: pod.ip),
    "k8s.pod.cni.json": told(lambda pod: pod.cni),
    "k8s.ns.name": told(lambda pod: pod.namespace),
    **{field: plain(absent) for field in _ABSENT},
}
