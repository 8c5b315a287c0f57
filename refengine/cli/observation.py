"""What a run observes: each backend with the rules that are evaluated on its events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from refengine.backends.base import Connection, Interest
from refengine.backends.registry import connect
from refengine.cli.backends import choose
from refengine.cli.configuration import Configuration
from refengine.cli.coverage import coverage
from refengine.cli.load import with_extra_fields
from refengine.cli.messages import Messages
from refengine.cli.options import Options
from refengine.engine import Engine
from refengine.errors import UsageError
from refengine.interest import interest_of
from refengine.rulefile.rule import Rule


class Observation(NamedTuple):
    """A backend that is ready to be opened, the enabled rules of its source, and the engine that evaluates them."""

    connection: Connection
    rules: tuple[Rule, ...]
    engine: Engine
    interest: Interest


def observations(
    options: Options, configuration: Configuration, loaded: tuple[Rule, ...] | None, messages: Messages
) -> tuple[Observation, ...]:
    """Return what is to be observed; `loaded` are the rules, None where all events are wanted as they are.

    It is nothing for a dry run without anything to watch. What the backends cannot evaluate is said.

    :raises UsageError: when two backends have the same source, or `--strict-capabilities` allows no gaps.
    """
    connections = [connect(name, target) for name, target in choose(options, configuration)]
    if not connections:
        # A dry run, which is to find what is wrong with the rules nevertheless.
        _engine(
            _with_extra_fields(_rules_for(None, loaded or (), options), configuration), options, configuration
        )
        return ()
    _check_sources(connections)
    found = tuple(observe(each, options, configuration, loaded) for each in connections)
    missing = list(gaps(found, loaded or ()))
    if missing and options.strict_capabilities:
        raise UsageError("\n  ".join(("the backend cannot evaluate the rules in full:", *missing)))
    for gap in missing:
        messages.warn(gap)
    if loaded is not None and not any(each.rules for each in found):
        messages.warn("no rule is enabled, so that there can be no alerts")
    for each in found:
        backend = each.connection.backend
        events = backend.capabilities.source or "all"
        messages.tell(
            f"{len(each.engine.rules)} rules are enabled for {events} events by the {backend.name} backend"
        )
    return found


def observe(
    connection: Connection,
    options: Options,
    configuration: Configuration,
    loaded: tuple[Rule, ...] | None,
) -> Observation:
    """Return what is to be observed by one backend.

    :raises UsageError: when the options switch its source off.
    :raises UnsupportedFieldError: when a rule reads what its events have not got.
    :raises TemplateError: for an addition to outputs that is wrong.
    """
    capabilities = connection.backend.capabilities
    rules = _with_extra_fields(_rules_for(capabilities.source, loaded or (), options), configuration)
    engine = _engine(rules, options, configuration)
    if capabilities.source is not None:
        engine.require_fields(capabilities.source)
    interest = Interest(None) if loaded is None else interest_of(engine.rules, capabilities.decides)
    return Observation(connection, rules, engine, interest)


def _with_extra_fields(rules: Iterable[Rule], configuration: Configuration) -> tuple[Rule, ...]:
    return tuple(with_extra_fields(rule, configuration) for rule in rules)


def _engine(rules: tuple[Rule, ...], options: Options, configuration: Configuration) -> Engine:
    return Engine(
        rules,
        configuration.matching.value,
        base64_buffers=configuration.base64_buffers,
        profiled=options.profile_rules,
    )


def _check_sources(connections: Sequence[Connection]) -> None:
    """Raise a `UsageError` where an event could come from two backends."""
    names: dict[str, str] = {}
    for connection in connections if len(connections) > 1 else ():
        backend = connection.backend
        source = backend.capabilities.source
        if source is None:
            raise UsageError(f"the {backend.name} backend has events of every source, and stands alone")
        if source in names:
            raise UsageError(f"the backends {names[source]} and {backend.name} both have events of {source}")
        names[source] = backend.name


def gaps(found: Sequence[Observation], loaded: Sequence[Rule]) -> Iterator[str]:
    """Yield a sentence for everything that the backends cannot evaluate; what another one has is no gap."""
    sources = {each.connection.backend.capabilities.source for each in found}
    missed = [rule for rule in loaded if rule.source not in sources]
    for number, each in enumerate(found):
        yield from coverage(missed if number == 0 else (), each.rules, each.connection.backend)


def _rules_for(source: str | None, rules: tuple[Rule, ...], options: Options) -> tuple[Rule, ...]:
    """Return the enabled rules for events of `source`, None meaning those of every source that is not off.

    :raises UsageError: when the options switch the source off.
    """
    if source is None:
        return tuple(
            rule
            for rule in rules
            if rule.enabled
            and rule.source not in options.disabled_sources
            and (not options.enabled_sources or rule.source in options.enabled_sources)
        )
    if source in options.disabled_sources or (
        options.enabled_sources and source not in options.enabled_sources
    ):
        raise UsageError(f"the event source '{source}', which the backend delivers, is switched off")
    return tuple(rule for rule in rules if rule.enabled and rule.source == source)
