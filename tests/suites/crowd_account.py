"""What the bus and the API tell of cases afterwards, folded so that a test can hold it against what was seen."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import aiohttp
import msgspec

from router.contract import topics
from router.contract.case import CaseStatus
from router.contract.codec import Decoder
from router.contract.events import CaseEvent, EventType
from router.contract.ids import AdvisorId
from router.runtime.bus.protocol import Bus, Record
from tests.suites.crowd import Talk
from tests.suites.crowd_advisor import Worker

_EVENT = Decoder(CaseEvent)


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """The events of a pool, each once, in the order in which the store made them."""

    events: tuple[CaseEvent, ...]

    def of(self, case: str) -> list[CaseEvent]:
        return [event for event in self.events if event.subject == case]

    def acts(self, case: str) -> list[EventType]:
        return [event.type for event in self.of(case)]

    def holders(self) -> "Holdings":
        return Holdings(self.events)

    def last(self) -> dict[str, CaseEvent]:
        """The newest event of each case."""
        return {event.subject: event for event in self.events}

    def faults(self) -> list[str]:
        """Holes in a case's versions, and conversations with more than one case."""
        versions: dict[str, list[int]] = {}
        cases: dict[str, set[str]] = {}
        for event in self.events:
            versions.setdefault(event.subject, []).append(event.ver)
            cases.setdefault(event.case.conversation, set()).add(event.subject)
        holes = [f"{case}: {seen}" for case, seen in versions.items() if seen != list(range(1, len(seen) + 1))]
        return holes + [f"{talk} has {len(found)} cases" for talk, found in cases.items() if len(found) > 1]


class Holdings:
    """Who had what at the same time: the most cases an advisor held, and cases held by more than one."""

    def __init__(self, events: Iterable[CaseEvent]) -> None:
        self.most: Counter[str] = Counter()
        self.shared: list[str] = []
        self._held: dict[str, set[str]] = {}
        for event in events:
            self._fold(event)

    def _fold(self, event: CaseEvent) -> None:
        case = event.case
        rests = case.state in (CaseStatus.PENDING, CaseStatus.RESOLVED)
        # What rings beside an owner, for advice, has units of its own.
        holders = {offer.advisor for offer in case.offers if offer.units is None}
        holders |= {AdvisorId(case.owner)} if case.owner and not rests else set()
        if len(holders) > 1:
            self.shared.append(f"{event.id}: {sorted(holders)}")
        for name in holders | self._held.keys():
            held = self._held.setdefault(name, set())
            held.add(event.subject) if name in holders else held.discard(event.subject)
            self.most[name] = max(self.most[name], len(held))


class Chronicle:
    """Events as they are read from the bus: one that is there twice must be the same twice."""

    def __init__(self, pool: str) -> None:
        self._pool = pool
        self._events: dict[str, CaseEvent] = {}
        self.last: dict[str, CaseEvent] = {}

    def take(self, record: Record) -> None:
        event = _EVENT.decode(record.value, CaseEvent)
        if event.pool != self._pool:
            return
        assert self._events.setdefault(event.id, event) == event, f"event {event.id} is there with two contents"
        if event.subject not in self.last or self.last[event.subject].number < event.number:
            self.last[event.subject] = event

    def story(self, cases: Iterable[str] | None = None) -> Story:
        """Of these cases, or of all."""
        wanted = self.last if cases is None else set(cases)
        events = (event for event in self._events.values() if event.subject in wanted)
        return Story(events=tuple(sorted(events, key=lambda event: (event.gen, event.number))))


async def story(bus: Bus, pool: str) -> Story:
    """Every event of the pool that is on the bus."""
    told = Chronicle(pool)
    async for record in bus.history(topics.EVENTS):
        told.take(record)
    return told.story()


async def count(bus: Bus, topic: str) -> int:
    """How many records a topic holds."""
    return len([record async for record in bus.history(topic)])


class Office:
    """A supervisor's view of the installation over the API."""

    def __init__(self, http: aiohttp.ClientSession, url: str, key: str) -> None:
        self._http = http
        self._url = url
        self._headers = {"Authorization": f"Bearer {key}"}

    async def get(self, path: str) -> Any:
        """The answer, or None where there is nothing."""
        async with self._http.get(f"{self._url}{path}", headers=self._headers) as answer:
            if answer.status == 404:
                return None
            answer.raise_for_status()
            return await answer.json(content_type=None)

    async def case(self, case: str) -> Any:
        return await self.get(f"/v1/cases/{case}")

    async def work(self) -> dict[str, list[str]]:
        """Each advisor's work set."""
        page = await self.get("/v1/advisors?limit=500")
        return {one["id"]: [work["case"] for work in one.get("work", ())] for one in page["advisors"]}


async def faults_of(talk: Talk, office: Office) -> list[str]:
    """What is wrong with a conversation: every accepted message stands once in its one case, no message has a
    case beside it, and each reply of the case was heard once or is shown as unknown."""
    page = await office.case(talk.ids[0])
    if page is None:
        return [f"{talk.thread} has no case"]
    said = [entry["id"] for entry in page["transcript"] if entry["kind"] == "inquiry"]
    faults = [] if said == talk.ids else [f"{talk.thread} accepted {talk.ids}, in its case are {said}"]
    faults += [f"{id_} has a case of its own" for id_ in talk.ids[1:] if await office.case(id_) is not None]
    return faults + _faults_of_replies(talk, page)


def _faults_of_replies(talk: Talk, page: Mapping[str, Any]) -> list[str]:
    states = {reply["id"]: reply["state"] for reply in page["case"].get("replies", ())}
    texts = Counter(talk.replies)
    faults = [f"{talk.thread} heard {text!r} {times} times" for text, times in texts.items() if times > 1]
    written = Counter(entry["text"] for entry in page["transcript"] if entry["kind"] == "reply")
    faults += [f"{talk.thread} has {text!r} {times} times" for text, times in written.items() if times > 1]
    for entry in page["transcript"]:
        if entry["kind"] == "reply" and entry["text"] not in texts and states.get(entry["id"]) != "unknown":
            faults.append(f"{talk.thread} never heard {entry['text']!r}, which is {states.get(entry['id'])}")
    faults += [f"{talk.thread} heard {text!r}, which nobody wrote" for text in texts if text not in written]
    return faults


def faults_of_work(work: Mapping[str, Sequence[str]], last: Mapping[str, CaseEvent]) -> list[str]:
    """Work sets against the cases: each case is with the one advisor it says, and with nobody else."""
    held: dict[str, list[str]] = {}
    for advisor, cases in work.items():
        for case in cases:
            held.setdefault(case, []).append(advisor)
    faults = [f"{case} is with {names}" for case, names in held.items() if len(names) > 1]
    for case, event in last.items():
        at_hand = event.case.state in (CaseStatus.ASSIGNED, CaseStatus.OFFERED)
        if at_hand != (case in held):
            faults.append(f"{case} is {event.case.state} and with {held.get(case)}")
    return faults


def faults_of_answers(workers: Iterable[Worker], talks: Mapping[str, Talk]) -> list[str]:
    """Replies that were confirmed to an advisor: each by one alone, and each in the hands of its customer."""
    by: Counter[str] = Counter(ref for worker in workers for ref in worker.replied)
    heard = Counter(text for talk in talks.values() for text in talk.replies)
    faults = [f"{ref} was answered {times} times" for ref, times in by.items() if times > 1]
    return faults + [f"the answer to {ref} never arrived" for ref in by if f"answer to <{ref}>" not in heard]
