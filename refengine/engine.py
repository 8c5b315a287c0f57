"""The engine: events in, alerts out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

from refengine.condition.compile import Match
from refengine.condition.reader import Read, Reader, bind_operand
from refengine.condition.typed import Transform
from refengine.errors import UnsupportedFieldError
from refengine.event import Event, RecordedEvent
from refengine.fields.readers import RecordedReader, SystemReader
from refengine.fields.reading import FieldRead
from refengine.output.alert import Alert, MakeAlert, compile_alert
from refengine.profile import ProfiledProgram, RuleProfile
from refengine.program import CompiledProgram, InterpretedProgram, Program
from refengine.rulefile.rule import Rule

Matching: TypeAlias = Literal["first", "all"]
"""Whether an event raises the alert of the first rule that matches it, or those of all."""

Evaluator: TypeAlias = Literal["compile", "interpret"]
"""The two ways to evaluate conditions; they agree."""


class Engine:
    """Evaluates the enabled rules on events.

    Rules are tried in order, those of an event's source only; `matching` says whether the first match ends
    that. `base64_buffers` prints byte buffers in base64. With `profiled` the time of each rule is taken, which
    makes evaluation slower.

    :raises ValueError: for another `matching` or `evaluator`.
    """

    def __init__(
        self,
        rules: Iterable[Rule],
        matching: Matching = "first",
        *,
        evaluator: Evaluator = "compile",
        base64_buffers: bool = False,
        profiled: bool = False,
    ) -> None:
        if matching not in ("first", "all"):
            raise ValueError(f"matching is 'first' or 'all', not {matching!r}")
        if evaluator not in ("compile", "interpret"):
            raise ValueError(f"evaluator is 'compile' or 'interpret', not {evaluator!r}")
        self.rules = tuple(rule for rule in rules if rule.enabled)
        first_only = matching == "first"
        self._profiles: list[tuple[RuleProfile, ...]] = []

        def half(reader: Reader, numbered: bool) -> _Half:
            program: Program
            if profiled:
                timed = ProfiledProgram(self.rules, reader, first_only=first_only, numbered=numbered)
                self._profiles.append(timed.profiles)
                program = timed
            elif evaluator == "interpret":
                program = InterpretedProgram(self.rules, reader, first_only=first_only)
            else:
                program = CompiledProgram(self.rules, reader, first_only=first_only, numbered=numbered)
            return _Half(program, reader, base64_buffers)

        self._system = half(SystemReader(), True)
        self._recorded = half(RecordedReader(), False)

    def process(self, event: Event | RecordedEvent) -> list[Alert]:
        """Return the alerts that `event` raises, in the order of their rules.

        :raises UnsupportedFieldError: when a rule needs a field that cannot be read from such an event.
        :raises ValueError: when a recorded event has a value that is not of its field's type.
        """
        half = self._recorded if event.__class__ is RecordedEvent else self._system
        try:
            match = half.functions[event.source][event.name]
        except KeyError:
            match = half.prepare(event.source, event.name)
        matched = match(event)
        if not matched:
            return []
        return [half.alert(self.rules[index], event) for index in matched]

    def require_fields(self, source: str) -> None:
        """Return when every field that the rules of `source` read or print can be read from system events.

        :raises UnsupportedFieldError: otherwise, naming each such field and the rules that use it.
        """
        reader = self._system.reader
        users: dict[str, list[str]] = {}
        for rule in self.rules:
            if rule.source == source:
                for field in rule.reads():
                    try:
                        reader.bind(field)
                    except UnsupportedFieldError:
                        names = users.setdefault(field.key, [])
                        if rule.name not in names:
                            names.append(rule.name)
        if users:
            lines = [f"{key}, used by {', '.join(map(repr, names))}" for key, names in users.items()]
            raise UnsupportedFieldError(
                "these fields cannot be read from events yet:\n  " + "\n  ".join(lines)
            )

    def profile(self) -> list[RuleProfile]:
        """Return what the evaluation of each rule came to so far; nothing where that is not taken."""
        return [
            RuleProfile(
                forms[0].rule,
                sum(form.evaluations for form in forms),
                sum(form.matches for form in forms),
                sum(form.nanoseconds for form in forms),
            )
            for forms in zip(*self._profiles, strict=True)
        ]

    def prepare(self, source: str, event_types: Iterable[str]) -> None:
        """Compile what system events of these types need now, not when the first one arrives."""
        for event_type in event_types:
            self._system.prepare(source, event_type)


class _Half:
    """The engine for one form of events: how to match them, and how to fill outputs in from them."""

    def __init__(self, program: Program, reader: Reader, base64_buffers: bool) -> None:
        self._program = program
        self.functions: dict[str, dict[str, Match]] = {}
        """What decides the rules, by source and event type, made when the first such event comes if not before."""
        self.reader = reader
        self._base64_buffers = base64_buffers
        self._makes: dict[Rule, MakeAlert] = {}

    def prepare(self, source: str, event_type: str) -> Match:
        match = self._program.function(source, event_type)
        self.functions.setdefault(source, {})[event_type] = match
        return match

    def alert(self, rule: Rule, event: Event | RecordedEvent) -> Alert:
        make = self._makes.get(rule)
        if make is None:
            make = self._makes[rule] = compile_alert(
                rule.name,
                rule.priority,
                rule.source,
                rule.tags,
                rule.output,
                self._bind,
                extra_fields=rule.extra_fields,
                base64_buffers=self._base64_buffers,
            )
        alert = make(event)
        assert alert is not None, "the outputs of rules never require all fields"
        return alert

    def _bind(self, operand: FieldRead | Transform) -> Read:
        return bind_operand(operand, self.reader)
