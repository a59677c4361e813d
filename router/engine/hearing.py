"""What happens to a case, as its clocks hear it: which of them start, stand still, go on or come to their end."""

from typing import Final

import msgspec
from msgspec.structs import replace

from router.contract.case import CaseDetail, Clock, FinishedClock
from router.engine import sla
from router.engine.terms import Terms
from rules.policies import Cue, PendingOn

KEPT_FINISHED: Final = 10


class Hearing(msgspec.Struct, frozen=True, kw_only=True):
    """The terms of a case's clocks, the version of the case that the next act finds, and the time."""

    terms: Terms
    ver: int
    now_ms: int

    def heard(self, detail: CaseDetail, cue: Cue) -> CaseDetail:
        """The case after one cue, which changes nothing else."""
        return self._with(detail, sla.hear(detail.clocks, cue, self.terms, self.now_ms))

    def written_to(self, detail: CaseDetail) -> CaseDetail:
        """The customer has written to an open case. As long as he waits for a first answer he waits for no other."""
        first = detail.clocks.get(sla.FIRST_RESPONSE)
        is_owed = first is not None and first.met_at_ms is None
        return detail if is_owed else self.heard(detail, Cue.MESSAGE)

    def pended(self, detail: CaseDetail, on: str) -> CaseDetail:
        """The case waits for somebody; for a third party the reminders begin anew."""
        was_out = detail.pending is not None and detail.pending.on == PendingOn.THIRD_PARTY
        pended = self._with(detail, sla.pend(detail.clocks, on, self.terms, self.now_ms))
        return pended if was_out and on == PendingOn.THIRD_PARTY else replace(pended, chased=0)

    def back(self, detail: CaseDetail) -> CaseDetail:
        """The case waits for nobody any more, or is open again."""
        return self._with(detail, sla.resume(detail.clocks, self.terms, self.now_ms))

    def resolved(self, detail: CaseDetail) -> CaseDetail:
        """The work is done: what a resolution doesn't bring to its end stands still."""
        heard = sla.hear(detail.clocks, Cue.RESOLVED, self.terms, self.now_ms)
        resolved = self._with(detail, sla.stand(heard, self.terms, self.now_ms))
        clock = detail.clocks.get(sla.RESOLUTION)
        own = self.terms.get(sla.RESOLUTION)
        if clock is None or own is None or clock.met_at_ms is not None or Cue.RESOLVED not in own.conduct.stops:
            return resolved
        return _finish(resolved, self._finished(detail, sla.RESOLUTION, resolved.clocks[sla.RESOLUTION]))

    def _with(self, detail: CaseDetail, clocks: dict[str, Clock]) -> CaseDetail:
        """The case with these clocks, and a word of each that has come to its end."""
        if clocks == detail.clocks:
            return detail
        ended = []
        for name, before in detail.clocks.items():
            after = clocks[name]
            if before.met_at_ms is None and (after.met_at_ms is not None or after.cycle != before.cycle):
                ended.append(self._finished(detail, name, self._as_it_ended(name, before)))
        return _finish(replace(detail, clocks=clocks), *ended)

    def _as_it_ended(self, name: str, before: Clock) -> Clock:
        own = self.terms.get(name)
        return replace(before, used_ms=sla.used(before, own.calendar if own else None, self.now_ms))

    def _finished(self, detail: CaseDetail, name: str, clock: Clock) -> FinishedClock:
        return FinishedClock(
            clock=name,
            ver=self.ver + 1,
            at_ms=self.now_ms,
            target_ms=clock.target_ms,
            margin_ms=clock.target_ms - clock.used_ms,
            policy=detail.verdict.policy,
        )


def _finish(detail: CaseDetail, *ended: FinishedClock) -> CaseDetail:
    if not ended:
        return detail
    gone = {each.clock for each in ended}
    # What a change of policy had kept from firing twice is over with the clock.
    fired = tuple(timer for timer in detail.fired if sla.clock_of(timer) not in gone)
    return replace(detail, finished=(*detail.finished, *ended)[-KEPT_FINISHED:], fired=fired)
