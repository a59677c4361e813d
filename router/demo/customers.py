"""Simulated customers: they write through the channels' real ports and take what comes back."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Final

from router.demo.history import Accepted, CustomerEntry, Received, Refused, Wrote
from router.demo.replies import is_question
from router.demo.sabotage import Sabotage, is_lost, times_seen, written
from router.demo.traffic import MAX_MESSAGES, Conversation, further, phrases_of, reply_marks, token
from router.runtime.simulators import Answer, CustomerMessage, ReceivedReply, Simulator

_ATTEMPTS: Final = 5
_FIRST_PAUSE_S: Final = 0.3
_ANSWER_AFTER_S: Final = 0.8
_LATER_AFTER_S: Final = 1.5


class Customers:
    """All customers of a run, over all channels, and their history."""

    def __init__(
        self, simulators: Mapping[str, Simulator], conversations: Sequence[Conversation], *, sabotage: Sabotage
    ) -> None:
        self.history: list[CustomerEntry] = []
        self._simulators = simulators
        self._conversations = conversations
        self._by_thread = {(one.channel, one.thread): one for one in conversations}
        self._sabotage = sabotage
        self._sent: dict[int, int] = {}
        self._turns: dict[int, asyncio.Lock] = {}
        self._came_back: set[int] = set()
        self._is_open = True
        self._tasks: asyncio.TaskGroup

    async def run(self, begun: asyncio.Event, written: asyncio.Event) -> None:
        """Begin the conversations at their times, from ``begun`` on; set ``written`` when all have begun, and go on
        answering until cancelled."""
        async with asyncio.TaskGroup() as self._tasks:
            for channel, simulator in self._simulators.items():
                self._tasks.create_task(self._listen(channel, simulator), name=f"customers of {channel}")
            await begun.wait()
            start = time.monotonic()
            async with asyncio.TaskGroup() as talks:
                for conversation in self._conversations:
                    await asyncio.sleep(max(0.0, start + conversation.at_s - time.monotonic()))
                    talks.create_task(self._begin(conversation))
            self._is_open = False
            written.set()

    # -- writing

    async def _begin(self, conversation: Conversation) -> None:
        subject, text = written(self._sabotage, conversation)
        await self._write(conversation, subject, text)
        for pause_s in conversation.more:
            await asyncio.sleep(pause_s)
            await self._write_on(conversation, "more")

    async def _write_on(self, conversation: Conversation, occasion: str, *, after_s: float = 0.0) -> None:
        await asyncio.sleep(after_s)
        if self._sent.get(conversation.number, 0) < MAX_MESSAGES:
            await self._write(conversation, "", "", phrases_of(conversation, occasion))

    async def _write(self, conversation: Conversation, subject: str, text: str, phrases: Sequence[str] = ()) -> None:
        """One message at a time in a conversation, as from one hand."""
        async with self._turns.setdefault(conversation.number, asyncio.Lock()):
            nth = self._sent.get(conversation.number, 0)
            self._sent[conversation.number] = nth + 1
            message = CustomerMessage(
                ref=token(conversation.number, nth),
                customer=conversation.customer,
                thread=conversation.thread,
                text=text or further(conversation, nth, phrases),
                subject=subject,
            )
            self._note_written(conversation, message.ref)
            if nth == 0 and is_lost(self._sabotage, conversation):
                self.history.append(Accepted(at=time.monotonic(), token=message.ref, sent_at=time.monotonic()))
                return
            await self._hand_in(conversation.channel, message)

    def _note_written(self, conversation: Conversation, name: str) -> None:
        self.history.append(
            Wrote(
                at=time.monotonic(),
                token=name,
                channel=conversation.channel,
                customer=conversation.customer,
                thread=conversation.thread,
                language=conversation.template.language,
                skills=conversation.template.skills,
                queue=conversation.template.queue,
            )
        )

    async def _hand_in(self, channel: str, message: CustomerMessage) -> None:
        """Send until the port says yes: a refusal for now is tried again, with the same ref, as a client would."""
        pause_s, code = _FIRST_PAUSE_S, ""
        for _ in range(_ATTEMPTS):
            sent_at = time.monotonic()
            try:
                answer = await self._simulators[channel].send(message)
            except ConnectionError:
                answer = Answer(accepted=False, code="no answer")
            if answer.accepted:
                self.history.append(Accepted(at=time.monotonic(), token=message.ref, sent_at=sent_at))
                return
            code = answer.code
            await asyncio.sleep(pause_s)
            pause_s *= 2
        self.history.append(Refused(at=time.monotonic(), token=message.ref, code=code))

    # -- reading

    async def _listen(self, channel: str, simulator: Simulator) -> None:
        while True:
            reply = await simulator.next_reply()
            conversation = self._by_thread.get((channel, reply.thread or ""))
            self._note_received(channel, reply, times_seen(self._sabotage, conversation) if conversation else 1)
            if conversation is not None and reply_marks(reply.text):
                self._react(conversation, reply)

    def _note_received(self, channel: str, reply: ReceivedReply, times: int) -> None:
        mark = next(iter(reply_marks(reply.text)), "")
        for _ in range(times):
            self.history.append(
                Received(at=time.monotonic(), channel=channel, customer=reply.customer, thread=reply.thread, mark=mark)
            )

    def _react(self, conversation: Conversation, reply: ReceivedReply) -> None:
        """Answer a question at once; come back once after an answer, if he is one of those and it is not over."""
        if is_question(reply.text):
            self._tasks.create_task(self._write_on(conversation, "answers", after_s=_ANSWER_AFTER_S))
        elif conversation.writes_later and self._is_open and conversation.number not in self._came_back:
            self._came_back.add(conversation.number)
            self._tasks.create_task(self._write_on(conversation, "later", after_s=_LATER_AFTER_S))
