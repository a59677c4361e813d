"""What would free a waiting case, checked by doing: each change named does, each that isn't named doesn't."""

import itertools
import random
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from router.contract.advisor import AdvisorState, Presence, Work, WorkKind, read_profile, write_profile
from router.contract.case import CaseDetail
from router.contract.ids import AccountId, AdvisorId, CaseId, InquiryId
from router.engine.decide import Waiting, next_for, nominate
from router.engine.eligibility import Filter
from router.engine.freeing import (
    Change,
    Ground,
    Moment,
    Passing,
    Way,
    change_by,
    change_of,
    changed,
    lifts,
    moments,
    ways,
)
from router.engine.interrupting import Allowance, Allowing, allowances, allowed
from router.engine.roster import Roster
from router.engine.waiting import ClassWant, WaitClass, score, wait_class
from rules import Rulebook, Verdict, Want
from tests.suites.people import NOW, advisor, roster
from tests.suites.stage import RULES, rulebook

RELAX = """    relax:
      - {after_s: 40, levels: {billing: 3}}
      - {after_s: 90, queues: [general], tiers: [junior]}
      - {after_s: 300, any_language: true}
"""
RULED = RULES.replace(
    "  billing: {policy: standard, ladder: standard, offer_s: 30}\n",
    f"  billing:\n    policy: standard\n    tiers: [senior, lead]\n{RELAX}",
).replace("interruptible: true", "interruptible: false")
MAIL_GIVES_WAY = RULED.replace("interruptible: false", "interruptible: true")
CHATS_INTERRUPT = RULED.replace("chat: {units: 30}", "chat: {units: 30, interrupts: true}")
BOOK: Rulebook = rulebook(RULED)
BOOKS = {
    "as it is": BOOK,
    "mail gives way": rulebook(MAIL_GIVES_WAY),
    "chats interrupt": rulebook(CHATS_INTERRUPT),
    "mail is parked for chats": rulebook(
        MAIL_GIVES_WAY.replace("chat: {units: 30}", "chat: {units: 30, interrupts: true}")
    ),
}
SKILLS = {"billing": 5, "technical": 2}
CHANNELS = ("chat", "email")


def case(**members: object) -> CaseDetail:
    verdict = Verdict(
        queue="billing",
        wants=tuple(Want(skill, level) for skill, level in SKILLS.items()),
        language="ko",
        policy="standard",
        rulebook=BOOK.hash,
    )
    detail = CaseDetail(
        account=AccountId("a"), origin=InquiryId("i"), customer="x", verdict=verdict, placed_at_ms=NOW - 1
    )
    return replace(detail, **members)


def class_of(detail: CaseDetail) -> WaitClass:
    return wait_class(detail, channel="chat", units=30, rulebook=BOOK, now_ms=NOW)


def head_of(detail: CaseDetail, name: str = "mine") -> Waiting:
    return Waiting(class_key=class_of(detail).key, score_ms=score(detail, BOOK), case=CaseId(name))


def at_hand(dice: random.Random) -> dict[str, Work]:
    """Some of what he has at hand could be parked by one rulebook or the other, some by none."""
    units = dice.choice((0, 0, 60, 80, 100))
    parts = [("call", units - 20), ("email", 20)] if dice.random() < 0.3 else [(dice.choice(("chat", "email")), units)]
    kind = dice.choice((WorkKind.CASE, WorkKind.CASE, WorkKind.CASE, WorkKind.OFFER))
    return {f"w{at}": Work(units=size, channel=name, kind=kind) for at, (name, size) in enumerate(parts) if size > 0}


def drawn(dice: random.Random, name: str) -> AdvisorState:
    if dice.random() < 0.2:
        # One who lacks nothing, but room perhaps.
        return replace(advisor(name, tier="lead", queues=(), skills=SKILLS), work=at_hand(dice))
    state = advisor(
        name,
        presence=dice.choice((*Presence, Presence.ONLINE, Presence.ONLINE)),
        skills={skill: dice.choice((level, level, level - 1)) for skill, level in SKILLS.items()},
        languages=dice.choice(({"ko": 3}, {"ko": 3}, {"ko": 2}, {"en": 3})),
        queues=dice.choice(((), ("billing",), ("billing",), ("general",))),
        tier=dice.choice(("senior", "senior", "lead", "junior")),
        caps=dice.choice(({}, {}, {"chat": 1})),
    )
    away_from = dice.choice(((), (), ("chat",), ("email",)))
    return replace(state, idle_since_ms=NOW - dice.randrange(9_000), work=at_hand(dice), away_from=away_from)


