"""Parting texts: where a person would, never inside a character, and nothing is lost."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.kit.splitting import parts, units

PEOPLE = "\U0001f469\u200d\U0001f4bb"  # one character of three


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one two three", ["one two", "three"]),
        ("one\ntwo three", ["one\ntwo", "three"]),
        ("abcd\n\nef gh ij", ["abcd", "ef gh ij"]),
        ("abcdef\ngh ij", ["abcdef", "gh ij"]),
        ("a bcdefghijk", ["a bcdefg", "hijk"]),
        ("abcdefg" + "e\u0301", ["abcdefg", "e\u0301"]),
        ("abcdef" + PEOPLE, ["abcdef", PEOPLE]),
        ("", []),
    ],
)
def test_where_a_text_is_parted(text: str, expected: list[str]) -> None:
    assert list(parts(text, 8)) == expected


@given(text=st.text(max_size=400), max_units=st.integers(2, 40))
@settings(max_examples=200, deadline=None)
def test_no_part_is_too_long_and_nothing_but_blanks_is_lost(text: str, max_units: int) -> None:
    made = list(parts(text, max_units))
    assert all(0 < units(part) <= max_units for part in made)
    assert "".join("".join(made).split()) == "".join(text.split())
    assert made == list(parts(text, max_units))
