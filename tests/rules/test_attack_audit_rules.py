"""Our audit rules on public audit events: they find what somebody did, and nothing in what a new server does by itself."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from refengine import Engine, load_rules
from refengine.backends.base import Interest
from refengine.backends.k8s_audit.files import AuditFileBackend
from tests.corpus import corpus

pytestmark = pytest.mark.corpus

PACK = Path(__file__).resolve().parents[2] / "rules" / "attack"

ALERTS = {
    "anonymous_creates_namespace_foo.json": {"Nameless request allowed": 1},
    "attach_cluster_admin_role.json": {"Administrator of the cluster appointed": 1},
    "create_configmap_no_sensitive_values.json": {},
    "create_nginx_pod_privileged.json": {"Privileged pod created": 1},
    "create_nginx_service_nodeport.json": {},
    "create_service_account_token_secret.json": {},
    "delete_namespace_foo.json": {"Namespace deleted": 1},
    "exec_pod.json": {"Command run in a pod": 1},
    # 411 events of a server's first minutes, and a few requests of one administrator.
    "kube-apiserver-1.20.jsonl.gz": {
        "Administrator of the cluster appointed": 1,
        "Command run in a pod": 2,
        "Pod created in its node's namespaces": 1,
        "Pod created with folders of its node": 1,
        "Privileged pod created": 1,
        "Role for everything made": 1,
    },
}


@pytest.mark.parametrize("name", ALERTS)
def test_alerts_on_public_events(name: str) -> None:
    engine = Engine(load_rules(PACK / "common.yaml", PACK / "kubernetes.yaml"), "all")
    backend = AuditFileBackend(corpus(f"k8s_audit/{name}"))
    backend.open(Interest(None))
    found: Counter[str] = Counter()
    while (events := backend.read(0)) is not None:
        found.update(alert.rule for event in events for alert in engine.process(event))
    backend.close()
    assert dict(found) == ALERTS[name]
