"""Write the catalogue of the rules in `rules/attack`: a page for people, and a layer for the ATT&CK Navigator.

Usage: `python docs/rule_catalogue.py [FOLDER]`, by default the folder of this file. It writes `rules.md` and
`attack-navigator.json`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from refengine import load_rules
from refengine.authoring.testing.case import Observed
from refengine.authoring.testing.reading import read_suite
from refengine.rulefile.rule import Rule

ROOT = Path(__file__).resolve().parents[1]
PACK = ROOT / "rules" / "attack"
ATTACK_VERSION = "17"
"""The version of ATT&CK whose techniques the rules name."""

TACTICS = (
    "initial-access", "execution", "persistence", "privilege-escalation", "defense-evasion", "credential-access",
    "discovery", "lateral-movement", "collection", "command-and-control", "exfiltration", "impact",
)  # fmt: skip
"""The tactics that rules on a running system can be about, in the order of an intrusion."""

TECHNIQUES: Mapping[str, str] = {
    "T1003.007": "Proc Filesystem",
    "T1003.008": "/etc/passwd and /etc/shadow",
    "T1027.004": "Compile After Delivery",
    "T1036.005": "Match Legitimate Resource Name or Location",
    "T1040": "Network Sniffing",
    "T1046": "Network Service Discovery",
    "T1048": "Exfiltration Over Alternative Protocol",
    "T1053.003": "Cron",
    "T1053.007": "Container Orchestration Job",
    "T1055.008": "Ptrace System Calls",
    "T1055.009": "Proc Memory",
    "T1056.001": "Keylogging",
    "T1059.004": "Unix Shell",
    "T1068": "Exploitation for Privilege Escalation",
    "T1069": "Permission Groups Discovery",
    "T1070": "Indicator Removal",
    "T1070.002": "Clear Linux or Mac System Logs",
    "T1070.003": "Clear Command History",
    "T1070.006": "Timestomp",
    "T1078.001": "Default Accounts",
    "T1082": "System Information Discovery",
    "T1083": "File and Directory Discovery",
    "T1090.003": "Multi-hop Proxy",
    "T1095": "Non-Application Layer Protocol",
    "T1098.004": "SSH Authorized Keys",
    "T1098.006": "Additional Container Cluster Roles",
    "T1105": "Ingress Tool Transfer",
    "T1136.001": "Local Account",
    "T1140": "Deobfuscate/Decode Files or Information",
    "T1190": "Exploit Public-Facing Application",
    "T1195.002": "Compromise Software Supply Chain",
    "T1204.002": "Malicious File",
    "T1222.002": "Linux and Mac File and Directory Permissions Modification",
    "T1485": "Data Destruction",
    "T1490": "Inhibit System Recovery",
    "T1496.001": "Compute Hijacking",
    "T1505.003": "Web Shell",
    "T1528": "Steal Application Access Token",
    "T1543.002": "Systemd Service",
    "T1546.004": "Unix Shell Configuration Modification",
    "T1546.017": "Udev Rules",
    "T1546.018": "Python Startup Hooks",
    "T1547.006": "Kernel Modules and Extensions",
    "T1547.013": "XDG Autostart Entries",
    "T1548": "Abuse Elevation Control Mechanism",
    "T1548.001": "Setuid and Setgid",
    "T1548.003": "Sudo and Sudo Caching",
    "T1552.001": "Credentials In Files",
    "T1552.003": "Bash History",
    "T1552.004": "Private Keys",
    "T1552.005": "Cloud Instance Metadata API",
    "T1552.007": "Container API",
    "T1555.003": "Credentials from Web Browsers",
    "T1556.003": "Pluggable Authentication Modules",
    "T1561.001": "Disk Content Wipe",
    "T1562.001": "Disable or Modify Tools",
    "T1562.004": "Disable or Modify System Firewall",
    "T1564.001": "Hidden Files and Directories",
    "T1567.002": "Exfiltration to Cloud Storage",
    "T1572": "Protocol Tunneling",
    "T1574.006": "Dynamic Linker Hijacking",
    "T1609": "Container Administration Command",
    "T1610": "Deploy Container",
    "T1611": "Escape to Host",
    "T1620": "Reflective Code Loading",
}
"""The techniques that the rules name, with MITRE's names for them."""


