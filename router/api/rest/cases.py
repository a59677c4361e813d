"""Cases over REST: look at one, act on it, ask how far an act got."""

import re
from collections.abc import Sequence
from typing import Final

from aiohttp import web

from router.api.acts import asking
from router.api.acts.acting import Done, perform
from router.api.acts.asking import MESSAGES_SHOWN, MOST_MESSAGES
from router.api.acts.operations import Operations, OperationView
from router.api.acts.rights import shown_case
from router.api.desks import Caller, Desk
from router.api.keys import ACTING, STAFF, Gate
from router.api.metrics import ApiMetrics
from router.api.problems import refused
from router.api.rest.answers import json_answer, number
from router.api.rest.answers import language as language_wanted
from router.api.transcripts import EntryView, Links, conversation
from router.api.views import CaseView, View, case_view
from router.api.wording.words import ExplanationView, Line, Words
from router.contract.case import CaseState, CaseStatus
from router.contract.codec import rfc3339
from router.contract.ids import CaseId
from router.engine.decide import Waiting
from router.engine.estimate import Lines

ACTS: Final = {
    "accept": "accept",
    "decline": "decline",
    "reply": "reply",
    "note": "note",
    "label": "label",
    "pend": "pend",
    "follow-up": "follow_up",
    "resolve": "resolve",
    "transfer": "transfer",
    "assign": "assign",
    "requeue": "requeue",
    "exclude": "exclude",
    "take": "take",
    "snooze": "snooze",
    "acknowledge": "acknowledge",
    "escalate": "escalate",
    "lower": "lower",
    "wrap-up": "wrap_up",
    "park": "park",
    "unpark": "unpark",
    "consult": "consult",
    "hand-back": "hand_back",
    "pick": "pick",
}
"""Path to type of every act on a case."""

_LINE_SHOWN: Final = 1_000
_OPERATION: Final = re.compile(asking.OPERATION)


class ActView(View, frozen=True, kw_only=True, omit_defaults=False):
    """An act that took effect. With ``durable`` false (status 202) its event is not on the bus yet: ask
    ``/v1/cases/{case}/operations/{operation}``, or repeat the request with the same ``Idempotency-Key``."""

    operation: str
    result: str
    durable: bool
    case: CaseView | None = None


class HistoryView(View, frozen=True, kw_only=True):
    """One act on a case. ``about``: an inquiry, a reply, an advisor."""

    ver: int
    act: str
    outcome: str
    at: str
    actor: str = ""
    about: str = ""


class CasePage(View, frozen=True, kw_only=True):
    """One case with all that is known of it. ``transcript``: its last messages, oldest first, 100 or as many as
    ``last`` of the query says; ``earlier`` when others stand before them."""

    case: CaseView
    transcript: tuple[EntryView, ...]
    earlier: bool
    history: tuple[HistoryView, ...]
    explanation: ExplanationView


class Cases:
    """The handlers of ``/v1/cases``."""

    def __init__(self, gate: Gate, links: Links, operations: Operations, metrics: ApiMetrics) -> None:
        self._gate = gate
        self._links = links
        self._operations = operations
        self._metrics = metrics

    async def show(self, request: web.Request) -> web.Response:
        caller = self._gate.caller(request, STAFF)
        desk = caller.desk
        state = await shown_case(caller, _case(request))
        last = max(1, number(request.query.get("last"), default=MESSAGES_SHOWN, most=MOST_MESSAGES))
        said = await conversation(desk, state.id, self._links, last=last)
        history = await desk.reads.history(desk.pool, state.id)
        page = CasePage(
            case=case_view(state),
            transcript=said.entries,
            earlier=said.earlier,
            history=tuple(history_view(line) for line in history),
            explanation=await _explained(request, desk, state, history),
        )
        return json_answer(page)

    async def act(self, request: web.Request) -> web.Response:
        caller = self._gate.caller(request, ACTING)
        op = request.headers.get("Idempotency-Key", "")
        if not _OPERATION.fullmatch(op):
            raise refused(
                "no-operation", "Send 1 to 128 letters, digits or ._:~+=- that no other request of this key has."
            )
        kind = ACTS.get(request.match_info["act"])
        if kind is None:
            raise refused("not-found", f"There is no such act. Acts: {', '.join(ACTS)}.")
        ask = asking.read_body(kind, await request.read(), case=_case(request), op=op)
        done = await perform(caller, ask)
        return await self._answer(caller, done, _case(request))

    async def operation(self, request: web.Request) -> web.Response:
        caller = self._gate.caller(request, STAFF)
        found: OperationView = await self._operations.of_case(caller, _case(request), request.match_info["op"])
        return json_answer(found)

    async def _answer(self, caller: Caller, done: Done, case: CaseId) -> web.Response:
        durable = await self._operations.applied(caller, done, case)
        if not durable:
            self._metrics.late.inc()
        view = ActView(
            operation=done.op,
            result=done.result,
            durable=durable,
            case=case_view(done.case) if done.case else None,
        )
        return json_answer(view, status=200 if durable else 202)


def history_view(line: str) -> HistoryView:
    """A line of the store's history, ``ver|act|outcome|at_ms|actor|about``."""
    ver, act, outcome, at_ms, actor, about = line.split("|", 5)
    return HistoryView(ver=int(ver), act=act, outcome=outcome, at=rfc3339(int(at_ms)), actor=actor, about=about)


def _case(request: web.Request) -> CaseId:
    return CaseId(request.match_info["case"])


async def _explained(request: web.Request, desk: Desk, state: CaseState, history: Sequence[str]) -> ExplanationView:
    """In the language that the query's ``lang`` names, else the one that the header asks for."""
    language = language_wanted(request)
    line = await _line(desk, state) if state.state is CaseStatus.QUEUED else Line()
    words = Words(language, desk.tail.roster, desk.policies.judged_by(state), desk.actor.now_ms())
    return words.explained(state, line, history)


async def _line(desk: Desk, state: CaseState) -> Line:
    sizes = await desk.lines.line_sizes(desk.pool)
    lines = Lines(
        heads=[
            Waiting(class_key=line.class_key, score_ms=line.score, case=line.case, length=line.length) for line in sizes
        ],
        lengths={line.class_key: line.length for line in sizes},
    )
    first = await desk.reads.waiting(desk.pool, state.class_key, _LINE_SHOWN)
    return Line(lines, first, desk.pace.latest)
