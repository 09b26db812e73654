"""JSON Schemas of every kind of YAML file, for completion in editors: `python -m onevoice.configfile.schemas`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from onevoice.configfile.mapping_file import MappingFile, MappingTestFile
from onevoice.configfile.project_config import CONFIG_FILES, OPTIONAL_FILES
from onevoice.model import KINDS

MODELS: Mapping[str, type[BaseModel]] = {
    **{Path(file).stem: model for file, model in {**CONFIG_FILES, **OPTIONAL_FILES}.items()},
    "mapping": MappingFile,
    "mapping_test": MappingTestFile,
}
"""By the name of the kind of file."""


def schema_texts() -> Mapping[str, str]:
    """File name -> content of every schema, always the same for the same models."""
    return {f"{kind}.schema.json": _text(kind, model) for kind, model in sorted(MODELS.items())}


def write_schemas(folder: Path) -> tuple[Path, ...]:
    """Write every schema and remove those of kinds that are no more; return what stands there."""
    texts = schema_texts()
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.schema.json"):
        if old.name not in texts:
            old.unlink()
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return tuple(sorted(folder / name for name in texts))


def _text(kind: str, model: type[BaseModel]) -> str:
    schema = model.model_json_schema(by_alias=True)
    if model is MappingFile:
        _name_fields(schema)
    schema["title"] = f"Onevoice: {kind.replace('_', ' ')}"
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(schema, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _name_fields(schema: dict[str, Any]) -> None:
    """Let an editor offer the canonical fields of each kind; a customer may have further attributes."""
    pull = next(each for each in schema["properties"]["pull"]["anyOf"] if each.get("type") == "object")
    del pull["propertyNames"]
    item = schema["$defs"].pop("ItemSpec")
    schema["$defs"]["PullFieldChoice"] = item["properties"]["fields"]["additionalProperties"]
    choice = {"$ref": "#/$defs/PullFieldChoice"}
    properties = {}
    for kind, fields in KINDS.items():
        own = json.loads(json.dumps(item))
        own["properties"]["fields"] |= {
            "properties": dict.fromkeys(fields, choice),
            "additionalProperties": choice if kind == "customer" else False,
        }
        name = f"Item_{kind}"
        schema["$defs"][name] = own
        one = {"$ref": f"#/$defs/{name}"}
        properties[kind] = {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}
    pull |= {"properties": properties, "additionalProperties": False}


if __name__ == "__main__":
    write_schemas(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("config", "schemas"))
