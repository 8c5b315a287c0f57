"""Fields that offer several values for one event: both ends of a connection, ancestors, lists."""

from __future__ import annotations

import pytest

from refengine.values import Value
from tests.condition.evaluate import holds

Values = dict[str, Value]
PORTS: Values = {"fd.port": (4000, 443)}
ADDRESSES: Values = {"fd.ip": ("10.0.0.1", "192.168.1.1"), "fd.net": ("10.0.0.1", "192.168.1.1")}

ENDS = [
    ("fd.port = 443", PORTS, True),
    ("fd.port = 80", PORTS, False),
    ("fd.port != 443", PORTS, False),  # != asks both ends
    ("fd.port != 80", PORTS, True),
    ("not fd.port = 443", PORTS, False),
    ("fd.port < 1024", PORTS, True),
    ("fd.port > 1024", PORTS, True),
    ("fd.port >= 5000", PORTS, False),
    ("fd.port in (80, 443)", PORTS, True),
    ("fd.port in (80, 8080)", PORTS, False),
    ("fd.port intersects (80, 4000)", PORTS, True),
    ("fd.port = anyof (80, 443)", PORTS, True),
    ("fd.port exists", PORTS, True),
    ("fd.ip = 192.168.1.1", ADDRESSES, True),
    ("fd.ip != 192.168.1.1", ADDRESSES, False),
    ("fd.ip != 10.0.0.9", ADDRESSES, True),
    ("fd.ip in (1.1.1.1, 10.0.0.1)", ADDRESSES, True),
    ("fd.net = 192.168.0.0/16", ADDRESSES, True),
    ("fd.net != 192.168.0.0/16", ADDRESSES, False),
    ("fd.net != 172.16.0.0/12", ADDRESSES, True),
    ("fd.net in (172.16.0.0/12, 192.168.0.0/16)", ADDRESSES, True),  # every network counts
    ("fd.port = 443", {"fd.port": (443,)}, True),
    ("fd.port != 443", {}, False),
    ("fd.port exists", {"fd.port": ()}, False),
]

NAMES: Values = {"proc.aname": ("bash", "sshd", "systemd"), "proc.apid": (30, 20, 1)}
ANCESTORS = [
    ("proc.aname = sshd", NAMES, True),
    ("proc.aname = cat", NAMES, False),
    ("proc.aname != sshd", NAMES, True),  # some other ancestor
    ("not proc.aname = sshd", NAMES, False),
    ("proc.aname in (sshd, cron)", NAMES, True),
    ("proc.aname in (cron)", NAMES, False),
    ("proc.aname startswith sys", NAMES, True),
    ("proc.aname contains x", NAMES, False),
    ("proc.aname glob s*d", NAMES, True),
    ("proc.aname regex '(sshd|telnetd)'", NAMES, True),
    ("proc.aname pmatch (sshd)", NAMES, True),
    ("proc.apid = 1", NAMES, True),
    ("proc.apid > 25", NAMES, True),
    ("proc.apid in (7, 20)", NAMES, True),
    ("proc.aname = sshd", {}, False),
    ("proc.aname != sshd", {}, False),
    ("proc.aname[2] = sshd", {"proc.aname[2]": "sshd"}, True),
    ("proc.aname[2] = bash", NAMES, False),  # an index makes it a field of one value
]

TYPES: Values = {"fd.types": ("file", "ipv4", "file")}
LISTS = [
    ("fd.types in (file, ipv4, ipv6)", TYPES, True),
    ("fd.types in (file)", TYPES, False),
    ("fd.types in ()", TYPES, False),
    ("fd.types intersects (ipv4)", TYPES, True),
    ("fd.types intersects (ipv6)", TYPES, False),
    ("fd.types intersects ()", TYPES, False),
    ("fd.types in file", {"fd.types": ("file",)}, True),
    ("fd.types exists", TYPES, True),
    ("fd.types exists", {"fd.types": ()}, False),
    ("fd.types in (file)", {"fd.types": ()}, False),
    ("not fd.types in (file)", {}, True),
]


@pytest.mark.parametrize(("text", "values", "expected"), ENDS + ANCESTORS + LISTS)
def test_several_values(text: str, values: Values, expected: bool) -> None:
    assert holds(text, values) is expected


GROUPS: Values = {"ka.user.groups": ("system:masters", "dev")}


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("ka.user.groups intersects (dev)", GROUPS, True),
        ("ka.user.groups in (dev)", GROUPS, False),
        ("ka.user.groups in (dev, system:masters)", GROUPS, True),
        ("ka.user.groups contains masters", GROUPS, True),  # any item, in audit conditions
        ("ka.user.groups startswith prod", GROUPS, False),
        ("ka.user.groups = dev", GROUPS, True),
        ("ka.user.groups != dev", GROUPS, True),
        ("ka.user.groups contains masters", {}, False),
    ],
)
def test_lists_of_audit_events(text: str, values: Values, expected: bool) -> None:
    assert holds(text, values, "k8s_audit") is expected
