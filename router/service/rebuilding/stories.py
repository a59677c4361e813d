"""What events and messages tell of open cases beyond their states: history, transcript, inquiries seen."""

from collections.abc import Mapping
from typing import Final, TypeVar

import msgspec

from router.contract.codec import Decoder, encode
from router.contract.errors import Undecodable
from router.contract.events import EventType
from router.contract.ids import PoolId
from router.contract.messages import CaseNote, Inquiry, IntakeMessage, Reply, StaffNote
from router.runtime.bus.protocol import Record
from router.service.rebuilding.records import TOLD, Rank, Told, last_reply
from router.store.rebuilds import AppliedOperation

T = TypeVar("T")

KEPT_HISTORY: Final = 50
KEPT_MESSAGES: Final = 500
KEPT_INQUIRIES: Final = 64
KEPT_OPERATIONS: Final = 8

_INTAKE: Final = Decoder(IntakeMessage)
_REPLY: Final = Decoder(Reply)
_NOTE: Final = Decoder(CaseNote)


class _Story:
    """One case: what its acts left, by rank, so that a repeated event changes nothing."""

    def __init__(self) -> None:
        self.lines: dict[Rank, str] = {}
        self.inquiries: dict[Rank, str] = {}
        self.messages: dict[Rank, str] = {}
        self.notes: dict[Rank, str] = {}
        self.operations: dict[Rank, AppliedOperation] = {}
        self.begun: Rank = (0, 0)

    def take(self, told: Told, value: bytes) -> None:
        rank = (told.gen, told.number)
        self.lines[rank] = told.line()
        if told.op:
            self.operations[rank] = (told.op, told.outcome, told.number)
        if told.type is EventType.ADMIT:
            self.inquiries[rank] = self.messages[rank] = told.about
            if told.ver == 1:
                self.begun = max(self.begun, rank)
        elif told.type is EventType.REPLY and (reply := last_reply(value)):
            self.messages[rank] = reply

    def ordered(self, what: Mapping[Rank, T], kept: int) -> tuple[T, ...]:
        """In the order of the acts, without those of an earlier life of the same id."""
        return tuple(what[rank] for rank in sorted(what) if rank >= self.begun)[-kept:]


class Stories:
    """The stories of the open cases given, {case: conversation}. Give it all events before any message."""

    def __init__(self, pool: PoolId, conversations: Mapping[str, str]) -> None:
        self._pool = pool
        self._stories = {case: _Story() for case in conversations}
        self._conversations = frozenset(conversations.values())
        self._wanted: frozenset[str] = frozenset()
        self._texts: dict[str, str] = {}

    def take_event(self, record: Record) -> None:
        story = self._stories.get(record.key)
        if story is None or record.value is None:
            return
        try:
            told = TOLD.decode(record.value)
            if told.pool == self._pool:
                story.take(told, record.value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return  # counted where the states are folded

    def want_messages(self) -> None:
        """All events have been taken: now it is known which messages belong to the open cases."""
        self._wanted = frozenset(message for story in self._stories.values() for message in story.messages.values())

    def take_inquiry(self, record: Record) -> None:
        if record.key not in self._conversations or record.value is None:
            return
        try:
            inquiry = _INTAKE.decode(record.value, Inquiry)
        except Undecodable:  # a handover, or what is in the dead letters
            return
        if inquiry.id in self._wanted:
            self._texts.setdefault(inquiry.id, encode(inquiry).decode())

    def take_reply(self, record: Record) -> None:
        if record.key not in self._conversations or record.value is None:
            return
        try:
            reply = _REPLY.decode(record.value, Reply)
        except Undecodable:
            return
        if reply.id in self._wanted:
            self._texts.setdefault(reply.id, record.value.decode())

    def take_note(self, record: Record) -> None:
        story = self._stories.get(record.key)
        if story is None or record.value is None:
            return
        try:
            note = _NOTE.decode(record.value, CaseNote)
        except Undecodable:
            return
        if note.pool == self._pool:
            said = StaffNote(case=note.case, text=note.text, at_ms=note.at_ms, author=note.author)
            story.notes[(note.gen, note.number)] = encode(said).decode()

    def history(self, case: str) -> tuple[str, ...]:
        story = self._stories[case]
        return story.ordered(story.lines, KEPT_HISTORY)

    def operations(self, case: str) -> tuple[AppliedOperation, ...]:
        """The last operations on the case, and what became of them."""
        story = self._stories[case]
        return story.ordered(story.operations, KEPT_OPERATIONS)

    def seen(self, case: str) -> tuple[str, ...]:
        """The inquiries that have come to the case."""
        story = self._stories[case]
        return story.ordered(story.inquiries, KEPT_INQUIRIES)

    def messages(self, case: str) -> tuple[str, ...]:
        story = self._stories[case]
        there = {rank: self._texts[name] for rank, name in story.messages.items() if name in self._texts}
        return story.ordered(there | story.notes, KEPT_MESSAGES)
