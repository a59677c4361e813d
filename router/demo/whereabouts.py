"""Where each message is, as the advisors saw it. Pure."""

from collections.abc import Iterable
from enum import StrEnum

from router.demo.history import AdvisorEntry, Ended, FoundWaiting, Looked, Offered, Taken


class Place(StrEnum):
    """``NOWHERE``: nobody at the edges has seen it."""

    NOWHERE = "nowhere"
    WAITING = "waiting"
    WITH_ADVISOR = "with advisor"
    RESOLVED = "resolved"


# What an end means for the case. A pending case keeps its owner; whatever else ends sends it back to its queue.
_AFTER = {"resolve": Place.RESOLVED, "pend": Place.WITH_ADVISOR}


class Whereabouts:
    """Folds the advisors' histories, which must be in the order of their times.

    ``assigned``: tokens of messages whose case has been in an advisor's hands. ``first_offer``: when a message
    was first seen in an offer. ``doubled``: how many messages a token became, where that isn't one.
    """

    def __init__(self, advisors: Iterable[AdvisorEntry], found: Iterable[FoundWaiting] = ()) -> None:
        self.assigned: set[str] = set()
        self.first_offer: dict[str, float] = {}
        self._cases: dict[str, Place] = {}
        self._holders: dict[str, str] = {}
        self._of: dict[str, str] = {}
        self._tokens: dict[str, set[str]] = {}
        self._messages: dict[str, set[str]] = {}
        for entry in sorted(advisors, key=lambda entry: entry.at):
            self._fold(entry)
        for waiting in found:
            self._sees(waiting.case, (waiting.token,))
            self._cases.setdefault(waiting.case, Place.WAITING)
        self.doubled = {name: len(ids) for name, ids in self._messages.items() if len(ids) > 1}

    def place(self, token: str) -> Place:
        """Where the message is at the end."""
        return self._cases.get(self._of.get(token, ""), Place.NOWHERE)

    def _fold(self, entry: AdvisorEntry) -> None:
        match entry:
            case Offered():
                self._arrived(entry)
            case Taken():
                self._cases[entry.case] = Place.WITH_ADVISOR
                self.assigned |= self._tokens.get(entry.case, set())
            case Looked():
                self._sees(entry.case, [token for _, token in entry.messages if token])
                for id_, token in entry.messages:
                    if token:
                        self._messages.setdefault(token, set()).add(id_)
                if self._cases.get(entry.case) is not Place.WAITING:
                    self.assigned |= self._tokens[entry.case]
            case Ended():
                self._ended(entry)
            case _:
                return

    def _arrived(self, entry: Offered) -> None:
        self._sees(entry.case, entry.tokens)
        self._holders[entry.case] = entry.advisor
        self._cases[entry.case] = Place.WITH_ADVISOR
        for name in entry.tokens:
            self.first_offer.setdefault(name, entry.at)
        if entry.is_assigned:
            self.assigned |= self._tokens[entry.case]

    def _ended(self, entry: Ended) -> None:
        # The next advisor may have heard of his offer before this one heard that his is over.
        if self._holders.get(entry.case) == entry.advisor:
            self._cases[entry.case] = _AFTER.get(entry.by, Place.WAITING)

    def _sees(self, case: str, tokens: Iterable[str]) -> None:
        known = self._tokens.setdefault(case, set())
        for name in tokens:
            known.add(name)
            self._of[name] = case