def scene(seed: int) -> tuple[list[AdvisorState], CaseDetail, list[Waiting]]:
    dice = random.Random(seed)
    states = [drawn(dice, f"a{number}") for number in range(dice.randrange(1, 9))]
    detail = case(
        declined={state.id: NOW + dice.randrange(-9, 99) for state in states if dice.random() < 0.1},
        excluded=tuple(state.id for state in states if dice.random() < 0.1),
        relaxed=dice.choice((0, 0, 1, 2)),
        verdict=replace(case().verdict, language_level=dice.choice((0, 3))),
    )
    if dice.random() < 0.2:
        detail = replace(detail, held_for=dice.choice(states).id, held_until_ms=NOW + 50)
    rivals = [
        replace(case(verdict=replace(detail.verdict, queue="general", wants=wants, priority=1)), placed_at_ms=NOW - 9)
        for wants in ((), (Want("billing", 1),))
        if dice.random() < 0.3
    ]
    return states, detail, [head_of(rival, f"rival{number}") for number, rival in enumerate(rivals)]


def swapped(states: list[AdvisorState], state: AdvisorState) -> Roster:
    return roster(*(state if each.id == state.id else each for each in states))


def given_to(
    states: list[AdvisorState], state: AdvisorState, mine: Waiting, heads: list[Waiting], book: Rulebook = BOOK
) -> CaseId | None:
    """What the advisor is given once he is as ``state`` says, and all else is as it is."""
    turn = next_for(swapped(states, state), state.id, [mine, *heads], book, NOW)
    return turn.head.case if turn else None


SEEDS = range(200)


def named(seed: int, book: Rulebook) -> Iterator[tuple[AdvisorState, Way, Change]]:
    states, detail, heads = scene(seed)
    people, mine = roster(*states), head_of(detail)
    for way in ways(people, mine.waiting, book):
        for member in people.members(way.advisors):
            yield member.state, way, change_of(member.state, way, mine, Ground(people, book, heads, NOW))


BOOKED = pytest.mark.parametrize("book", BOOKS.values(), ids=BOOKS)


@BOOKED
def test_each_change_that_is_named_places_the_case_or_who_comes_first(book: Rulebook) -> None:
    firsts, parks, lacks = 0, 0, set()
    for seed in SEEDS:
        states, detail, heads = scene(seed)
        mine = head_of(detail)
        for state, way, change in named(seed, book):
            then = changed(state, way, mine.waiting)
            people = swapped(states, then)
            turn = next_for(people, state.id, [mine, *heads], book, NOW)
            assert turn is not None, (seed, way)
            assert (turn.head.case, turn.park) == (change.first or mine.case, change.park), (seed, way)
            assert nominate(people, mine, book, NOW) is not None
            firsts += change.first is not None
            parks += bool(change.park)
            lacks.add(change.lacks)
    assert firsts
    assert bool(parks) == (book is BOOKS["mail is parked for chats"])
    assert lacks == set(Filter) - {Filter.EXCLUDED, Filter.HELD}


def alternatives(state: AdvisorState) -> Iterator[tuple[Filter, str, AdvisorState]]:
    """Every single change of an advisor, as great as it can be."""
    profile = read_profile(state.profile)
    yield Filter.PRESENCE, "", replace(state, presence=Presence.ONLINE, away_from=())
    yield Filter.ROOM, "", replace(state, budget=10_000, caps={})
    for skill in (*SKILLS, "other"):
        better = replace(profile, skills={**profile.skills, skill: 10})
        yield Filter.SKILL, skill, replace(state, profile=write_profile(better))
    for language in ("ko", "en", "de"):
        better = replace(profile, languages={**profile.languages, language: 10})
        yield Filter.LANGUAGE, language, replace(state, profile=write_profile(better))
    for queue in ("billing", "general", "other"):
        better = replace(profile, queues=(*profile.queues, queue))
        yield Filter.QUEUE, queue, replace(state, profile=write_profile(better))
    for tier in ("junior", "senior", "lead"):
        yield Filter.TIER, tier, replace(state, profile=write_profile(replace(profile, tier=tier)))


