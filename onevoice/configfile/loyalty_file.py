"""config/loyalty.yaml: the programmes, their tiers and wallets, and what each membership status means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Self

from pydantic import Field, model_validator

from onevoice.configfile.base import StrictModel

Status = Literal[
    "prospect",
    "earning_nonmember",
    "pending",
    "active",
    "grace",
    "suspended",
    "lapsed",
    "closed",
    "merged",
    "erased",
]
"""Canonical membership statuses; vendors' own words are mapped to these."""

Role = Literal["redeemable", "qualifying", "lifetime", "stored_value", "partner"]


class Wallet(StrictModel):
    """One kind of points of a programme."""

    role: Role = Field(
        description="What the points are for. Only redeemable ones are ever added up over a customer's cards."
    )
    system_of_record: str | None = Field(
        default=None,
        description="The system whose balances and expiry dates count; left out, the programme's own. "
        "Balances anywhere else are copies.",
    )


class Programme(StrictModel):
    """One loyalty programme."""

    label: str = Field(description="Name that people read.")
    system_of_record: str = Field(
        description="The system whose memberships count. What any other system says of them is a claim, never counted."
    )
    also_joined_in: Sequence[str] = Field(
        default=(),
        description="Further systems in which a membership may begin: its holder is a member. Tiers come from the "
        "system of record alone, points from their wallet's.",
    )
    tiers: Sequence[str] = Field(default=(), description="Tiers in lower-case words, lowest first.")
    tier_words: Mapping[str, str] = Field(
        default_factory=dict,
        description="The system's own words for tiers where they are other words (word: tier); case is ignored.",
    )
    perks_from: str | None = Field(
        default=None, description="Lowest tier that has perks; left out, every active member has perks."
    )
    wallets: Mapping[str, Wallet] = Field(
        default_factory=dict, description="Wallets by name. Points in a wallet not named here are left out."
    )
    types: Sequence[str] = Field(
        default=("individual",),
        description="Membership types that are one person's own. Corporate and group accounts never merge with them.",
    )
    pending_days: int = Field(
        default=14,
        ge=0,
        description="Days after enrolment for which an unconfirmed sign-up counts as a member.",
    )
    cool_off_days: int = Field(
        default=30,
        ge=0,
        description="Days after a membership was closed for which the customer still counts as a member.",
    )

    @model_validator(mode="after")
    def _known_tiers(self) -> Self:
        allowed = ", ".join(self.tiers) or "none"
        if len(set(self.tiers)) != len(self.tiers):
            raise ValueError("tiers: a tier is named twice (name each once)")
        if self.perks_from is not None and self.perks_from not in self.tiers:
            raise ValueError(f"perks_from: {self.perks_from!r} is not a tier of this programme (tiers: {allowed})")
        for word, tier in self.tier_words.items():
            if tier not in self.tiers:
                raise ValueError(f"tier_words: {word!r} means {tier!r}, which is not a tier (tiers: {allowed})")
        return self


class LoyaltyFile(StrictModel):
    """The whole of config/loyalty.yaml."""

    main: str = Field(description="The programme that the membership facts of rules (is_member, tier, ...) speak of.")
    programmes: Mapping[str, Programme] = Field(min_length=1, description="Programmes by name.")
    statuses: Mapping[str, Status] = Field(
        description="The systems' own words for membership statuses -> what they mean here. "
        "Upper and lower case are the same. A word that is not listed counts as suspended: no offer, no perks."
    )

    @model_validator(mode="after")
    def _main_exists(self) -> Self:
        if self.main not in self.programmes:
            raise ValueError(f"main: {self.main!r} is not a programme (programmes: {', '.join(self.programmes)})")
        return self
