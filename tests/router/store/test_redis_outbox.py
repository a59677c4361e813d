"""An outbox entry that can't be read stands in nobody's way."""

import base64

import msgspec
import pytest

from router.store.protocol import UNREADABLE
from router.store.redis.outbox import entry_of

GOOD = {"number": 7, "gen": 2, "kind": "profile", "at_ms": 5, "outcome": "done"}


def test_an_entry_is_read_with_what_a_newer_version_added() -> None:
    entry = entry_of(msgspec.msgpack.encode(GOOD | {"colour": "red"}))
    assert (entry.number, entry.gen, entry.kind, entry.outcome) == (7, 2, "profile", "done")


@pytest.mark.parametrize("wrong", [{"case": {"id": 1}}, {"at_ms": "late"}, {"case": {"state": "dreaming"}}])
def test_one_that_cannot_be_read_keeps_its_place_and_all_its_bytes(wrong: dict[str, object]) -> None:
    packed = msgspec.msgpack.encode(GOOD | wrong)
    entry = entry_of(packed)
    assert (entry.number, entry.gen, entry.kind) == (7, 2, UNREADABLE)
    assert base64.b64decode(entry.about) == packed
    assert entry.reason


def test_one_without_a_place_is_an_error() -> None:
    with pytest.raises(msgspec.DecodeError):
        entry_of(msgspec.msgpack.encode({"kind": "profile"}))
