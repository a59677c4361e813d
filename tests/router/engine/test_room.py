"""Room, kept up advisor by advisor, is what asking everybody would give."""

import random
from collections import Counter

import pytest
from msgspec.structs import replace

from router.contract.advisor import AdvisorState, Presence, Work, WorkKind
from router.engine.roster import Roster
from tests.suites.people import advisor

CHANNELS = ("chat", "email")
WANTED = [
    (0, "chat", frozenset[str]()),
    (30, "chat", frozenset[str]()),
    (30, "email", frozenset[str]()),
    (50, "chat", frozenset({"email"})),
]


def drawn(dice: random.Random, name: str, ver: int) -> AdvisorState:
    person = advisor(
        name,
        presence=dice.choice((Presence.ONLINE, Presence.ONLINE, Presence.AWAY)),
        skills={skill: dice.randrange(3) for skill in ("billing", "returns") if dice.random() < 0.6},
        languages={"ko": dice.randrange(2), "en": 5},
        caps=dice.choice(({}, {"chat": 1})),
        active=dice.random() < 0.9,
    )
    work = {
        f"c{number}": Work(
            units=dice.choice((10, 30, 60)),
            channel=dice.choice(CHANNELS),
            kind=dice.choice((WorkKind.CASE, WorkKind.CASE, WorkKind.PARKED)),
        )
        for number in range(dice.randrange(3))
    }
    return replace(person, ver=ver, work=work)


@pytest.mark.parametrize("seed", range(10))
def test_it_is_what_asking_everybody_gives_whatever_changes(seed: int) -> None:
    dice, people = random.Random(seed), Roster()
    for ver in range(1, 150):
        people.apply(drawn(dice, f"a{dice.randrange(12)}", ver))
        for units, channel, parking in WANTED[: 1 + ver // 10]:  # also weights of which nobody had asked before
            room = people.room(units, channel, parking)
            roomy = [one for one in people if one.state.has_room(units, channel, parking=parking)]
            ready = [one for one in roomy if one.state.presence is Presence.ONLINE and one.profile.active]
            assert room.bits == sum(1 << one.slot for one in roomy)
            assert room.ready == sum(1 << one.slot for one in ready)
            assert room.slots == {one.slot for one in ready}
            having = Counter(
                f"{kind}/{name}"
                for one in ready
                for kind, levels in (("skill", one.profile.skills), ("language", one.profile.languages))
                for name, level in levels.items()
                if level
            )
            assert +room.having == having


@pytest.mark.parametrize(("wanted", "may_be"), [(WANTED[0], True), (WANTED[1], False), (WANTED[3], True)])
def test_who_is_full_may_have_room_for_nothing_or_by_parking(
    wanted: tuple[int, str, frozenset[str]], *, may_be: bool
) -> None:
    assert Roster().room(*wanted).may_be_full is may_be
