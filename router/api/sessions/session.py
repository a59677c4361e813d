"""An advisor's session over WebSocket: what he asks is answered in order, what changes is pushed."""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Coroutine
from typing import Any, Final, NamedTuple

import msgspec
from aiohttp import WSMsgType, web

from router.api.acts import asking
from router.api.acts.acting import Done, perform
from router.api.acts.operations import Operations
from router.api.acts.rights import shown_case
from router.api.desks import Caller
from router.api.metrics import ApiMetrics, status_class
from router.api.problems import Refused, of_failure, of_result, problem
from router.api.sessions import frames
from router.api.sessions.allowance import Allowance
from router.api.sessions.frames import Sent
from router.api.sessions.newest import Newest
from router.api.sessions.presence import Connection
from router.api.sessions.pushes import Teller
from router.api.transcripts import Links, conversation
from router.contract.advisor import AdvisorState, read_profile
from router.contract.events import CaseEvent
from router.contract.ids import AdvisorId
from router.runtime.clock import Clock
from router.service.errors import PoolUnsettled

LOG = logging.getLogger(__name__)
_ENCODER: Final = msgspec.json.Encoder()
MAX_HINTS: Final = 256
MAX_UNCONFIRMED: Final = 64
_MAX_TOLD: Final = 2 * MAX_UNCONFIRMED  # an answer can only be overtaken while it is unconfirmed
FRAMES_PER_S: Final = 50
FRAMES_AT_ONCE: Final = 200
_SEND_S: Final = 10.0
# RFC 6455 and the range it leaves to applications.
_CODES: Final = {"revoked": 4401, "stopped": 1012, "refused": 1008, "slow": 4408}


class SessionKit(NamedTuple):
    """What all sessions share."""

    links: Links
    metrics: ApiMetrics
    clock: Clock
    operations: Operations


