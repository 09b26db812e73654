"""`hold` from another process while a sync writes: nothing leaves any more, and `release` ends where it would have."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx
import pytest

from onevoice.pipeline.delivery.holding import release

pytestmark = pytest.mark.long

PEOPLE = 300
STILL = 5.0
"""Seconds after the command returned from which on no write may reach a vendor."""
SLOW = 0.6
"""Seconds that a call which may write takes on the slow way: a push of a few dozen calls then lasts over ten."""


@contextmanager
def slow_way(url: str) -> Iterator[str]:
    """Another address of a vendor, behind which calls that may write take their time."""
    client = httpx.Client(base_url=url, timeout=60)

    class Way(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.command != "GET":
                time.sleep(SLOW)
            headers = {n: v for n, v in self.headers.items() if n.lower() not in {"host", "connection"}}
            answer = client.request(self.command, self.path, content=body, headers=headers)
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name.lower() not in {"content-length", "content-encoding", "date", "server", "connection"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = pass_on  # noqa: N815 - names that the base class wants

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    with client, ThreadingHTTPServer(("127.0.0.1", 0), Way) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@contextmanager
def slowed(here: Any, system: str) -> Iterator[None]:
    """Let the hub reach a vendor by the slow way."""
    quick, name = here.sandbox, f"ONEVOICE_{system.upper()}_URL"
    with slow_way(quick.environment[name]) as url:
        here.sandbox = replace(quick, environment={**quick.environment, name: url})
        yield
    here.sandbox = quick


def write_calls(here: Any) -> dict[str, int]:
    return {system: said["write_calls"] for system, said in here.get("/calls").items()}


def events(here: Any) -> Counter[tuple[str, str, str]]:
    """How often what happened at the vendors besides plain writes; Klaviyo's jobs are a way of writing."""
    return Counter(
        (system, event["table"], event["field"])
        for system, log in here.get("/log").items()
        for event in log["events"]
        if event["table"] != "jobs"
    )


def held_while_writing(here: Any, system: str, *words: str) -> tuple[dict[str, int], dict[str, int], str]:
    """Start a sync, hold while it writes to a system; the write calls five seconds later and at the end of the sync,
    and what it said."""
    process = here.start("sync", "--first", "--as-of", here.now())
    before = write_calls(here)[system]
    while process.poll() is None and write_calls(here)[system] < before + 3:
        time.sleep(0.05)
    here.onevoice("hold", *words, "--reason", "a wrong rule")
    assert process.poll() is None, "it ended before it could be held"
    time.sleep(STILL)
    still = write_calls(here)
    _, said = process.communicate(timeout=240)
    assert process.returncode == 4, said
    time.sleep(1)
    return still, write_calls(here), said


def test_hold_during_a_sync(world: Callable[..., Any]) -> None:
    here, calm = (world(PEOPLE, seed=17, limits=False) for _ in range(2))
    for each in (here, calm):
        each.provision()
        each.post("/calls/reset")
    assert calm.cycle(provisioned=True).exit_code == 0
    undisturbed = write_calls(calm)
    here.post("/clock", {"advance_seconds": 900})

    with slowed(here, "hubspot"):
        still, end, said = held_while_writing(here, "hubspot")
    assert end == still
    assert 3 <= end["hubspot"] < undisturbed["hubspot"]
    assert not any(end[system] for system in end if system != "hubspot")
    assert said.count("a wrong rule") == 5, said  # every system says that it is held, and why

    assert release(here.hub(), None) == []
    with slowed(here, "square"):
        still, end, said = held_while_writing(here, "square", "square")
    assert end["square"] == still["square"] < undisturbed["square"]
    assert all(end[system] >= undisturbed[system] for system in end if system != "square")
    assert said.count("a wrong rule") == 1, said
    assert "`onevoice release square` lets it go on" in said

    here.onevoice("release", "square")
    assert here.cycle(provisioned=True).exit_code == 0
    assert calm.differs(here) == []
    assert events(here) == events(calm)
