"""The container that the process runs in (`container.*`).

Its id and its runtime are known from its control groups, everything else from what the runtime says (see
`state.containers`): until that is known, and where nobody knows it, those fields are absent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fnmatch import translate

from refengine.event import Event
from refengine.fields.extractor import Extract, Extractor, plain
from refengine.state.containers.facts import ContainerFacts, Mount
from refengine.state.containers.identity import HOST, KUBERNETES, ContainerId
from refengine.values import Value

_NO_CHECK = "NONE"
"""The text of a check that a container does not have."""


def container_of(event: Event) -> ContainerId | None:
    """Return the container of the acting thread, None outside of any."""
    return None if event.thread is None else event.thread.container()


def facts_of(event: Event) -> ContainerFacts | None:
    """Return what the runtime says of the container of the acting thread."""
    state, container = event.state, container_of(event)
    if state is None or container is None:
        return None
    if container.is_named:
        return ContainerFacts(container.kind, container.id)
    return state.containers.facts(container)


def container_id(event: Event) -> str | None:
    """`container.id`: the first twelve digits of the id, `host` outside of any container."""
    if event.thread is None:
        return None
    container = event.thread.container()
    return HOST if container is None else container.short


def full_id(event: Event) -> str | None:
    """`container.full_id`: all digits of the id, `host` outside of any container."""
    if event.thread is None:
        return None
    container = event.thread.container()
    return HOST if container is None else container.id


def name(event: Event) -> str | None:
    """`container.name`: `host` outside of any container."""
    if event.thread is None:
        return None
    if event.thread.container() is None:
        return HOST
    facts = facts_of(event)
    return None if facts is None else facts.name or None


def kind(event: Event) -> str | None:
    """`container.type`: the runtime that made the container, `host` outside of any."""
    if event.thread is None:
        return None
    container = event.thread.container()
    if container is None:
        return HOST
    if container.kind != KUBERNETES:
        return container.kind
    facts = facts_of(event)
    return None if facts is None else facts.kind


def told(part: Callable[[ContainerFacts], Value | None]) -> Extractor:
    """Return the extractor of something that the runtime says; what it leaves empty is absent."""

    def extract(event: Event) -> Value | None:
        facts = facts_of(event)
        if facts is None:
            return None
        value = part(facts)
        return None if value == "" else value

    return plain(extract)


def duration(event: Event) -> int | None:
    """`container.duration`: nanoseconds since the container started."""
    facts = facts_of(event)
    return None if facts is None or facts.started is None else event.time - facts.started


def label(argument: str | None) -> Extract:
    """`container.label`: the value of one label."""

    def extract(event: Event) -> str | None:
        facts = facts_of(event)
        return None if facts is None or argument is None else facts.labels.get(argument)

    return extract


def labels_text(labels: Mapping[str, str]) -> str:
    """Return labels as `key:value` with commas between."""
    return ",".join(f"{key}:{value}" for key, value in labels.items())


def mount(part: Callable[[Mount], str], key: Callable[[Mount], str]) -> Extractor:
    """Return the extractor of a part of one mount, chosen by its number, or by a pattern that `key` fits."""

    def bind(argument: str | None) -> Extract:
        text = argument or ""
        if text.isascii() and text.isdecimal():
            position = int(text)

            def at(event: Event) -> str | None:
                facts = facts_of(event)
                return part(facts.mounts[position]) if facts and position < len(facts.mounts) else None

            return at
        fits = re.compile(translate(text)).match

        def named(event: Event) -> str | None:
            facts = facts_of(event)
            found = (each for each in facts.mounts if fits(key(each))) if facts is not None else ()
            return next(map(part, found), None)

        return named

    return Extractor(bind)


def _source(mount: Mount) -> str:
    return mount.source


def _destination(mount: Mount) -> str:
    return mount.destination


def health_check(event: Event) -> str | None:
    """`container.healthcheck`: the command that checks the container's health."""
    facts = facts_of(event)
    return None if facts is None else " ".join(facts.health_check) or _NO_CHECK


def no_check(event: Event) -> str | None:
    """`container.liveness_probe` and its like: there are none, as runtimes do not know of them."""
    return None if facts_of(event) is None else _NO_CHECK


def is_health_check(event: Event) -> bool | None:
    """`proc.is_container_healthcheck`: whether the process, or one that it descends from, checks the container."""
    thread = event.thread
    if thread is None:
        return None
    facts = facts_of(event)
    if facts is None or not facts.health_check:
        return False
    return any((each.exe, *each.args) == facts.health_check for each in (thread, *thread.ancestors()))


def is_probe(event: Event) -> bool | None:
    """`proc.is_container_liveness_probe` and its like: false, as runtimes do not know of probes."""
    return None if event.thread is None else False


EXTRACTORS: Mapping[str, Extractor] = {
    "container.id": plain(container_id),
    "container.full_id": plain(full_id),
    "container.name": plain(name),
    "container.type": plain(kind),
    "container.image": told(lambda facts: facts.image.name),
    "container.image.id": told(lambda facts: facts.image.id),
    "container.image.repository": told(lambda facts: facts.image.repository),
    "container.image.tag": told(lambda facts: facts.image.tag),
    "container.image.digest": told(lambda facts: facts.image.digest),
    "container.privileged": told(lambda facts: facts.privileged),
    "container.mounts": told(lambda facts: " ".join(map(str, facts.mounts))),
    "container.mount": mount(str, _source),
    "container.mount.source": mount(_source, _destination),
    "container.mount.dest": mount(_destination, _source),
    "container.mount.mode": mount(lambda mount: mount.mode, _source),
    "container.mount.rdwr": mount(lambda mount: "true" if mount.writable else "false", _source),
    "container.mount.propagation": mount(lambda mount: mount.propagation, _source),
    "container.healthcheck": plain(health_check),
    "container.liveness_probe": plain(no_check),
    "container.readiness_probe": plain(no_check),
    "container.start_ts": told(lambda facts: facts.started),
    "container.duration": plain(duration),
    "container.ip": told(lambda facts: facts.ip or (facts.pod.ip if facts.pod else "")),
    "container.cni.json": told(lambda facts: facts.pod.cni if facts.pod else ""),
    "container.host_pid": told(lambda facts: facts.host_pid),
    "container.host_network": told(lambda facts: facts.host_network),
    "container.host_ipc": told(lambda facts: facts.host_ipc),
    "container.label": Extractor(label),
    "container.labels": told(lambda facts: labels_text(facts.labels)),
    "proc.is_container_healthcheck": plain(is_health_check),
    "proc.is_container_liveness_probe": plain(is_probe),
    "proc.is_container_readiness_probe": plain(is_probe),
}
