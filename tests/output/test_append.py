from __future__ import annotations

from refengine.output.append import suggested_output
from refengine.output.template import parse_template
from refengine.source import Text


def test_suggested_output_names_the_fields_of_containers_and_the_static_ones() -> None:
    template = suggested_output("syscall", {"region": "eu"})
    assert template == (
        "static_region=%static.region container_id=%container.id container_name=%container.name "
        "container_image_repository=%container.image.repository container_image_tag=%container.image.tag "
        "k8s_pod_name=%k8s.pod.name k8s_ns_name=%k8s.ns.name"
    )
    assert len(parse_template(Text.of(template), "syscall", {"region": "eu"}).fields) == 7


def test_sources_without_containers_get_none() -> None:
    assert suggested_output("k8s_audit") == ""
