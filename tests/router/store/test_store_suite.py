"""Every store keeps the promises of the suites."""

from tests.suites.store import (
    admits,
    appends,
    attempts,
    clocks,
    consults,
    guards,
    hands,
    ladders,
    marks,
    offers,
    parks,
    people,
    pressure,
    reads,
    rebuilds,
    relays,
    rests,
    scenarios,
    weights,
    wrap_ups,
)


class TestByHand(parks.ByHandSuite): ...


class TestWeight(weights.WeightSuite): ...


class TestRelax(ladders.RelaxSuite): ...


class TestClimb(ladders.ClimbSuite): ...


class TestOpening(admits.OpeningSuite): ...


class TestCrowd(admits.CrowdSuite): ...


class TestAppending(appends.AppendingSuite): ...


class TestGuardedAdmit(admits.GuardedAdmitSuite): ...


class TestAttempts(attempts.AttemptsSuite): ...


class TestMatch(offers.MatchSuite): ...


class TestAssign(offers.AssignSuite): ...


class TestAccept(offers.AcceptSuite): ...


class TestDecline(offers.DeclineSuite): ...


class TestExpire(offers.ExpireSuite): ...


class TestRequeue(hands.RequeueSuite): ...


class TestTransfer(hands.TransferSuite): ...


class TestConsult(consults.ConsultSuite): ...


class TestRingingConsult(consults.RingingSuite): ...


class TestPark(hands.ParkSuite): ...


class TestPend(rests.PendSuite): ...


class TestResolve(rests.ResolveSuite): ...


class TestWrapUp(wrap_ups.WrapUpSuite): ...


class TestClose(rests.CloseSuite): ...


class TestMove(rests.MoveSuite): ...


class TestMark(marks.MarkSuite): ...


class TestNote(marks.NoteSuite): ...


class TestReply(marks.ReplySuite): ...


class TestEscalate(marks.EscalateSuite): ...


class TestProfile(people.ProfileSuite): ...


class TestPresence(people.PresenceSuite): ...


class TestLeft(people.LeftSuite): ...


class TestConnection(people.ConnectionSuite): ...


class TestDue(clocks.DueSuite): ...


class TestTimer(clocks.TimerSuite): ...


class TestDone(clocks.DoneSuite): ...


class TestGuard(guards.GuardSuite): ...


class TestRepeat(guards.RepeatSuite): ...


class TestRead(reads.ReadSuite): ...


class TestWaiting(reads.WaitingSuite): ...


class TestOutbox(reads.OutboxSuite): ...


class TestLease(relays.LeaseSuite): ...


class TestScenario(scenarios.ScenarioSuite): ...


class TestLife(rebuilds.LifeSuite): ...


class TestRebuilder(rebuilds.RebuilderSuite): ...


class TestRestore(rebuilds.RestoreSuite): ...


class TestLevel(pressure.LevelSuite): ...


class TestRefusal(pressure.RefusalSuite): ...


class TestPuttingOff(pressure.PuttingOffSuite): ...
