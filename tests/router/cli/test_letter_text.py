"""Dead letters in words, and the times an operator names."""

import pytest

from router.cli.letter_text import line, since_ms, whole
from router.runtime.dead_letters import Letter

NOW_MS = 1_795_338_000_000


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("30m", NOW_MS - 1_800_000),
        ("2h", NOW_MS - 7_200_000),
        ("7d", NOW_MS - 604_800_000),
        ("15s", NOW_MS - 15_000),
        ("1970-01-01T00:00:01Z", 1_000),
        ("1970-01-01T01:00:01+01:00", 1_000),
    ],
)
def test_a_span_or_a_moment(text: str, at_ms: int) -> None:
    assert since_ms(text, now_ms=NOW_MS) == at_ms


@pytest.mark.parametrize("text", ["", "yesterday", "2 h", "-2h", "2w", "2026-11-22", "1970-01-01T00:00:01"])
def test_what_is_neither_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="neither a span"):
        since_ms(text, now_ms=NOW_MS)


def letter(value: bytes | None, cut_from_bytes: int = 0) -> Letter:
    return Letter(
        id="t/0@1",
        topic="t",
        key="",
        value=value,
        headers=(("ce_id", b"\xff"),),
        reason="KeyError: 'x'",
        at_ms=0,
        cut_from_bytes=cut_from_bytes,
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [(b"{}", {"value": "{}"}), (b"\xff", {"value_base64": "/w=="}), (None, {"value": None})],
)
def test_a_value_is_shown_as_text_if_it_is_text(value: bytes | None, shown: dict[str, object]) -> None:
    found = whole(letter(value))
    assert {name: found[name] for name in found if name.startswith("value")} == shown
    assert found["headers"] == {"ce_id": "\ufffd"}


def test_a_line_names_the_size_that_the_record_had() -> None:
    assert line(letter(b"abc", 9)) == "t/0@1  1970-01-01T00:00:00.000Z  -  9 bytes  KeyError: 'x'"
