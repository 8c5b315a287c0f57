"""Requests to a Kubernetes API server as its audit events tell them (`ka.*`): who asked for what, and the answer.

What stands in the request's object is in `ka_request` and `ka_pod`.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from refengine.event import Event
from refengine.fields.extractor import Extract, Extractor, plain
from refengine.fields.json_values import MISSING, Json, document_of, find, items, member, text_of, texts_of

_PATHS: Mapping[str, tuple[str, ...]] = {
    "ka.auditid": ("auditID",),
    "ka.stage": ("stage",),
    "ka.auth.decision": ("annotations", "authorization.k8s.io/decision"),
    "ka.auth.reason": ("annotations", "authorization.k8s.io/reason"),
    "ka.auth.openshift.decision": ("annotations", "authentication.openshift.io/decision"),
    "ka.auth.openshift.username": ("annotations", "authentication.openshift.io/username"),
    "ka.validations.admission.policy.failure": (
        "annotations",
        "validation.policy.admission.k8s.io/validation_failure",
    ),
    "ka.security.pod.violations": ("annotations", "pod-security.kubernetes.io/audit-violations"),
    "ka.user.name": ("user", "username"),
    "ka.impuser.name": ("impersonatedUser", "username"),
    "ka.verb": ("verb",),
    "ka.uri": ("requestURI",),
    "ka.target.name": ("objectRef", "name"),
    "ka.target.namespace": ("objectRef", "namespace"),
    "ka.target.resource": ("objectRef", "resource"),
    "ka.target.subresource": ("objectRef", "subresource"),
    "ka.resp.name": ("responseObject", "metadata", "name"),
    "ka.response.code": ("responseStatus", "code"),
    "ka.response.reason": ("responseStatus", "reason"),
    "ka.useragent": ("userAgent",),
    "ka.cluster.name": ("metadata", "clusterName"),
}
"""The fields that stand at one place of the event, and where that is."""


def text_at(*path: str) -> Extractor:
    """Return the extractor of the text at a place of the event."""
    return plain(lambda event: text_of(find(document_of(event), path)))


def list_at(*path: str) -> Extractor:
    """Return the extractor of the items of an array at a place of the event, one of them where it has an index."""

    def bind(argument: str | None) -> Extract:
        index = index_of(argument)
        return lambda event: texts_of(items(find(document_of(event), path), index))

    return Extractor(bind)


def index_of(argument: str | None) -> int | None:
    """Return the number that the argument of a list field is, None where there is no argument."""
    return None if argument is None or not argument.isdecimal() else int(argument)


def uri_param(argument: str | None) -> Extract:
    """`ka.uri.param`: the first value of a parameter of the request's URI."""

    def extract(event: Event) -> str | None:
        uri = member(document_of(event), "requestURI")
        if not isinstance(uri, str) or argument is None:
            return None
        try:
            values = parse_qs(urlsplit(uri).query, keep_blank_values=True).get(argument)
        except ValueError:
            return None
        return values[0] if values else None

    return extract


def pod_name(event: Event) -> str | None:
    """`ka.target.pod.name`: the name in the answer, for requests about a pod as a whole."""
    document = document_of(event)
    reference = member(document, "objectRef")
    if member(reference, "resource") != "pods" or member(reference, "subresource") not in (MISSING, ""):
        return None
    return text_of(find(document, ("responseObject", "metadata", "name")))


def label(argument: str | None) -> Extract:
    """`ka.target.labels`: a label of the object in the request, or else of that in the answer.

    An answer that lists objects has the values of all of them, each once, with commas between.
    """
    key = argument or ""

    def extract(event: Event) -> str | None:
        document = document_of(event)
        for side in ("requestObject", "responseObject"):
            found = _labels(member(document, side), key)
            if found is not None:
                return found
        return None

    return extract


def _labels(object: Json, key: str) -> str | None:
    listed = member(object, "items")
    found = texts_of(find(each, ("metadata", "labels", key)) for each in (object, *items(listed, None)))
    return ",".join(dict.fromkeys(found)) if found else None


EXTRACTORS: Mapping[str, Extractor] = {
    **{name: text_at(*path) for name, path in _PATHS.items()},
    "ka.user.groups": list_at("user", "groups"),
    "ka.uri.param": Extractor(uri_param),
    "ka.target.pod.name": plain(pod_name),
    "ka.target.labels": Extractor(label),
}
