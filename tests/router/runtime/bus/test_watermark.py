"""No commit beyond what is done without a gap, and nothing of an older epoch."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.runtime.bus.protocol import Partition
from router.runtime.bus.watermark import Watermarks

P = Partition("t", 0)


def _marks(offsets: list[int], epoch: int = 1) -> Watermarks:
    marks = Watermarks()
    marks.assign(P, epoch)
    for offset in offsets:
        assert marks.hand_out(P, epoch, offset)
    return marks


@pytest.mark.parametrize(
    ("handed_out", "done", "watermark"),
    [
        ([0, 1, 2], [], None),
        ([0, 1, 2], [1, 2], None),
        ([0, 1, 2], [0], 1),
        ([0, 1, 2], [0, 2], 1),
        ([0, 1, 2], [2, 1, 0], 3),
        ([5, 9, 40], [5, 9], 10),
        ([5, 9, 40], [40, 5], 6),
    ],
)
def test_the_watermark_is_contiguous(handed_out: list[int], done: list[int], watermark: int | None) -> None:
    marks = _marks(handed_out)
    for offset in done:
        assert marks.complete(P, 1, offset)
    assert marks.committable() == ({} if watermark is None else {P: (1, watermark)})
    assert marks.in_flight == len(handed_out) - len(done)


def test_what_was_committed_is_not_offered_again() -> None:
    marks = _marks([0, 1])
    marks.complete(P, 1, 0)
    marks.committed(marks.committable())
    assert marks.committable() == {}
    marks.complete(P, 1, 1)
    assert marks.committable() == {P: (1, 2)}


def test_completions_of_an_older_epoch_are_dropped() -> None:
    marks = _marks([0, 1])
    marks.assign(P, 2)
    assert marks.in_flight == 0
    assert not marks.complete(P, 1, 0)
    assert not marks.hand_out(P, 1, 2)
    assert marks.hand_out(P, 2, 0)
    assert marks.committable() == {}
    marks.committed({P: (1, 7)})
    assert marks.complete(P, 2, 0)
    assert marks.committable() == {P: (2, 1)}


def test_a_dropped_partition_takes_nothing() -> None:
    marks = _marks([0, 1])
    marks.complete(P, 1, 0)
    marks.drop(P)
    marks.drop(P)
    assert (marks.in_flight, marks.committable()) == (0, {})
    assert not marks.complete(P, 1, 1)


def test_a_repeated_completion_counts_once() -> None:
    marks = _marks([0, 1, 2])
    assert marks.complete(P, 1, 1)
    assert not marks.complete(P, 1, 1)
    assert marks.complete(P, 1, 0)
    assert not marks.complete(P, 1, 0)
    assert marks.in_flight == 1


def test_records_are_handed_out_in_order() -> None:
    marks = _marks([0, 1])
    with pytest.raises(ValueError, match="handed out 1 after 1"):
        marks.hand_out(P, 1, 1)
    marks.complete(P, 1, 0)
    marks.complete(P, 1, 1)
    with pytest.raises(ValueError, match="handed out 1 after 1"):
        marks.hand_out(P, 1, 1)


@given(st.sets(st.integers(0, 60), min_size=1), st.randoms())
def test_after_each_completion_everything_below_the_watermark_is_done(offsets: set[int], random: Random) -> None:
    order = sorted(offsets)
    marks = _marks(order)
    random.shuffle(order)
    done: set[int] = set()
    for offset in order:
        marks.complete(P, 1, offset)
        done.add(offset)
        missing = offsets - done
        lowest = min(missing, default=max(offsets) + 1)
        expected = max((o + 1 for o in offsets if o < lowest), default=None)
        assert marks.committable() == ({} if expected is None else {P: (1, expected)})
