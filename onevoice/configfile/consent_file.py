"""config/consent.yaml: what silence means, how exact clocks are, how long a permission lasts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field

from onevoice.configfile.base import StrictModel

Regime = Literal["opt_in", "opt_out"]
Country = Annotated[str, Field(pattern="^[A-Z]{2}$")]


class Purpose(StrictModel):
    """One purpose customers may agree or object to."""

    label: str = Field(description="What people read.")
    grant_days: int | None = Field(
        default=None, ge=1, description="Days a permission lasts; left out, until it is withdrawn."
    )


class ConsentFile(StrictModel):
    """The whole of config/consent.yaml."""

    brand: str = Field(
        default="",
        description="The brand that sends. Left empty, the company is one sender and an objection to any brand counts.",
    )
    channels: Sequence[str] = Field(min_length=1, description="Channels consent is kept for.")
    purposes: Mapping[str, Purpose] = Field(min_length=1, description="Purposes by name.")
    clock_skew_seconds: int = Field(
        default=300,
        ge=0,
        le=86_400,
        description="How far clocks of different systems may be apart: a yes must be later than a no by more.",
    )
    default_regime: Regime = Field(
        description="What silence means where no country rule applies: opt_in = not allowed, opt_out = allowed."
    )
    channel_regimes: Mapping[str, Regime] = Field(
        default_factory=dict,
        description="What silence means on a channel, whatever the country: a text message needs a yes where an e-mail "
        "may not.",
    )
    regimes: Mapping[Country, Regime] = Field(
        default_factory=dict, description="What silence means by the customer's country (two-letter code)."
    )
