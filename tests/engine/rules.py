"""Rules files as text, loaded."""

from __future__ import annotations

from refengine.ruleset import RuleSet, load_rules
from refengine.source import Source


def loaded(*texts: str) -> RuleSet:
    """Return the rules of these files, which are called file0.yaml, file1.yaml and so on."""
    return load_rules(*(Source(f"file{number}.yaml", text) for number, text in enumerate(texts)))


def rule(name: str, condition: str, output: str = "%proc.name", **more: str) -> str:
    """Return the text of one rule."""
    keys = {"desc": "a rule", "priority": "WARNING", **more}
    lines = [f"- rule: {name}", f"  condition: >\n    {condition}", f"  output: {output!r}"]
    return "\n".join([*lines, *(f"  {key}: {value}" for key, value in keys.items())]) + "\n"
