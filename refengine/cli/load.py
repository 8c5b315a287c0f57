"""Loading the rules that the command line and the configuration name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from refengine.cli.configuration import AppendOutput, Configuration, load_configuration
from refengine.cli.options import Options
from refengine.errors import RulesError, UsageError
from refengine.output.alert import ExtraField
from refengine.output.append import suggested_output
from refengine.output.template import parse_template
from refengine.rulefile.files import is_test_file, read_source, rule_files
from refengine.rulefile.loader import LoadResult, load
from refengine.rulefile.options import SOURCES, ExtraOutput, LoadOptions
from refengine.rulefile.rule import Rule
from refengine.rulefile.yaml import Sequence, read_documents
from refengine.source import Text


def load_options(configuration: Configuration, appended: Iterable[str] = ()) -> LoadOptions:
    """Return what the loader has to know; `appended` are templates for the outputs of all rules."""
    extras = [
        extra for addition in configuration.append_output for extra in _extra_outputs(addition, configuration)
    ]
    extras.extend(ExtraOutput(template) for template in appended)
    return LoadOptions(
        minimum_priority=configuration.priority,
        selections=configuration.selections,
        extra_outputs=tuple(extras),
        static_fields=configuration.static_fields,
    )


def static_options(path: Path | None) -> LoadOptions:
    """Return what of a configuration file concerns the meaning of rules: the fields that it defines.

    :raises UsageError: when the file cannot be read or makes no sense.
    """
    return LoadOptions(static_fields={} if path is None else load_configuration(path).static_fields)


def rules_paths(options: Options, configuration: Configuration) -> tuple[Path, ...]:
    """Return the rules files: those of `-r`, or else those of the configuration that exist.

    :raises UsageError: when there are none, or a folder cannot be read.
    """
    named = options.rules or [Path(name) for name in configuration.rules_files if Path(name).exists()]
    if not named:
        raise UsageError("no rules: give a rules file or a folder of them with -r")
    return expanded(named)


def expanded(named: Iterable[Path]) -> tuple[Path, ...]:
    """Return the files that the paths stand for, the YAML files of a folder by their names.

    :raises UsageError: when a folder cannot be read or has no YAML files, or a file holds tests.
    """
    paths: list[Path] = []
    for path in named:
        if holds_tests(path):
            raise UsageError(f"{path} holds tests of rules and no rules: 'refengine test {path}' runs them")
        try:
            found = rule_files(path)
        except OSError as error:
            raise UsageError(f"cannot read the folder '{path}': {error.strerror or error}") from None
        if not found:
            raise UsageError(f"the folder '{path}' has no .yaml or .yml files")
        paths.extend(found)
    return tuple(paths)


def holds_tests(path: Path) -> bool:
    """Return whether a file is one of tests; one with such a name may have rules in it nevertheless."""
    if not is_test_file(path):
        return False
    try:
        return not any(isinstance(node, Sequence) for node in read_documents(read_source(path)))
    except RulesError:
        return path.is_file()


def load_rules(options: Options, configuration: Configuration) -> LoadResult:
    """Load the rules.

    :raises RulesError: with every error of every file.
    :raises UsageError: when no rules are named, or what they name cannot be found.
    """
    result = load(rules_paths(options, configuration), load_options(configuration, options.appended))
    result.check()
    return result


def with_extra_fields(rule: Rule, configuration: Configuration) -> Rule:
    """Return the rule with the fields that the configuration adds to its alerts.

    :raises TemplateError: when one of them is no template, or names no field of the rule's source.
    """
    extras: dict[str, ExtraField] = {}
    for addition in configuration.append_output:
        if addition.is_for(rule.name, rule.source, rule.tags):
            templates = [(name, text, False) for name, text in addition.extra_fields.items()]
            templates += [(name, f"%{name}", True) for name in addition.raw_fields]
            for name, text, raw in templates:
                template = Text.of(f"*{text.removeprefix('*')}", "append_output")
                parsed = parse_template(template, rule.source, configuration.static_fields)
                extras[name] = ExtraField(name, parsed, raw)
    return replace(rule, extra_fields=tuple(extras.values())) if extras else rule


def _extra_outputs(addition: AppendOutput, configuration: Configuration) -> list[ExtraOutput]:
    extras = []
    if addition.extra_output:
        extras.append(ExtraOutput(addition.extra_output, addition.rule, addition.source, addition.tags))
    if addition.suggested_output:
        for source in sorted(SOURCES):
            suggested = suggested_output(source, configuration.static_fields)
            if suggested and addition.source in (None, source):
                extras.append(ExtraOutput(suggested, addition.rule, source, addition.tags))
    return extras
