"""Mappings written in YAML inside tests, through the same door as files."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from onevoice.configfile.mapping_file import MappingFile
from onevoice.configfile.phrases import validate
from onevoice.configfile.yamltext import read_yaml
from onevoice.mapping import CompiledMapping, Defaults, compile_mapping
from onevoice.model import FieldType

Compile = Callable[..., CompiledMapping]


@pytest.fixture
def compile_yaml() -> Compile:
    """Compile a mapping given as YAML; customers have the attributes `visits` (integer) and `vip` (boolean)."""

    def compile_text(text: str, **defaults: str) -> CompiledMapping:
        document, faults = read_yaml("mapping.yaml", text.encode())
        assert document is not None, faults
        model, faults = validate(document, MappingFile)
        assert model is not None, faults
        custom = {"visits": FieldType.INTEGER, "vip": FieldType.BOOLEAN}
        return compile_mapping(model, custom, Defaults(**{"region": "GB", "zone": "Europe/Berlin", **defaults}))

    return compile_text
