"""The manifest of a connector: what an admin has to give, what it reads and writes, and which limits hold."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from onevoice.errors import ConfigError
from onevoice.protocols import Stream

FOLDER = Path(__file__).parent
Sentence = Annotated[str, Field(min_length=8)]
CallKind = Annotated[str, Field(pattern=r"^[a-z]+$")]
"""What a connector calls a group of its calls that the vendor counts together, as in `read` or `write`."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Setting(_Strict):
    """One value an admin gives, by environment variable."""

    about: Sentence
    required: bool = False
    secret: bool = False


class Cost(_Strict):
    """What one kind of call carries of the changes of a stream: the fields that begin so, set, cleared, or either."""

    fields: str = ""
    values: Literal["set", "cleared", "any"] = "any"
    counts: Literal["records", "values", "fields"] = "values"
    """records: all values of one record are one; values: each is one; fields: as values, but a call carries those of
    one field in one direction only."""
    many: int = Field(ge=1)
    """So many go into one call."""
    kind: CallKind = "write"
    calls: int = Field(default=1, ge=1)
    """So many calls of the kind it takes: one that sends, and one that looks at what became of it."""
    points: int = Field(default=0, ge=0)
    """What a call costs of a limit that counts points."""


class StreamEntry(_Strict):
    """One kind of record; `stamp` is the vendor field whose value moves with every change."""

    key: str
    reads: bool = False
    writes: bool = False
    snapshot: bool = False
    max_batch: int = Field(default=1, ge=1)
    stamp: str | None = None
    settle_seconds: float = Field(default=0, ge=0)
    """The newest part of the time line that is left for the next read."""
    lookback_seconds: float = Field(default=0, ge=0)
    """How far behind its watermark a read begins again: records become visible later than their stamp."""
    reread: int = Field(default=0, ge=0)
    """Records read again in every cycle, where the stamp may stand still although something changed."""
    why: str = ""
    memberships: str | None = None
    """Fields that begin so are lists, groups or tags: true puts a record in, anything else takes it out."""
    costs: tuple[Cost, ...] = ()
    """What writing costs; left out: one call of the kind `write` for `max_batch` records."""

    @property
    def prices(self) -> tuple[Cost, ...]:
        """`costs`, or what holds where none are named."""
        return self.costs or (Cost(counts="records", many=self.max_batch),)

    @property
    def settle(self) -> timedelta:
        """`settle_seconds` as a duration."""
        return timedelta(seconds=self.settle_seconds)

    @property
    def lookback(self) -> timedelta:
        """`lookback_seconds` as a duration."""
        return timedelta(seconds=self.lookback_seconds)


class Limit(_Strict):
    """One limit of the vendor: `calls` in `seconds` for the named kinds of call; None where the vendor tells it."""

    name: str
    kinds: tuple[CallKind, ...] = Field(min_length=1)
    calls: int | None = Field(default=None, ge=1)
    seconds: float = Field(gt=0)
    points: bool = False
    """`calls` counts points: each call takes its own cost, and what the vendor tells to be left is exact, for it gives
    back what a call did not need."""
    reserve: float = Field(default=0.1, ge=0, lt=1)
    """Share that only urgent calls (writes of suppressions and opt-outs) may use."""
    why: Sentence
    source: Sentence


class QualityEntry(_Strict):
    """One rule of the quality scale: done, shown by `proof` (a test), or exempt with a reason."""

    state: Literal["done", "exempt", "open"]
    proof: str = ""
    reason: str = ""

    @model_validator(mode="after")
    def _grounded(self) -> QualityEntry:
        if self.state == "done" and not self.proof:
            raise ValueError("a rule that is done names its proof")
        if self.state != "done" and not self.reason:
            raise ValueError("a rule that is exempt or open gives a reason")
        return self


QUALITY_RULES: Mapping[str, tuple[str, ...]] = {
    "bronze": ("contract_suite", "manifest", "readme", "check_proven", "secrets_redacted"),
    "silver": ("deletes_seen", "throttling_honoured", "resume_after_crash", "limits_listed", "removal_described"),
    "gold": ("recorded_fixtures", "schema_drift", "write_diff", "sandbox_refusals"),
}


class Manifest(_Strict):
    """All that is known about a connector without importing it."""

    label: str
    sdk: str
    directions: tuple[Literal["source", "destination"], ...] = Field(min_length=1)
    settings: Mapping[str, Setting]
    settings_pattern: str | None = None
    """Further settings are allowed when they match this regular expression as a whole."""
    streams: Mapping[str, StreamEntry] = Field(default_factory=dict)
    limits: tuple[Limit, ...] = ()
    quality: Mapping[Literal["bronze", "silver", "gold"], Mapping[str, QualityEntry]]

    @model_validator(mode="after")
    def _complete(self) -> Manifest:
        priced = {cost.kind for entry in self.streams.values() if entry.writes for cost in entry.prices}
        limited = {kind for limit in self.limits for kind in limit.kinds}
        if priced - limited:
            raise ValueError(f"no limit speaks of calls of the kind {', '.join(sorted(priced - limited))}")
        for tier, rules in QUALITY_RULES.items():
            named = set(self.quality.get(tier, {}))  # type: ignore[call-overload]
            if named != set(rules):
                raise ValueError(f"quality.{tier} must name exactly {', '.join(rules)}")
        return self

    @property
    def tier(self) -> str:
        """The highest tier whose rules, and those of all tiers below, are done or exempt; "" below bronze."""
        reached = ""
        for tier in QUALITY_RULES:
            if any(entry.state == "open" for entry in self.quality[tier].values()):  # type: ignore[index]
                break
            reached = tier
        return reached

    def contract_streams(self) -> Mapping[str, Stream]:
        """The streams as the connector contract knows them."""
        return {
            name: Stream(
                name=name,
                key=entry.key,
                reads=entry.reads,
                writes=entry.writes,
                snapshot=entry.snapshot,
                max_batch=entry.max_batch,
                reread=entry.reread,
            )
            for name, entry in self.streams.items()
        }

    def checked_settings(self, system: str, given: Mapping[str, str]) -> Mapping[str, str]:
        """Return the settings that were given a value; ConfigError names all that are missing or unknown."""
        values = {name: value for name, value in given.items() if value != ""}
        wrong = [
            f"{name} is missing: {s.about}" for name, s in self.settings.items() if s.required and name not in values
        ]
        for name in values:
            if name in self.settings or (self.settings_pattern and re.fullmatch(self.settings_pattern, name)):
                continue
            close = difflib.get_close_matches(name, self.settings, n=1)
            hint = f"did you mean {close[0]}" if close else f"allowed: {', '.join(sorted(self.settings))}"
            wrong.append(f"{name} is not a setting of {self.label} ({hint})")
        if wrong:
            raise ConfigError(f"{system}: " + "; ".join(wrong))
        return values


@cache
def load_manifest(kind: str) -> Manifest:
    """Read and validate `connectors/<kind>/manifest.yaml`; ConfigError when it is missing or wrong."""
    path = FOLDER / kind / "manifest.yaml"
    try:
        raw = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
        return Manifest.model_validate(raw)
    except FileNotFoundError:
        known = ", ".join(kinds())
        raise ConfigError(f"connectors: there is no connector of kind {kind!r} (known: {known})") from None
    except (YAMLError, ValidationError) as exc:
        raise ConfigError(f"connectors/{kind}/manifest.yaml: {exc}") from exc


def kinds() -> tuple[str, ...]:
    """Every folder with a manifest, by name."""
    return tuple(sorted(path.parent.name for path in FOLDER.glob("*/manifest.yaml")))
