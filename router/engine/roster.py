"""The roster: advisors of a pool with presence and load, kept as bitsets so that a decision costs a few ANDs.

Bit i of every set is the advisor in slot i. Applying one advisor's state costs the same for ten advisors as
for ten thousand, give or take the length of an integer.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING, Final

import msgspec

from router.contract.advisor import AdvisorState, Presence, Profile, WorkKind, read_profile
from router.contract.ids import AdvisorId
from router.engine.bits import lowest, slots_of
from router.engine.membership import ALL, memberships
from router.engine.order import Order, Rank
from router.engine.room import Room
from router.engine.waiting import WaitClass

if TYPE_CHECKING:
    from router.engine.eligibility import Fitting

LEVELS: Final = 10
MOST_FITTINGS: Final = 8192
_MOST_SLOTS: Final = 20_000_000
"""Of so many slots in all, what fits is kept: by wait class, and by its key."""
_LOW: Final = (1 << 256) - 1
_HANDED: Final = frozenset({WorkKind.OFFER, WorkKind.CASE})
SKILL: Final = "skill/"
LANGUAGE: Final = "language/"
NOTHING: Final = ""
"""What everybody has."""


class Member(msgspec.Struct, kw_only=True):
    """One advisor as the roster knows him. ``free_share`` is the free part of his budget, from 0 to 1;
    ``asked`` how many decisions for him are under way, which his state can't show yet. ``skills`` are his levels, 10
    at most, and ``levels`` their sum; ``has`` the names of these and of his languages, ``each_of`` what a mapping says
    of each, and of ``NOTHING``. ``turn_ms`` is when he was seen to be handed a case for the last time; before the first
    time, since when he was idle."""

    slot: int
    state: AdvisorState
    profile: Profile
    lot: bytes
    """His id, as lots are drawn from it."""
    free_share: float = 0.0
    asked: int = 0
    levels: int = 0
    turn_ms: int = 0
    skills: dict[str, int] = {}
    has: tuple[str, ...] = ()
    each_of: Callable[[Mapping[str, int]], tuple[int, ...]] = itemgetter(NOTHING, NOTHING)
    is_online: bool = False
    is_roomy: bool = False


_Room = tuple[int, str, frozenset[str]]
Ranks = Callable[[Member], Rank]


class Roster:
    """Advisors by id and by bit. ``change`` is the last change number it has caught up with. ``asked`` are those for
    whom decisions are under way; ``roomy`` who is online and not full. ``fittings`` is what profiles alone say of wait
    classes: it is forgotten when one changes."""

    def __init__(self) -> None:
        self.gen = 0
        self.change = 0
        self.everyone = 0
        self.online = 0
        self.roomy = 0
        self.asked = 0
        self.fittings: dict[WaitClass | str, Fitting] = {}
        self._members: dict[AdvisorId, Member] = {}
        self._in_order: list[Member] = []
        self._named: dict[tuple[str, str], int] = {}
        self._levels: dict[tuple[str, str, int], int] = {}
        self._texts: dict[str, str] = {}
        self._rooms: dict[_Room, Room] = {}
        self._orders: dict[Ranks, Order] = {}

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[Member]:
        return iter(self._members.values())

    def __getitem__(self, advisor: AdvisorId) -> Member:
        """A member who is known to be one; raises ``KeyError`` if he isn't."""
        return self._members[advisor]

    def get(self, advisor: AdvisorId) -> Member | None:
        return self._members.get(advisor)

    def in_slot(self, slot: int) -> Member:
        return self._in_order[slot]

    def in_slots(self, slots: Iterable[int]) -> Iterator[Member]:
        return map(self._in_order.__getitem__, slots)

    def apply(self, state: AdvisorState) -> bool:
        """Take over a state unless it is older than the one known; whether it was taken."""
        member = self._members.get(state.id)
        if member is not None and (member.state.gen, member.state.ver) >= (state.gen, state.ver):
            return False
        if member is None:
            profile, lot = read_profile(state.profile), state.id.encode()
            member = Member(slot=len(self._in_order), state=state, profile=profile, lot=lot)
            member.turn_ms = state.idle_since_ms
            self._in_order.append(member)
            self._members[state.id] = member
            self._index(member, present=True)
            self._index_away(member, state, present=True)
        else:
            if _is_handed(member.state, state):
                member.turn_ms = state.idle_since_ms
            if member.state.away_from != state.away_from:
                self._index_away(member, member.state, present=False)
                self._index_away(member, state, present=True)
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
        """Members of a queue, or by the name for them its secondary members; who names no queue serves all."""
        return self._named.get(("queue", ALL), 0) | self._named.get(("queue", queue), 0)

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

    def speaking(self, language: str, level: int = 1) -> int:
        """Who speaks a language at that level or above; everyone when none is asked for."""
        return self._levels.get(("language", language, level), 0) if language else self.everyone

    def room(self, units: int, channel: str, parking: frozenset[str] = frozenset()) -> Room:
        """Who has room for a case of that weight, or would have by parking what he has of some channels. It is built
        once for a new weight, then kept up."""
        wanted = (units, channel, parking)
        room = self._rooms.get(wanted)
        if room is None:
            room = self._rooms[wanted] = Room(units, channel, parking)
            for one in self._members.values():
                room.look(one.slot, one.state, one.state.load, is_online=one.is_online, has=one.has)
        return room

    def there_for(self, channel: str) -> int:
        """Who is online and takes what comes by a channel."""
        return self.online & ~self._named.get(("away", channel), 0)

    def bit(self, advisor: str) -> int:
        member = self._members.get(AdvisorId(advisor))
        return 1 << member.slot if member else 0

    def members(self, bits: int) -> Iterator[Member]:
        """The members of a set, in slot order."""
        return self.in_slots(slots_of(bits))

    def first(self, bits: int, count: int) -> list[Member]:
        """The first members of a set, in slot order."""
        low = bits & _LOW
        # To take one bit off a long integer costs its whole length.
        return [self._in_order[slot] for slot in islice(lowest(low if low.bit_count() >= count else bits), count)]

    def order(self, ranks: Ranks) -> Order:
        """Who is online and has room for anything, in the order of their ranks. It is built once for a function, then
        kept up."""
        order = self._orders.get(ranks)
        if order is None:
            order = self._orders[ranks] = Order()
            order.fill((ranks(member), member.state.id, member.slot) for member in self.members(self.roomy))
        return order

    def keep(self, waiting: WaitClass | str, fitting: "Fitting") -> None:
        """Keep what profiles say of a wait class, or of the one with that key; where very much is kept, all the rest is
        forgotten."""
        if len(self.fittings) >= min(MOST_FITTINGS, _MOST_SLOTS // (len(self._in_order) + 1)):
            self.fittings.clear()
        self.fittings[waiting] = fitting

    # -- keeping them

    def _index(self, member: Member, *, present: bool) -> None:
        self.fittings.clear()
        bit, profile = 1 << member.slot, member.profile
        for name in memberships(profile):
            self._set(self._named, ("queue", name), bit, present)
        self._set(self._named, ("tier", profile.tier), bit, present)
        if profile.team:
            self._set(self._named, ("team", profile.team), bit, present)
        for kind, levels in (("skill", profile.skills), ("language", profile.languages)):
            for name, level in levels.items():
                for step in range(1, min(level, LEVELS) + 1):
                    self._set(self._levels, (kind, name, step), bit, present)
        self.everyone = self.everyone | bit if present and profile.active else self.everyone & ~bit
        if present:
            member.skills = {name: min(level, LEVELS) for name, level in profile.skills.items()}
            member.levels = sum(member.skills.values())
            had = (*_had(SKILL, profile.skills), *_had(LANGUAGE, profile.languages))
            # The same text for all who have it, so that it is fetched once.
            member.has = tuple([self._texts.setdefault(name, name) for name in had])
            # Of one name alone an itemgetter makes no tuple.
            member.each_of = itemgetter(NOTHING, NOTHING, *member.has)
        else:
            for room in self._rooms.values():
                room.leave(member.slot, member.has)

    def _index_away(self, member: Member, state: AdvisorState, *, present: bool) -> None:
        for channel in state.away_from:
            self._set(self._named, ("away", channel), 1 << member.slot, present)

    def _index_state(self, member: Member) -> None:
        state, slot = member.state, member.slot
        load, budget = state.load, state.budget
        member.free_share = max(0.0, 1.0 - load / budget) if budget > 0 else 0.0
        is_online = state.presence is Presence.ONLINE and member.profile.active
        if is_online != member.is_online:
            self.online ^= 1 << slot
            member.is_online = is_online
        # Whoever is full is left out of the orders: at a busy hour that is nearly everybody, and they would stand in
        # front.
        is_roomy = is_online and member.free_share > 0
        if is_roomy != member.is_roomy:
            self.roomy ^= 1 << slot
            member.is_roomy = is_roomy
        for room in self._rooms.values():
            room.look(slot, state, load, is_online=is_online, has=member.has)
        self._put_in_order(member)

    def _put_in_order(self, member: Member) -> None:
        for ranks, order in self._orders.items():
            if member.is_roomy:
                order.put(member.state.id, ranks(member), member.slot)
            else:
                order.drop(member.slot)

    @staticmethod
    def _set(sets: dict, key: tuple, bit: int, present: bool) -> None:  # type: ignore[type-arg]
        bits = sets.get(key, 0)
        sets[key] = bits | bit if present else bits & ~bit


def _is_handed(before: AdvisorState, after: AdvisorState) -> bool:
    """Whether a case was offered or given to him in between."""
    return any(work.kind in _HANDED for case, work in after.work.items() if case not in before.work)


def _had(kind: str, levels: dict[str, int]) -> list[str]:
    return [kind + name for name, level in levels.items() if level > 0]
