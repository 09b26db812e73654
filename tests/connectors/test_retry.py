"""The retry policy: what is tried again, how often, how long, and what never."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from connectors._retry import call_with_retries
from onevoice.errors import Ambiguous, AuthFailed, ContractBroken, Throttled, Unavailable


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long each pause would have been."""
    slept: list[float] = []
    monkeypatch.setattr("connectors._retry.nap.sleep", slept.append)
    return slept


def failing(*errors: Exception) -> Callable[[], str]:
    waiting = list(errors)

    def act() -> str:
        if waiting:
            raise waiting.pop(0)
        return "done"

    return act


def test_blip_is_survived(pauses: list[float]) -> None:
    assert call_with_retries(failing(Unavailable("x"), Throttled("y"))) == "done"
    assert len(pauses) == 2


@pytest.mark.parametrize(
    "error", [Ambiguous("x"), AuthFailed("x"), ContractBroken("x"), Throttled("x", until_reset=True), KeyError("x")]
)
def test_what_is_never_tried_again(pauses: list[float], error: Exception) -> None:
    with pytest.raises(type(error)):
        call_with_retries(failing(error))
    assert pauses == []


@pytest.mark.parametrize(("error", "attempts"), [(Unavailable("x"), 4), (Throttled("x"), 8)])
def test_attempts_end(pauses: list[float], error: Exception, attempts: int) -> None:
    with pytest.raises(type(error)):
        call_with_retries(failing(*[error] * 20))
    assert len(pauses) == attempts - 1


def test_vendors_own_wish_is_honoured(pauses: list[float]) -> None:
    call_with_retries(failing(Throttled("x", retry_after=17)))
    assert pauses[0] >= 17


def test_wish_beyond_the_whole_time_is_not_waited_for(pauses: list[float]) -> None:
    with pytest.raises(Throttled):
        call_with_retries(failing(Throttled("x", retry_after=600)))
    assert pauses == []


def test_pauses_grow_and_differ(pauses: list[float]) -> None:
    def run() -> Sequence[float]:
        pauses.clear()
        with pytest.raises(Unavailable):
            call_with_retries(failing(*[Unavailable("x")] * 9))
        return tuple(pauses)

    runs = {run() for _ in range(5)}
    assert len(runs) == 5
    assert all(first < last for first, *_, last in runs)
