"""The report as JUnit XML, which most build servers read."""

from __future__ import annotations

from xml.etree import ElementTree

from refengine.authoring.finding import render
from refengine.authoring.testing.outcome import Outcome, Report
from refengine.terminal import Style


def junit(report: Report, _style: Style) -> str:
    """Return the report as one XML document; a file that cannot be used is a test case of its own with an error."""
    root = ElementTree.Element(
        "testsuites",
        tests=str(report.total + len(report.faults)),
        failures=str(report.count("failed")),
        errors=str(len(report.faults)),
        skipped=str(report.count("skipped")),
        time=f"{report.seconds:.3f}",
    )
    for suite in report.suites:
        outcomes = suite.outcomes
        element = ElementTree.SubElement(
            root,
            "testsuite",
            name=suite.name,
            tests=str(len(outcomes) + len(suite.faults)),
            failures=str(sum(outcome.status == "failed" for outcome in outcomes)),
            errors=str(len(suite.faults)),
            skipped=str(sum(outcome.status == "skipped" for outcome in outcomes)),
            time=f"{sum(outcome.seconds for outcome in outcomes):.3f}",
        )
        for fault in suite.faults:
            case = ElementTree.SubElement(element, "testcase", name=fault.check, classname=suite.name)
            ElementTree.SubElement(case, "error", message=fault.message).text = _legal(render(fault))
        for outcome in outcomes:
            _add(element, suite.name, outcome)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _add(parent: ElementTree.Element, suite: str, outcome: Outcome) -> None:
    case = ElementTree.SubElement(
        parent,
        "testcase",
        name=_legal(outcome.case.name),
        classname=suite,
        file=suite,
        line=str(outcome.case.place.start.line),
        time=f"{outcome.seconds:.4f}",
    )
    if outcome.skipped is not None:
        ElementTree.SubElement(case, "skipped", message=outcome.skipped)
    for failure in outcome.failures:
        element = ElementTree.SubElement(case, "failure", message=_legal(failure.message))
        element.text = _legal("\n".join((str(failure.place), *failure.details)))


def _legal(text: str) -> str:
    """Return `text` without the characters that XML cannot have."""
    return "".join(c if c in "\t\n" or (c >= " " and not 0xD800 <= ord(c) <= 0xDFFF) else "?" for c in text)
