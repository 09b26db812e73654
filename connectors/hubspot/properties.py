"""What a portal has: the properties of its contacts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from connectors.hubspot.client import Client
from onevoice.errors import ContractBroken

NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")


class Properties:
    """Names of contact properties, listed when first needed and again whenever `refresh` is called."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._names: frozenset[str] = frozenset()
        self.left_out: tuple[str, ...] = ()
        """Properties that were asked for last and that this portal does not have."""

    def refresh(self) -> frozenset[str]:
        """The names as the portal lists them now. One call."""
        answer = self._client.call("read", "crm.properties.core_api.get_all", "contacts", stream="contacts")
        try:
            self._names = frozenset(entry["name"] for entry in answer["results"])
        except (KeyError, TypeError) as exc:
            raise ContractBroken(
                f"{self._client.system}.contacts: the list of properties is not one",
                system=self._client.system,
                stream="contacts",
            ) from exc
        return self._names

    def present(self, asked: Sequence[str], own: Sequence[str] = ()) -> list[str]:
        """The connector's `own` properties and the asked ones, without those the portal lacks; in a stable order."""
        known = self._names or self.refresh()
        self.left_out = tuple(sorted(set(asked) - known))
        return [name for name in dict.fromkeys([*own, *sorted(asked)]) if name in known]

    def missing(self, names: Iterable[str]) -> frozenset[str]:
        """Those of `names` that the portal lacks; asks anew before it says so."""
        wanted = frozenset(names)
        return wanted - self._names and wanted - self.refresh()
