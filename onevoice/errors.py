"""Every error Onevoice raises, grouped by what to do next.

    OnevoiceError
    +-- ConfigError              fix a file or a setting, then run again (exit code 2)
    +-- ConnectorError           something went wrong at a vendor
    |   +-- RetryableError       the same call may succeed later
    |   |   +-- Throttled        the vendor said: too fast, or: quota spent
    |   |   +-- Unavailable      no answer, a 5xx, or a lost connection
    |   |   +-- Ambiguous        a write was sent and its outcome is not known
    |   +-- FatalError           trying again will not help
    |       +-- AuthFailed       the credential is refused
    |       +-- PermissionMissing  the credential works but lacks a scope or field permission
    |       +-- ContractBroken   a vendor or a connector answered outside its contract
    +-- StoreError               the hub's own database
    |   +-- StoreVersionError    the store was written by another version
    +-- IdentityError            the identity model or its input is unusable
    +-- DecisionRefused          a steward's decision names nobody, changes nothing, or contradicts another one
    +-- GuardStopped             a safety guard stopped the run (exit code 4)

A message reads `where: what happened (what to do)`. It never carries a secret or personal data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class OnevoiceError(Exception):
    """Base of every error raised on purpose."""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing wrong in one YAML file; lines and columns count from 1."""

    file: str
    line: int
    column: int
    kind: str
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.kind}: {self.path}: {self.message}"


class ConfigError(OnevoiceError):
    """A file or a setting is wrong; `faults` lists every one found, not only the first."""

    def __init__(self, message: str, faults: Sequence[Fault] = ()) -> None:
        super().__init__("\n".join([message, *map(str, faults)]) if faults else message)
        self.faults = tuple(faults)


class ConnectorError(OnevoiceError):
    """Something went wrong at a vendor; `system` is the configured account, `stream` may be unknown."""

    def __init__(self, message: str, *, system: str = "", stream: str = "") -> None:
        super().__init__(message)
        self.system = system
        self.stream = stream


class RetryableError(ConnectorError):
    """The same call may succeed later; `retry_after` is the vendor's own wish in seconds, if any."""

    def __init__(self, message: str, *, system: str = "", stream: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, system=system, stream=stream)
        self.retry_after = retry_after


class Throttled(RetryableError):
    """Too fast, or the quota is spent; `until_reset` is true where waiting seconds cannot help (a daily quota)."""

    def __init__(
        self,
        message: str,
        *,
        system: str = "",
        stream: str = "",
        retry_after: float | None = None,
        until_reset: bool = False,
    ) -> None:
        super().__init__(message, system=system, stream=stream, retry_after=retry_after)
        self.until_reset = until_reset


class Unavailable(RetryableError):
    """No answer, a server error, or a lost connection on a call without side effects."""


class Ambiguous(RetryableError):
    """A write was sent and the answer was lost: it may have taken effect."""


class FatalError(ConnectorError):
    """Trying again will not help."""


class AuthFailed(FatalError):
    """The credential is refused."""


class PermissionMissing(FatalError):
    """The credential works but lacks a scope, an object or a field."""


class ContractBroken(FatalError):
    """A vendor or a connector answered outside its contract."""


class StoreError(OnevoiceError):
    """The hub's own database failed or holds something impossible."""


class StoreVersionError(StoreError):
    """The store was written by another version of Onevoice."""


class IdentityError(OnevoiceError):
    """The identity model or its input is unusable."""


class DecisionRefused(OnevoiceError):
    """A steward's decision cannot be taken; `against` numbers the decisions that stand against it, if any do."""

    def __init__(self, message: str, against: Sequence[int] = ()) -> None:
        super().__init__(message)
        self.against = tuple(against)


class GuardStopped(OnevoiceError):
    """A safety guard stopped the run before anything was written."""
