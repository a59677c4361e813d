import pytest

from rules import Facts
from rules.conditions.view import MAX_LOOKED_AT, View, fold, primary_tag, words_of


@pytest.mark.parametrize(
    ("tag", "primary"),
    [
        ("en", "en"), ("en-GB", "en"), ("ko_KR", "ko"), ("ZH-Hant-TW", "zh"), ("fil", "fil"),
        (None, None), ("", None), ("und", None), ("und-Latn", None), ("e", None), ("x-klingon", None),
        ("english", None), ("한국", None), ("12", None),
    ],
)  # fmt: skip
def test_primary_tag(tag: str | None, primary: str | None) -> None:
    assert primary_tag(tag) == primary


@pytest.mark.parametrize(
    ("text", "folded"),
    [("ABC", "abc"), ("Straße", "strasse"), ("\u1112\u116a\u11ab", "환"), ("E\u0301", "é"), ("\ud800A", "\ud800a")],
)
def test_fold(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_only_a_bounded_length_is_looked_at() -> None:
    view = View(Facts(channel="chat", account="a", text="x" * MAX_LOOKED_AT + "y"))
    assert len(view.text) == MAX_LOOKED_AT
    assert "y" not in view.message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("i can't log-in!", " i cant log in "),
        ("don’t", " dont "),
        ("snake_case a.b", " snake case a b "),
        ("", "  "),
        ("환불,해 주세요", " 환불 해 주세요 "),
    ],
)
def test_words(text: str, words: str) -> None:
    assert words_of(text) == (words, frozenset(words.split()))
