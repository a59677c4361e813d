"""Fair contiguous shares, and hand-overs told in an order that any break-off leaves mendable."""

from collections.abc import Mapping

import pytest

from router.runtime.bus.membership import Grant, Holdings, View, contiguous_shares
from router.runtime.bus.protocol import Partition

P = [Partition("t", number) for number in range(12)]


@pytest.mark.parametrize(
    ("partitions", "members", "sizes"),
    [(12, 1, [12]), (12, 3, [4, 4, 4]), (12, 5, [2, 2, 3, 2, 3]), (2, 3, [0, 1, 1]), (0, 2, [0, 0])],
)
def test_shares_are_contiguous_and_fair(partitions: int, members: int, sizes: list[int]) -> None:
    names = [f"m{number}" for number in range(members)]
    shares = contiguous_shares(P[:partitions], names)
    assert [len(shares[name]) for name in names] == sizes
    assert [each for name in names for each in sorted(shares[name])] == P[:partitions]


class _Told:
    """Notes what it is told; fails at a call when asked to."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, list[int]]] = []
        self.fails_at: str | None = None

    def _note(self, what: str, partitions: frozenset[Partition] | Mapping[Partition, int]) -> None:
        if self.fails_at == what:
            self.fails_at = None
            raise ConnectionError(what)
        self.calls.append((what, sorted(partition.number for partition in partitions)))

    async def assigned(self, partitions: Mapping[Partition, int]) -> None:
        self._note("assigned", partitions)

    async def revoked(self, partitions: frozenset[Partition]) -> None:
        self._note("revoked", partitions)

    async def lost(self, partitions: frozenset[Partition]) -> None:
        self._note("lost", partitions)

    async def release(self, partitions: Mapping[Partition, int]) -> None:
        self._note("released", partitions)


def _view(epochs: Mapping[int, int], *surrender: int) -> View:
    granted = {P[number]: Grant(epoch, 10 * epoch) for number, epoch in epochs.items()}
    return View(granted, frozenset(P[number] for number in surrender))


async def test_a_hand_over_is_told_as_lost_then_revoked_then_released_then_assigned() -> None:
    told = _Told()
    holdings = Holdings(told)
    await holdings.follow(_view({0: 1, 1: 2, 2: 3}), told.release)
    assert holdings.next_offsets == {P[0]: 10, P[1]: 20, P[2]: 30}
    holdings.paused = frozenset({P[0], P[1]})
    await holdings.follow(_view({1: 9, 2: 3, 3: 4}, 2), told.release)
    assert told.calls == [
        ("assigned", [0, 1, 2]),
        ("lost", [0, 1]),
        ("revoked", [2]),
        ("released", [2]),
        ("assigned", [1, 3]),
    ]
    assert holdings.epochs == {P[1]: 9, P[3]: 4}
    assert holdings.next_offsets == {P[1]: 90, P[3]: 40}
    assert holdings.paused == frozenset()


async def test_the_same_view_again_tells_nothing() -> None:
    told = _Told()
    holdings = Holdings(told)
    for _ in range(2):
        await holdings.follow(_view({0: 1}), told.release)
    assert told.calls == [("assigned", [0])]


@pytest.mark.parametrize("broken_at", ["lost", "revoked", "released", "assigned"])
async def test_broken_off_anywhere_the_next_view_completes_it(broken_at: str) -> None:
    told = _Told()
    holdings = Holdings(told)
    await holdings.follow(_view({0: 1, 2: 3}), told.release)
    told.fails_at = broken_at
    with pytest.raises(ConnectionError, match=broken_at):
        await holdings.follow(_view({2: 3, 3: 4}, 2), told.release)
    await holdings.follow(_view({2: 3, 3: 4}, 2), told.release)
    assert ("released", [2]) in told.calls
    assert told.calls[-1] == ("assigned", [3])
    assert holdings.epochs == {P[3]: 4}


async def test_giving_up_all_forgets_it_even_when_the_callback_fails() -> None:
    told = _Told()
    holdings = Holdings(told)
    await holdings.follow(_view({0: 1}), told.release)
    told.fails_at = "revoked"
    with pytest.raises(ConnectionError):
        await holdings.give_up_all()
    await holdings.give_up_all()
    assert holdings.epochs == {}
    assert told.calls == [("assigned", [0])]
