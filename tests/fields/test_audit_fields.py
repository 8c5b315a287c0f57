"""The fields of Kubernetes audit events."""

from __future__ import annotations

from typing import Any

import pytest

from refengine.event.document import DocumentEvent
from refengine.fields.readers import SystemReader
from refengine.fields.reading import read_key
from refengine.state.system import SystemState
from refengine.values import Value

CONTAINERS = [
    {
        "name": "web",
        "image": "registry:5000/web:1.2@sha256:00",
        "command": ["sh", "-c"],
        "args": ["sleep 1", 2],
        "ports": [{"hostPort": 80, "containerPort": 8080}, {"containerPort": 9090}, {"name": "x"}],
        "securityContext": {
            "privileged": True,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "runAsUser": 1000,
            "runAsGroup": 1001,
            "procMount": "Default",
            "capabilities": {"add": ["NET_ADMIN", "SYS_TIME"]},
        },
    },
    {
        "name": "side",
        "image": "side@sha256:00",
        "args": [],
        "securityContext": {"capabilities": {"add": ["ALL"]}},
    },
    {"name": "bare"},
]
POD = {
    "metadata": {"labels": {"app": "web", "app.kubernetes.io/name": "web", "empty": ""}},
    "spec": {
        "hostIPC": True,
        "hostPID": False,
        "hostNetwork": True,
        "securityContext": {"runAsUser": 7, "runAsGroup": 8, "fsGroup": 9, "supplementalGroups": [10, 11]},
        "runAsGroup": 99,
        "containers": CONTAINERS,
        "initContainers": [{"name": "first", "image": "init:1", "ports": [{"hostPort": 1}]}],
        "ephemeralContainers": [{"name": "debug", "image": "dbg"}],
        "volumes": [
            {"name": "a", "hostPath": {"path": "/etc", "type": ""}},
            {"name": "b", "flexVolume": {"driver": "d/e"}},
            {"name": "c", "secret": {}},
        ],
    },
}
CREATE_POD = {
    "auditID": "id",
    "stage": "ResponseComplete",
    "verb": "create",
    "requestURI": "/api/v1/namespaces/ns/pods?a=1&b=x%20y&a=2&c",
    "user": {"username": "eve", "groups": ["dev", "ops"]},
    "impersonatedUser": {"username": "root"},
    "userAgent": "kubectl/1",
    "sourceIPs": ["10.0.0.1"],
    "objectRef": {"resource": "pods", "namespace": "ns", "name": "given"},
    "requestObject": POD,
    "responseObject": {"metadata": {"name": "pod-1", "labels": {"late": "yes", "app": "other"}}},
    "responseStatus": {"code": 201, "reason": None},
    "annotations": {
        "authorization.k8s.io/decision": "allow",
        "authorization.k8s.io/reason": "",
        "authentication.openshift.io/decision": "error",
        "authentication.openshift.io/username": "someone",
        "validation.policy.admission.k8s.io/validation_failure": "[]",
        "pod-security.kubernetes.io/audit-violations": "much",
    },
}
BINDING = {
    "auditID": "id",
    "requestObject": {
        "roleRef": {"name": "admin"},
        "subjects": [
            {"kind": "User", "name": "eve"},
            {"kind": "Group", "name": "ops"},
            {"kind": "ServiceAccount", "name": "sa", "namespace": "ns"},
            {"kind": "ServiceAccount", "name": "lost"},
            {"kind": "Robot", "name": "r"},
            {"kind": "User"},
            None,
        ],
    },
}
ROLE = {
    "auditID": "id",
    "requestObject": {
        "rules": [
            {"apiGroups": [""], "resources": ["pods", "secrets"], "verbs": ["get"]},
            {"nonResourceURLs": ["/metrics"], "verbs": ["get", "post"]},
            {},
        ]
    },
}
SERVICE = {
    "auditID": "id",
    "requestObject": {"spec": {"type": "NodePort", "ports": [{"port": 80}, {"port": 81}]}},
}
CONFIG_MAP = {
    "auditID": "id",
    "objectRef": {"name": "conf"},
    "requestObject": {"data": {"key": 'a "b"', "umlaut": "ü"}},
}
LISTED = {
    "auditID": "id",
    "responseObject": {
        "items": [
            {"metadata": {"labels": {"sensitive": "true"}}},
            {"metadata": {}},
            {"metadata": {"labels": {"sensitive": "false", "one": "x"}}},
            {"metadata": {"labels": {"sensitive": "true", "one": "x"}}},
        ]
    },
}

