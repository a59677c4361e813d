"""Doing what was asked for, with the caller's rights, and saying how far it got."""

import difflib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, assert_never

import msgspec

from router.api.acts import asking
from router.api.acts.advising import advise
from router.api.acts.asking import CaseAsk
from router.api.acts.excluding import as_excluded, check_wish, wish_of
from router.api.acts.repeats import seen_on_advisor, seen_on_case
from router.api.acts.resting import Resting, rest
from router.api.acts.rights import himself, own_case, picker, queue_of
from router.api.desks import Caller
from router.api.problems import Problem, Refused, of_result, problem, refused
from router.api.wording.ladders import climbed
from router.contract.case import CaseState, Pending
from router.contract.config import Role
from router.contract.ids import AdvisorId, CaseId
from router.engine.exclusions import NO_WISH
from router.store.acts import Outcome, Result
from rules import Rulebook

_SUPERVISORS: Final = frozenset({Role.SUPERVISOR})
_ACTING: Final = frozenset({Role.ADVISOR, Role.SUPERVISOR})
_TAKING: Final = frozenset({Role.SUPERVISOR, Role.NOTIFIER})
_HEEDING: Final = _ACTING | {Role.NOTIFIER}
_DONE: Final = frozenset({Result.DONE})
_PLACED: Final = frozenset({Result.ASSIGNED, Result.RETURNED, Result.OFFERED, Result.QUEUED})
# What an act can have given the first time: another answer is that of another act.
_GIVES: Final[Mapping[type[CaseAsk], frozenset[Result]]] = {
    asking.Accept: frozenset({Result.ASSIGNED, Result.DONE}),
    asking.Assign: frozenset({Result.ASSIGNED}),
    asking.Take: frozenset({Result.ASSIGNED}),
    asking.Pick: frozenset({Result.ASSIGNED}),
    asking.Decline: frozenset({Result.QUEUED, Result.OFFERED, Result.DONE}),
    asking.Consult: frozenset({Result.OFFERED, Result.DONE}),
    asking.Transfer: _PLACED,
    asking.Requeue: _PLACED,
    asking.Exclude: _DONE | _PLACED,
    asking.Escalate: _DONE | {Result.QUEUED},
    asking.Unpark: frozenset({Result.RETURNED}),
}

HandOn = (
    asking.Transfer | asking.Assign | asking.Requeue | asking.Exclude | asking.Pick | asking.Escalate | asking.Lower
)


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """An act that took effect. ``number`` is the outbox entry that makes it durable."""

    op: str
    result: str
    number: int
    case: CaseState | None


async def perform(caller: Caller, ask: CaseAsk) -> Done:
    """Apply an act. Raises ``Refused`` when it had no effect, ``StoreUnavailable`` when nobody knows: repeat
    it with the same operation id then. What took effect under that id before is answered as it was at first, even if it
    would be refused by now."""
    try:
        outcome = await _outcome(caller, ask)
    except Refused:
        before = await _before(caller, ask)
        if before is None:
            raise
        outcome = before
    if outcome.repeated and outcome.result not in _GIVES.get(type(ask), _DONE):
        raise refused("operation-used", "Another act of this key on the case has this operation id; take a new one.")
    number = await caller.desk.actor.durable_at(outcome)
    return Done(op=ask.op, result=_told(caller, ask, outcome), number=number, case=outcome.case)


async def _outcome(caller: Caller, ask: CaseAsk) -> Outcome:
    await _check(caller, ask)
    outcome = await _apply(caller, ask)
    found = of_result(outcome.result)
    if found is not None:
        raise Refused(as_excluded(caller, ask, outcome) or _pointed(found, outcome))
    return outcome


async def _before(caller: Caller, ask: CaseAsk) -> Outcome | None:
    """What came of it when it was asked before, if it took effect then."""
    if not isinstance(ask, asking.WrapUp):
        return await seen_on_case(caller, ask.case, ask.op)
    return await seen_on_advisor(caller, caller.key.advisor, ask.op) if caller.key.advisor else None


