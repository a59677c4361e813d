"""Which work items a router looks at: its partitions' own, and what nobody has served for about a second."""

import pytest

from router.service.matching.shares import Shares, WholeShare
from router.store.protocol import EVERYTHING, Share

OF = 12
T0 = 1_000_000


class Owner:
    """A consumer whose partitions change."""

    def __init__(self, *partitions: int) -> None:
        self.partitions = frozenset(partitions)
        self.shares = Shares(lambda: self.partitions, of=OF)

    def left(self, at_ms: int, *, is_busy: bool = False) -> int:
        """Up to which place others' items are anybody's; 0 when none is looked at."""
        self.shares.own(at_ms)
        share = self.shares.abandoned(at_ms, is_busy=is_busy)
        return share.until if share else 0


def test_own_are_the_items_of_the_partitions_owned_now() -> None:
    owner = Owner(1, 2)
    assert owner.shares.own(T0) == Share(partitions=frozenset({1, 2}), of=OF)
    owner.partitions = frozenset({2, 3})
    assert owner.shares.own(T0) == Share(partitions=frozenset({2, 3}), of=OF)


def test_while_partitions_change_hands_the_last_ones_count_for_some_seconds() -> None:
    owner = Owner(1, 2)
    owner.shares.own(T0)
    owner.partitions = frozenset()
    assert owner.shares.own(T0 + 5_000).partitions == {1, 2}
    assert owner.shares.own(T0 + 5_001).partitions == set()


def test_all_items_go_to_exactly_one_of_the_owners() -> None:
    owners = [Owner(*range(at, OF, 3)).shares.own(T0) for at in range(3)]
    for number in range(200):
        assert sum(share.takes(f"a|advisor-{number}", 1) for share in owners) == 1


@pytest.mark.parametrize(("after_ms", "until"), [(0, 0), (899, 0), (900, 7), (5_000, 7)])
def test_what_stood_at_a_look_about_a_second_ago_is_anybodys(after_ms: int, until: int) -> None:
    owner = Owner(1)
    owner.shares.looked(7, T0)
    assert owner.left(T0 + after_ms) == until


def test_the_newest_stamp_that_is_old_enough_counts() -> None:
    owner = Owner(1)
    for after_ms, stamp in ((0, 7), (300, 8), (600, 9), (900, 10)):
        owner.shares.looked(stamp, T0 + after_ms)
    assert [owner.left(T0 + after_ms) for after_ms in (900, 1_200, 1_500, 1_799, 1_800)] == [7, 8, 9, 9, 10]


def test_a_look_that_shows_nothing_new_makes_nothing_younger() -> None:
    owner = Owner(1)
    for after_ms in (0, 300, 600, 900):
        owner.shares.looked(7, T0 + after_ms)
    assert owner.left(T0 + 900) == 7


def test_who_found_nothing_left_looks_again_only_for_newer_items() -> None:
    owner = Owner(1)
    owner.shares.looked(7, T0)
    owner.shares.found_none(Share(until=7))
    assert owner.left(T0 + 2_000) == 0
    owner.shares.looked(8, T0 + 2_000)
    assert owner.left(T0 + 3_000) == 8


def test_a_busy_router_helps_once_a_second_an_idle_one_at_once() -> None:
    owner = Owner(1)
    owner.shares.looked(7, T0)
    assert owner.left(T0 + 1_000, is_busy=True) == 7
    assert owner.left(T0 + 1_500, is_busy=True) == 0
    assert owner.left(T0 + 1_500) == 7
    assert owner.left(T0 + 2_500, is_busy=True) == 7


def test_a_store_that_begins_anew_has_no_old_items() -> None:
    owner = Owner(1)
    owner.shares.looked(900, T0)
    owner.shares.found_none(Share(until=900))
    owner.shares.looked(3, T0 + 2_000)
    assert owner.left(T0 + 2_000) == 0
    assert owner.left(T0 + 2_900) == 3


def test_very_many_looks_are_remembered_coarsely_and_never_as_older() -> None:
    owner = Owner(1)
    for number in range(1_000):
        owner.shares.looked(number, T0 + number)
    assert len(owner.shares._marks) <= 64
    assert 800 <= owner.left(T0 + 1_780) <= 880


def test_who_owns_all_has_nobody_to_help() -> None:
    owner = Owner(*range(OF))
    owner.shares.looked(7, T0)
    assert owner.left(T0 + 5_000) == 0
    alone = WholeShare()
    alone.looked(7, T0)
    assert alone.own(T0) == EVERYTHING
    assert alone.abandoned(T0 + 5_000, is_busy=False) is None
