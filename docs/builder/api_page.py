"""The reference of the Python interface: what `import refengine` offers, from its docstrings."""

from __future__ import annotations

import inspect

import refengine
from builder.markdown import block, page

_ABOUT = {
    "Rules and engine": ("load_rules", "RuleSet", "Rule", "LoadOptions", "Engine"),
    "Events": ("Event", "RecordedEvent"),
    "Alerts": ("Alert", "Priority"),
    "Conditions": ("parse_condition", "check_condition", "print_condition", "Node"),
    "Texts and faults": (
        "Source", "Text", "Diagnostic", "Code", "Phase", "RefengineError", "DiagnosticError", "ConditionError",
        "TemplateError", "RulesError", "UnsupportedFieldError", "BackendError",
    ),
}  # fmt: skip


def api_page() -> str:
    """Return the page.

    :raises ValueError: where something that `refengine` offers is in no group, or the other way round.
    """
    grouped = {name for names in _ABOUT.values() for name in names}
    if grouped != set(refengine.__all__):
        raise ValueError(
            f"in only one of the page and refengine.__all__: {sorted(grouped ^ set(refengine.__all__))}"
        )
    parts = []
    for title, names in _ABOUT.items():
        directives = [_directive(name) for name in names]
        parts += [f"## {title}", block("\n".join(directives), "{eval-rst}")]
    return page(
        "Python interface",
        "What `import refengine` offers to programs. The [examples](../examples.md) use it.",
        *parts,
    )


def _directive(name: str) -> str:
    offered = getattr(refengine, name)
    if inspect.isclass(offered):
        return f".. autoclass:: refengine.{name}\n   :members:\n"
    if inspect.isfunction(offered):
        return f".. autofunction:: refengine.{name}\n"
    return f".. autodata:: refengine.{name}\n   :no-value:\n"