CASES: list[tuple[dict[str, Any], str, Value | None]] = [
    (CREATE_POD, "ka.auditid", "id"),
    (CREATE_POD, "ka.stage", "ResponseComplete"),
    (CREATE_POD, "ka.auth.decision", "allow"),
    (CREATE_POD, "ka.auth.reason", ""),
    (CREATE_POD, "ka.auth.openshift.decision", "error"),
    (CREATE_POD, "ka.auth.openshift.username", "someone"),
    (CREATE_POD, "ka.validations.admission.policy.failure", "[]"),
    (CREATE_POD, "ka.security.pod.violations", "much"),
    (CREATE_POD, "ka.user.name", "eve"),
    (CREATE_POD, "ka.user.groups", ("dev", "ops")),
    (CREATE_POD, "ka.impuser.name", "root"),
    (CREATE_POD, "ka.verb", "create"),
    (CREATE_POD, "ka.uri.param[a]", "1"),
    (CREATE_POD, "ka.uri.param[b]", "x y"),
    (CREATE_POD, "ka.uri.param[c]", ""),
    (CREATE_POD, "ka.uri.param[d]", None),
    (CREATE_POD, "ka.target.name", "given"),
    (CREATE_POD, "ka.target.namespace", "ns"),
    (CREATE_POD, "ka.target.resource", "pods"),
    (CREATE_POD, "ka.target.subresource", None),
    (CREATE_POD, "ka.target.pod.name", "pod-1"),
    (CREATE_POD, "ka.target.labels.app", "web"),
    (CREATE_POD, "ka.target.labels[app.kubernetes.io/name]", "web"),
    (CREATE_POD, "ka.target.labels.app.kubernetes.io/name", "web"),
    (CREATE_POD, "ka.target.labels.empty", ""),
    (CREATE_POD, "ka.target.labels.late", "yes"),
    (CREATE_POD, "ka.target.labels.none", None),
    (LISTED, "ka.target.labels.sensitive", "true,false"),
    (LISTED, "ka.target.labels.one", "x"),
    (LISTED, "ka.target.labels.none", None),
    (CREATE_POD, "ka.resp.name", "pod-1"),
    (CREATE_POD, "ka.response.code", "201"),
    (CREATE_POD, "ka.response.reason", "null"),
    (CREATE_POD, "ka.useragent", "kubectl/1"),
    (CREATE_POD, "ka.sourceips", None),
    (CREATE_POD, "ka.cluster.name", None),
    ({"metadata": {"clusterName": "blue"}}, "ka.cluster.name", "blue"),
    (CREATE_POD, "ka.req.pod.containers.name", ("web", "side", "bare")),
    (CREATE_POD, "ka.req.pod.containers.name[1]", ("side",)),
    (CREATE_POD, "ka.req.pod.containers.name[3]", None),
    (CREATE_POD, "ka.req.pod.containers.image", ("registry:5000/web:1.2@sha256:00", "side@sha256:00")),
    (CREATE_POD, "ka.req.pod.containers.image[2]", None),
    (CREATE_POD, "ka.req.pod.containers.image.repository", ("registry", "side")),
    (CREATE_POD, "ka.req.pod.containers.image.repository[1]", ("side",)),
    (CREATE_POD, "ka.req.container.image", "registry:5000/web:1.2@sha256:00"),
    (CREATE_POD, "ka.req.container.image.repository", "registry"),
    (CREATE_POD, "ka.req.pod.containers.command", ("sh -c",)),
    (CREATE_POD, "ka.req.pod.containers.args", ("sleep 1 2",)),
    (CREATE_POD, "ka.req.pod.containers.args[1]", None),
    (CREATE_POD, "ka.req.pod.containers.host_port", ("80", "9090")),
    (CREATE_POD, "ka.req.pod.containers.privileged", ("true",)),
    (CREATE_POD, "ka.req.container.privileged", "true"),
    (CREATE_POD, "ka.req.pod.containers.allow_privilege_escalation", ("false",)),
    (CREATE_POD, "ka.req.pod.containers.read_only_fs", ("true",)),
    (CREATE_POD, "ka.req.pod.containers.run_as_user", ("1000",)),
    (CREATE_POD, "ka.req.pod.containers.run_as_group", ("1001",)),
    (CREATE_POD, "ka.req.pod.containers.eff_run_as_user", ("0", "0", "0")),
    (CREATE_POD, "ka.req.pod.containers.eff_run_as_group", ("99", "99", "99")),
    (CREATE_POD, "ka.req.pod.containers.proc_mount", ("Default",)),
    (CREATE_POD, "ka.req.pod.containers.add_capabilities", ("NET_ADMIN", "SYS_TIME", "ALL")),
    (CREATE_POD, "ka.req.pod.containers.add_capabilities[1]", ("ALL",)),
    (CREATE_POD, "ka.req.pod.initContainers.name", ("first",)),
    (CREATE_POD, "ka.req.pod.initContainers.image.repository", ("init",)),
    (CREATE_POD, "ka.req.pod.initContainers.host_port", ("1",)),
    (CREATE_POD, "ka.req.pod.initContainers.privileged", None),
    (CREATE_POD, "ka.req.pod.ephemeralContainers.image", ("dbg",)),
    (CREATE_POD, "ka.req.pod.ephemeralContainers.eff_run_as_user", ("0",)),
    (CREATE_POD, "ka.req.pod.host_ipc", "true"),
    (CREATE_POD, "ka.req.pod.host_pid", "false"),
    (CREATE_POD, "ka.req.pod.host_network", "true"),
    (CREATE_POD, "ka.req.container.host_network", "true"),
    (CREATE_POD, "ka.req.pod.run_as_user", "7"),
    (CREATE_POD, "ka.req.pod.run_as_group", "8"),
    (CREATE_POD, "ka.req.pod.fs_group", "9"),
    (CREATE_POD, "ka.req.pod.supplemental_groups", ("10", "11")),
    (CREATE_POD, "ka.req.pod.volumes.hostpath", ("/etc",)),
    (CREATE_POD, "ka.req.pod.volumes.hostpath[1]", None),
    (CREATE_POD, "ka.req.volume.hostpath[/etc]", "true"),
    (CREATE_POD, "ka.req.volume.hostpath[/e*]", "true"),
    (CREATE_POD, "ka.req.volume.hostpath[/etc*]", "true"),
    (CREATE_POD, "ka.req.volume.hostpath[/usr]", "false"),
    (BINDING, "ka.req.volume.hostpath[/etc]", None),
    (CREATE_POD, "ka.req.pod.volumes.flexvolume_driver", ("d/e",)),
    (CREATE_POD, "ka.req.pod.volumes.volume_type", ("hostPath", "flexVolume", "secret")),
    (CREATE_POD, "ka.req.pod.volumes.volume_type[2]", ("secret",)),
    (BINDING, "ka.req.binding.role", "admin"),
    (BINDING, "ka.req.binding.subjects.user_names", ("eve",)),
    (BINDING, "ka.req.binding.subjects.group_names", ("ops",)),
    (BINDING, "ka.req.binding.subjects.serviceaccount_names", ("sa", "lost")),
    (BINDING, "ka.req.binding.subjects.serviceaccount_ns_names", ("ns:sa",)),
    (BINDING, "ka.req.binding.subject.has_name[x]", "true"),
    (ROLE, "ka.req.binding.subjects", None),
    (ROLE, "ka.req.role.rules.verbs", ("get", "get", "post")),
    (ROLE, "ka.req.role.rules.verbs[1]", ("get", "post")),
    (ROLE, "ka.req.role.rules.resources", ("pods", "secrets")),
    (ROLE, "ka.req.role.rules.apiGroups", ("",)),
    (ROLE, "ka.req.role.rules.nonResourceURLs", ("/metrics",)),
    (ROLE, "ka.req.role.rules.nonResourceURLs[0]", None),
    (SERVICE, "ka.req.service.type", "NodePort"),
    (SERVICE, "ka.req.service.ports", ('{"port":80}', '{"port":81}')),
    (SERVICE, "ka.req.service.ports[1]", ('{"port":81}',)),
    (CONFIG_MAP, "ka.req.configmap.name", "conf"),
    (CONFIG_MAP, "ka.req.configmap.obj", '{"key":"a \\"b\\"","umlaut":"ü"}'),
    (CREATE_POD, "jevt.value[/user/username]", "eve"),
    (CREATE_POD, "jevt.value[user/username]", "eve"),
    (CREATE_POD, "json.value[/user/groups/1]", "ops"),
    (CREATE_POD, "json.value[/user/groups/01]", None),
    (CREATE_POD, "json.value[/user/groups/2]", None),
    (CREATE_POD, "json.value[/user/groups/-]", None),
    (CREATE_POD, "json.value[/user/groups]", '["dev","ops"]'),
    (CREATE_POD, "json.value[/requestObject/metadata/labels/app.kubernetes.io~1name]", "web"),
    (CREATE_POD, "json.value[/responseStatus/code]", "201"),
    ({"a~1b": {"": 1.5}}, "json.value[/a~01b/]", "1.5"),
    (CREATE_POD, "json.value[/none/at/all]", None),
    ({"a": [1, {"b": "ü"}]}, "jevt.obj", '{\n  "a": [\n    1,\n    {\n      "b": "ü"\n    }\n  ]\n}'),
    (CREATE_POD, "jevt.rawtime", "12000000034"),
    (CREATE_POD, "evt.rawtime", 12000000034),
    (CREATE_POD, "evt.num", 5),
    (CREATE_POD, "evt.source", "k8s_audit"),
    (CREATE_POD, "evt.time.iso8601", "1970-01-01T00:00:12.000000034+0000"),
    (CREATE_POD, "evt.is_async", False),
    (CREATE_POD, "evt.pluginname", "k8saudit"),
    ({"auditID": "id"}, "evt.plugininfo", '{"auditID":"id"}'),
    (CREATE_POD, "evt.hostname", "machine"),
]


@pytest.mark.parametrize(
    ("document", "key", "expected"), CASES, ids=[f"{key}-{n}" for n, (_, key, _) in enumerate(CASES)]
)
def test_values(document: dict[str, Any], key: str, expected: Value | None) -> None:
    event = DocumentEvent(document, 12_000_000_034, source="k8s_audit", plugin="k8saudit", number=5)
    event.state = SystemState(hostname="machine")
    assert SystemReader().bind(read_key(key, "k8s_audit"))(event) == expected


def test_parts_of_a_pod_are_not_its_name() -> None:
    document = {**CREATE_POD, "objectRef": {"resource": "pods", "subresource": "exec"}}
    event = DocumentEvent(document, 0, source="k8s_audit", plugin="k8saudit")
    read = SystemReader().bind(read_key("ka.target.pod.name", "k8s_audit"))
    assert read(event) is None
    event.document = {**CREATE_POD, "objectRef": {"resource": "services"}}
    assert read(event) is None
