"""Advisors over REST: oneself, one, all."""

from typing import Final

from aiohttp import web

from router.api.acts.operations import Operations
from router.api.desks import Caller
from router.api.keys import EVERYONE, OVERSIGHT, STAFF, Gate
from router.api.problems import refused
from router.api.rest.answers import json_answer, number
from router.api.views import AdvisorView, View, advisor_view
from router.contract.ids import AdvisorId

_DEFAULT_PAGE: Final = 100
_MOST: Final = 500


class MeView(View, frozen=True, kw_only=True):
    """Whose key it is, and what it may do."""

    key: str
    role: str
    pool: str
    name: str = ""
    advisor: AdvisorView | None = None


class AdvisorsPage(View, frozen=True, kw_only=True):
    """Advisors in the order of their ids; ``next`` is ``after`` of the next page, absent on the last."""

    advisors: tuple[AdvisorView, ...]
    next: str = ""


class Advisors:
    """The handlers of ``/v1/advisors`` and ``/v1/me``."""

    def __init__(self, gate: Gate, operations: Operations) -> None:
        self._gate = gate
        self._operations = operations

    async def me(self, request: web.Request) -> web.Response:
        caller = self._gate.caller(request, EVERYONE)
        key = caller.key
        advisor = await self._find(caller, key.advisor) if key.advisor else None
        return json_answer(MeView(key=key.id, role=key.role, pool=key.pool, name=key.name, advisor=advisor))

    async def all(self, request: web.Request) -> web.Response:
        caller = self._gate.caller(request, OVERSIGHT)
        after = request.query.get("after", "")
        limit = number(request.query.get("limit"), default=_DEFAULT_PAGE, most=_MOST)
        states = (member.state for member in caller.desk.tail.roster)
        found = sorted((state for state in states if state.id > after), key=lambda state: state.id)
        shown = found[: max(limit, 1)]
        is_last = len(shown) == len(found)
        page = AdvisorsPage(advisors=tuple(map(advisor_view, shown)), next="" if is_last else shown[-1].id)
        return json_answer(page)

    async def operation(self, request: web.Request) -> web.Response:
        caller = self._gate.caller(request, STAFF)
        advisor = AdvisorId(request.match_info["advisor"])
        return json_answer(await self._operations.of_advisor(caller, advisor, request.match_info["op"]))

    async def one(self, request: web.Request) -> web.Response:
        caller = self._gate.caller(request, EVERYONE)
        advisor = AdvisorId(request.match_info["advisor"])
        if caller.advisor and caller.advisor != advisor:
            raise refused("forbidden", "An advisor's key shows himself only.")
        found = await self._find(caller, advisor)
        if found is None:
            raise refused("not-found", "There is no such advisor in this pool.")
        return json_answer(found)

    @staticmethod
    async def _find(caller: Caller, advisor: AdvisorId) -> AdvisorView | None:
        state = await caller.desk.reads.advisor(caller.desk.pool, advisor)
        return advisor_view(state) if state else None
