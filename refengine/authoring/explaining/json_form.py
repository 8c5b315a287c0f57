"""Explanations as JSON, for programs."""

from __future__ import annotations

from typing import Any

from refengine.authoring.explaining.inquiry import Answer, Inquiry
from refengine.authoring.explaining.truth import Truth, truth_of
from refengine.authoring.explaining.wording import leaf_words
from refengine.authoring.finding import place_json
from refengine.condition.trace import nearest_miss


def inquiry_json(inquiry: Inquiry) -> dict[str, Any]:
    """Return all answers; lines and columns count from 1."""
    return {
        "events": inquiry.seen,
        "rules": [
            {**answer_json(answer), "held": inquiry.held.get(answer.rule, 0)} for answer in inquiry.answers()
        ],
    }


def answer_json(answer: Answer) -> dict[str, Any]:
    """Return one answer with its truth tree; `nearest` are the comparisons that would turn the verdict around."""
    rule = answer.rule
    return {
        "rule": rule.name,
        "place": place_json(rule.definition.history[0].place),
        "enabled": rule.enabled,
        "event": {"number": answer.number, "type": answer.event_type},
        "holds": answer.holds,
        "distance": answer.distance,
        "taken_by": None if answer.taken_by is None else answer.taken_by.name,
        "nearest": [
            {
                "condition": words.written,
                "holds": leaf.holds,
                "reason": words.reason,
                "place": place_json(words.place),
            }
            for leaf in nearest_miss(answer.trace)
            for words in [leaf_words(leaf)]
        ],
        "tree": _truth(truth_of(rule, answer.trace)),
    }


def _truth(truth: Truth) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "kind": truth.kind,
        "label": truth.label,
        "holds": truth.holds,
        "reached": truth.reached,
        "place": place_json(truth.place),
    }
    if truth.children:
        shown["children"] = list(map(_truth, truth.children))
    else:
        shown.update(reason=truth.reason, cause=truth.cause)
    return shown
