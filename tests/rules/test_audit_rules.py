"""Public audit rules on public audit events."""

from __future__ import annotations

from collections import Counter
from importlib.resources import files
from typing import Any

import pytest

from refengine import Engine, Source, load_rules
from refengine.backends.base import Interest
from refengine.backends.k8s_audit.files import AuditFileBackend
from refengine.event.document import DocumentEvent
from tests.corpus import corpus

pytestmark = pytest.mark.corpus

ALERTS = {
    "anonymous_creates_namespace_foo": ["Anonymous Request Allowed", "Create Disallowed Namespace", "K8s Namespace Created"],
    "attach_cluster_admin_role": ["Attach to cluster-admin Role", "K8s ClusterRoleBinding Created"],
    "create_configmap_no_sensitive_values": ["K8s ConfigMap Created"],
    "create_nginx_pod_privileged": ["Create Privileged Pod"],
    "create_nginx_service_nodeport": ["Create NodePort Service", "K8s Service Created"],
    "create_service_account_token_secret": [],
    "delete_namespace_foo": ["K8s Namespace Deleted"],
    "exec_pod": ["Attach/Exec Pod"],
}  # fmt: skip

OF_A_SERVER = {
    "System ClusterRole Modified/Deleted": 62,
    "K8s ClusterRole Created": 61,
    "ClusterRole With Write Privileges Created": 48,
    "K8s ClusterRoleBinding Created": 42,
    "ClusterRole With Wildcard Created": 8,
    "K8s Role Created": 7,
    "K8s RoleBinding Created": 7,
    "K8s Namespace Created": 5,
    "Create Disallowed Namespace": 2,
    "ClusterRole With Pod Exec Created": 2,
    "Attach to cluster-admin Role": 2,
    "Attach/Exec Pod": 2,
    "Create Privileged Pod": 1,
    "Create Sensitive Mount Pod": 1,
    "Create HostNetwork Pod": 1,
    "K8s Service Created": 1,
}
"""The alerts that a new API server with its own roles, and a few requests beside, raises."""


def alerts(name: str) -> list[str]:
    engine = Engine(load_rules(corpus("rules/k8s_audit_rules.yaml")), "all")
    backend = AuditFileBackend(corpus(f"k8s_audit/{name}"))
    backend.open(Interest(None))
    found: list[str] = []
    while (events := backend.read(0)) is not None:
        found.extend(alert.rule for event in events for alert in engine.process(event))
    backend.close()
    assert backend.statistics().dropped == {}
    return found


@pytest.mark.parametrize("name", ALERTS)
def test_an_event_raises_what_its_name_says(name: str) -> None:
    assert sorted(alerts(f"{name}.json")) == ALERTS[name]


def request(**more: Any) -> DocumentEvent:
    document: dict[str, Any] = {
        "kind": "Event",
        "auditID": "1",
        "stage": "ResponseComplete",
        "verb": "get",
        "user": {"username": "eve", "groups": ["system:authenticated"]},
        "objectRef": {"resource": "configmaps", "namespace": "prod", "name": "keys"},
        "responseObject": {"kind": "ConfigMap", "metadata": {"labels": {"sensitive": "true"}}},
        **more,
    }
    return DocumentEvent(document, 1, source="k8s_audit", plugin="k8saudit")


@pytest.mark.parametrize(
    ("more", "alerts"),
    [
        ({}, 1),
        ({"stage": "RequestReceived"}, 0),
        ({"user": {"username": "admin"}}, 0),
        ({"user": {"username": "trusted-user", "groups": ["dev"]}}, 0),
        ({"user": {"username": "root", "groups": ["dev", "system:masters"]}}, 0),
        ({"user": {"username": "eve"}}, 1),
        ({"verb": "delete"}, 0),
        ({"responseObject": {"metadata": {"labels": {"sensitive": "false"}}}}, 0),
        ({"responseObject": {"metadata": {}}}, 0),
        ({"verb": "list", "responseObject": {"items": [{}, {"metadata": {"labels": {"sensitive": "true"}}}]}}, 1),
    ],
)  # fmt: skip
def test_a_rule_in_circulation_on_labels_and_groups(more: dict[str, Any], alerts: int) -> None:
    macros = Source("macros.yaml", (files("refengine.rules") / "k8s_audit_macros.yaml").read_text("utf-8"))
    engine = Engine(load_rules(macros, corpus("rules/wiki_rules.yaml")))
    engine.require_fields("k8s_audit")
    found = engine.process(request(**more))
    assert [alert.rule for alert in found] == ["unauthorized_configmap_access"] * alerts
    for alert in found:
        assert alert.message.endswith(f"verb={more.get('verb', 'get')} namespace=prod)")


def test_the_log_of_a_real_server() -> None:
    assert Counter(alerts("kube-apiserver-1.20.jsonl.gz")) == OF_A_SERVER
