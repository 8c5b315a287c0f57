"""What is answered without watching anything; each answer is a module that is imported when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple

from refengine.cli.options import Options
from refengine.cli.request import Request


class Question(NamedTuple):
    """A question: the module whose `run(request) -> int` answers it, and whether options ask it."""

    module: str
    is_asked: Callable[[Options], bool]


QUESTIONS = (
    Question("schemas", lambda options: options.configuration_schema or options.rule_schema),
    Question("version", lambda options: options.version),
    Question("page_size", lambda options: options.page_size),
    Question("plugins", lambda options: options.list_plugins or options.plugin_info is not None),
    Question("list_backends", lambda options: options.list_backends),
    Question("list", lambda options: options.list_source is not None),
    Question("list_events", lambda options: options.list_events or options.all_events),
    Question("validate", lambda options: bool(options.validate)),
    Question("describe", lambda options: options.describe_all or options.describe_rule is not None),
    Question("support", lambda options: options.support),
)
"""The questions; of several that are asked together the first is answered."""


def answer(request: Request) -> int:
    """Answer the question that is asked, or where there is none, watch; return the exit code."""
    asked = (question.module for question in QUESTIONS if question.is_asked(request.options))
    module = import_module(f"refengine.cli.{next(asked, 'run')}")
    run: Callable[[Request], int] = module.run
    return run(request)
