"""The last decision on a case in full: every advisor, with all that spoke against him or for him."""

import asyncio
from typing import Final

import msgspec
from aiohttp import web

from router.api.acts.rights import shown_case
from router.api.desks import Desk
from router.api.keys import STAFF, Gate
from router.api.problems import refused
from router.api.rest.answers import json_answer, number
from router.api.rest.answers import language as language_wanted
from router.api.views import View
from router.api.wording.names import reason
from router.api.wording.phrases import Language, Phrase, say
from router.contract.codec import rfc3339
from router.contract.ids import CaseId
from router.engine.explain import Explanation, decide_again, read_explanation
from router.engine.review import Review, Reviewed, recorded, review
from router.service.hindsight import roster_of

_SHOWN: Final = 100
_MOST: Final = 1_000


class ReviewedView(View, frozen=True, kw_only=True):
    """One advisor. ``place`` among those who could have it, the first 1, with ``terms``, of which the first that
    differs decides; or the ``filters`` that he didn't pass, and the same in words."""

    advisor: str
    place: int | None = None
    terms: dict[str, float] = msgspec.field(default_factory=dict)
    filters: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


class DecisionPage(View, frozen=True, kw_only=True):
    """The last decision on a case. ``source``: ``decided-again`` from the advisors' rows as they were, with
    everybody; or ``recorded``: only what was written down then, which ``note`` says why. ``agrees`` is false where the
    router that decided saw something else, such as decisions of its own that were under way. ``considered`` is how
    many there are, ``able`` how many could have had it, ``advisors`` the best of them and then others, nearest
    first."""

    case: str
    decided_at: str
    rulebook: str
    strategy: str
    source: str
    considered: int
    able: int | None = None
    agrees: bool | None = None
    note: str = ""
    winner: str = ""
    advisors: tuple[ReviewedView, ...] = ()


class Decisions:
    """The handler of ``/v1/cases/{case}/decision``."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def show(self, request: web.Request) -> web.Response:
        caller = self._gate.caller(request, STAFF)
        state = await shown_case(caller, CaseId(request.match_info["case"]))
        made = read_explanation(state.why)
        if made is None:
            raise refused("not-found", "Nobody has decided on the case yet.")
        language = language_wanted(request)
        found, lacking = await _again(caller.desk, made, state.id)
        only = request.query.get("advisor", "")
        most = number(request.query.get("limit"), default=_SHOWN, most=_MOST)
        shown = [one for one in found.advisors if not only or one.advisor == only][:most]
        if only and not shown and not lacking:
            raise refused("unknown-advisor", f"{only[:64]!r} was not on the roster when it was decided.")
        page = DecisionPage(
            case=state.id,
            decided_at=rfc3339(made.at_ms),
            rulebook=made.rulebook,
            strategy=made.strategy,
            source="recorded" if lacking else "decided-again",
            note=say(language, lacking) if lacking else "",
            considered=made.considered,
            able=found.able,
            agrees=found.agrees,
            winner=decide_again(made) or "",
            advisors=tuple(_view(one, language) for one in shown),
        )
        return json_answer(page)


async def _again(desk: Desk, made: Explanation, case: CaseId) -> tuple[Review, Phrase | None]:
    """The decision made again; else as it was recorded, and why no more is known."""
    rows = desk.past.rows(made.roster_gen, made.roster_change)
    if rows is None:
        return recorded(made), Phrase.ROWS_GONE
    rulebook = desk.policies.held(made.rulebook)
    if rulebook is None:
        return recorded(made), Phrase.RULES_GONE
    return await asyncio.to_thread(lambda: review(roster_of(rows), made, case, rulebook)), None


def _view(one: Reviewed, language: Language) -> ReviewedView:
    return ReviewedView(
        advisor=one.advisor,
        place=one.place or None,
        terms={name: round(value, 6) for name, value in one.terms.items()},
        filters=tuple(map(str, one.removed)),
        reasons=tuple(reason(language, name) for name in one.removed),
    )