RAISES = re.compile(r"^# raises: (.+)$", re.MULTILINE)
"""How scripts of provocations say what they raise."""


@dataclass(frozen=True)
class Entry:
    """A rule as the catalogue tells of it.

    `reason` is the comment above it, `theme` the name of its file. A rule is `provoked` when a test or a script
    in `provocations/` runs a real program that raises it.
    """

    rule: Rule
    theme: str
    reason: str
    tactic: str
    technique: str
    provoked: bool


def rules_files() -> list[Path]:
    """Return the files of the pack in the order in which a folder is loaded."""
    return sorted(path for path in PACK.glob("*.yaml") if not path.name.endswith(".test.yaml"))


def entries() -> list[Entry]:
    """Return the rules in the order of their files.

    :raises ValueError: for a rule that has not one tactic and one known technique, or no comment.
    """
    provoked = set(provoked_rules())
    texts = {path.stem: path.read_text(encoding="utf-8") for path in rules_files()}
    return [entry(rule, texts, rule.name in provoked) for rule in load_rules(*rules_files())]


def entry(rule: Rule, texts: Mapping[str, str], provoked: bool) -> Entry:
    """Return what the catalogue tells of one rule."""
    head = re.compile(rf"((?:^#(?! -{{3}}) .*\n)+)- rule: {re.escape(rule.name)}\n", re.MULTILINE)
    found = [(theme, match[1]) for theme, text in texts.items() for match in head.finditer(text)]
    tactics = [tag.removeprefix("mitre_").replace("_", "-") for tag in rule.tags if tag.startswith("mitre_")]
    techniques = [tag for tag in rule.tags if re.fullmatch(r"T\d{4}(\.\d{3})?", tag)]
    if len(found) != 1:
        raise ValueError(f"there is no comment above rule '{rule.name}' that says why it is there")
    if len(tactics) != 1 or len(techniques) != 1:
        raise ValueError(f"rule '{rule.name}' has not one tactic and one technique among its tags")
    if tactics[0] not in TACTICS or techniques[0] not in TECHNIQUES:
        raise ValueError(f"rule '{rule.name}' has a tactic or a technique that is not in the tables")
    theme, comment = found[0]
    reason = " ".join(line.removeprefix("# ") for line in comment.splitlines())
    return Entry(rule, theme, reason, tactics[0], techniques[0], provoked)


def provoked_rules() -> Iterable[str]:
    """Yield the names of rules that a test expects of a real program, or a script of provocations says it raises."""
    for path in sorted(PACK.glob("*.test.yaml")):
        for case in read_suite(path).cases:
            if isinstance(case.events, Observed) and case.events.backend == "ptrace":
                for alert in (*(case.expected.alerts or ()), *case.expected.includes):
                    yield alert.rule.name
    for path in sorted(PACK.glob("provocations/*.sh")):
        yield from RAISES.findall(path.read_text(encoding="utf-8"))


def link(technique: str) -> str:
    """Return a link to a technique in the words of Markdown."""
    address = f"https://attack.mitre.org/techniques/{technique.replace('.', '/')}/"
    return f"[{technique} {TECHNIQUES[technique]}]({address})"


def anchor(name: str) -> str:
    """Return the address of a heading within its page, as renderers of Markdown make it."""
    return re.sub(r"[^\w\- ]", "", name.lower()).replace(" ", "-")


