"""Eligibility: asked of one advisor, of all, or with reasons, it is the same."""

import random

import pytest
from msgspec.structs import replace

from router.contract.advisor import Presence
from router.engine.eligibility import eligible, is_eligible, sieve
from router.engine.roster import MOST_FITTINGS
from router.engine.waiting import ClassWant, WaitClass
from rules.membership import secondary
from tests.suites.people import CLASS, advisor, roster

QUEUES = ("billing", "returns", "technical")
TIERS = ("junior", "senior", "lead")


def some(dice: random.Random, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if dice.random() < 0.5)


@pytest.mark.parametrize("seed", range(30))
def test_the_three_ways_to_ask_agree(seed: int) -> None:
    dice = random.Random(seed)
    people = roster(
        *(
            replace(
                advisor(
                    f"a{number}",
                    presence=dice.choice((Presence.ONLINE, Presence.ONLINE, Presence.ONLINE, Presence.AWAY)),
                    load=dice.choice((0, 60, 90)),
                    active=dice.random() < 0.9,
                    queues=dice.choice(((), ("*",), some(dice, QUEUES))),
                    secondary=some(dice, QUEUES),
                    tier=dice.choice(TIERS),
                    skills={name: dice.randrange(11) for name in some(dice, QUEUES)},
                    languages={name: dice.randrange(11) for name in some(dice, ("ko", "en"))},
                    caps=dice.choice(({}, {"chat": 1}, {"chat": 0})),
                ),
                away_from=dice.choice(((), (), ("chat",), ("chat", "email"))),
            )
            for number in range(60)
        )
    )
    for turn in range(40):
        for member in list(people)[turn::20]:
            away_from = dice.choice(((), ("chat",), ("email", "call")))
            people.apply(replace(member.state, ver=member.state.ver + 1, away_from=away_from))
        waiting = WaitClass(
            queue=dice.choice(QUEUES),
            channel=dice.choice(("chat", "email")),
            units=dice.choice((10, 30, 50)),
            wants=tuple(ClassWant(name, dice.randrange(12), dice.random() < 0.7) for name in some(dice, QUEUES[:2])),
            language=dice.choice(("", "ko", "en", "ja")),
            tiers=some(dice, TIERS),
            priority=3,
            policy="standard",
            clock="age",
            excluded=tuple(f"a{number}" for number in range(60) if dice.random() < 0.1),
            held_for=dice.choice(("", "", "", "a7", "gone")),
            languages=dice.choice(((), (), ("en",))),
            language_level=dice.choice((1, 1, 4, 10)),
            queues=dice.choice(((), (dice.choice(QUEUES),), (secondary(dice.choice(QUEUES)),))),
        )
        bits = eligible(people, waiting)
        assert sieve(people, waiting).eligible == bits
        assert {one.state.id for one in people.members(bits)} == {
            one.state.id for one in people if is_eligible(one, waiting)
        }


def test_what_profiles_say_is_kept_for_so_many_classes_and_until_one_changes() -> None:
    people = roster(advisor("mina"))
    classes = [replace(CLASS, excluded=(f"x{number}",)) for number in range(MOST_FITTINGS + 5)]
    for waiting in classes:
        assert eligible(people, waiting)
    assert len(people.fittings) == 5
    people.apply(replace(advisor("mina", skills={"billing": 1}), ver=2))
    assert not people.fittings
    assert not eligible(people, classes[-1])
