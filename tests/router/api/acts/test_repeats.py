"""An act that is repeated has the answer it had at first, whatever has become of the case, and changes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from router.api.acts import asking
from router.contract.config import Role
from rules import load
from tests.suites.api_bench import ApiBench

RULES: Final = """
defaults: {queue: general, language: en}
tiers: [junior, senior]
outcomes: {solved: Solved}
channels: {email: {units: 10, interruptible: true, wrap_up_s: 600, wrap_up_more_s: 600, wrap_up_most_s: 900}}
policies: {standard: {first_response_s: 3600, resolution_s: 86400}}
ladders: {careful: {above: [chief], steps: [{by_hand: true, raise_priority: 1}, {by_hand: true, raise_priority: 1}]}}
queues:
  general: {policy: standard, ladder: careful, pick: all}
  strict: {policy: standard, transfer_note: true, decline_reason: true, tiers: [senior]}
rules: []
"""
LATER: Final = RULES.replace("solved: Solved", "settled: Settled").replace(", interruptible: true", "")
"""What holds when the repeat comes: nothing of the first asking would be let through now."""

Before = tuple[tuple[str, Mapping[str, Any]], ...]
ACCEPT: Final[Before] = (("accept", {}),)
RESOLVED: Final[Before] = (*ACCEPT, ("resolve", {"outcome": "solved"}))


@dataclass(frozen=True)
class Row:
    """An act with its members, what minji does before it, who asks for it and what comes of it."""

    act: str
    members: Mapping[str, Any] = field(default_factory=dict)
    before: Before = ACCEPT
    by: Role = Role.ADVISOR
    gives: str = "done"


ROWS: Final = (
    Row("accept", before=(), gives="assigned"),
    Row("decline", before=(), gives="queued"),
    Row("reply", {"text": "Tomorrow."}),
    Row("note", {"text": "He rang."}),
    Row("label", {"add": ["late"]}),
    Row("pend", {"on": "customer", "until": "2025-10-09T08:55:00Z"}),
    Row("follow_up", {"at": "2025-10-09T08:55:00Z"}),
    Row("resolve", {"outcome": "solved"}),
    Row("transfer", {"queue": "strict"}, gives="queued"),
    Row("consult", {"to": "jun"}, gives="offered"),
    Row("hand_back", {"of": "jun"}, before=(*ACCEPT, ("consult", {"to": "jun"}))),
    Row("pick", before=(("decline", {}),), gives="assigned"),
    Row("assign", {"to": "minji"}, before=(("decline", {}),), by=Role.SUPERVISOR, gives="assigned"),
    Row("requeue", by=Role.SUPERVISOR, gives="queued"),
    Row("exclude", {"exclude": ["jun"]}, by=Role.SUPERVISOR),
    Row("wrap_up", {"more_s": 600}, before=RESOLVED),
    Row("park", {"for_s": 600}),
    Row("unpark", before=(*ACCEPT, ("park", {"for_s": 600})), gives="returned"),
    Row("take", before=(("decline", {}),), by=Role.NOTIFIER, gives="assigned"),
    Row("snooze", {"for_s": 600}),
    Row("acknowledge"),
    Row("escalate", {"reason": "over my head"}),
    Row("lower", {"step": 0, "reason": "no"}, (*ACCEPT, ("escalate", {"reason": "angry"})), Role.SUPERVISOR),
)


def test_every_act_has_a_row() -> None:
    assert {row.act for row in ROWS} | {"presence", "read"} == asking.FRAME_TYPES


async def _posted(bench: ApiBench, row: Row, case: str, keys: Mapping[Role, str]) -> dict[str, Any]:
    behalf = "minji" if row.by is Role.NOTIFIER else ""
    path = f"/v1/cases/{case}/{row.act.replace('_', '-')}"
    status, found = await bench.post(path, keys[row.by], dict(row.members), op="same", on_behalf=behalf)
    assert status == 200, found
    return dict(found)


async def _meanwhile(bench: ApiBench, case: str, boss: str) -> None:
    """Everything else moves on: the case is in another queue, minutes have gone by, other rules hold."""
    await bench.post(f"/v1/cases/{case}/exclude", boss, {"exclude": ["minji"]})
    await bench.post(f"/v1/cases/{case}/transfer", boss, {"queue": "strict"})
    await bench.clock.advance_ms(400_000)
    bench.policies.activate(load({"a.yaml": LATER}))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.act)
async def test_a_repeated_act_has_its_first_answer(bench: ApiBench, row: Row) -> None:
    bench.policies.activate(load({"a.yaml": RULES}))
    minji, jun = await bench.advisor("minji", tier="junior"), await bench.advisor("jun", tier="junior")
    keys = {Role.ADVISOR: minji} | {role: bench.key(role) for role in (Role.SUPERVISOR, Role.NOTIFIER)}
    async with bench.session(minji) as talk, bench.session(jun) as other:
        await bench.online(talk)
        case = await bench.write()
        await talk.next("offer")
        for act, members in row.before:
            await talk.do(act, case=case, **members)
            if act == "accept":
                await bench.online(other)
        if row.by is Role.ADVISOR:
            first = await talk.do(row.act, case=case, op="same", **row.members)
        else:
            first = await _posted(bench, row, case, keys)
        assert first["result"] == row.gives
        await _meanwhile(bench, case, keys[Role.SUPERVISOR])
        ver, number = (await bench.case(case)).ver, (await bench.store.status(bench.desk.pool)).number
        again = await _posted(bench, row, case, keys)
    assert (again["result"], again["durable"]) == (first["result"], True)
    assert (await bench.case(case)).ver == ver
    assert (await bench.store.status(bench.desk.pool)).number == number


async def test_a_repeated_presence_has_its_first_answer(bench: ApiBench) -> None:
    minji = await bench.advisor("minji")
    async with bench.session(minji) as talk:
        for op, presence in (("come", "online"), ("go", "away"), ("come", "online")):
            assert (await talk.do("presence", op=op, presence=presence))["result"] == "done"
        assert (await bench.person("minji")).presence == "away"


async def test_what_was_refused_is_asked_anew(bench: ApiBench) -> None:
    """An act that had no effect is remembered by nobody."""
    bench.policies.activate(load({"a.yaml": RULES}))
    minji = await bench.advisor("minji", tier="junior")
    case = await bench.write()
    refused = await bench.post(f"/v1/cases/{case}/pick", minji, op="same")
    assert (refused[0], refused[1]["type"]) == (409, "urn:turnout:problem:unfit")
    async with bench.session(minji) as talk:
        await bench.online(talk)
        await talk.next("offer")
        await talk.do("decline", case=case)
        assert (await bench.post(f"/v1/cases/{case}/pick", minji, op="same"))[1]["result"] == "assigned"
