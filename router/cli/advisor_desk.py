"""An advisor's desk at the terminal: his cases by small numbers, and what each thing told means. Does no I/O."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final, assert_never

from router.api.sessions import frames
from router.api.sessions.frames import Answer, Push, Welcome, WorkItem
from router.cli.advisor_text import Line, Span, column, line, one_line
from router.cli.advisor_time import seconds_left

MAX_GONE: Final = 200
_REMIND_AT_S: Final = 5
_RESTING: Final = "pending"
_RESTS: Final = frozenset({_RESTING, "parked"})
_ADVICE: Final = "consult-offer"
RINGS: Final = frozenset({"offer", _ADVICE})
_ON_DESK: Final = RINGS | {"case", "consult", "wrap-up"}
_STATES: Final = {
    "joined": "is in on it",
    "declined": "gives no advice",
    "expired": "does not answer",
    "left": "has gone",
    "ended": "is done with it",
}
_COLUMNS: Final = ((4, "n"), (9, "what"), (15, "queue"), (10, "channel"), (4, "pr"), (16, "customer"), (34, "subject"))


class Place:
    """One case under its number. ``kind`` is that of the work item, or ``pending`` or ``gone``; ``seen`` the
    customer's last message that was shown, ``ver`` the newest version of the case that was."""

    def __init__(self, number: int, case: str) -> None:
        self.number = number
        self.case = case
        self.kind = "gone"
        self.work: WorkItem | None = None
        self.told: set[str] = set()
        self.seen = ""
        self.ver = 0
        self.is_reminded = False

    def sees(self, inquiry: str, ver: int) -> bool:
        """Note a message that is told, unless it is old; whether it is news."""
        if ver < self.ver:
            return False
        is_news = inquiry != self.seen
        self.seen, self.ver = inquiry, ver
        return is_news

    @property
    def is_here(self) -> bool:
        return self.kind in _ON_DESK


