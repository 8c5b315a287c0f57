"""All extractors by field name."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from types import MappingProxyType

from refengine.event import Event
from refengine.fields import (
    container,
    evt,
    evt_outcome,
    evt_params,
    fd,
    fd_ends,
    fdlist,
    fs_path,
    group,
    json_document,
    k8s,
    ka,
    ka_pod,
    ka_request,
    proc,
    proc_lineage,
    thread,
    user,
)
from refengine.fields.extractor import Extract, Extractor


def _counter(_argument: str | None) -> Extract:
    """`util.cnt`: how often the field has been read, from 0."""
    numbers = count()

    def extract(_event: Event) -> int:
        return next(numbers)

    return extract


EXTRACTORS: Mapping[str, Extractor] = MappingProxyType(
    {
        **evt.EXTRACTORS,
        **evt_params.EXTRACTORS,
        **evt_outcome.EXTRACTORS,
        **proc.EXTRACTORS,
        **proc_lineage.EXTRACTORS,
        **thread.EXTRACTORS,
        **user.EXTRACTORS,
        **group.EXTRACTORS,
        **fd.EXTRACTORS,
        **fd_ends.EXTRACTORS,
        **fdlist.EXTRACTORS,
        **fs_path.EXTRACTORS,
        **container.EXTRACTORS,
        **k8s.EXTRACTORS,
        **json_document.EXTRACTORS,
        **ka.EXTRACTORS,
        **ka_request.EXTRACTORS,
        **ka_pod.EXTRACTORS,
        "util.cnt": Extractor(_counter),
    }
)
"""The extractor of every field, whatever the source of the events that have it."""


def extractor_of(name: str) -> Extractor | None:
    """Return the extractor of the field called `name`, None where there is none."""
    return EXTRACTORS.get(name)
