"""config/hub.yaml: which systems there are, which streams of them are in use, and how careful the hub is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

from onevoice.configfile.base import NAME, VARIABLE, StrictModel
from onevoice.configfile.transform_specs import Region, Zone

Name = Annotated[str, Field(pattern=NAME)]
Variable = Annotated[str, Field(pattern=VARIABLE)]


class StreamOptions(StrictModel):
    """What the hub must be told about a file, which is a stream by its name; vendors' own streams need nothing here."""

    key: str | None = Field(default=None, min_length=1, description="Column that identifies a row for ever")
    stamp: str | None = Field(default=None, min_length=1, description="Column with the time of the last change")

    def given(self) -> Mapping[str, str]:
        """The options that are written, by name."""
        return {name: value for name, value in self.model_dump().items() if value is not None}


def _by_name(written: object) -> object:
    if isinstance(written, list) and all(isinstance(each, str) for each in written):
        return {each: {} for each in written}
    return written


Streams = Annotated[
    Mapping[str, StreamOptions],
    BeforeValidator(_by_name),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "array", "items": {"type": "string"}},
                {"type": "object", "additionalProperties": StreamOptions.model_json_schema()},
            ]
        }
    ),
]
"""Streams by name, or only their names."""


class System(StrictModel):
    """One account at one vendor."""

    connector: Name = Field(description="Kind of system: a folder in connectors/")
    env_prefix: Variable = Field(description="Address and credentials stand in environment variables that begin so")
    read: bool = Field(default=True, description="Pull records of this system")
    write: bool = Field(default=False, description="Push into this system")
    irreversible_writes: bool = Field(
        default=False, description="Also write native opt-outs, which nobody can take back; off until switched on"
    )
    streams: Streams

    def connector_options(self) -> Mapping[str, str]:
        """Options of streams as the connector takes them: `<stream>.<option>` -> value."""
        return {
            f"{stream}.{option}": value
            for stream, options in self.streams.items()
            for option, value in options.given().items()
        }


class Guard(StrictModel):
    """When a push is stopped until somebody has looked at it."""

    mass_change_share: float = Field(
        default=0.5, gt=0, le=1, description="A push that would change more than this share of a stream's records stops"
    )
    always_allowed: int = Field(default=100, ge=0, description="So many records may change whatever share they are")


class HubFile(StrictModel):
    """The hub itself."""

    timezone: Zone = Field(default="UTC", description="Days begin and end here, and times without a zone are of here")
    default_phone_region: Region = Field(description="Country of phone numbers that name none")
    currency: str = Field(
        default="GBP",
        pattern="^[A-Z]{3}$",
        description="What annual spend is counted in (ISO 4217); orders in other currencies are left out of it",
    )
    database: str | None = Field(
        default=None, description="SQLAlchemy address without a password; left out: a SQLite file in the project"
    )
    guard: Guard = Guard()
    systems: Mapping[Name, System] = Field(min_length=1)
