"""The detail of a case: what a newer version wrote into it survives a writer that doesn't know it."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.contract import Case, CaseDetail, CaseState, Clock, EventType, read_detail, write_detail
from tests.suites.wire_cases import EVENTS, case_state
from tests.suites.wire_json import JSON, NAMES

KNOWN = set(CaseDetail.__struct_fields__)
DETAILS = [read_detail(case_state(kind).detail) for kind in EventType]


def members(detail: str) -> dict[str, Any]:
    decoded: dict[str, Any] = msgspec.json.decode(detail)
    return decoded


@pytest.mark.parametrize("kind", EVENTS)
def test_a_detail_survives_being_written(kind: EventType) -> None:
    known = read_detail(case_state(kind).detail)
    assert read_detail(write_detail(known)) == known


@given(known=st.sampled_from(DETAILS), before=st.sampled_from(DETAILS), newer=st.dictionaries(NAMES, JSON))
def test_members_of_a_newer_version_survive(known: CaseDetail, before: CaseDetail, newer: dict[str, Any]) -> None:
    newer = {name: value for name, value in newer.items() if name not in KNOWN}
    text = msgspec.json.encode(members(write_detail(before)) | newer).decode()
    written = write_detail(known, before=text)
    assert read_detail(written) == known
    assert {name: value for name, value in members(written).items() if name not in KNOWN} == newer
    assert write_detail(known, before=written) == written


def test_a_member_set_back_to_its_default_does_not_come_back() -> None:
    known = msgspec.structs.replace(DETAILS[0], labels=("vip",))
    cleared = msgspec.structs.replace(known, labels=())
    assert read_detail(write_detail(cleared, before=write_detail(known))).labels == ()


def test_a_raw_member_is_kept_to_the_letter() -> None:
    written = write_detail(DETAILS[0], before='{"later": 1.50, "big":123456789012345678901234567890}')
    assert '"later":1.50' in written
    assert '"big":123456789012345678901234567890' in written


@pytest.mark.parametrize("detail", ["", "[]", "{}", '{"account":1}', "nonsense"])
def test_a_malformed_detail_is_refused(detail: str) -> None:
    with pytest.raises(msgspec.DecodeError):
        read_detail(detail)


def test_a_member_lies_in_one_place_only() -> None:
    """Flat members and those of the detail share the object on the wire."""
    flat = set(CaseState.__struct_fields__) - {"detail", "why"}
    assert not flat & KNOWN
    assert flat | KNOWN | {"pool", "why"} == set(Case.__struct_fields__)


@pytest.mark.parametrize("owner", [CaseState, CaseDetail])
def test_members_have_the_same_type_and_default_on_the_wire(owner: type[msgspec.Struct]) -> None:
    wire = {field.name: field for field in msgspec.structs.fields(Case)}
    for field in msgspec.structs.fields(owner):
        if field.name not in ("detail", "why"):
            other = wire[field.name]
            assert (field.type, field.default, field.default_factory) == (
                other.type,
                other.default,
                other.default_factory,
            ), field.name


@pytest.mark.parametrize(
    ("clock", "due_at_ms"),
    [
        (Clock(target_ms=100), None),
        (Clock(target_ms=100, running_since_ms=1_000), 1_100),
        (Clock(target_ms=100, used_ms=30, running_since_ms=1_000), 1_070),
        (Clock(target_ms=100, used_ms=130, running_since_ms=1_000), 970),
        (Clock(target_ms=100, running_since_ms=0), 100),
        (Clock(target_ms=100, running_since_ms=1_000, met_at_ms=1_050), None),
    ],
    ids=["stands", "runs", "ran before", "was late already", "since the epoch", "met"],
)
def test_when_a_clock_is_due(clock: Clock, due_at_ms: int | None) -> None:
    assert clock.due_at_ms == due_at_ms
