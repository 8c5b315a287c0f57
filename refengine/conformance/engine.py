"""This engine, asked by the suite: through its public interface, with either evaluator."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import refengine
from refengine.cli.configuration import Configuration, load_configuration
from refengine.cli.load import load_options, with_extra_fields
from refengine.condition.reader import bind_operand
from refengine.conformance.answer import Answer
from refengine.conformance.case import Case, Occurrence
from refengine.engine import Evaluator
from refengine.errors import Diagnostic
from refengine.fields.readers import RecordedReader
from refengine.output.compile import compile_template
from refengine.output.template import parse_template
from refengine.source import Text

_MISSING = "conformance-file-that-does-not-exist"
_HOSTNAME = "conformance"


def answer(case: Case, evaluator: Evaluator = "compile") -> Answer:
    """Return what this engine says about `case`, conditions evaluated by `evaluator`."""
    try:
        if case.template is not None:
            return _template(case)
        if case.condition is not None:
            return _condition(case, evaluator)
        return _rules(case, evaluator)
    except refengine.DiagnosticError as error:
        return Answer(errors=tuple(_described(found) for found in error.diagnostics if found.is_error))


def _condition(case: Case, evaluator: Evaluator) -> Answer:
    assert case.condition is not None
    if case.kind == "text":
        return Answer(result=refengine.print_condition(refengine.parse_condition(case.condition)))
    faults = refengine.check_condition(case.condition, case.source)
    if faults:
        return Answer(errors=tuple(map(_described, faults)))
    rules = refengine.load_rules(refengine.Source("condition.yaml", _rule(case.condition, case.source)))
    engine = refengine.Engine(rules, evaluator=evaluator)
    return Answer(
        warnings=_codes(rules.warnings),
        result=[bool(engine.process(_recorded(event))) for event in case.events],
    )


def _rule(condition: str, source: str) -> str:
    """Return a rules file with one rule that has this condition and no needs besides."""
    rule = {
        "rule": "case",
        "desc": "The condition of a case.",
        "condition": condition,
        "output": "It holds.",
        "priority": "DEBUG",
        "source": source,
        "warn_evttypes": "false",
    }
    return json.dumps([rule])


def _template(case: Case) -> Answer:
    assert case.template is not None
    template = parse_template(Text.of(case.template, "<output>"), case.source)
    reader = RecordedReader()
    fill = compile_template(
        template,
        lambda operand: bind_operand(operand, reader),
        base64_buffers=_configuration(case).base64_buffers,
    )
    filled = [fill(_recorded(event)) for event in case.events]
    return Answer(result=[None if output is None else output.text for output in filled])


def _rules(case: Case, evaluator: Evaluator) -> Answer:
    configuration = _configuration(case)
    files = [
        Path(_MISSING) / file.name if file.text is None else refengine.Source(file.name, file.text)
        for file in case.rules
    ]
    rules = refengine.load_rules(*files, options=load_options(configuration))
    if case.kind == "warnings":
        return Answer(warnings=_codes(rules.warnings))
    if case.kind == "text":
        return Answer(result=refengine.print_condition(rules.rules[-1].tree))
    engine = refengine.Engine(
        [with_extra_fields(rule, configuration) for rule in rules],
        configuration.matching.value,
        evaluator=evaluator,
        base64_buffers=configuration.base64_buffers,
    )
    raised = [engine.process(_recorded(event)) for event in case.events]
    if case.kind == "lines":
        lines = [[configuration.format.line(alert, _HOSTNAME) for alert in alerts] for alerts in raised]
        return Answer(result=lines)
    return Answer(
        warnings=_codes(rules.warnings), result=[[_shown(alert) for alert in alerts] for alerts in raised]
    )


def _configuration(case: Case) -> Configuration:
    """Return the configuration that the case's settings are."""
    overrides = [
        f"{key}={value if isinstance(value, str) else json.dumps(value)}"
        for key, value in case.settings.items()
    ]
    return load_configuration(None, overrides)


def _recorded(event: Occurrence) -> refengine.RecordedEvent:
    return refengine.RecordedEvent(event.fields, source=event.source, time=event.time, number=event.number)


def _shown(alert: refengine.Alert) -> dict[str, Any]:
    return {
        "rule": alert.rule,
        "priority": alert.priority.label,
        "source": alert.source,
        "tags": list(alert.tags),
        "output": alert.message,
        "fields": dict(alert.fields),
    }


def _codes(diagnostics: Iterable[Diagnostic]) -> tuple[str, ...]:
    return tuple(sorted({str(found.code) for found in diagnostics}))


def _described(found: Diagnostic) -> dict[str, Any]:
    described: dict[str, Any] = {"code": str(found.code), "phase": str(found.phase), "message": found.message}
    if found.place is not None:
        start = found.place.start
        described.update(file=found.place.source.name, line=start.line, column=start.column)
    return described