@BOOKED
def test_no_change_that_is_not_named_places_it(book: Rulebook) -> None:
    tried = 0
    for seed in SEEDS:
        states, detail, _ = scene(seed)
        mine = head_of(detail)
        known = {(way.lacks, change.advisor, change.name) for _, way, change in named(seed, book)}
        for state in states:
            if given_to(states, state, mine, [], book) == mine.case:
                continue  # he can take it as he is
            for lacks, name, then in alternatives(state):
                tried += 1
                places = given_to(states, then, mine, [], book) == mine.case
                # Of tiers and queues that would do, one is named for all.
                does = {lacks, state.id} <= {part for one in known if one[1] == state.id for part in one[:2]}
                is_named = does if lacks in {Filter.TIER, Filter.QUEUE} else (lacks, state.id, name) in known
                assert is_named or not places, (seed, state.id, lacks, name)
    assert tried > 1_000


@BOOKED
def test_a_level_is_the_least_that_will_do_and_room_as_well(book: Rulebook) -> None:
    seen = set()
    for seed in SEEDS:
        states, detail, _ = scene(seed)
        mine = head_of(detail)
        for state, way, change in named(seed, book):
            then = changed(state, way, mine.waiting)
            if change.lacks is Filter.ROOM and change.units:
                less = replace(then, budget=state.budget + change.units - 1)
            elif change.lacks in {Filter.SKILL, Filter.LANGUAGE}:
                less = changed(state, replace(way, level=way.level - 1), mine.waiting)
            else:
                continue
            seen.add(change.lacks)
            assert given_to(states, less, mine, [], book) is None
    assert seen == {Filter.ROOM, Filter.SKILL, Filter.LANGUAGE}


@BOOKED
def test_lifting_one_exclusion_places_it_where_that_is_named_and_nowhere_else(book: Rulebook) -> None:
    placed, tried = 0, 0
    for seed in SEEDS:
        states, detail, heads = scene(seed)
        people, mine = roster(*states), head_of(detail)
        found = {change.advisor: change for change in lifts(detail, mine, Ground(people, book, heads, NOW))}
        for name in detail.excluded:
            tried += 1
            freed = head_of(replace(detail, excluded=tuple(other for other in detail.excluded if other != name)))
            alone = next_for(people, AdvisorId(name), [freed], book, NOW)
            assert (alone is not None) == (name in found), (seed, name)
            if name in found:
                turn = next_for(people, AdvisorId(name), [freed, *heads], book, NOW)
                change = found[AdvisorId(name)]
                assert turn is not None
                assert (turn.head.case, turn.park) == (change.first or mine.case, change.park), (seed, name)
                placed += 1
    assert placed
    assert placed < tried


def _later(detail: CaseDetail, moment: Moment) -> CaseDetail:
    match moment.passing:
        case Passing.HOLD:
            return replace(detail, held_for="", held_until_ms=None)
        case Passing.COOL_DOWN:
            declined = {name: at for name, at in detail.declined.items() if name != moment.name}
            return replace(detail, declined=declined)
        case Passing.STEP:
            return replace(detail, relaxed=int(moment.name))


@BOOKED
def test_each_moment_places_the_case_and_no_other_does(book: Rulebook) -> None:
    seen, unseen = set(), 0
    for seed in SEEDS:
        states, detail, _ = scene(seed)
        people = roster(*states)
        found = moments(people, detail, class_of(detail), book, NOW)
        assert [moment.at_ms for moment in found] == sorted(moment.at_ms for moment in found)
        possible = itertools.chain(
            (Moment(passing=Passing.STEP, name=str(number), at_ms=0) for number in range(detail.relaxed + 1, 4)),
            (Moment(passing=Passing.COOL_DOWN, name=name, at_ms=0) for name, at in detail.declined.items() if at > NOW),
            [Moment(passing=Passing.HOLD, name=detail.held_for, at_ms=0)] if detail.held_for else [],
        )
        for moment in possible:
            waiting = class_of(_later(detail, moment))
            head = Waiting(class_key=waiting.key, score_ms=NOW, case=CaseId("mine"))
            places = nominate(people, head, book, NOW) is not None
            assert places == ((moment.passing, moment.name) in {(one.passing, one.name) for one in found})
            seen |= {moment.passing} if places else set()
            unseen += not places
    assert seen == set(Passing)
    assert unseen


