"""The JSON Schemas in config/schemas are fresh, and they agree with the models about the shipped files."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from onevoice.configfile.schemas import schema_texts
from onevoice.configfile.yamltext import read_yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "config" / "schemas"
FILES = sorted([*(ROOT / "config").glob("*.yaml"), *(ROOT / "mappings").rglob("*.yaml")])


def schema_of(path: Path) -> str:
    if path.parent.name == "config":
        return f"{path.stem}.schema.json"
    return "mapping_test.schema.json" if path.stem.endswith("_test") else "mapping.schema.json"


def test_schemas_are_fresh() -> None:
    """If this fails: python -m onevoice.configfile.schemas."""
    assert {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()} == dict(schema_texts())


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_names_its_schema(path: Path) -> None:
    up = "" if path.parent.name == "config" else "../../config/"
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first == f"# yaml-language-server: $schema={up}schemas/{schema_of(path)}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_shipped_files_satisfy_their_schemas(path: Path) -> None:
    schema = json.loads((FOLDER / schema_of(path)).read_text(encoding="utf-8"))
    document, _ = read_yaml(path.name, path.read_bytes())
    assert document is not None
    jsonschema.validate(document.value, schema, cls=jsonschema.Draft202012Validator)


def test_the_mapping_schema_refuses_what_the_loader_refuses() -> None:
    schema = json.loads((FOLDER / "mapping.schema.json").read_text(encoding="utf-8"))
    wrong = {"stream": "x", "pull": {"order": {"fields": {"totl": {"from": "t", "transform": "decimal"}}}}}
    right = {"stream": "x", "pull": {"order": {"fields": {"total": {"from": "t", "transform": "decimal"}}}}}
    jsonschema.validate(right, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schema)