def page(rules: list[Entry]) -> str:
    """Return the page."""
    real = sum(entry.provoked for entry in rules)
    techniques = {entry.technique for entry in rules}
    lines = [
        "# The rules in `rules/attack`",
        "",
        "<!-- Written by docs/rule_catalogue.py from the rules and their tests. Change those, and run it again. -->",
        "",
        f"{len(rules)} rules for {len(techniques)} techniques of MITRE ATT&CK {ATTACK_VERSION}. Load the folder, which",
        "takes its files by their names, so that what they share comes first:",
        "",
        "    refengine --backend ptrace -r rules/attack -o rule_matching=all -- bash",
        "    refengine test rules/attack",
        "",
        "With `rule_matching=all` an event raises the alerts of all rules that hold; by default it raises that of the",
        f"first one only. Every rule has unit tests. {real} rules, marked with a ●, are raised by real, harmless programs",
        "under ptrace as well: in the tests, or by the scripts in `rules/attack/provocations/` where root is needed. The",
        "layer for the ATT&CK Navigator is [attack-navigator.json](attack-navigator.json).",
        "",
        "| tactic | rules |",
        "|---|---|",
    ]
    for tactic in TACTICS:
        named = [entry for entry in rules if entry.tactic == tactic]
        links = ", ".join(f"[{entry.rule.name}](#{anchor(entry.rule.name)})" for entry in named)
        if named:
            lines.append(f"| {tactic.replace('-', ' ')} ({len(named)}) | {links} |")
    theme = ""
    for entry in rules:
        if entry.theme != theme:
            theme = entry.theme
            lines += ["", f"## {theme.capitalize()}", "", f"`rules/attack/{theme}.yaml`"]
        lines += ["", *section(entry)]
    return "\n".join(lines) + "\n"


def section(entry: Entry) -> list[str]:
    """Return the lines about one rule."""
    rule = entry.rule
    others = [tag for tag in rule.tags if tag != entry.technique and not tag.startswith("mitre_")]
    facts = [
        f"- {link(entry.technique)}, {entry.tactic.replace('-', ' ')}",
        f"- {rule.priority.label}, source `{rule.source}`, tags {', '.join(f'`{tag}`' for tag in others)}",
    ]
    if rule.source == "syscall":
        facts.append(f"- event types: {', '.join(f'`{name}`' for name in sorted(rule.event_types))}")
    if rule.definition.exceptions:
        facts.append(f"- exceptions: {', '.join(f'`{each.name}`' for each in rule.definition.exceptions)}")
    if entry.provoked:
        facts.append("- ● raised by a real program")
    return [f"### {rule.name}", "", f"{rule.description} {entry.reason}", "", *facts]


def layer(rules: list[Entry]) -> str:
    """Return the layer for the ATT&CK Navigator, form 4.5: each technique scored by the number of its rules."""
    pairs = sorted({(entry.technique, entry.tactic) for entry in rules})
    named = {
        pair: [entry.rule.name for entry in rules if (entry.technique, entry.tactic) == pair]
        for pair in pairs
    }
    content = {
        "name": "refengine: rules/attack",
        "versions": {"attack": ATTACK_VERSION, "navigator": "5.1.0", "layer": "4.5"},
        "domain": "enterprise-attack",
        "description": "The techniques that the rules in rules/attack look for, scored by the number of rules.",
        "filters": {"platforms": ["Linux", "Containers"]},
        "sorting": 0,
        "layout": {"layout": "side", "showID": True, "showName": True, "expandedSubtechniques": "annotated"},
        "hideDisabled": False,
        "techniques": [
            {
                "techniqueID": technique,
                "tactic": tactic,
                "score": len(named[technique, tactic]),
                "comment": "; ".join(named[technique, tactic]),
                "enabled": True,
                "showSubtechniques": False,
            }
            for technique, tactic in pairs
        ],
        "gradient": {
            "colors": ["#cfe3f5", "#0b4f8a"],
            "minValue": 1,
            "maxValue": max(map(len, named.values())),
        },
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write both files into the folder that is named, and return the exit code."""
    folder = Path(arguments[0]) if arguments else Path(__file__).parent
    rules = entries()
    (folder / "rules.md").write_text(page(rules), encoding="utf-8")
    (folder / "attack-navigator.json").write_text(layer(rules), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
