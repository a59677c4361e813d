"""What a rulebook would do to the clocks of the cases that are there, before it is put into force."""

from typing import Any, Final

import msgspec
from aiohttp import web

from router.api.keys import Gate
from router.api.problems import refused
from router.api.rest.answers import json_answer
from router.api.views import View
from router.contract.codec import rfc3339
from router.contract.config import Role
from router.service.replanning import MovedCase, forecast
from rules import RulebookError, restore

_SUPERVISORS: Final = frozenset({Role.SUPERVISOR})


class Forecast(View, frozen=True, kw_only=True):
    """Say what a rulebook would do to the clocks of the cases that are there. ``rulebook``: all of it, as one JSON
    object with the members of the rule files. Nothing is changed."""

    rulebook: dict[str, Any]


class DueMoveView(View, frozen=True, kw_only=True):
    """Where a due time is and would be. Without one the clock stands still, or is not promised."""

    due_at: str | None = None
    would_be_at: str | None = None


class MovedCaseView(View, frozen=True, kw_only=True):
    """A case whose clocks would run otherwise; ``overdue``: those that would be overdue at once by it. ``policy``: the
    one that it would have, if another."""

    case: str
    queue: str
    clocks: dict[str, DueMoveView]
    overdue: tuple[str, ...] = ()
    policy: str = ""


class ForecastView(View, frozen=True, kw_only=True):
    """What would change as of ``at``, if the rulebook came into force: of ``cases`` it touches the clocks of
    ``touched``. Due times that would move to ``earlier`` and to ``later``, clocks that begin or end to be promised or
    stand still (``other``), how many of each clock would be ``overdue`` at once, and how many cases would have another
    policy (``policies``: by that policy). ``shown``: the first 50 cases, those with an overdue clock before others."""

    at: str
    rulebook: str
    cases: int
    touched: int
    earlier: int
    later: int
    other: int
    overdue: dict[str, int]
    policies: dict[str, int]
    shown: tuple[MovedCaseView, ...]


class Forecasts:
    """The handler of ``/v1/rulebooks/forecast``."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def make(self, request: web.Request) -> web.Response:
        caller = self._gate.caller(request, _SUPERVISORS)
        try:
            asked = _ASK.decode(await request.read())
        except msgspec.DecodeError as exc:
            raise refused("malformed", f"The body is not as described: {exc}") from exc
        try:
            against = restore(msgspec.json.encode(asked.rulebook))
        except RulebookError as exc:
            raise refused("malformed", str(exc)) from exc
        desk = caller.desk
        found = await forecast(desk.actor, desk.reads, desk.lines, desk.policies, against=against)
        return json_answer(
            ForecastView(
                at=rfc3339(desk.actor.now_ms()),
                rulebook=against.hash,
                cases=found.cases,
                touched=found.touched,
                earlier=found.earlier,
                later=found.later,
                other=found.other,
                overdue=found.overdue,
                policies=found.policies,
                shown=tuple(map(_case, found.shown)),
            )
        )


_ASK: Final = msgspec.json.Decoder(Forecast)


def _case(found: MovedCase) -> MovedCaseView:
    clocks = {name: DueMoveView(due_at=_time(was), would_be_at=_time(now)) for name, (was, now) in found.moved.items()}
    return MovedCaseView(case=found.case, queue=found.queue, clocks=clocks, overdue=found.overdue, policy=found.policy)


def _time(at_ms: int | None) -> str | None:
    return None if at_ms is None else rfc3339(at_ms)
