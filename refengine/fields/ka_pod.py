"""The pod that a request to a Kubernetes API server asks for (`ka.req.pod.*`), and its containers of three kinds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from refengine.event import Event
from refengine.fields.extractor import Extract, Extractor, plain
from refengine.fields.json_values import MISSING, Json, document_of, find, items, member, text_of, texts_of
from refengine.fields.ka import index_of, list_at, text_at

_SPEC = ("requestObject", "spec")
_KINDS = ("containers", "initContainers", "ephemeralContainers")
_ROOT = "0"
"""The user and group that a container runs with where nothing says another."""

_OF_CONTAINERS: Mapping[str, tuple[str, ...]] = {
    "name": ("name",),
    "image": ("image",),
    "privileged": ("securityContext", "privileged"),
    "allow_privilege_escalation": ("securityContext", "allowPrivilegeEscalation"),
    "read_only_fs": ("securityContext", "readOnlyRootFilesystem"),
    "run_as_user": ("securityContext", "runAsUser"),
    "run_as_group": ("securityContext", "runAsGroup"),
    "proc_mount": ("securityContext", "procMount"),
}
"""What stands at one place of a container, and where that is."""


def containers(event: Event, kind: str, index: int | None) -> list[Json]:
    """Return the pod's containers of a kind, or the one at `index`."""
    return items(find(document_of(event), (*_SPEC, kind)), index)


def at(kind: str, path: tuple[str, ...]) -> Extractor:
    """Return the extractor of the text at a place of each container."""

    def bind(argument: str | None) -> Extract:
        index = index_of(argument)
        return lambda event: texts_of(find(each, path) for each in containers(event, kind, index))

    return Extractor(bind)


def words(kind: str, key: str) -> Extractor:
    """Return the extractor of a command line's part: of each container that has it, joined by blanks."""

    def bind(argument: str | None) -> Extract:
        index = index_of(argument)

        def extract(event: Event) -> tuple[str, ...]:
            lists = (items(member(each, key), None) for each in containers(event, kind, index))
            return tuple(" ".join(texts_of(parts)) for parts in lists if parts)

        return extract

    return Extractor(bind)


def repository(image: str) -> str:
    """Return an image's name up to its first colon and before any `@`: a registry's port cuts it short, too."""
    return image.split(":", 1)[0].split("@", 1)[0]


def repositories(kind: str) -> Extractor:
    """Return the extractor of each container's image without tag and digest."""

    def bind(argument: str | None) -> Extract:
        images = at(kind, ("image",)).bind(argument)

        def extract(event: Event) -> tuple[str, ...]:
            found = images(event)
            assert isinstance(found, tuple)
            return tuple(repository(str(image)) for image in found)

        return extract

    return Extractor(bind)


def host_ports(kind: str) -> Extractor:
    """Return the extractor of the node's ports that containers take; of the containers' own where none are named."""

    def ports(container: Json) -> Iterator[Json]:
        for port in items(member(container, "ports"), None):
            taken = member(port, "hostPort")
            yield member(port, "containerPort") if taken is MISSING else taken

    def bind(argument: str | None) -> Extract:
        index = index_of(argument)
        return lambda event: texts_of(port for each in containers(event, kind, index) for port in ports(each))

    return Extractor(bind)


def added_capabilities(kind: str) -> Extractor:
    """Return the extractor of the capabilities that containers get in addition."""

    def bind(argument: str | None) -> Extract:
        index = index_of(argument)
        return lambda event: texts_of(
            name
            for each in containers(event, kind, index)
            for name in items(find(each, ("securityContext", "capabilities", "add")), None)
        )

    return Extractor(bind)


def effective(kind: str, key: str) -> Extractor:
    """Return the extractor of the user or group of each container: its own `key`, else the pod's, else 0.

    It is looked for where Falco looks for it, beside the security contexts and not inside them.
    """

    def bind(argument: str | None) -> Extract:
        index = index_of(argument)

        def extract(event: Event) -> tuple[str, ...]:
            of_pod = text_of(find(document_of(event), (*_SPEC, key))) or _ROOT
            return tuple(text_of(member(each, key)) or of_pod for each in containers(event, kind, index))

        return extract

    return Extractor(bind)


def first(of: Extractor) -> Extractor:
    """Return the extractor of the first of the texts that another one gives."""
    extract = of.bind("0")

    def read(event: Event) -> str | None:
        found = extract(event)
        return str(found[0]) if isinstance(found, tuple) and found else None

    return plain(read)


def any_privileged(event: Event) -> str | None:
    """`ka.req.container.privileged`: whether any of the pod's containers is privileged."""
    found = containers(event, "containers", None)
    if not found:
        return None
    return "true" if any(find(each, _OF_CONTAINERS["privileged"]) is True for each in found) else "false"


def _of_kind(kind: str) -> Mapping[str, Extractor]:
    return {
        **{name: at(kind, path) for name, path in _OF_CONTAINERS.items()},
        "image.repository": repositories(kind),
        "command": words(kind, "command"),
        "args": words(kind, "args"),
        "add_capabilities": added_capabilities(kind),
        "eff_run_as_user": effective(kind, "runAsUser"),
        "eff_run_as_group": effective(kind, "runAsGroup"),
    }


EXTRACTORS: Mapping[str, Extractor] = {
    **{f"ka.req.pod.{kind}.{name}": read for kind in _KINDS for name, read in _of_kind(kind).items()},
    "ka.req.pod.containers.host_port": host_ports("containers"),
    "ka.req.pod.initContainers.host_port": host_ports("initContainers"),
    "ka.req.container.image": first(at("containers", ("image",))),
    "ka.req.container.image.repository": first(repositories("containers")),
    "ka.req.container.privileged": plain(any_privileged),
    "ka.req.pod.host_ipc": text_at(*_SPEC, "hostIPC"),
    "ka.req.pod.host_network": text_at(*_SPEC, "hostNetwork"),
    "ka.req.container.host_network": text_at(*_SPEC, "hostNetwork"),
    "ka.req.pod.host_pid": text_at(*_SPEC, "hostPID"),
    "ka.req.pod.run_as_user": text_at(*_SPEC, "securityContext", "runAsUser"),
    "ka.req.pod.run_as_group": text_at(*_SPEC, "securityContext", "runAsGroup"),
    "ka.req.pod.fs_group": text_at(*_SPEC, "securityContext", "fsGroup"),
    "ka.req.pod.supplemental_groups": list_at(*_SPEC, "securityContext", "supplementalGroups"),
}
