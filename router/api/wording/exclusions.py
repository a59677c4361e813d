"""Whom a case is kept from, in words. Pure."""

from collections.abc import Iterator

from router.api.wording.phrases import Language, Phrase, say
from router.contract.case import CaseDetail
from router.contract.exclusion import Exclusion


def exclusion_lines(detail: CaseDetail, language: Language) -> Iterator[str]:
    """A line for each who is excluded now, of whom it is known why."""
    last = {said.advisor: said for said in detail.exclusions if not said.lifted}
    for name in detail.excluded:
        if name in last:
            yield _line(last[name], language)


def _line(said: Exclusion, language: Language) -> str:
    if not said.by:
        return say(language, Phrase.EXCLUDED_BY_RULES, advisor=said.advisor, rules=", ".join(said.rules))
    reason = f": {said.reason}" if said.reason else ""
    return say(language, Phrase.EXCLUDED_BY, advisor=said.advisor, by=said.by, reason=reason)