def _pointed(found: Problem, outcome: Outcome) -> Problem:
    """The problem with the message that it is about."""
    if outcome.result is not Result.UNSEEN or outcome.case is None:
        return found
    return msgspec.structs.replace(found, inquiry=outcome.case.last_inquiry)


def _told(caller: Caller, ask: CaseAsk, outcome: Outcome) -> str:
    """The same answer for whoever accepted first and for the second tab that did."""
    if outcome.result is not Result.SAME:
        return str(outcome.result)
    if isinstance(ask, asking.Consult) and outcome.case is not None and outcome.case.offers:
        return str(Result.OFFERED)
    if isinstance(ask, asking.Accept) and outcome.case is not None and caller.key.advisor in outcome.case.consults:
        return str(Result.DONE)
    is_his = isinstance(ask, asking.Accept | asking.Assign | asking.Take)
    return str(Result.ASSIGNED if is_his else Result.DONE)


async def _check(caller: Caller, ask: CaseAsk) -> None:
    """Rights and names, before anything is computed."""
    if caller.key.role not in _allowed(ask):
        raise refused("forbidden", f"A key of role {caller.key.role} may not {_name(ask)} cases.")
    await check_wish(caller, ask)
    rulebook = caller.desk.policies.active
    match ask:
        case asking.Note() | asking.Label():
            await own_case(caller, ask.case)
        case asking.Snooze() | asking.Acknowledge() if caller.key.role is Role.ADVISOR:
            await own_case(caller, ask.case)
        case asking.Resolve():
            _known(ask.outcome, rulebook.outcomes, "outcome")
        case asking.Transfer() | asking.Consult():
            _check_whither(ask, rulebook)
            if isinstance(ask, asking.Transfer):
                await _asks_for(caller, ask.case, "transfer_note", ask.note)
        case asking.Decline():
            await _asks_for(caller, ask.case, "decline_reason", ask.reason)
        case _:
            return


def _check_whither(ask: asking.Transfer | asking.Consult, rulebook: Rulebook) -> None:
    """Whether it says to whom, once, by names that there are."""
    skills = ask.skills if isinstance(ask, asking.Consult) else {}
    if ask.queue:
        _known(ask.queue, rulebook.queues, "queue")
    if ask.tier:
        _known(ask.tier, rulebook.tiers, "tier")
    for skill in skills:
        _known(skill, rulebook.skills, "skill")
    is_group = bool(ask.queue or ask.tier or skills)
    stays = isinstance(ask, asking.Transfer) and wish_of(ask) != NO_WISH and not (is_group or ask.to)
    if not stays and is_group == bool(ask.to):
        others = "a queue or a tier" if isinstance(ask, asking.Transfer) else "a queue, a tier or skills"
        raise refused("malformed", f"Name either an advisor or {others}.")


def _allowed(ask: CaseAsk) -> frozenset[Role]:
    match ask:
        case asking.Assign() | asking.Requeue() | asking.Exclude() | asking.Lower():
            return _SUPERVISORS
        case asking.Take():
            return _TAKING
        case asking.Snooze() | asking.Acknowledge():
            return _HEEDING
        case _:
            return _ACTING


async def _asks_for(caller: Caller, case: CaseId, setting: str, given: str) -> None:
    """Whether the case's queue wants a word with it, and an advisor gives none."""
    if given.strip() or caller.advisor is None:
        return
    queue = await queue_of(caller, case)
    if queue is not None and getattr(queue, setting):
        code = "note-needed" if setting == "transfer_note" else "reason-needed"
        raise refused(code, f"The queue asks for it (`{setting}`).")


