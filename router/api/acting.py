"""Doing what was asked for, with the caller's rights, and saying how far it got."""

import difflib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, assert_never

import msgspec

from router.api import asking
from router.api.asking import CaseAsk
from router.api.desks import Caller, is_his, may_pick, was_his
from router.api.excluding import as_excluded, check_wish, wish_of
from router.api.ladders import climbed
from router.api.problems import Problem, Refused, of_result, problem, refused
from router.api.resting import Resting, rest
from router.contract.case import CaseState, Pending, read_detail
from router.contract.config import Role
from router.contract.ids import AdvisorId, CaseId
from router.engine.consulting import Whom
from router.engine.exclusions import NO_WISH
from router.store.acts import Outcome, Result
from rules import Queue, Rulebook

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

_LACKING: Final = {
    "rung": "Somebody is rung for advice already; end that first. Nothing has changed.",
    "many": "As many give advice on the case as can; nothing has changed.",
    "unknown": "There is no such advisor; nothing has changed.",
    "himself": "He has the case himself; nothing has changed.",
    "excluded": "The advisor must not have the case; nothing has changed.",
    "absent": "The advisor isn't online; nothing has changed.",
    "full": "The advisor has no room for it now; nothing has changed.",
    "nobody": "Nobody who was meant can be asked now; nothing has changed.",
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
    it with the same operation id then."""
    await _check(caller, ask)
    outcome = await _apply(caller, ask)
    found = of_result(outcome.result)
    if found is not None:
        raise Refused(as_excluded(caller, ask, outcome) or _pointed(found, outcome))
    if outcome.repeated and outcome.result not in _GIVES.get(type(ask), _DONE):
        raise refused("operation-used", "Another act of this key on the case has this operation id; take a new one.")
    number = await caller.desk.actor.durable_at(outcome)
    return Done(op=ask.op, result=_told(caller, ask, outcome), number=number, case=outcome.case)


def _pointed(found: Problem, outcome: Outcome) -> Problem:
    """The problem with the message that it is about."""
    if outcome.result is not Result.UNSEEN or outcome.case is None:
        return found
    return msgspec.structs.replace(found, inquiry=outcome.case.last_inquiry)


async def own_case(caller: Caller, case: CaseId) -> CaseState:
    """A case that the caller may see. Raises ``Refused``."""
    state = await caller.desk.reads.case(caller.desk.pool, case)
    if state is None:
        raise refused("not-found", "The case is closed for good, or never was.")
    if caller.advisor and not is_his(state, caller.advisor):
        raise refused("not-yours", "Only the advisor who has the case, or is offered it, may see it.")
    return state


async def shown_case(caller: Caller, case: CaseId) -> CaseState:
    """A case that the caller may look at: his, or one that was his before it was escalated. Raises ``Refused``."""
    state = await caller.desk.reads.case(caller.desk.pool, case)
    if state is None or not caller.advisor or not was_his(state, caller.advisor):
        return await own_case(caller, case)
    return state


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
    queue = await _queue_of(caller, case)
    if queue is not None and getattr(queue, setting):
        code = "note-needed" if setting == "transfer_note" else "reason-needed"
        raise refused(code, f"The queue asks for it (`{setting}`).")


async def _queue_of(caller: Caller, case: CaseId) -> Queue | None:
    """The settings of the queue that a case belongs to; None for a case or a queue that isn't there any more."""
    state = await caller.desk.reads.case(caller.desk.pool, case)
    return caller.desk.policies.active.queues.get(read_detail(state.detail).verdict.queue) if state else None


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
            return await _take(caller, ask)
        case asking.Snooze():
            return await work.put_off(ask.case, request, for_s=ask.for_s)
        case asking.Acknowledge():
            return await work.put_off(ask.case, request)
        case asking.Consult() | asking.HandBack():
            return await _beside(caller, ask)
        case asking.Park() | asking.Unpark() | asking.WrapUp():
            return await rest(caller, ask)
        case _:
            assert_never(ask)


async def _take(caller: Caller, ask: asking.Take) -> Outcome:
    advisor = caller.key.advisor
    if advisor is None:
        raise refused("forbidden", "This key names no advisor who could take anything.")
    return await caller.desk.casework.take(ask.case, caller.request(ask.op), advisor=advisor)


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
            return await work.pick(ask.case, request, advisor=await _picker(caller, ask.case))
        case _:
            assert_never(ask)


async def _picker(caller: Caller, case: CaseId) -> AdvisorId:
    """The advisor of the key, if the case's queue lets him take cases himself."""
    advisor, queue = caller.key.advisor, await _queue_of(caller, case)
    if advisor is None:
        raise refused("forbidden", "This key names no advisor who could take it.")
    if queue is None or not may_pick(caller.desk, advisor, queue):
        raise refused("forbidden", "The queue lets no advisor of your tier take its cases himself.")
    return advisor


async def _hand_back(caller: Caller, ask: asking.HandBack) -> Outcome:
    advisor = ask.of or caller.key.advisor
    if advisor is None:
        raise refused("malformed", "Name `of` whom: this key names no advisor.")
    if caller.advisor and advisor != caller.advisor and (await own_case(caller, ask.case)).owner != caller.advisor:
        raise refused("not-yours", "Only who has the case may end another's part in it.")
    return await caller.desk.casework.hand_back(ask.case, caller.request(ask.op, ask.reason), advisor=advisor)


async def _answer_offer(caller: Caller, ask: asking.Accept | asking.Decline) -> Outcome:
    advisor = caller.key.advisor
    if advisor is None:
        raise refused("forbidden", "This key names no advisor to whom anything could be offered.")
    work = caller.desk.casework
    offer_ver = ask.offer_ver or await _offer_ver(caller, ask.case, advisor)
    if isinstance(ask, asking.Accept):
        return await work.accept(ask.case, caller.request(ask.op), advisor=advisor, offer_ver=offer_ver)
    request = caller.request(ask.op, ask.reason, wish_of(ask))
    return await work.decline(ask.case, request, advisor=advisor, offer_ver=offer_ver)


async def _beside(caller: Caller, ask: asking.Consult | asking.HandBack) -> Outcome:
    """What leaves the case with who has it."""
    match ask:
        case asking.Consult():
            return await _consult(caller, ask)
        case asking.HandBack():
            return await _hand_back(caller, ask)
        case _:
            assert_never(ask)


async def _consult(caller: Caller, ask: asking.Consult) -> Outcome:
    whom = Whom(to=ask.to, queue=ask.queue, tier=ask.tier, skills=ask.skills)
    request = caller.request(ask.op, ask.reason)
    found = await caller.desk.casework.consult(ask.case, request, whom=whom, note=ask.note)
    if found.lacking:
        raise refused("excluded" if found.lacking == "excluded" else "unfit", _LACKING[found.lacking])
    return found.outcome


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