class Session:
    """One socket of one advisor. ``run`` it after the socket is open and the caller is known."""

    def __init__(self, socket: web.WebSocketResponse, caller: Caller, advisor: AdvisorId, kit: SessionKit) -> None:
        self.key = caller.key
        self._socket = socket
        self._caller = caller
        self._advisor = advisor
        self._kit = kit
        self._metrics = kit.metrics
        self._connection = Connection(caller, advisor, kit.clock)
        self._allowance = Allowance(kit.clock, per_s=FRAMES_PER_S, burst=FRAMES_AT_ONCE)
        self._teller = Teller(caller.desk, advisor)
        self._states: deque[AdvisorState] = deque(maxlen=MAX_HINTS)
        self._events: deque[CaseEvent] = deque(maxlen=MAX_HINTS)
        self._newest = Newest(_MAX_TOLD)
        self._news = asyncio.Event()
        self._ended = asyncio.Event()
        self._by = "left"
        self._sending = asyncio.Lock()
        self._confirming: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(MAX_UNCONFIRMED)

    # -- what the hub tells

    def changed(self, state: AdvisorState) -> None:
        self._connection.check(state)
        if len(self._states) == MAX_HINTS:
            self._metrics.dropped.inc()
        self._states.append(state)  # when full the oldest goes: the next one shows the gap in its version
        self._news.set()

    def happened(self, event: CaseEvent) -> None:
        if len(self._events) == MAX_HINTS:
            self._metrics.dropped.inc()
        self._events.append(event)
        self._news.set()

    def end(self, by: str) -> None:
        self._by = by
        self._ended.set()

    # -- its life

    async def run(self) -> str:
        """Serve until the socket closes or the session is ended; by what. Leaves no task behind."""
        state = await self._connection.open()
        if state is None:
            raise Refused(problem("not-found", f"There is no advisor {self._advisor} in this pool."))
        try:
            await self._welcome(state)
            await self._until_first_ends(self._listen(), self._push(state), self._connection.keep(), self._ended.wait())
        finally:
            await self._leave()
        return self._by

    async def _until_first_ends(self, *works: Coroutine[Any, Any, Any]) -> None:
        tasks = [asyncio.create_task(work, name=f"session-{self._advisor}") for work in works]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _leave(self) -> None:
        for task in self._confirming:
            task.cancel()
        await asyncio.gather(*self._confirming, return_exceptions=True)
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(1):
                await self._socket.close(code=_CODES.get(self._by, 1000), message=self._by.encode())
        # A cancelled handler must still give its number back: grace time starts now, not after the lease.
        await asyncio.shield(asyncio.ensure_future(self._connection.close()))

    async def _welcome(self, state: AdvisorState) -> None:
        await self._send(
            frames.Welcome(
                advisor=self._advisor,
                name=read_profile(state.profile).name,
                presence=state.presence,
                reason=state.reason,
                away_from=state.away_from,
                connection=self._connection.number,
                pool=self._caller.desk.pool,
                work=await self._teller.work_set(state),
            )
        )

    # -- pushes

    async def _push(self, state: AdvisorState) -> None:
        """Tell what changes after ``state``, which the welcome showed."""
        shown = state
        while True:
            await self._news.wait()
            self._news.clear()
            while self._states:
                newer = self._states.popleft()
                if (newer.gen, newer.ver) > (shown.gen, shown.ver):
                    for push in await self._teller.changes(shown, newer):
                        await self._send(push)
                    shown = newer
            while self._events:
                told = await self._teller.event(self._events.popleft())
                if told is not None:
                    await self._send(told)

    # -- frames

    async def _listen(self) -> None:
        async for message in self._socket:
            if message.type is not WSMsgType.TEXT:
                self.end("refused")
                return
            if not self._allowance.take():
                told = problem("too-fast", f"Send at most {FRAMES_PER_S} frames a second.")
                await self._send(frames.Trouble(problem=told))
                self.end("refused")
                return
            await self._serve(message.data)

    async def _serve(self, text: str) -> None:
        """Answer one frame. Acts are applied in the order of their frames; waiting for the bus holds up none."""
        head = asking.read_head(text)
        try:
            frame = asking.read_frame(text)
            match frame:
                case asking.SetPresence():
                    await self._set_presence(frame)
                case asking.Read():
                    await self._read(frame)
                case _:
                    await self._answer(await perform(self._caller, frame))
            status = 200
        except Exception as exc:  # noqa: BLE001 - the edge of the loop: one frame's failure is that frame's answer
            found = of_failure(exc)
            status = found.status
            await self._send(frames.Trouble(op=head.op, problem=found))
        if head.type in asking.FRAME_TYPES:
            self._metrics.frames.labels(head.type, status_class(status)).inc()

    async def _set_presence(self, frame: asking.SetPresence) -> None:
        outcome = await self._connection.set(frame)
        found = of_result(outcome.result)
        if found is not None:
            raise Refused(found)
        await self._answer(Done(op=frame.op, result="done", number=outcome.number, case=None))

    async def _read(self, frame: asking.Read) -> None:
        desk = self._caller.desk
        state = await shown_case(self._caller, frame.case)
        said = await conversation(desk, frame.case, self._kit.links, last=frame.last)
        view = self._newest.view(state)
        await self._send(
            frames.Answer(
                op=frame.op, result="done", durable=True, case=view, transcript=said.entries, earlier=said.earlier
            )
        )

    # -- answers

    async def _answer(self, done: Done) -> None:
        if self._room.locked():
            self._metrics.limits.labels("answers").inc()
        await self._room.acquire()
        task = asyncio.create_task(self._confirm(done), name="session-confirm")
        self._confirming.add(task)
        task.add_done_callback(self._confirmed)

    def _confirmed(self, task: asyncio.Task[None]) -> None:
        self._confirming.discard(task)
        self._room.release()

    async def _confirm(self, done: Done) -> None:
        """Answer once the act is durable, or that it isn't yet, and again when it is."""
        operations, subject = self._kit.operations, done.case.id if done.case else self._advisor
        durable = await operations.applied(self._caller, done, subject)
        case = self._newest.view(done.case) if done.case else None
        await self._send(frames.Answer(op=done.op, result=done.result, durable=durable, case=case))
        if not durable:
            self._metrics.late.inc()
            try:
                await operations.confirmed(self._caller, done, subject)
            except PoolUnsettled as exc:  # lost with the store, or on the bus: he asks again under the same operation
                await self._send(frames.Trouble(op=done.op, problem=of_failure(exc)))
                return
            await self._send(frames.Confirmed(op=done.op, case=done.case.id if done.case else ""))

    async def _send(self, frame: Sent) -> None:
        """Send; a client that doesn't read for ten seconds is let go."""
        try:
            async with asyncio.timeout(_SEND_S), self._sending:
                await self._socket.send_str(_ENCODER.encode(frame).decode())
        except TimeoutError:
            self.end("slow")
        except ConnectionError:
            self.end("left")
        else:
            kind = str(type(frame).__struct_config__.tag)
            if isinstance(frame, frames.Push):
                self._metrics.pushes.labels(kind).inc()
