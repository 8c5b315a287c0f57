from __future__ import annotations

import pytest

from refengine.output.append import AppendOutput, extended_output
from refengine.output.template import parse_template
from refengine.source import Text


@pytest.mark.parametrize(
    ("addition", "applies"),
    [
        (AppendOutput(), True),
        (AppendOutput(rule="Shell"), True),
        (AppendOutput(rule="Other"), False),
        (AppendOutput(source="syscall"), True),
        (AppendOutput(source="k8s_audit"), False),
        (AppendOutput(tags=frozenset({"a"})), True),
        (AppendOutput(tags=frozenset({"a", "c"})), False),
        (AppendOutput(rule="Shell", source="k8s_audit", tags=frozenset({"a"})), False),
    ],
)
def test_an_addition_is_for_rules_that_agree_with_all_it_asks(addition: AppendOutput, applies: bool) -> None:
    assert addition.is_for("Shell", "syscall", ["a", "b"]) is applies


def test_extra_output_is_joined_with_a_blank() -> None:
    additions = [AppendOutput(extra_output="b"), AppendOutput(extra_output="c=%proc.name")]
    assert extended_output(Text.of("a"), additions, "syscall").value == "a b c=%proc.name"


def test_nothing_to_add_leaves_the_output_alone() -> None:
    output = Text.of("a")
    assert extended_output(output, [AppendOutput()], "syscall") is output


def test_suggested_output_names_the_fields_of_containers_and_the_static_ones() -> None:
    additions = [AppendOutput(suggested_output=True)]
    extended = extended_output(Text.of("a"), additions, "syscall", {"region": "eu"})
    assert extended.value == (
        "a container_id=%container.id container_name=%container.name "
        "container_image_repository=%container.image.repository container_image_tag=%container.image.tag "
        "k8s_pod_name=%k8s.pod.name k8s_ns_name=%k8s.ns.name static_region=%static.region"
    )
    assert len(parse_template(extended, "syscall", {"region": "eu"}).fields) == 7


def test_sources_without_containers_get_none() -> None:
    additions = [AppendOutput(suggested_output=True)]
    assert extended_output(Text.of("a"), additions, "k8s_audit").value == "a"