class Desk:
    """The work set as far as it was told. A case keeps its number for as long as the terminal runs."""

    def __init__(self) -> None:
        self.advisor = ""
        self.presence = "offline"
        self._reason = ""
        self._away_from: tuple[str, ...] = ()
        self._by_case: dict[str, Place] = {}
        self._by_number: dict[int, Place] = {}
        self._last = 0

    # -- looking up

    def find(self, number: int) -> Place | None:
        return self._by_number.get(number)

    def number_of(self, case: str) -> int:
        """The case's number; it gets one if it has none."""
        return self._place(case).number

    def first_offer(self) -> Place | None:
        """The offer that ends first."""
        offers = [place for place in self._by_case.values() if place.kind in RINGS and place.work]
        return min(offers, key=lambda place: place.work.deadline if place.work else "", default=None)

    def only_case(self) -> Place | None:
        """The one case on the desk, if there is exactly one."""
        here = [place for place in self._by_case.values() if place.is_here]
        return here[0] if len(here) == 1 else None

    def cases(self) -> tuple[str, ...]:
        """The cases that are his, pending ones too."""
        return tuple(case for case, place in self._by_case.items() if place.is_here or place.kind in _RESTS)

    # -- what is told

    def welcome(self, frame: Welcome, now: datetime, *, is_first: bool) -> list[Line]:
        """Take over the whole work set; what to say of the differences to what was known."""
        was_present = self.presence
        self.advisor, self.presence, self._reason = frame.advisor, frame.presence, frame.reason
        self._away_from = frame.away_from
        said = [self._presence_line()] if is_first or was_present != self.presence else []
        if self.presence == "offline":
            said.append(line(Span("You get no work while offline: type `online` to begin.", "dim")))
        here = {work.case for work in frame.work}
        for place in [one for one in self._by_case.values() if one.is_here and one.case not in here]:
            said += self._goes(place, "while you were not connected")
        for work in frame.work:
            self._place(work.case).ver = 0  # after a rebuild versions may be lower than those shown before
            said += self._comes(work, now)
        return said

    def told(self, push: Push, now: datetime) -> list[Line]:
        """What a push means; nothing when it says what is known."""
        match push:
            case frames.Offered() | frames.Assigned():
                return self._comes(push.work, now)
            case frames.OfferEnded() | frames.Released() | frames.WrapUpEnded():
                return self._ends(push)
            case frames.WrapUpBegun():
                place = self._place(push.case)
                place.kind = "wrap-up"
                left_s = seconds_left(push.until, now)
                return [line(Span(f"{place.number}: wrap-up for {left_s} s; `wrap-up {place.number}` ends it", "dim"))]
            case frames.Message():
                if push.ver and not self._place(push.case).sees(push.inquiry, push.ver):
                    return []
                words = one_line(push.summary) or one_line(push.subject)
                return [line(Span(f"{self.number_of(push.case)}: the customer has written again: ", "bold"), words)]
            case frames.Delivery():
                return self.delivery(push.case, reply=push.reply, state=push.state, reason=push.reason)
            case frames.Consulted() | frames.PresenceChanged() | frames.Confirmed():
                return self._heard(push)
            case _:
                assert_never(push)

    def _heard(self, push: frames.Consulted | frames.PresenceChanged | frames.Confirmed) -> list[Line]:
        """What comes of what he, or another tab of his, has asked for."""
        match push:
            case frames.Consulted():
                return [self._advice(push)]
            case frames.PresenceChanged():
                was = (self.presence, self._reason, self._away_from)
                self.presence, self._reason, self._away_from = push.presence, push.reason, push.away_from
                return [self._presence_line()] if was != (push.presence, push.reason, push.away_from) else []
            case frames.Confirmed():
                return [line(Span(f"{self._about(push.case)}safe now: {push.op}", "dim"))]

    def delivery(self, case: str, *, reply: str, state: str, reason: str) -> list[Line]:
        """Say once that a reply did not arrive, or may not have."""
        place = self._place(case)
        if f"{reply}={state}" in place.told:
            return []
        place.told.add(f"{reply}={state}")
        what = "did not reach the customer" if state == "failed" else "may not have reached the customer"
        return [line(Span(f"{place.number}: your reply {what}", "bold red"), f": {reason}" if reason else "")]

    def _advice(self, push: frames.Consulted) -> Line:
        """What became of the advice he asked for."""
        said = f"{push.advisor} {_STATES.get(push.state, push.state)}"
        why = f" ({one_line(push.reason)})" if push.reason else ""
        rings = f"; {push.rings} is asked now" if push.rings else ""
        is_lost = not rings and push.state not in ("joined", "ended")
        nobody = "; nobody is asked any more" if is_lost else ""
        return line(Span(f"{self.number_of(push.case)}: {said}{why}{rings}{nobody}", "yellow" if is_lost else "green"))

    def read(self, answer: Answer) -> None:
        """He has been shown the case with its conversation."""
        if answer.case is not None:
            place, inquiries = self._place(answer.case.id), (one for one in answer.transcript if one.kind == "inquiry")
            place.seen, place.ver = next((one.id for one in reversed(tuple(inquiries))), ""), answer.case.ver

    def done(self, case: str, kind: str) -> None:
        """An act of his took effect: the push that says so too may come later, or never."""
        place = self._place(case)
        match kind:
            case "accept":
                place.kind = {"offer": "case", _ADVICE: "consult"}.get(place.kind, place.kind)
            case "pend" | "follow_up":
                place.kind = _RESTING
            case "resolve" | "transfer" | "decline" | "not_me":
                # That it is being wrapped up may have been told before.
                place.kind = place.kind if place.kind == "wrap-up" else "gone"
            case _:
                return

    def reminders(self, now: datetime) -> list[Line]:
        """Offers about to end of which nothing was said yet."""
        said = []
        for place in self._by_case.values():
            if place.kind not in RINGS or place.work is None or place.is_reminded:
                continue
            left_s = seconds_left(place.work.deadline, now)
            if left_s <= _REMIND_AT_S:
                place.is_reminded = True
                said.append(line(Span(f"offer {place.number}: {left_s} s left", "bold yellow")))
        return said

    # -- what is shown

    def listing(self, now: datetime) -> list[Line]:
        """Presence and everything at hand, in columns."""
        shown = [place for place in self._by_number.values() if place.is_here or place.kind in _RESTS]
        said = [self._presence_line()]
        if not shown:
            return [*said, line(Span("Nothing at hand.", "dim"))]
        said.append(line(Span(" ".join(column(title, cells) for cells, title in _COLUMNS).rstrip(), "dim")))
        return [*said, *(self._row(place, now) for place in shown)]

    def _row(self, place: Place, now: datetime) -> Line:
        work = place.work
        if work is None:
            return line(" ".join(column(text, cells) for (cells, _), text in zip(_COLUMNS, _bare(place), strict=False)))
        words = work.subject or work.summary
        texts = (*_bare(place), work.queue, work.channel, str(work.priority), work.customer, words)
        row = " ".join(column(text, cells) for (cells, _), text in zip(_COLUMNS, texts, strict=True))
        if place.kind not in RINGS:
            return line(row.rstrip())
        return line(row, Span(f" {seconds_left(work.deadline, now)} s left", "bold yellow"))

    def _presence_line(self) -> Line:
        reason = f" ({one_line(self._reason)})" if self._reason else ""
        less = f", but not for {one_line(', '.join(self._away_from))}" if self._away_from else ""
        style = "green" if self.presence == "online" and not less else "yellow"
        return line(f"{self.advisor}: you are ", Span(f"{self.presence}{reason}{less}", style))

    # -- changes

    def _comes(self, work: WorkItem, now: datetime) -> list[Line]:
        place = self._place(work.case)
        before, place.work = place.work, work
        place.sees(work.inquiry, work.ver)
        was, place.kind = place.kind, work.kind
        if work.kind in RINGS:
            is_same = was == work.kind and before is not None and before.offer_ver == work.offer_ver
            place.is_reminded = place.is_reminded and is_same
            return [] if is_same else [*_offer_lines(place, work, now)]
        said = []
        if work.kind not in (was, "wrap-up", "parked"):
            what = "is yours again" if was in _RESTS else "is yours" if work.kind == "case" else "asks for your advice"
            said.append(line(Span(f"{place.number} {what}: ", "bold green"), _about(work)))
        elif before is not None and work.inquiries > before.inquiries:
            said.append(
                line(Span(f"{place.number}: the customer has written again: ", "bold"), work.summary or work.subject)
            )
        return said

    def _ends(self, push: frames.OfferEnded | frames.Released | frames.WrapUpEnded) -> list[Line]:
        place = self._place(push.case)
        match push:
            case frames.OfferEnded():
                is_news, reason = place.kind in RINGS, push.reason
            case frames.Released():
                is_news, reason = place.is_here and place.kind not in RINGS | {"wrap-up"}, push.reason
            case frames.WrapUpEnded():
                is_news, reason = place.kind == "wrap-up", "wrapped up"
        return self._goes(place, reason) if is_news else []

    def _goes(self, place: Place, reason: str) -> list[Line]:
        was, place.kind = place.kind, reason if reason in _RESTS else "gone"
        if was == "wrap-up":
            return []
        what = "offer " if was in RINGS else ""
        return [line(Span(f"{what}{place.number} has gone: {one_line(reason)}", "dim"))]

    def _place(self, case: str) -> Place:
        place = self._by_case.get(case)
        if place is None:
            self._forget()
            self._last += 1
            place = self._by_case[case] = self._by_number[self._last] = Place(self._last, case)
        return place

    def _forget(self) -> None:
        """Let the oldest of what has gone go, when there is very much of it."""
        gone = [place for place in self._by_case.values() if place.kind == "gone"]
        for place in gone[: len(gone) - MAX_GONE]:
            del self._by_case[place.case], self._by_number[place.number]

    def _about(self, case: str) -> str:
        return f"{self.number_of(case)}: " if case else ""


def _bare(place: Place) -> Iterable[str]:
    return (str(place.number), place.kind)


def _about(work: WorkItem) -> str:
    language = f", {work.language}" if work.language else ""
    words = one_line(work.summary) or one_line(work.subject)
    return f"{work.queue}, {work.channel}, priority {work.priority}{language}, {one_line(work.customer)}: {words}"


def _offer_lines(place: Place, work: WorkItem, now: datetime) -> Iterator[Line]:
    left_s = seconds_left(work.deadline, now)
    what = f"{work.asked_by} asks for your advice on" if work.kind == _ADVICE else "offer"
    yield line(Span(f"{what} {place.number}: ", "bold yellow"), _about(work))
    yield line(Span(f"  {left_s} s to answer: `accept {place.number}` or `decline {place.number}`", "yellow"))
