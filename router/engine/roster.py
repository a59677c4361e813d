"""The roster: advisors of a pool with presence and load, kept as bitsets so that a decision costs a few ANDs.

Bit i of every set is the advisor in slot i. Applying one advisor's state costs the same for ten advisors as
for ten thousand, give or take the length of an integer.
"""

from collections.abc import Callable, Iterator
from itertools import compress, islice
from typing import Final

import msgspec

from router.contract.advisor import AdvisorState, Presence, Profile, WorkKind, read_profile
from router.contract.ids import AdvisorId
from router.engine.order import Order, Rank

LEVELS: Final = 10
FEW: Final = 100
"""Where one of so many is in a set, its members are found one by one."""
_LOW: Final = (1 << 256) - 1
_HANDED: Final = frozenset({WorkKind.OFFER, WorkKind.CASE})
_TRUTHS: Final = bytes.maketrans(b"01", b"\0\1")


class Member(msgspec.Struct, kw_only=True):
    """One advisor as the roster knows him. ``free_share`` is the free part of his budget, from 0 to 1;
    ``asked`` how many decisions for him are under way, which his state can't show yet. ``levels`` is the sum of his
    levels in all skills. ``turn_ms`` is when he was seen to be handed a case for the last time; before the first
    time, since when he was idle."""

    slot: int
    state: AdvisorState
    profile: Profile
    free_share: float = 0.0
    asked: int = 0
    levels: int = 0
    turn_ms: int = 0


_Room = tuple[int, str, frozenset[str]]
Ranks = Callable[[Member], Rank]


