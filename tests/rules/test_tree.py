import pytest

from rules.errors import Place, Problem
from rules.tree import read_tree, resolve, show


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None), ("~", None), ("null", None), ("true", True), ("False", False),
        ("no", "no"), ("Yes", "Yes"), ("on", "on"), ("off", "off"), ("y", "y"),
        ("12", 12), ("-7", -7), ("+3", 3), ("012", 12), ("0x1f", "0x1f"), ("0o17", "0o17"), ("1_000", "1_000"),
        ("12:30", "12:30"), ("1:20:30", "1:20:30"), ("2024-01-31", "2024-01-31"),
        ("0.8", 0.8), (".5", 0.5), ("1.", 1.0), ("1e3", 1000.0), ("-2.5e-3", -0.0025), ("1e999", "1e999"),
        (".inf", ".inf"), (".nan", ".nan"), ("1.2.3", "1.2.3"), ("=", "="), ("<<", "<<"), ("٣", "٣"),
        ("9" * 19, "9" * 19),
    ],
)  # fmt: skip
def test_plain_scalars(text: str, value: object) -> None:
    found = resolve(text)
    assert (found, type(found)) == (value, type(value))


def test_quoted_and_block_scalars_are_text() -> None:
    problems: list[Problem] = []
    tree = read_tree("f", "a: '12'\nb: \"true\"\nc: |\n  12\nd: 12\n", problems)
    assert problems == []
    assert tree.plain == {"a": "12", "b": "true", "c": "12\n", "d": 12}


def test_every_value_and_key_has_its_place() -> None:
    tree = read_tree("f", "a:\n  - x: 1\n    y:\n      - 2\n", [])
    assert tree.place(("a", 0, "x")) == Place("f", 2, 8)
    assert tree.place(("a", 0, "x"), of_key=True) == Place("f", 2, 5)
    assert tree.place(("a", 0, "y", 0)) == Place("f", 4, 9)
    assert tree.place(("a", 0, "y", 5, "no such")) == Place("f", 4, 7)
    assert tree.place(("zzz",)) == Place("f", 1, 1)


def test_a_repeated_mapping_is_told_once_and_the_first_kept() -> None:
    problems: list[Problem] = []
    tree = read_tree("f", "a:\n  x: 1\na:\n  x: 2\n  y: 3\n", problems)
    assert [str(problem) for problem in problems] == ["f:3:1 a: `a` is given twice (first in line 1)"]
    assert tree.plain == {"a": {"x": 1}}


def test_keys_are_always_text() -> None:
    assert read_tree("f", "{1: a, true: b, null: c, 12:30: d}", []).plain == {
        "1": "a", "true": "b", "null": "c", "12:30": "d",
    }  # fmt: skip


def test_paths_read_as_people_write_them() -> None:
    assert show(("rules", 3, "match", "text")) == "rules[3].match.text"
