"""The schemas of what people write: they take what `load` takes, and refuse what an editor should underline."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types

from router.cli.schema import SCHEMAS, schema, schema_text
from rules.schema import roster_schema, rulebook_schema

ROOT = Path(__file__).parents[2]
DEFAULTS = ROOT / "rules" / "defaults"
RULES = Draft202012Validator(rulebook_schema())


def read(text: str) -> Any:
    return yaml.safe_load(text)


@pytest.mark.parametrize("kind", sorted(SCHEMAS))
def test_the_schemas_of_the_docs_are_current(kind: str) -> None:
    there = (ROOT / "docs" / f"{kind}.schema.json").read_text("utf-8")
    assert there == schema_text(kind), f"run: turnout schema {kind} > docs/{kind}.schema.json"
    assert CliRunner().invoke(schema, [kind]).output == there


@pytest.mark.parametrize("made", [rulebook_schema(), roster_schema()], ids=["rulebook", "roster"])
def test_a_schema_is_one(made: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(made)


def test_they_take_the_defaults() -> None:
    for name in ("rulebook.yaml", "rules.yaml"):
        RULES.validate(read((DEFAULTS / name).read_text("utf-8")))
    Draft202012Validator(roster_schema()).validate(read((DEFAULTS / "roster.yaml").read_text("utf-8")))


@pytest.mark.parametrize(
    "text",
    [
        "queues: {a: {policy: p, relax: [{after_s: 40, levels: {billing: 3}, any_language: true}]}}",
        "ladders: {l: {above: [t], steps: [{at: breach}, {missed: 2}, {by_hand: true, reassign: take}]}}",
        "ladders: {l: {steps: [{match: {message: {words: [lawyer, 소비자원]}, reopened: {range: [3, null]}}}]}}",
        "rules: [{name: a, match: {any: [{channel: chat}, {not: {fields.topic: {present: true}}}], labels: vip}}]",
    ],
)
def test_they_take_what_load_takes(text: str) -> None:
    RULES.validate(read(text))


@pytest.mark.parametrize(
    "text",
    [
        "queus: {}",
        "queues: {a: {policy: p, relax: [{levels: {billing: 3}}]}}",
        "queues: {a: {policy: p, relax: [{after_s: 0}]}}",
        "queues: {a: {policy: p, relax: [{after_s: 1, levels: {billing: 11}}]}}",
        "ladders: {l: {steps: [{reassign: besides}]}}",
        "ladders: {l: {steps: [{match: {mesage: hello}}]}}",
        "ladders: {l: {steps: [{match: {message: {word: [hello]}}}]}}",
        "rules: [{name: a, match: {any: []}}]",
        "rules: [{name: a, match: {reopened: {range: [1]}}}]",
        "rules: [{name: A b}]",
    ],
)
def test_they_refuse_what_load_refuses(text: str) -> None:
    assert not RULES.is_valid(read(text))
