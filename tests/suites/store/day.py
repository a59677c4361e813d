"""A day at the desk: every act succeeds at least once, and every kind of key is there at the end."""

from router.contract.advisor import Presence
from router.contract.ids import AdvisorId, CaseId, ConversationId, InquiryId, ReplyId
from router.contract.plan import Plan
from router.store import acts
from router.store.acts import Fence, Result
from router.store.marks import Level
from tests.suites.store.bench import POOL, QUEUE, Desk

CASE = CaseId("c1")
ANN = AdvisorId("ann")


async def a_day(desk: Desk) -> None:
    """Apply every act with success, and leave cases, work, timers and entries behind."""
    await _morning(desk)
    await _work(desk)
    await _evening(desk)


async def _morning(desk: Desk) -> None:
    await desk.advisor("ann", caps={"chat": 5})
    await desk.advisor("bob")
    epochs = await desk.store.take_epochs(POOL, ["p0"])
    fence = Fence(partition="p0", epoch=epochs["p0"], offset=7)
    timers = {"warn.first|0": desk.now + 1_000, "ladder|0": desk.now + 1_000}
    opening = Plan(ver=0, class_key=QUEUE, score=1, timers=timers, detail='{"a":1}', why="[]")
    assert (await desk.admit("c1", plan=opening, fence=fence, op="op-1")).result is Result.QUEUED
    await desk.store.applied(POOL, {"p0": (epochs["p0"], 8)})
    await desk.store.hand_out(POOL, {"p0": (epochs["p0"], 9)})
    assert await desk.store.attempt(POOL, fence) == 1
    assert await desk.store.press(POOL, Level.FINE, desk.now)
    placing = await desk.ring("ann", "bob", at_once=2)
    offered = await desk.on(acts.Match, CASE, class_key=QUEUE, placing=placing)
    assert offered.result is Result.OFFERED
    assert offered.case is not None
    _done(await desk.on(acts.Decline, CASE, advisor=AdvisorId("bob"), offer_ver=offered.case.ver), Result.OFFERED)
    accept = desk.act(acts.Accept, case=CASE, advisor=ANN, offer_ver=offered.case.ver, op="op-2")
    _done(await desk.do(accept), Result.ASSIGNED)


async def _work(desk: Desk) -> None:
    bob = await desk.person("bob")
    _done(await desk.asked_in(CASE, ANN, bob.id, units=5))
    _done(await desk.on(acts.Reply, CASE, advisor=bob.id, message="m", reply="r"))
    _done(await desk.on(acts.Delivered, CASE, reply=ReplyId("r1"), state="sent"))
    _done(await desk.on(acts.Park, CASE))
    _done(await desk.on(acts.Unpark, CASE), Result.RETURNED)
    _done(await desk.on(acts.HandBack, CASE, advisor=bob.id))
    _done(await desk.do(desk.act(acts.Note, case=CASE, message="n")))
    for kind in (acts.Label, acts.Snooze, acts.Rejudge, acts.Replan):
        _done(await desk.on(kind, CASE))
    _done(await desk.on(acts.Escalate, CASE, step=1))
    _done(await desk.on(acts.Transfer, CASE, advisor=ANN), Result.QUEUED)
    _done(await desk.on(acts.Rejudge, CASE, plan=await desk.plan("c1", class_key="other|chat|1")))
    _done(await desk.on(acts.Assign, CASE, advisor=ANN), Result.ASSIGNED)
    _done(await desk.on(acts.Pend, CASE, advisor=ANN))
    promise = {"follow_up|0": desk.now + 60_000}
    _done(await desk.on(acts.FollowUp, CASE, advisor=ANN, plan=await desk.plan("c1", timers=promise)))
    _done(await desk.on(acts.Requeue, CASE, placing=await desk.hand("ann")), Result.RETURNED)


async def _evening(desk: Desk) -> None:
    await desk.pass_ms(2_000)
    outcome = await desk.do(desk.act(acts.Due))
    assert {claim.timer for claim in outcome.claims} == {"warn.first|0", "ladder|0"}
    await desk.serve_all()
    missed = await desk.offered("c2", "bob")
    _done(await desk.on(acts.Expire, "c2", offer_ver=missed.ver, away_after=1), Result.QUEUED)
    _done(await desk.on(acts.Move, "c2", to_pool="other", handover="{}"))
    await desk.assigned("c3", "ann")
    closing = {"close|0": desk.now + 5}
    resting = await desk.plan("c3", timers=closing)
    _done(await desk.on(acts.Resolve, "c3", advisor=ANN, plan=resting, wrap_up_ms=desk.now + 50))
    _done(await desk.do(desk.act(acts.WrapUp, advisor=ANN, case=CaseId("c3"), until_ms=desk.now + 90)))
    _done(await desk.do(desk.act(acts.WrapUp, advisor=ANN, case=CaseId("c3"))))
    _done(await desk.do(desk.act(acts.Close, case=CaseId("c3"), claim=("close|0", desk.now + 5))))
    again = desk.admission("c1", conversation=ConversationId("talk-c1"), inquiry=InquiryId("again"))
    _done(await desk.do(again), Result.APPENDED)
    _done(await desk.admit("c4"), Result.QUEUED)
    lease = {"connect": 1, "lease_ms": desk.now + 30_000}
    _done(await desk.do(desk.act(acts.PresenceAct, advisor=ANN, presence=Presence.FINISHING, **lease)))
    _done(await desk.do(desk.act(acts.ProfileAct, advisor=ANN, budget=50, profile='{"name":"Ann"}')))
    epoch = await desk.store.take(POOL)
    assert await desk.store.trim(POOL, epoch, 3)


def _done(outcome: object, result: Result = Result.DONE) -> None:
    assert getattr(outcome, "result", None) is result, outcome
