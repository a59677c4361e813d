"""An advisor between the state of the store and the bytes on the bus."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.contract import (
    Advisor,
    AdvisorId,
    AdvisorState,
    Decoder,
    PoolId,
    Presence,
    Profile,
    Undecodable,
    Work,
    WorkKind,
    advisor_bytes,
    advisor_headers,
    advisor_of,
    read_profile,
    record_head,
    write_profile,
)
from router.contract.advisor_record import _RawAdvisor
from tests.suites.golden import read_golden
from tests.suites.wire_examples import MAIN, MINJI, START_MS
from tests.suites.wire_json import INTEGERS, JSON, NAMES, TEXTS

COUNTS = st.integers(0, 2**53 - 1)
PROFILES = st.builds(
    Profile,
    name=TEXTS,
    tier=TEXTS,
    skills=st.dictionaries(TEXTS, st.integers(0, 10), max_size=3),
    queues=st.lists(TEXTS, max_size=3).map(tuple),
    budget=COUNTS,
    caps=st.dictionaries(TEXTS, COUNTS, max_size=3),
    active=st.booleans(),
)


@st.composite
def states(draw: st.DrawFn) -> AdvisorState:
    profile = draw(PROFILES)
    newer = draw(st.dictionaries(NAMES, JSON, max_size=3))
    return AdvisorState(
        id=AdvisorId(draw(TEXTS)),
        ver=draw(COUNTS),
        elig=draw(COUNTS),
        gen=draw(COUNTS),
        presence=draw(st.sampled_from(Presence)),
        reason=draw(TEXTS),
        budget=profile.budget,
        caps=profile.caps,
        idle_since_ms=draw(INTEGERS),
        profile=msgspec.json.encode(newer | msgspec.to_builtins(profile)).decode(),
    )


def test_the_bytes_are_the_golden_ones() -> None:
    golden = read_golden("wire/advisor.json")
    state = advisor_of(golden)
    assert (state.id, state.presence, state.budget, state.caps) == (MINJI, Presence.AWAY, 100, {"chat": 3})
    assert advisor_bytes(pool=MAIN, state=state, number=57, at_ms=START_MS + 200_000) == golden


@given(state=states(), pool=TEXTS.map(PoolId), number=COUNTS, at_ms=INTEGERS)
def test_a_state_survives_the_bus(state: AdvisorState, pool: PoolId, number: int, at_ms: int) -> None:
    value = advisor_bytes(pool=pool, state=state, number=number, at_ms=at_ms)
    read = Decoder(Advisor).decode(value, Advisor)
    assert (read.id, read.pool, read.number, read.at_ms) == (state.id, pool, number, at_ms)
    assert (read.profile.budget, read.profile.caps) == (state.budget, state.caps)
    assert advisor_of(value) == state


@given(state=states(), at_ms=st.integers(0, 2**40))
def test_the_headers_are_those_of_the_message(state: AdvisorState, at_ms: int) -> None:
    message = Decoder(Advisor).decode(advisor_bytes(pool=MAIN, state=state, number=1, at_ms=at_ms), Advisor)
    assert advisor_headers(pool=MAIN, state=state, at_ms=at_ms) == record_head(message).headers


def test_what_an_advisor_works_on_is_not_on_the_bus() -> None:
    state = AdvisorState(id=MINJI)
    busy = msgspec.structs.replace(
        state, work={"c": Work(units=10, channel="chat", kind=WorkKind.CASE)}, timers={"lease|3": 5}, missed=2
    )
    made = [advisor_bytes(pool=MAIN, state=each, number=1, at_ms=1) for each in (state, busy)]
    assert made[0] == made[1]
    assert advisor_of(made[1]) == state


def test_the_raw_form_has_the_members_of_the_message() -> None:
    raw, whole = msgspec.structs.fields(_RawAdvisor), msgspec.structs.fields(Advisor)
    assert [(field.name, field.default) for field in raw] == [(field.name, field.default) for field in whole]


@pytest.mark.parametrize("profile", ["", "{", "{} {}", "[" * 100_000])
def test_a_profile_that_is_no_json_is_undecodable(profile: str) -> None:
    with pytest.raises(Undecodable, match="the profile of advisor minji"):
        advisor_bytes(pool=MAIN, state=AdvisorState(id=MINJI, profile=profile), number=1, at_ms=1)


def damaged(**members: Any) -> bytes:
    return msgspec.json.encode(msgspec.json.decode(read_golden("wire/advisor.json")) | members)


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"{}",
        damaged(presence="asleep"),
        damaged(profile=None),
        damaged(profile={"budget": "much"}),
        read_golden("wire/advisor.json").replace(b'"profile":{', b'"profile":{"later":"\xff",'),
    ],
    ids=["nothing", "empty", "presence", "no profile", "malformed profile", "no UTF-8"],
)
def test_what_is_no_advisor_is_undecodable(record: bytes) -> None:
    with pytest.raises(Undecodable):
        advisor_of(record)


@given(known=PROFILES, before=PROFILES, newer=st.dictionaries(NAMES, JSON, max_size=3))
def test_members_of_a_profile_of_a_newer_version_survive(
    known: Profile, before: Profile, newer: dict[str, Any]
) -> None:
    newer = {name: value for name, value in newer.items() if name not in Profile.__struct_fields__}
    text = msgspec.json.encode(newer | msgspec.to_builtins(before)).decode()
    written = write_profile(known, before=text)
    assert read_profile(written) == known
    assert newer.items() <= msgspec.json.decode(written).items()
    assert write_profile(known, before=written) == written


@pytest.mark.parametrize(
    ("before", "written"),
    [
        ("{}", '{"name":"Mina"}'),
        ('{"name": "Jun"}', '{"name":"Mina"}'),
        ('{"later": 1.50, "name": "Jun", "active": false}', '{"later":1.50,"name":"Mina"}'),
        ('{"later": 1.50, "name": "Mina"}', '{"later": 1.50, "name": "Mina"}'),
    ],
    ids=["new", "known before", "newer", "says the same"],
)
def test_a_profile_is_written_over_what_was_there(before: str, written: str) -> None:
    assert write_profile(Profile(name="Mina"), before=before) == written
