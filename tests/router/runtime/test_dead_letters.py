"""Letters: what was put aside comes back byte by byte."""

import pytest
from msgspec.structs import replace

from router.contract.topics import DEAD_LETTERS
from router.runtime.bus.protocol import Outgoing, Partition, Record
from router.runtime.dead_letters import Letter, Settled, Settlement, dead_letter, is_replay, letter_id, read_letter

BROKEN = Record(
    partition=Partition("turnout.inquiries.v1.default", 7),
    offset=42,
    epoch=3,
    key="talk-1",
    value=b"\xff{",
    headers=(("ce_id", b"i1"), ("traceparent", b"00-ab")),
    published_at_ms=5,
)


def lying(outgoing: Outgoing) -> Record:
    """As it is read from the topic."""
    return Record(
        partition=Partition(outgoing.topic, 0),
        offset=0,
        epoch=0,
        key=outgoing.key,
        value=outgoing.value,
        headers=outgoing.headers,
        published_at_ms=99,
    )


def letter_of(record: Record, reason: str = "why", *, cut: bool = False) -> Letter:
    outgoing = dead_letter(record, reason, cut=cut)
    assert outgoing.topic == DEAD_LETTERS
    found = read_letter(lying(outgoing))
    assert isinstance(found, Letter)
    return found


def test_a_letter_tells_all_of_its_record_and_why() -> None:
    letter = letter_of(BROKEN, "Undecodable: no JSON")
    assert (letter.id, letter.topic, letter.key) == (
        "turnout.inquiries.v1.default/7@42",
        BROKEN.partition.topic,
        "talk-1",
    )
    assert (letter.value, letter.headers) == (BROKEN.value, BROKEN.headers)
    assert (letter.reason, letter.at_ms, letter.cut_from_bytes, letter.replay_of) == ("Undecodable: no JSON", 99, 0, "")
    assert letter.id == letter_id(BROKEN)


def test_a_replay_is_the_record_again_and_says_that_it_is_one() -> None:
    letter = letter_of(BROKEN)
    put_back = letter.replay()
    assert (put_back.topic, put_back.key, put_back.value) == (letter.topic, letter.key, BROKEN.value)
    assert put_back.headers == (*BROKEN.headers, ("turnout-replay", letter.id.encode()))
    assert is_replay(lying(put_back))
    assert not is_replay(BROKEN)


def test_a_replay_that_fails_again_is_a_letter_of_its_own() -> None:
    first = letter_of(BROKEN)
    again = replace(lying(first.replay()), partition=BROKEN.partition, offset=99)
    second = letter_of(again, "still no JSON")
    assert (second.id, second.replay_of) == ("turnout.inquiries.v1.default/7@99", first.id)
    assert second.headers == BROKEN.headers
    assert [name for name, _ in second.replay().headers].count("turnout-replay") == 1


@pytest.mark.parametrize("outcome", Settled)
def test_a_note_lies_behind_its_letter_and_says_what_became_of_it(outcome: Settled) -> None:
    letter = letter_of(BROKEN)
    note = letter.settled(outcome)
    assert (note.topic, note.key, note.value) == (DEAD_LETTERS, letter.key, None)
    assert read_letter(lying(note)) == Settlement(letter=letter.id, outcome=outcome, at_ms=99)


def test_a_letter_that_is_too_large_keeps_its_beginning() -> None:
    letter = letter_of(replace(BROKEN, value=b"x" * 200_000), cut=True)
    assert (letter.value, letter.cut_from_bytes) == (b"x" * 65_536, 200_000)
    assert letter_of(replace(BROKEN, value=None), cut=True).cut_from_bytes == 0


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("turnout-topic", b"t"),),
        (("turnout-settles", b"t/0@1"),),
        (("turnout-settles", b"t/0@1"), ("turnout-outcome", b"eaten")),
    ],
    ids=["none", "half", "no outcome", "unknown outcome"],
)
def test_what_a_stranger_wrote_is_no_letter(headers: tuple[tuple[str, bytes], ...]) -> None:
    assert read_letter(replace(BROKEN, headers=headers)) is None


def test_a_reason_is_bounded() -> None:
    assert len(letter_of(BROKEN, "é" * 5000).reason.encode()) <= 1010
