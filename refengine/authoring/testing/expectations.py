"""What a case expects: its alerts, all of them or some, and its silences; contradictions among them are faults."""

from __future__ import annotations

from collections.abc import Mapping as ReadOnlyMapping

from refengine.authoring.testing.case import Expectation, ExpectedAlert, Named
from refengine.authoring.testing.format import Form
from refengine.priority import Priority
from refengine.rulefile.yaml import Mapping, Node, Scalar, Sequence

KEYS = ("alerts", "includes", "silent")
ALERT_KEYS = ("rule", "event", "output", "priority", "tags", "fields")


class ExpectationReader:
    """Reads expectations; what is wrong with them goes to the report of `form`."""

    def __init__(self, form: Form) -> None:
        self._form = form

    def expectation(self, node: Mapping) -> Expectation | None:
        """Return what a case expects, None where it has a fault, which is reported."""
        form = self._form
        by_key = node.by_key
        if not any(key in by_key for key in KEYS):
            form.fault(
                node,
                "this test expects nothing, so that it would pass on any rules",
                "say 'alerts: NAME', 'includes: NAME', 'silent: NAME' or 'silent: true'",
                check="test-vacuous",
            )
            return None
        alerts = self._alerts(by_key["alerts"], "'alerts'") if "alerts" in by_key else None
        includes = self._alerts(by_key["includes"], "'includes'") if "includes" in by_key else ()
        if alerts is not None and "includes" in by_key:
            form.fault(
                by_key["includes"],
                "'alerts' are all alerts that there may be, so 'includes' beside it says nothing",
                check="test-contradiction",
            )
        silent: tuple[Named, ...] = ()
        if "silent" in by_key:
            value = by_key["silent"]
            if isinstance(value, Scalar) and value.value == "true":
                if alerts or includes:
                    form.fault(
                        value,
                        "'silent: true' means no alert at all, but alerts are expected",
                        check="test-contradiction",
                    )
                alerts = alerts or ()
            elif isinstance(value, Scalar) and value.value == "false":
                form.fault(value, "'silent: false' says nothing: name the alerts under 'alerts'")
            else:
                silent = self._names(value)
        expected = Expectation(alerts, includes, silent)
        wanted = {alert.rule.name: alert.rule for alert in (*(alerts or ()), *includes)}
        for named in silent:
            if named.name in wanted:
                form.fault(
                    named.place,
                    f"the test expects an alert of '{named.name}' and its silence",
                    check="test-contradiction",
                )
        return expected

    def _names(self, node: Node) -> tuple[Named, ...]:
        found = []
        for item in self._form.several(node, "'silent'"):
            name = self._form.text(item, "the name of a rule")
            if name is not None:
                found.append(Named(name, item.place))
        return tuple(found)

    def _alerts(self, node: Node, what: str) -> tuple[ExpectedAlert, ...]:
        if isinstance(node, Sequence) and not node.items:
            if what != "'alerts'":
                self._form.fault(node, f"{what} is empty, which says nothing")
            return ()
        found = (self._alert(item) for item in self._form.several(node, what))
        return tuple(alert for alert in found if alert is not None)

    def _alert(self, node: Node) -> ExpectedAlert | None:
        form = self._form
        if isinstance(node, Scalar):
            name = form.text(node, "the name of a rule")
            return None if name is None else ExpectedAlert(Named(name, node.place))
        found = form.mapping(node, "an expected alert", ALERT_KEYS)
        if found is None:
            return None
        if "rule" not in found.by_key:
            form.fault(node, "the alert has no 'rule'")
            return None
        keys = found.by_key
        name = form.text(keys["rule"], "'rule'")
        output = form.text(keys["output"], "'output'") if "output" in keys else None
        tags = None
        if "tags" in keys:
            texts = [form.text(item, "a tag") for item in form.several(keys["tags"], "'tags'")]
            tags = frozenset(text for text in texts if text is not None)
        number = form.number(keys["event"], "'event'") if "event" in keys else None
        if number is not None and number != int(number):
            form.fault(keys["event"], "'event' is the number of an event, counted from 1")
        if name is None:
            return None
        return ExpectedAlert(
            Named(name, keys["rule"].place),
            output,
            self._priority(keys),
            tags,
            None if number is None else int(number),
            self._fields(keys),
        )

    def _priority(self, keys: ReadOnlyMapping[str, Node]) -> Priority | None:
        node = keys.get("priority")
        if node is None:
            return None
        text = self._form.text(node, "'priority'")
        try:
            return None if text is None else Priority.parse(text)
        except ValueError as error:
            self._form.fault(node, str(error))
            return None

    def _fields(self, keys: ReadOnlyMapping[str, Node]) -> tuple[tuple[Named, Node], ...]:
        node = keys.get("fields")
        found = None if node is None else self._form.mapping(node, "'fields'", ())
        if found is None:
            return ()
        return tuple(
            (Named(key.value, key.place), value) for key, value in found.pairs if isinstance(key, Scalar)
        )
