"""What strangers write never commands a terminal, and Korean stands in columns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from router.cli.advisor_text import Span, column, harmless, line, one_line, plain, quoted

TEXTS = [
    ("plain", "plain"),
    ("안녕하세요 👋🏽 café", "안녕하세요 👋🏽 café"),
    ("two\nlines", "two\nlines"),
    ("dos\r\nand mac\rends", "dos\nand mac\nends"),
    ("tab\there", "tab    here"),
    ("\x1b[31mred\x1b[0m", "red"),
    ("\x1b[2J\x1b[Hcleared", "cleared"),
    ("\x1b]0;title\x07seen", "seen"),
    ("\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\", "link"),
    ("\x1b]52;c;cm0gLXJm\x07copied", "copied"),
    ("\x1bP1$r0m\x1b\\device", "device"),
    ("\x1b_app\x1b\\command", "command"),
    ("\x1bcreset", "reset"),
    ("\x1b(0charset", "charset"),
    ("\x9b31mC1\x9b0m", "C1"),
    ("\x9d0;title\x9cC1", "C1"),
    ("\x90q\x9cC1", "C1"),
    ("\x1b]0;never ends\nnext line", "\nnext line"),
    ("\x1b", ""),
    ("\x1b[", ""),
    ("\x1b\x1b[31mtwice", "twice"),
    ("back\x08\x08space\x7f", "backspace"),
    ("bell\x07null\x00shift\x0e\x0f", "bellnullshift"),
    ("over\x0bunder\x0cpage", "over\nunder\npage"),
    ("line\u2028para\u2029", "line\npara\n"),
    ("abc\u202edcba\u202c \u2066x\u2069\u200f", "abcdcba x"),
    ("zero\u200bwidth\ufeff\u00ad", "zerowidth"),
    ("family 👩\u200d👩", "family 👩\u200d👩"),
    ("tag\U000e0041\U000e007f", "tag"),
    ("lone \ud83d half", "lone \ufffd half"),
]


@pytest.mark.parametrize(("text", "left"), TEXTS, ids=[ascii(text)[1:30] for text, _ in TEXTS])
def test_nothing_is_left_that_a_terminal_obeys(text: str, left: str) -> None:
    assert harmless(text) == left


_NASTY = st.text(alphabet=st.sampled_from("\x1b[]()P_^X0;31mA?\x07\x08\r\n\t\x9b\x9c\x9d\x90\u202e한a\ud800\u2028"))


@given(_NASTY | st.text())
def test_whatever_is_written_only_harmless_characters_are_left(text: str) -> None:
    left = harmless(text)
    assert harmless(left) == left
    assert not [char for char in left if char != "\n" and (ord(char) < 32 or 127 <= ord(char) < 160)]
    left.encode()
    assert "\n" not in one_line(text)


@given(_NASTY | st.text())
def test_a_line_stays_one_line_whatever_it_is_made_of(text: str) -> None:
    (shown,) = plain([line("offer 1: ", Span(text, "bold"))])
    assert shown.startswith("offer 1: ")
    assert not [char for char in shown if ord(char) < 32 or 127 <= ord(char) < 160]


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Mn", "Me"])) | st.text(alphabet="한글ab 👋"))
def test_a_column_takes_its_cells_and_no_more(text: str) -> None:
    assert cell_len(column(text, 9)) == 9


def test_korean_columns_align() -> None:
    rows = [column(name, 10) + "|" for name in ("김민수", "Ann", "아주긴이름을가진손님", "a very long name")]
    assert rows == ["김민수    |", "Ann       |", "아주긴이… |", "a very lo…|"]


def test_words_of_others_stand_behind_a_gutter_wrapped_or_not() -> None:
    rows = [
        "".join(span.text for span in pieces) for pieces in quoted("가나다라마바사아자차카타\n\noffer 1: x", width=20)
    ]
    assert rows == ["  | 가나다라마바사아자차", "  | 카타", "  | ", "  | offer 1: x"]
    (unwrapped,) = quoted("가" * 500, width=None)
    assert len(unwrapped[1].text) == 500
