"""Secrets and addresses from the environment; never from YAML, never shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class HubSettings(BaseSettings):
    """What concerns the hub as a whole."""

    model_config = SettingsConfigDict(env_prefix="ONEVOICE_", extra="ignore", frozen=True)

    database_url: SecretStr | None = Field(
        default=None, description="SQLAlchemy address of the store, with its password"
    )
    project_dir: str | None = Field(default=None, description="Folder that holds config/ and mappings/")


class SystemSettings(Mapping[str, str]):
    """Settings of one system by name; prints its names only, because values may be secrets."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"SystemSettings({', '.join(f'{name}=***' for name in sorted(self._values))})"


def system_settings(prefix: str, environment: Mapping[str, str]) -> SystemSettings:
    """Every variable `<prefix>_<NAME>` as name -> value; blank ones count as not given."""
    begin = f"{prefix}_"
    return SystemSettings(
        {
            variable[len(begin) :].lower(): value
            for variable, value in environment.items()
            if variable.startswith(begin) and len(variable) > len(begin) and value.strip()
        }
    )
