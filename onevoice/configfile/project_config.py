"""All YAML files of one project, checked: what every other part of the hub is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from onevoice.configfile.consent_file import ConsentFile
from onevoice.configfile.document import Document
from onevoice.configfile.hub_file import HubFile
from onevoice.configfile.identity_file import IdentityFile
from onevoice.configfile.loyalty_file import LoyaltyFile
from onevoice.configfile.mapping_file import MappingFile, MappingTestFile
from onevoice.configfile.offers_file import OffersFile
from onevoice.configfile.profile_file import ProfileFile
from onevoice.configfile.suppression_file import SuppressionFile, SuppressionTestFile
from onevoice.errors import Fault

HUB = "config/hub.yaml"
PROFILE = "config/profile.yaml"
IDENTITY = "config/identity.yaml"
LOYALTY = "config/loyalty.yaml"
CONSENT = "config/consent.yaml"
OFFERS = "config/offers.yaml"
SUPPRESSION = "config/suppression.yaml"

CONFIG_FILES: Mapping[str, type[BaseModel]] = {
    HUB: HubFile,
    PROFILE: ProfileFile,
    IDENTITY: IdentityFile,
    LOYALTY: LoyaltyFile,
    CONSENT: ConsentFile,
    OFFERS: OffersFile,
    SUPPRESSION: SuppressionFile,
}
"""Files that every project has, and their models."""

SUPPRESSION_TEST = "config/suppression_test.yaml"

OPTIONAL_FILES: Mapping[str, type[BaseModel]] = {SUPPRESSION_TEST: SuppressionTestFile}
"""Files that a project may have."""

Model = TypeVar("Model", bound=BaseModel)


class NotReadable(Exception):
    """A check asked for a file that has faults of its own; the check has to wait until those are mended."""


@dataclass(frozen=True, slots=True)
class ProjectConfig:
    """The checked files of a project.

    While files are being linted, asking for one that has faults of its own raises NotReadable, which the loader
    catches around each check; a ProjectConfig that `load_project` returned is complete.
    """

    root: Path
    models: Mapping[str, BaseModel] = field(repr=False)
    """By file, for the files in config/ that are free of faults."""
    mappings: Mapping[tuple[str, str], MappingFile] = field(repr=False)
    """By system and stream."""
    mapping_tests: Mapping[tuple[str, str], MappingTestFile] = field(repr=False)
    documents: Mapping[str, Document] = field(repr=False)
    """By file: positions of keys and values, for faults of checks."""

    @property
    def hub(self) -> HubFile:
        """config/hub.yaml."""
        return self._model(HUB, HubFile)

    @property
    def profile(self) -> ProfileFile:
        """config/profile.yaml."""
        return self._model(PROFILE, ProfileFile)

    @property
    def identity(self) -> IdentityFile:
        """config/identity.yaml."""
        return self._model(IDENTITY, IdentityFile)

    @property
    def loyalty(self) -> LoyaltyFile:
        """config/loyalty.yaml."""
        return self._model(LOYALTY, LoyaltyFile)

    @property
    def consent(self) -> ConsentFile:
        """config/consent.yaml."""
        return self._model(CONSENT, ConsentFile)

    @property
    def offers(self) -> OffersFile:
        """config/offers.yaml."""
        return self._model(OFFERS, OffersFile)

    @property
    def suppression(self) -> SuppressionFile:
        """config/suppression.yaml."""
        return self._model(SUPPRESSION, SuppressionFile)

    def fault(self, file: str, path: Sequence[str | int], kind: str, message: str, *, at_key: bool = False) -> Fault:
        """A fault at what is written at `path` of `file` (at its key, if asked), or at the nearest thing around it."""
        document = self.documents.get(file)
        return (document or Document(file, None)).fault(path, kind, message, at_key=at_key)

    def _model(self, file: str, model: type[Model]) -> Model:
        found = self.models.get(file)
        if not isinstance(found, model):
            raise NotReadable(file)
        return found


Check = Callable[[ProjectConfig], Iterable[Fault]]
"""Looks at files together and yields what does not fit."""


def mapping_path(system: str, stream: str) -> str:
    """The file of a mapping, as faults name it."""
    return f"mappings/{system}/{stream}.yaml"
