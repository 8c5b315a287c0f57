"""`refengine doctor`."""

from __future__ import annotations

import json

import pytest

from refengine.backends.registry import BACKENDS
from refengine.cli.doctor import main
from refengine.errors import BackendError


def test_every_need_of_a_backend_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["ebpf", "--format", "json"])
    (answer,) = json.loads(capsys.readouterr().out).values()
    assert {need["name"] for need in answer["needs"]} >= {
        "kernel",
        "capabilities",
        "bcc",
        "kernel types (BTF)",
    }
    assert answer["available"] is all(need["met"] for need in answer["needs"])
    assert code == (0 if answer["available"] else 1)
    assert all(need["remedy"] for need in answer["needs"] if not need["met"])


def test_all_backends_are_asked_about(capsys: pytest.CaptureFixture[str]) -> None:
    main([])
    text = capsys.readouterr().out
    assert all(f"{name}: can" in text for name in BACKENDS)


def test_an_unknown_backend_is_refused() -> None:
    with pytest.raises(BackendError, match="there is no backend"):
        main(["nothing"])
