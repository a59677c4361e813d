"""Every store keeps the promises of the suites."""

from tests.suites import (
    store_admits,
    store_appends,
    store_attempts,
    store_clocks,
    store_consults,
    store_guards,
    store_hands,
    store_ladders,
    store_marks,
    store_offers,
    store_parks,
    store_people,
    store_pressure,
    store_reads,
    store_rebuilds,
    store_relays,
    store_rests,
    store_scenarios,
    store_weights,
    store_wrap_ups,
)


class TestByHand(store_parks.ByHandSuite): ...


class TestWeight(store_weights.WeightSuite): ...


class TestRelax(store_ladders.RelaxSuite): ...


class TestClimb(store_ladders.ClimbSuite): ...


class TestOpening(store_admits.OpeningSuite): ...


class TestCrowd(store_admits.CrowdSuite): ...


class TestAppending(store_appends.AppendingSuite): ...


class TestGuardedAdmit(store_admits.GuardedAdmitSuite): ...


class TestAttempts(store_attempts.AttemptsSuite): ...


class TestMatch(store_offers.MatchSuite): ...


class TestAssign(store_offers.AssignSuite): ...


class TestAccept(store_offers.AcceptSuite): ...


class TestDecline(store_offers.DeclineSuite): ...


class TestExpire(store_offers.ExpireSuite): ...


class TestRequeue(store_hands.RequeueSuite): ...


class TestTransfer(store_hands.TransferSuite): ...


class TestConsult(store_consults.ConsultSuite): ...


class TestRingingConsult(store_consults.RingingSuite): ...


class TestPark(store_hands.ParkSuite): ...


class TestPend(store_rests.PendSuite): ...


class TestResolve(store_rests.ResolveSuite): ...


class TestWrapUp(store_wrap_ups.WrapUpSuite): ...


class TestClose(store_rests.CloseSuite): ...


class TestMove(store_rests.MoveSuite): ...


class TestMark(store_marks.MarkSuite): ...


class TestNote(store_marks.NoteSuite): ...


class TestReply(store_marks.ReplySuite): ...


class TestEscalate(store_marks.EscalateSuite): ...


class TestProfile(store_people.ProfileSuite): ...


class TestPresence(store_people.PresenceSuite): ...


class TestLeft(store_people.LeftSuite): ...


class TestConnection(store_people.ConnectionSuite): ...


class TestDue(store_clocks.DueSuite): ...


class TestTimer(store_clocks.TimerSuite): ...


class TestDone(store_clocks.DoneSuite): ...


class TestGuard(store_guards.GuardSuite): ...


class TestRepeat(store_guards.RepeatSuite): ...


class TestRead(store_reads.ReadSuite): ...


class TestWaiting(store_reads.WaitingSuite): ...


class TestOutbox(store_reads.OutboxSuite): ...


class TestLease(store_relays.LeaseSuite): ...


class TestScenario(store_scenarios.ScenarioSuite): ...


class TestLife(store_rebuilds.LifeSuite): ...


class TestRebuilder(store_rebuilds.RebuilderSuite): ...


class TestRestore(store_rebuilds.RestoreSuite): ...


class TestLevel(store_pressure.LevelSuite): ...


class TestRefusal(store_pressure.RefusalSuite): ...


class TestPuttingOff(store_pressure.PuttingOffSuite): ...
