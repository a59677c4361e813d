"""Asking a colleague for advice, and ending it."""

from typing import Final, assert_never

from router.api.acts import asking
from router.api.acts.rights import own_case
from router.api.desks import Caller
from router.api.problems import refused
from router.engine.consulting import Whom
from router.store.acts import Outcome

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


async def advise(caller: Caller, ask: asking.Consult | asking.HandBack) -> Outcome:
    """Apply what leaves the case with who has it. Raises ``Refused`` where it can't be, or isn't his to say."""
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


async def _hand_back(caller: Caller, ask: asking.HandBack) -> Outcome:
    advisor = ask.of or caller.key.advisor
    if advisor is None:
        raise refused("malformed", "Name `of` whom: this key names no advisor.")
    if caller.advisor and advisor != caller.advisor and (await own_case(caller, ask.case)).owner != caller.advisor:
        raise refused("not-yours", "Only who has the case may end another's part in it.")
    return await caller.desk.casework.hand_back(ask.case, caller.request(ask.op, ask.reason), advisor=advisor)
