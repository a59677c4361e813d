import unicodedata
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.kit.text import clean, one_line


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("plain", "plain"),
        ("a\r\nb\rc\nd", "a\nb\nc\nd"),
        ("a\u2028b\u2029c\x85d", "a\nb\nc\nd"),
        ("tab\tstays", "tab\tstays"),
        ("e\u0301", "é"),
        ("\u1112\u1161\u11ab", "한"),
        ("\u202egnp.exe", "gnp.exe"),
        ("\u2066x\u2069\u200e\u200f\u061c", "x"),
        ("bell\x07 esc\x1b[31m nul\x00 del\x7f c1\x9b", "bell esc[31m nul del c1"),
        ("\ufeffbom", "bom"),
        ("half \ud83d and \udc00", "half \ufffd and \ufffd"),
        ("\U0001f469\u200d\U0001f4bb", "\U0001f469\u200d\U0001f4bb"),
        ("", ""),
    ],
)
def test_only_what_harms_goes(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@given(st.text(alphabet=st.characters(codec=None, categories=None)))
def test_any_text_becomes_one_that_can_be_stored_and_stays_so(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    assert cleaned.encode().decode() == cleaned
    assert unicodedata.is_normalized("NFC", cleaned)


@pytest.mark.parametrize("marks", ["\u0315\u0300", "\u0301", "\u0344", "\u0315\u0300\u20dd"])
def test_a_tower_of_marks_is_cut_down_in_time(marks: str) -> None:
    # Left as they are, these take minutes: the time-out of the test is its proof.
    cleaned = clean("e" + marks * 200_000 + " 끝")
    assert cleaned.endswith(" 끝")
    assert clean(cleaned) == cleaned
    assert max(map(len, cleaned.split())) < 1_000_000
    assert clean("e" + "\u0301" * 30) == "é" + "\u0301" * 29


@pytest.mark.parametrize("marks", ["\u0301", "\u0315\u0300", "\u0344", "\u0f73", "\u0f73\u0301", "\u0f75\u0f81"])
def test_ordering_400_000_accents_costs_no_more_than_their_number(marks: str, monkeypatch: pytest.MonkeyPatch) -> None:
    normalize, spent = unicodedata.normalize, 0

    def counted(form: Literal["NFC", "NFD"], text: str) -> str:
        nonlocal spent
        run = 0
        # The n-th mark of a letter is compared with all before it.
        for part in (part for char in text for part in normalize("NFD", char)):
            run = run + 1 if unicodedata.combining(part) else 0
            spent += 1 + run
            # Told here: the real call would take minutes.
            assert run < 100
        return normalize(form, text)

    monkeypatch.setattr(unicodedata, "normalize", counted)
    tower = "e" + marks * (400_000 // len(marks))
    cleaned = clean(tower)
    assert 0 < spent < 8 * len(tower)
    assert len(cleaned) <= 31


@pytest.mark.parametrize("text", ["e" + "\u0344" * 30, "\u2adc" + "\u0315" * 30, "\u0958" + "\u0301" * 30])
def test_a_short_stack_that_grows_is_cut_once_and_for_all(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    assert len(cleaned) == 31


def test_a_row_of_symbols_is_no_tower() -> None:
    assert clean("★" * 500 + "\U0001f600" * 100) == "★" * 500 + "\U0001f600" * 100


@pytest.mark.parametrize(
    ("text", "line"),
    [(" a \n\t b ", "a b"), ("x" * 20, "x" * 10), ("123456789 abc", "123456789"), ("\u202e \x00", "")],
)
def test_a_name_is_one_short_line(text: str, line: str) -> None:
    assert one_line(text, 10) == line
