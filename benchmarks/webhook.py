"""Audit events a second on one core: decoded only, evaluated, and received over a connection.

    python -m benchmarks.webhook [--rules FILE]... [--events FILE] [--seconds N] [--batch N]

Everything runs on the first processor that this process may use; the client that posts runs on another one where there is
one. The events are those of a log (the public one of a real API server by default), sent again and again in lists
as an API server sends them. `wait` is how often the receiver had no room and the client came again.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from refengine import Engine, load_rules
from refengine.backends.base import Interest
from refengine.backends.k8s_audit.documents import documents, event_of, parse
from refengine.backends.k8s_audit.files import AuditFileBackend
from refengine.backends.k8s_audit.webhook import WebhookBackend
from refengine.backends.target import Address

CORPUS = Path(os.environ.get("REFENGINE_CORPUS", Path(__file__).resolve().parents[2] / "shared" / "corpus"))


def bodies(events: Path, batch: int) -> list[bytes]:
    """Return the events of a log as the lists that are posted."""
    backend = AuditFileBackend(events)
    backend.open(Interest(None))
    found: list[dict[str, Any]] = []
    while (read := backend.read(0)) is not None:
        found.extend(dict(event.document) for event in read)  # type: ignore[attr-defined]
    backend.close()
    lists = (found[at : at + batch] for at in range(0, len(found), batch))
    return [json.dumps({"kind": "EventList", "items": items}).encode() for items in lists]


def rate(step: Callable[[bytes], int], texts: Sequence[bytes], seconds: float) -> float:
    """Return how many events a second of processor time `step` gets done, which takes a text and says how many it had."""
    count, begin = 0, time.process_time()
    while time.process_time() - begin < seconds:
        count += sum(map(step, texts))
    return count / (time.process_time() - begin)


def decode(text: bytes) -> int:
    """Decode a text and nothing else."""
    return len(json.loads(text)["items"])


def read_events(text: bytes) -> int:
    """Make events of a text, without evaluating them."""
    found, _ = documents(parse(text))
    for number, document in enumerate(found):
        event_of(document, number)
    return len(found)


def evaluator(engine: Engine) -> Callable[[bytes], int]:
    """Return what makes events of a text and evaluates the rules on them."""

    def evaluate(text: bytes) -> int:
        found, _ = documents(parse(text))
        for number, document in enumerate(found):
            engine.process(event_of(document, number))
        return len(found)

    return evaluate


CLIENT = """
import http.client, sys, time
port, seconds, path = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
bodies = open(path, "rb").read().split(b"\\n")
connection = http.client.HTTPConnection("127.0.0.1", port)
waits, end = 0, time.monotonic() + seconds
while time.monotonic() < end:
    for body in bodies:
        while True:
            connection.request("POST", "/k8s-audit", body)
            answer = connection.getresponse()
            answer.read()
            if answer.status == 200:
                break
            waits += 1
            time.sleep(0.01)
print(waits)
"""


def received(
    engine: Engine, texts: Sequence[bytes], seconds: float, cores: Sequence[int]
) -> tuple[float, float, int]:
    """Return the events a second of time and of processor time that are received and evaluated, and the waits."""
    backend = WebhookBackend(Address("http://127.0.0.1:0/k8s-audit"))
    backend.open(Interest(None))
    path = Path(f"/tmp/webhook-{os.getpid()}.json")
    path.write_bytes(b"\n".join(texts))
    client = subprocess.Popen(
        ["taskset", "-c", str(cores[-1]), sys.executable, "-c", CLIENT, str(backend.port), str(seconds), path],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    count = 0
    begin: float | None = None
    while True:
        events = backend.read(0.2)
        if events and begin is None:
            begin, used = time.monotonic(), time.process_time()
        if not events and client.poll() is not None:
            break
        for event in events:
            engine.process(event)
        if events:
            end, last_used = time.monotonic(), time.process_time()
        count += len(events)
    assert begin is not None
    backend.close()
    path.unlink()
    assert client.stdout is not None
    return count / (end - begin), count / (last_used - used), int(client.stdout.read())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rules", type=Path, action="append")
    parser.add_argument("--events", type=Path, default=CORPUS / "k8s_audit" / "kube-apiserver-1.20.jsonl.gz")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--batch", type=int, default=100)
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[0]})
    rules = load_rules(*(options.rules or [CORPUS / "rules" / "k8s_audit_rules.yaml"]))
    texts = bodies(options.events, options.batch)
    sizes = sum(map(len, texts)) / sum(map(decode, texts))
    print(f"{len(rules)} rules; {sizes:,.0f} bytes an event; {options.batch} events a request")
    plain = rate(decode, texts, options.seconds)
    rows = [("decoded by json.loads only", plain)]
    rows.append(("made into events", rate(read_events, texts, options.seconds)))
    rows.append(("and evaluated", rate(evaluator(Engine(rules)), texts, options.seconds)))
    clock, processor, waits = received(Engine(rules), texts, options.seconds, cores)
    rows.append(("received by HTTP and evaluated, a second", clock))
    rows.append(("the same, a second of processor time", processor))
    for name, figure in rows:
        print(f"{name:<42} {figure:>10,.0f}  {figure / plain:6.2f}")
    print(f"waits: {waits}")


if __name__ == "__main__":
    main()