class Roster:
    """Advisors by id and by bit. ``change`` is the last change number it has caught up with. ``asked`` are those for
    whom decisions are under way; ``roomy`` who is online and not full."""

    def __init__(self) -> None:
        self.gen = 0
        self.change = 0
        self.everyone = 0
        self.online = 0
        self.roomy = 0
        self.asked = 0
        self._members: dict[AdvisorId, Member] = {}
        self._in_order: list[Member] = []
        self._named: dict[tuple[str, str], int] = {}
        self._levels: dict[tuple[str, str, int], int] = {}
        self._room: dict[_Room, int] = {}
        self._orders: dict[Ranks, Order[Member]] = {}

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[Member]:
        return iter(self._members.values())

    def get(self, advisor: AdvisorId) -> Member | None:
        return self._members.get(advisor)

    def in_slot(self, slot: int) -> Member:
        return self._in_order[slot]

    def apply(self, state: AdvisorState) -> bool:
        """Take over a state unless it is older than the one known; whether it was taken."""
        member = self._members.get(state.id)
        if member is not None and (member.state.gen, member.state.ver) >= (state.gen, state.ver):
            return False
        if member is None:
            member = Member(slot=len(self._in_order), state=state, profile=read_profile(state.profile))
            member.turn_ms = state.idle_since_ms
            self._in_order.append(member)
            self._members[state.id] = member
            self._index(member, present=True)
        else:
            if _is_handed(member.state, state):
                member.turn_ms = state.idle_since_ms
            if member.state.profile == state.profile:
                member.state = state
            else:
                self._index(member, present=False)
                member.state, member.profile = state, read_profile(state.profile)
                self._index(member, present=True)
        self._index_state(member)
        return True

    def ask(self, advisor: AdvisorId, more: int) -> None:
        """Note that so many more (or fewer) decisions for an advisor are under way; nothing for an unknown one."""
        member = self._members.get(advisor)
        if member is not None:
            member.asked += more
            bit = 1 << member.slot
            self.asked = self.asked | bit if member.asked else self.asked & ~bit
            self._put_in_order(member)

    # -- the sets

    def serving(self, queue: str) -> int:
        """Members of a queue; who names no queue serves all."""
        return self._named.get(("queue", "*"), 0) | self._named.get(("queue", queue), 0)

    def of_tiers(self, tiers: tuple[str, ...]) -> int:
        """Whoever is of one of the tiers; everyone when none is named."""
        if not tiers:
            return self.everyone
        found = 0
        for tier in tiers:
            found |= self._named.get(("tier", tier), 0)
        return found

    def of_team(self, team: str) -> int:
        return self._named.get(("team", team), 0)

    def with_skill(self, skill: str, level: int) -> int:
        return self._levels.get(("skill", skill, level), 0)

    def speaking(self, language: str) -> int:
        """Who speaks a language at all; everyone when none is asked for."""
        return self._levels.get(("language", language, 1), 0) if language else self.everyone

    def with_room(self, units: int, channel: str, parking: frozenset[str] = frozenset()) -> int:
        """Who has room for a case of that weight, or would have by parking what he has of some channels. The set for a
        new weight is built once, then kept up."""
        wanted = (units, channel, parking)
        if wanted not in self._room:
            self._room[wanted] = 0
            for member in self._members.values():
                self._index_room(member, wanted)
        return self._room[wanted]

    def bit(self, advisor: str) -> int:
        member = self._members.get(AdvisorId(advisor))
        return 1 << member.slot if member else 0

    def members(self, bits: int) -> Iterator[Member]:
        """The members of a set, in slot order."""
        if bits.bit_count() * FEW < len(self._in_order):
            return self._one_by_one(bits)
        # A text of its digits is walked in C; taking bit by bit off a long integer is many times slower.
        return compress(self._in_order, bin(bits)[:1:-1].encode().translate(_TRUTHS))

    def _one_by_one(self, bits: int) -> Iterator[Member]:
        while bits:
            lowest = bits & -bits
            yield self._in_order[lowest.bit_length() - 1]
            bits ^= lowest

    def first(self, bits: int, count: int) -> list[Member]:
        """The first members of a set, in slot order."""
        low = bits & _LOW
        # To take one bit off a long integer costs its whole length.
        return list(islice(self._one_by_one(low if low.bit_count() >= count else bits), count))

    def order(self, ranks: Ranks) -> Order[Member]:
        """Who is online and has room for anything, in the order of their ranks. It is built once for a function, then
        kept up."""
        order = self._orders.get(ranks)
        if order is None:
            order = self._orders[ranks] = Order()
            order.fill((ranks(member), member.state.id, member) for member in self.members(self.roomy))
        return order

    # -- keeping them

    def _index(self, member: Member, *, present: bool) -> None:
        bit, profile = 1 << member.slot, member.profile
        for name in profile.queues or ("*",):
            self._set(self._named, ("queue", name), bit, present)
        self._set(self._named, ("tier", profile.tier), bit, present)
        if profile.team:
            self._set(self._named, ("team", profile.team), bit, present)
        for kind, levels in (("skill", profile.skills), ("language", profile.languages)):
            for name, level in levels.items():
                for step in range(1, min(level, LEVELS) + 1):
                    self._set(self._levels, (kind, name, step), bit, present)
        self.everyone = self.everyone | bit if present and profile.active else self.everyone & ~bit
        member.levels = sum(min(level, LEVELS) for level in profile.skills.values())

    def _index_state(self, member: Member) -> None:
        bit = 1 << member.slot
        budget = member.state.budget
        member.free_share = max(0.0, 1.0 - member.state.load / budget) if budget > 0 else 0.0
        is_online = member.state.presence is Presence.ONLINE and member.profile.active
        self.online = self.online | bit if is_online else self.online & ~bit
        self.roomy = self.roomy | bit if is_online and member.free_share else self.roomy & ~bit
        for wanted in self._room:
            self._index_room(member, wanted)
        self._put_in_order(member)

    def _put_in_order(self, member: Member) -> None:
        # Whoever is full is left out: at a busy hour that is nearly everybody, and they would stand in front.
        is_roomy = self.roomy >> member.slot & 1
        for ranks, order in self._orders.items():
            if is_roomy:
                order.put(member.state.id, ranks(member), member)
            else:
                order.drop(member.state.id)

    def _index_room(self, member: Member, wanted: _Room) -> None:
        bit, room = 1 << member.slot, self._room[wanted]
        units, channel, parking = wanted
        has_room = member.state.has_room(units, channel, parking=parking)
        self._room[wanted] = room | bit if has_room else room & ~bit

    @staticmethod
    def _set(sets: dict, key: tuple, bit: int, present: bool) -> None:  # type: ignore[type-arg]
        bits = sets.get(key, 0)
        sets[key] = bits | bit if present else bits & ~bit


def _is_handed(before: AdvisorState, after: AdvisorState) -> bool:
    """Whether a case was offered or given to him in between."""
    return any(work.kind in _HANDED for case, work in after.work.items() if case not in before.work)
