"""JSON Schemas of the files that people write: so that an editor completes and checks them while they are typed.

What the schemas can't say (that a name stands for something, that steps come in order) `load` says.
"""

from typing import Any, Final

import msgspec

from rules.conditions.fields import FORM_PREFIX, field_names
from rules.conditions.operators import OPERATORS
from rules.roster import RosterDocument
from rules.rulebook import Document

Schema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_PREFIX: Final = "#/$defs/{name}"
_SCALAR: Final[Schema] = {"type": ["string", "number", "boolean"]}
_SOME: Final[Schema] = {"anyOf": [_SCALAR, {"type": "array", "items": _SCALAR, "minItems": 1}]}
_OPERANDS: Final[dict[str, Schema]] = {
    "range": {"type": "array", "items": {"type": ["number", "null"]}, "minItems": 2, "maxItems": 2},
    "present": {"type": "boolean"},
}


def rulebook_schema() -> Schema:
    """The schema of a rulebook's files. Nothing is required of one file: the sections may be spread over several."""
    schema = _of(Document, "A rulebook of Turnout")
    definitions = schema["$defs"]
    definitions |= {"Match": _match(), "Condition": _condition()}
    for kind in ("Rule", "Step"):
        definitions[kind]["properties"]["match"] = {"$ref": "#/$defs/Match"}
    schema.pop("required", None)
    return schema


def roster_schema() -> Schema:
    """The schema of a roster's file."""
    return _of(RosterDocument, "A roster of Turnout")


def _of(kind: type[msgspec.Struct], title: str) -> Schema:
    (_,), definitions = msgspec.json.schema_components([kind], ref_template=_PREFIX)
    root = definitions.pop(kind.__name__)
    return {"$schema": DIALECT, **root, "title": title, "$defs": definitions}


def _match() -> Schema:
    """All entries must hold; see ``rules/conditions/match.py``."""
    conditions: Schema = {name: {"$ref": "#/$defs/Condition"} for name in field_names() if not name.endswith(">")}
    several: Schema = {"type": "array", "items": {"$ref": "#/$defs/Match"}, "minItems": 1}
    return {
        "type": "object",
        "properties": {**conditions, "any": several, "all": several, "not": {"$ref": "#/$defs/Match"}},
        "patternProperties": {f"^{FORM_PREFIX.replace('.', '[.]')}.": {"$ref": "#/$defs/Condition"}},
        "additionalProperties": False,
    }


def _condition() -> Schema:
    operators: Schema = {name: _OPERANDS.get(name, _SOME) for name in OPERATORS}
    return {
        "anyOf": [
            _SCALAR,
            {"type": "object", "properties": operators, "additionalProperties": False, "minProperties": 1},
        ]
    }
