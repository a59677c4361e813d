"""A trap hangs its handler, or jams a relay, until its time is over, and nothing else is one."""

import pytest

from tests.suites.faults.traps import KILLS, hangs, hung_s, is_jammed, jams

NOW_MS = 1_000_000


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (hangs(NOW_MS + 1_500), 1.5),
        (hangs(NOW_MS), 0.0),
        (hangs(NOW_MS - 1), 0.0),
        (KILLS, 0.0),
        ("hello", 0.0),
        ("", 0.0),
    ],
)
def test_a_record_hangs_its_handler_until_its_time(text: str, seconds: float) -> None:
    assert hung_s(f'{{"text":"{text} <ref>"}}'.encode(), NOW_MS) == seconds


@pytest.mark.parametrize(
    ("thread", "expected"),
    [(jams(NOW_MS + 1), True), (jams(NOW_MS), False), (hangs(NOW_MS + 1), False), ("thread-1", False), ("", False)],
)
def test_a_record_jams_a_relay_until_its_time(thread: str, expected: bool) -> None:
    assert is_jammed(f'{{"conversation":"{thread}","ver":1}}'.encode(), NOW_MS) is expected
