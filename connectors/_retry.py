"""The one retry policy: what may be tried again, how long, and never a write whose outcome is unknown."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryCallState, Retrying, nap, retry_if_exception, stop_before_delay, wait_exponential, wait_random
from tenacity.stop import stop_base

from onevoice.errors import Ambiguous, RetryableError, Throttled

T = TypeVar("T")

UNAVAILABLE_ATTEMPTS = 4
"""About two seconds in all: a blip. A longer outage is for the next run, not for a waiting job."""
THROTTLED_ATTEMPTS = 8
TOTAL_SECONDS = 120.0

_backoff = wait_exponential(multiplier=0.25, max=20) + wait_random(0, 0.25)


def call_with_retries(function: Callable[[], T], *, total_seconds: float = TOTAL_SECONDS) -> T:
    """Call `function` until it returns, raises what is not worth another try, or the policy ends; the last error is
    raised as it was."""
    policy = Retrying(
        retry=retry_if_exception(_worth_another_try),
        wait=_wait,
        stop=_EnoughAttempts() | stop_before_delay(total_seconds),
        sleep=nap.sleep,
        reraise=True,
    )
    return policy(function)


def _worth_another_try(error: BaseException) -> bool:
    if isinstance(error, Ambiguous) or not isinstance(error, RetryableError):
        return False
    return not (isinstance(error, Throttled) and error.until_reset)


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _wait(state: RetryCallState) -> float:
    """The vendor's own wish or our own growing pause, whichever is longer."""
    error = _error(state)
    wished = error.retry_after if isinstance(error, RetryableError) and error.retry_after else 0.0
    return max(wished, _backoff(state))


class _EnoughAttempts(stop_base):
    """Patience by kind: who says "slower" gets more tries than who says nothing."""

    def __call__(self, retry_state: RetryCallState) -> bool:
        allowed = THROTTLED_ATTEMPTS if isinstance(_error(retry_state), Throttled) else UNAVAILABLE_ATTEMPTS
        return retry_state.attempt_number >= allowed
