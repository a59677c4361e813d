"""What can be read off an advisor's state."""

import msgspec
import pytest

from router.contract import AdvisorId, AdvisorState, Profile, Work, WorkKind, read_profile


def work(units: int, channel: str = "chat", kind: WorkKind = WorkKind.CASE) -> Work:
    return Work(units=units, channel=channel, kind=kind)


BUSY = AdvisorState(
    id=AdvisorId("minji"),
    budget=100,
    caps={"chat": 2, "voice": 0},
    work={"c1": work(30), "c2": work(30, kind=WorkKind.OFFER), "c3": work(10, "email")},
)


@pytest.mark.parametrize(
    ("units", "channel", "besides", "fits"),
    [
        (30, "email", "", True),
        (31, "email", "", False),
        (0, "chat", "", False),
        (10, "chat", "c1", True),
        (60, "chat", "c1", True),
        (61, "chat", "c1", False),
        (10, "chat", "c3", False),
        (10, "chat", "unknown", False),
        (1, "voice", "", False),
        (1, "webhook", "", True),
    ],
)
def test_whether_there_is_room(units: int, channel: str, besides: str, fits: bool) -> None:
    assert BUSY.has_room(units, channel, besides=besides) is fits


def test_load_is_the_sum_of_all_work_whatever_its_kind() -> None:
    assert BUSY.load == 70
    assert AdvisorState(id=AdvisorId("new")).load == 0


def test_an_advisor_above_his_budget_has_no_room_for_nothing() -> None:
    over = msgspec.structs.replace(BUSY, budget=60)
    assert not over.has_room(0, "email")


def test_connections_are_the_leases_in_order() -> None:
    timers = {"lease|10": 5, "lease|9": 7, "grace|0": 9, "wrap_up|3": 1}
    assert msgspec.structs.replace(BUSY, timers=timers).connections == (9, 10)


def test_a_profile_is_read_with_its_defaults() -> None:
    assert read_profile("{}") == Profile()
    assert read_profile('{"tier":"lead","later":[1]}').tier == "lead"
    with pytest.raises(msgspec.ValidationError):
        read_profile('{"skills":{"billing":"high"}}')
