"""The object that a request to a Kubernetes API server carries (`ka.req.*`): bindings, roles, services, volumes."""

from __future__ import annotations

from collections.abc import Mapping

from refengine.event import Event
from refengine.fields.extractor import Extract, Extractor, plain
from refengine.fields.json_values import Json, document_of, find, items, member, spread, text_of, texts_of
from refengine.fields.ka import index_of, list_at, text_at

_SUBJECTS = ("requestObject", "subjects")
_RULES = ("requestObject", "rules")
_VOLUMES = ("requestObject", "spec", "volumes")


def at_each(*path: str) -> Extractor:
    """Return the extractor of the texts at the ends of a path that goes through arrays of the event."""

    def bind(argument: str | None) -> Extract:
        index = index_of(argument)
        return lambda event: texts_of(spread(document_of(event), path, index))

    return Extractor(bind)


def subject_names(kind: str, *, with_namespace: bool = False) -> Extractor:
    """Return the extractor of the names of a binding's subjects of one kind, behind their namespace and a colon."""

    def extract(event: Event) -> tuple[str, ...]:
        subjects = items(find(document_of(event), _SUBJECTS), None)
        ours = (subject for subject in subjects if member(subject, "kind") == kind)
        if not with_namespace:
            return texts_of(member(subject, "name") for subject in ours)
        pairs = ((text_of(member(each, "namespace")), text_of(member(each, "name"))) for each in ours)
        return tuple(f"{namespace}:{name}" for namespace, name in pairs if namespace and name is not None)

    return plain(extract)


def has_name(_event: Event) -> str:
    """`ka.req.binding.subject.has_name`: always true."""
    return "true"


def in_rules(key: str) -> Extractor:
    """Return the extractor of what a role's rules list below `key`; an index chooses one rule."""

    def bind(argument: str | None) -> Extract:
        index = index_of(argument)

        def extract(event: Event) -> tuple[str, ...]:
            rules = items(find(document_of(event), _RULES), index)
            return texts_of(item for rule in rules for item in items(member(rule, key), None))

        return extract

    return Extractor(bind)


def mounts_host_path(argument: str | None) -> Extract:
    """`ka.req.volume.hostpath`: whether a volume is this path of the node, or begins so if a `*` ends it."""
    wanted = argument or ""
    prefix = wanted[:-1] if wanted.endswith("*") else None

    def mounts(path: str) -> bool:
        return path == wanted or (prefix is not None and path.startswith(prefix))

    def extract(event: Event) -> str | None:
        document = document_of(event)
        if not isinstance(find(document, _VOLUMES), list):
            return None
        paths = texts_of(spread(document, (*_VOLUMES, "hostPath", "path"), None))
        return "true" if any(map(mounts, paths)) else "false"

    return extract


def volume_types(argument: str | None) -> Extract:
    """`ka.req.pod.volumes.volume_type`: what each volume has besides its name, which is the type's own key."""
    index = index_of(argument)

    def keys(volume: Json) -> list[str]:
        return [key for key in volume if key != "name"] if isinstance(volume, dict) else []

    def extract(event: Event) -> tuple[str, ...]:
        return tuple(
            key for volume in items(find(document_of(event), _VOLUMES), index) for key in keys(volume)
        )

    return extract


EXTRACTORS: Mapping[str, Extractor] = {
    "ka.req.binding.subjects": list_at(*_SUBJECTS),
    "ka.req.binding.subjects.user_names": subject_names("User"),
    "ka.req.binding.subjects.group_names": subject_names("Group"),
    "ka.req.binding.subjects.serviceaccount_names": subject_names("ServiceAccount"),
    "ka.req.binding.subjects.serviceaccount_ns_names": subject_names("ServiceAccount", with_namespace=True),
    "ka.req.binding.role": text_at("requestObject", "roleRef", "name"),
    "ka.req.binding.subject.has_name": plain(has_name),
    "ka.req.configmap.name": text_at("objectRef", "name"),
    "ka.req.configmap.obj": text_at("requestObject", "data"),
    "ka.req.role.rules": list_at(*_RULES),
    "ka.req.role.rules.apiGroups": in_rules("apiGroups"),
    "ka.req.role.rules.nonResourceURLs": in_rules("nonResourceURLs"),
    "ka.req.role.rules.verbs": in_rules("verbs"),
    "ka.req.role.rules.resources": in_rules("resources"),
    "ka.sourceips": in_rules("sourceIPs"),
    "ka.req.service.type": text_at("requestObject", "spec", "type"),
    "ka.req.service.ports": list_at("requestObject", "spec", "ports"),
    "ka.req.volume.hostpath": Extractor(mounts_host_path),
    "ka.req.pod.volumes.hostpath": at_each(*_VOLUMES, "hostPath", "path"),
    "ka.req.pod.volumes.flexvolume_driver": at_each(*_VOLUMES, "flexVolume", "driver"),
    "ka.req.pod.volumes.volume_type": Extractor(volume_types),
}
