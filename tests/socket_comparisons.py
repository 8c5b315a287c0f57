"""Comparisons of what the eBPF backend knows of sockets inside the kernel."""

from __future__ import annotations

from typing import Final

COMPARISONS: Final = (
    "fd.typechar = 4", "fd.typechar = 6", "fd.typechar != 4", "fd.typechar = u", "fd.typechar = o",
    "fd.typechar in (4, 6)", "fd.type = ipv4", "fd.type in (ipv4, ipv6)", "fd.type = unix", "fd.type startswith ipv",
    "fd.type != unix", "fd.sockfamily = ip", "fd.sockfamily != ip", "fd.l4proto = tcp", "fd.l4proto != tcp",
    "fd.l4proto = udp", "fd.l4proto in (raw, icmp)", "fd.l4proto = '<NA>'", "fd.connected = true",
    "fd.connected = false", "fd.connected != true", 'fd.ip = "0.0.0.0"', 'fd.ip != "0.0.0.0"', 'fd.ip = "10.1.2.3"',
    'fd.ip in ("10.1.2.3", "::1")', 'fd.net = "127.0.0.0/8"', 'fd.net != "127.0.0.0/8"',
    'fd.net in ("10.0.0.0/8", "192.168.0.0/16")', 'fd.net = "fe80::/10"', 'fd.snet in ("10.0.0.0/8", "fe80::/10")',
    'fd.cnet = "127.0.0.0/8"', 'fd.rnet in ("10.0.0.0/8", "127.0.0.0/8")', 'fd.lnet != "10.0.0.0/8"',
    'fd.sip = "10.1.2.3"', 'fd.sip != "10.1.2.3"', 'fd.cip = "127.0.0.1"', 'fd.sip = "::ffff:a01:203"',
    'fd.rip = "::1"', 'fd.lip = "127.0.0.1"', "fd.port = 53", "fd.port != 53", "fd.port in (53, 443)", "fd.sport = 443",
    "fd.sport in (53, 443, 0)", "fd.sport != 443", "fd.sport > 1024", "fd.sport <= 53", "fd.cport = 40000",
    "fd.cport < 1024", "fd.rport = 443", "fd.lport != 53", "fd.sip.name = localhost",
)  # fmt: skip