def of_rules(seed: int, book: Rulebook) -> Iterator[tuple[AdvisorState, Allowance, Change]]:
    states, detail, heads = scene(seed)
    people, mine = roster(*states), head_of(detail)
    for allowance in allowances(people, mine.waiting, book):
        for member in people.members(allowance.advisors):
            yield member.state, allowance, change_by(member.state, allowance, mine, Ground(people, book, heads, NOW))


@BOOKED
def test_each_change_of_the_rules_that_is_named_places_it_and_no_other_does(book: Rulebook) -> None:
    seen, tried = set(), 0
    for seed in SEEDS:
        states, detail, heads = scene(seed)
        people, mine, known = roster(*states), head_of(detail), set()
        for state, allowance, change in of_rules(seed, book):
            then = allowed(book, allowance.allowing, allowance.channel)
            turn = next_for(people, state.id, [mine, *heads], then, NOW)
            assert turn is not None
            assert (turn.head.case, turn.park) == (change.first or mine.case, change.park)
            seen.add((allowance.allowing, allowance.channel))
            known.add((allowance.allowing, allowance.channel, state.id))
        if nominate(people, mine, book, NOW) is not None:
            assert not known
            continue
        for allowing, channel, state in itertools.product(Allowing, ("chat", "email", "call"), states):
            tried += 1
            given = given_to(states, state, mine, [], allowed(book, allowing, channel))
            assert (given == mine.case) == ((allowing, channel, state.id) in known), (seed, allowing, channel)
    assert tried
    assert seen == NAMED_OF_RULES[book.hash]


NAMED_OF_RULES = {
    BOOKS["as it is"].hash: set(),
    BOOKS["mail gives way"].hash: {(Allowing.INTERRUPTS, "chat")},
    BOOKS["chats interrupt"].hash: {(Allowing.INTERRUPTIBLE, "email"), (Allowing.INTERRUPTIBLE, "call")},
    BOOKS["mail is parked for chats"].hash: {(Allowing.INTERRUPTIBLE, "call")},
}


CHATS = {"c": Work(units=30, channel="chat", kind=WorkKind.CASE)}


@pytest.mark.parametrize(
    ("state", "units", "cap"),
    [
        (replace(advisor("a", caps={"chat": 1}), work=CHATS), 0, 1),
        (replace(advisor("a", caps={"chat": 1}, budget=50), work=CHATS), 10, 1),
        (replace(advisor("a", caps={"chat": 2}, budget=50), work=CHATS), 10, None),
        (replace(advisor("a", caps={"chat": 1}), work={"c": Work(units=0, channel="chat", kind=WorkKind.CASE)}), 0, 1),
    ],
)
def test_room_by_units_and_room_by_a_cap_are_told_apart(state: AdvisorState, units: int, cap: int | None) -> None:
    mine, known = head_of(case(verdict=replace(case().verdict, wants=()))), roster(state)
    (way,) = ways(known, mine.waiting, BOOK)
    change = change_of(state, way, mine, Ground(known, BOOK, [], NOW))
    assert (change.lacks, change.units, change.cap) == (Filter.ROOM, units, cap)
    assert given_to([state], changed(state, way, mine.waiting), mine, []) == mine.case


@pytest.mark.parametrize(
    ("people", "expected"),
    [
        ([advisor("a", presence=Presence.AWAY)], [("presence", "a", "", 0, 0)]),
        ([advisor("a", load=80)], [("room", "a", "", 0, 10)]),
        ([advisor("a", skills={"billing": 4})], [("skill", "a", "billing", 5, 0)]),
        ([advisor("a", languages={"en": 9})], [("language", "a", "ko", 1, 0)]),
        ([advisor("a", tier="junior")], [("tier", "a", "senior", 0, 0)]),
        ([advisor("a", queues=("other",))], [("queue", "a", "billing", 0, 0)]),
        ([advisor("a", queues=("other",), tier="junior")], []),
        ([advisor("a", active=False)], []),
        ([], []),
    ],
)
def test_what_one_advisor_lacks(people: list[AdvisorState], expected: list[tuple[object, ...]]) -> None:
    waiting = replace(class_of(case()), wants=(ClassWant("billing", 5, True),))
    mine, known = Waiting(class_key=waiting.key, score_ms=NOW, case=CaseId("mine")), roster(*people)
    found = [
        change_of(member.state, way, mine, Ground(known, BOOK, [], NOW))
        for way in ways(known, waiting, BOOK)
        for member in known.members(way.advisors)
    ]
    assert [(one.lacks, one.advisor, one.name, one.level, one.units) for one in found] == expected