async def _apply(caller: Caller, ask: CaseAsk) -> Outcome:
    work = caller.desk.casework
    request = caller.request(ask.op, getattr(ask, "reason", ""))
    match ask:
        case asking.Accept() | asking.Decline():
            return await _answer_offer(caller, ask)
        case asking.Reply():
            return await work.reply(ask.case, request, text=ask.text)
        case asking.Note():
            return await work.note(ask.case, request, text=ask.text)
        case asking.Label():
            return await work.label(ask.case, request, add=ask.add, remove=ask.remove)
        case asking.Pend() | asking.FollowUp():
            return await work.pend(ask.case, request, pending=_pending(ask, caller.desk.actor.now_ms()))
        case asking.Resolve():
            return await work.resolve(ask.case, request, outcome=ask.outcome, seen=ask.seen)
        case (
            asking.Transfer()
            | asking.Assign()
            | asking.Requeue()
            | asking.Exclude()
            | asking.Pick()
            | asking.Escalate()
            | asking.Lower()
        ):
            return await _hand_on(caller, ask)
        case _:
            return await _see_to(caller, ask)


async def _see_to(
    caller: Caller,
    ask: asking.Consult | asking.HandBack | asking.Take | asking.Snooze | asking.Acknowledge | Resting,
) -> Outcome:
    """What isn't said about the case itself, but about who looks after it, and when."""
    work, request = caller.desk.casework, caller.request(ask.op)
    match ask:
        case asking.Take():
            return await work.take(ask.case, request, advisor=himself(caller, to_do="who could take anything"))
        case asking.Snooze():
            return await work.put_off(ask.case, request, for_s=ask.for_s)
        case asking.Acknowledge():
            return await work.put_off(ask.case, request)
        case asking.Consult() | asking.HandBack():
            return await advise(caller, ask)
        case asking.Park() | asking.Unpark() | asking.WrapUp():
            return await rest(caller, ask)
        case _:
            assert_never(ask)


async def _hand_on(caller: Caller, ask: HandOn) -> Outcome:
    work, request = caller.desk.casework, caller.request(ask.op, ask.reason, wish_of(ask))
    match ask:
        case asking.Escalate() | asking.Lower():
            return await climbed(caller, ask)
        case asking.Transfer():
            return await work.transfer(ask.case, request, queue=ask.queue, to=ask.to, tier=ask.tier, note=ask.note)
        case asking.Assign():
            return await work.assign(ask.case, request, to=ask.to, over=ask.over)
        case asking.Requeue():
            return await work.requeue(ask.case, request)
        case asking.Exclude():
            return await work.excluding.change(ask.case, request, lift=ask.lift)
        case asking.Pick():
            return await work.pick(ask.case, request, advisor=await picker(caller, ask.case))
        case _:
            assert_never(ask)


async def _answer_offer(caller: Caller, ask: asking.Accept | asking.Decline) -> Outcome:
    advisor = himself(caller, to_do="to whom anything could be offered")
    work = caller.desk.casework
    offer_ver = ask.offer_ver or await _offer_ver(caller, ask.case, advisor)
    if isinstance(ask, asking.Accept):
        return await work.accept(ask.case, caller.request(ask.op), advisor=advisor, offer_ver=offer_ver)
    request = caller.request(ask.op, ask.reason, wish_of(ask))
    return await work.decline(ask.case, request, advisor=advisor, offer_ver=offer_ver)


async def _offer_ver(caller: Caller, case: CaseId, advisor: AdvisorId) -> int:
    """The version of the offer he has now; 0, which no offer has, when there is none: the act says what then."""
    state = await caller.desk.reads.case(caller.desk.pool, case)
    return next((offer.ver for offer in state.offers if offer.advisor == advisor), 0) if state else 0


def _pending(ask: asking.Pend | asking.FollowUp, now_ms: int) -> Pending:
    until = ask.at if isinstance(ask, asking.FollowUp) else ask.until
    until_ms = _ms(until) if until else None
    if until_ms is not None and until_ms <= now_ms:
        raise refused("malformed", "The time to come back at is past.")
    return Pending(on=ask.on, since_ms=now_ms, reason=ask.reason, until_ms=until_ms)


def _ms(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)


def _known(name: str, names: Iterable[str], kind: str) -> None:
    known = sorted(names)
    if name in known:
        return
    close = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    detail = f"There is no {kind} {name[:64]!r}.{hint} Known: {', '.join(known)}."
    raise Refused(problem(f"unknown-{kind}", detail))


def _name(ask: CaseAsk) -> str:
    return str(type(ask).__struct_config__.tag).replace("_", " ")
