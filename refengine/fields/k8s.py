"""The pod that the process runs in (`k8s.*`).

Control groups tell a pod's id; everything else only the container runtime or the cluster knows, and is absent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from refengine.event import Event
from refengine.fields.evt import absent
from refengine.fields.extractor import Extractor, plain

_POD = re.compile(r"kubepods.*pod([0-9a-f]{8}[-_](?:[0-9a-f]{4}[-_]){3}[0-9a-f]{12})")


def pod_uid(event: Event) -> str | None:
    """`k8s.pod.uid`: the id of the pod, absent outside of any."""
    thread = event.thread
    for _, path in thread.cgroups if thread is not None else ():
        found = _POD.search(path)
        if found is not None:
            return found[1].replace("_", "-")
    return None


_ABSENT = (
    "k8s.pod.name",
    "k8s.pod.id",
    "k8s.pod.sandbox_id",
    "k8s.pod.full_sandbox_id",
    "k8s.pod.label",
    "k8s.pod.labels",
    "k8s.pod.ip",
    "k8s.pod.cni.json",
    "k8s.ns.name",
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
    **{field: plain(absent) for field in _ABSENT},
}
