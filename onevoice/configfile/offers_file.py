"""config/offers.yaml: offer families, channels, and the gates: when would each system send what?

A gate is written over the vendor's own raw field names, in the language of rules (docs/rules.md). It describes the
system as it is; it changes nothing there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Self

from pydantic import Field, model_validator

from onevoice.configfile.base import StrictModel

FieldKind = Literal["text", "integer", "decimal", "boolean", "date", "datetime"]
FieldKinds = Mapping[str, FieldKind]


class Once(StrictModel):
    """A family that one customer gets from one system only: a reward of the year, say."""

    by: Sequence[str] = Field(
        min_length=1, description="Systems in the order in which they are chosen to send it; others come last."
    )
    right_in: str | None = Field(
        default=None,
        description="Customer field that the message goes by (birth_date): a record without it is not chosen, and one "
        "that has the surviving value goes first.",
    )
    code: str | None = Field(
        default=None, alias="class", pattern="^K[0-9]{1,2}$", description="Class number, in machine reports only."
    )
    contradiction: str = Field(min_length=1, description="What it is called when a second system sends it as well.")


class Family(StrictModel):
    """One family of offers."""

    label: str = Field(min_length=1, description="What people read.")
    marketing: bool = Field(default=True, description="Needs marketing consent.")
    promotional: bool = Field(default=True, description="Sells something; kept from customers in trouble.")
    channels: Sequence[str] | None = Field(
        default=None, min_length=1, description="Channels it goes out on; left out, all of them."
    )
    once: Once | None = Field(default=None, description="A customer gets it from one record of one system only.")


class Related(StrictModel):
    """One value drawn from the records that belong to the record looked at (a contact's memberships)."""

    stream: str = Field(description="Stream of the related records.")
    fields: FieldKinds = Field(
        min_length=1,
        description="Raw fields of them that are used, with types. A field of the record in between is written "
        "`Stream.Field`, in double quotes inside expressions.",
    )
    where: str = Field(description="Which of them count.")
    value: str | None = Field(
        default=None, description="Text field whose value is taken; left out, the value is whether any record counts."
    )
    newest_by: str | None = Field(
        default=None,
        description="Where several count: the date field of which the latest wins; without it the first by alphabet.",
    )


class Send(StrictModel):
    """One campaign: which family goes out, on which channel, when."""

    family: str = Field(description="Offer family.")
    channel: str = Field(description="Channel.")
    when: str = Field(description="When the system may send it, apart from `reaches` and `stopped_by`; TRUE if always.")
    picks: Literal["all", "some"] = Field(
        default="all",
        description="`some`: of those it may go to, the campaign picks a part by a choice that nobody outside knows (a "
        "share, a segment, whoever buys next). What is found is told as what would happen if it picks the record.",
    )
    stopped_by: str | None = Field(
        default=None,
        description="The field that stops this campaign: a date up to and including its day, a boolean while true.",
    )
    shows: Mapping[str, str] = Field(
        default_factory=dict, description="Facts the message states, each with the expression for what it says."
    )


class SystemGates(StrictModel):
    """The gates of one system's customer records."""

    system: str = Field(description="Name of the system in hub.yaml.")
    stream: str = Field(description="Stream of the records messages go to.")
    contact_point: Mapping[str, str] = Field(
        description="Channel -> raw field with the address or number messages go to."
    )
    fields: FieldKinds = Field(
        min_length=1,
        description="Raw fields the gates use, with types. `list:NAME` is being on the system's static list NAME.",
    )
    related: Mapping[str, Related] = Field(
        default_factory=dict, description="Further values drawn from related records, usable like fields."
    )
    reaches: str | Mapping[str, str] = Field(
        description="Whom the system sends to at all: the native opt-outs. One expression, or one by channel."
    )
    sends: Sequence[Send] = Field(min_length=1, description="The campaigns.")


class OffersFile(StrictModel):
    """The whole of config/offers.yaml."""

    channels: Sequence[str] = Field(min_length=1, description="Channels offers go out on.")
    families: Mapping[str, Family] = Field(min_length=1, description="Offer families by name.")
    gates: Sequence[SystemGates] = Field(default=(), description="The gates of every system that sends.")

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        for gates in self.gates:
            for send in gates.sends:
                if send.family not in self.families:
                    known = ", ".join(self.families)
                    raise ValueError(f"gates: {send.family!r} is not a family (families: {known})")
                if send.channel not in self.channels:
                    raise ValueError(f"gates: {send.channel!r} is not a channel (channels: {', '.join(self.channels)})")
                if send.channel not in self.channels_of(send.family):
                    named = ", ".join(self.channels_of(send.family))
                    raise ValueError(
                        f"gates: {gates.system} sends {send.family} by {send.channel}, which is not among the family's "
                        f"channels (they are {named})"
                    )
        for name, family in self.families.items():
            unknown = [channel for channel in family.channels or () if channel not in self.channels]
            if unknown:
                raise ValueError(
                    f"families.{name}: {unknown[0]!r} is not a channel (channels: {', '.join(self.channels)})"
                )
        return self

    def channels_of(self, family: str) -> Sequence[str]:
        """Channels that a family goes out on."""
        return self.families[family].channels or self.channels

    def families_in(self, names: Sequence[str]) -> tuple[str, ...]:
        """Families that `names` stand for (`all`, `marketing`, `promotional` or names), in file order."""
        return tuple(
            name
            for name, family in self.families.items()
            if "all" in names
            or name in names
            or ("marketing" in names and family.marketing)
            or ("promotional" in names and family.promotional)
        )
