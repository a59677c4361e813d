"""The terminal client of an advisor: what he types is asked for, what is told is shown."""

import asyncio
import secrets
from collections.abc import Callable, Coroutine
from datetime import datetime
from enum import IntEnum
from typing import Any, Final, NamedTuple

from router.api.acts.asking import Read
from router.api.problems import Problem
from router.api.sessions.frames import Answer, Push, Welcome
from router.cli.advisor_asks import UNSEEN, frame_of, second_try
from router.cli.advisor_commands import Command, Mistake, help_rows, read_command
from router.cli.advisor_connection import Connection, NotReached, SignedOut
from router.cli.advisor_desk import RINGS, Desk, Place
from router.cli.advisor_reading import reading_lines
from router.cli.advisor_terminal import Terminal
from router.cli.advisor_text import Line, Span, harmless, line
from router.contract.ids import CaseId

_LAST_ANSWERS_S: Final = 20.0
_REMIND_EVERY_S: Final = 1.0
_TEXT_PROMPT: Final = ". "
_CANCEL: Final = ".cancel"


class Ending(IntEnum):
    """The exit codes of ``turnout advisor``."""

    WELL = 0
    TROUBLE = 1
    NOT_REACHED = 2
    SIGNED_OUT = 3


class _Told(NamedTuple):
    """What an operation id stands for. ``number`` 0: none of the desk's cases."""

    command: Command
    case: str
    number: int


class Client:
    """One advisor at one terminal. ``now`` is the time in the terminal's zone."""

    def __init__(self, where: Callable[[], str], key: str, terminal: Terminal, now: Callable[[], datetime]) -> None:
        self._terminal = terminal
        self._now = now
        self._desk = Desk()
        self._connection = Connection(where, key, self)
        self._asked: dict[str, _Told] = {}
        self._looks: set[str] = set()
        self._session = secrets.token_hex(8)
        self._count = 0
        self._welcomes = 0
        self._had_trouble = False
        self._signed_in = asyncio.Event()
        self._asking: set[asyncio.Task[None]] = set()

    async def run(self) -> Ending:
        """Until he leaves, his input ends, or he is signed out."""
        tasks = {
            asyncio.create_task(self._connection.run(), name="advisor-connection"),
            asyncio.create_task(self._remind(), name="advisor-reminders"),
        }
        typing = asyncio.create_task(self._type(), name="advisor-typing")
        try:
            done, _ = await asyncio.wait({*tasks, typing}, return_when=asyncio.FIRST_COMPLETED)
            for task in done - {typing}:
                task.result()
            return typing.result()
        except SignedOut as exc:
            self._show(line(Span(f"signed out: {exc}", "bold red")))
            return Ending.SIGNED_OUT
        except NotReached as exc:
            self._show(line(Span(f"the service can't be reached: {exc}", "bold red")))
            return Ending.NOT_REACHED
        finally:
            for task in {*tasks, typing, *self._asking}:
                task.cancel()
            await asyncio.gather(*tasks, typing, *self._asking, return_exceptions=True)

    # -- what he types

    async def _type(self) -> Ending:
        await self._signed_in.wait()
        while (text := await self._terminal.next_line()) is not None:
            try:
                command = read_command(text, self._now())
            except Mistake as exc:
                self._complain(str(exc))
                continue
            if command is not None and command.kind == "quit":
                break
            if command is not None:
                await self._do(command)
        return await self._leave()

    async def _do(self, command: Command) -> None:
        match command.kind:
            case "help":
                widest = max(len(usage) for usage, _ in help_rows() if len(usage) < 40)
                self._show(*(line(Span(usage.ljust(widest), "bold"), f"  {what}") for usage, what in help_rows()))
            case "list":
                self._show(*self._desk.listing(self._now()))
            case "presence":
                await self._ask(command, None)
            case _:
                await self._act(command)

    async def _act(self, command: Command) -> None:
        """Do something with a case."""
        place = self._place_of(command)
        if place is None:
            return
        if command.is_open:
            text = await self._written_text(command.kind)
            if text is None:
                return
            command = command._replace(members={"text": text})
        elif "text" in command.members:
            command = command._replace(members={"text": harmless(str(command.members["text"]))})
        await self._ask(command, place)

    def _place_of(self, command: Command) -> Place | None:
        """The case meant; None, with a word about it, when that can't be told."""
        if command.number:
            place = self._desk.find(command.number)
            if place is None:
                self._complain(f"There is no {command.number} here. `list` shows what there is.")
            return place
        is_offer = command.kind in ("accept", "decline")
        place = self._desk.first_offer() if is_offer else self._desk.only_case()
        if place is None:
            what = "There is no offer." if is_offer else "Say which one:"
            self._complain(f"{what} `list` shows what there is.")
        return place

    async def _written_text(self, kind: str) -> str | None:
        """The lines up to a single dot; a line of two dots is one with one. None when he thought better of it."""
        if self._terminal.is_interactive:
            self._show(line(Span(f"The text of the {kind}; end with a line of a single dot, or {_CANCEL}", "dim")))
        rows: list[str] = []
        while (row := await self._terminal.next_line(_TEXT_PROMPT)) is not None:
            if row.strip() == ".":
                text = harmless("\n".join(rows)).strip("\n")
                if text.strip():
                    return text
                self._complain(f"The {kind} is empty: nothing was sent.")
                return None
            if row.strip() == _CANCEL:
                self._show(line(f"The {kind} was not sent."))
                return None
            rows.append(row.replace("..", ".", 1) if row.startswith("..") else row)
        self._complain(f"The input ended within the {kind}: nothing was sent.")
        return None

    async def _ask(self, command: Command, place: Place | None) -> None:
        op = self._next_op()
        case, number = (place.case, place.number) if place else ("", 0)
        offer_ver = place.work.offer_ver if place and place.work and place.kind in RINGS else 0
        seen = place.seen if place else ""
        self._asked[op] = _Told(command, case, number)
        await self._connection.ask(frame_of(command, op=op, case=case, offer_ver=offer_ver, seen=seen))

    def _next_op(self) -> str:
        self._count += 1
        return f"{self._session}-{self._count}"

    async def _leave(self) -> Ending:
        """Nothing that was asked for is left behind unsaid."""
        if not await self._connection.all_answered(_LAST_ANSWERS_S):
            for told in self._asked.values():
                self._complain(f"not answered, so it may not have taken effect: {_named(told)}")
            return Ending.TROUBLE
        return Ending.TROUBLE if self._had_trouble and not self._terminal.is_interactive else Ending.WELL

    # -- what is told

    def welcomed(self, frame: Welcome) -> None:
        self._welcomes += 1
        if self._welcomes > 1:
            self._show(line(Span("connected again", "green")))
        self._show(*self._desk.welcome(frame, self._now(), is_first=self._welcomes == 1))
        self._signed_in.set()
        self._later(self._look_around())

    def answered(self, op: str, answer: Answer) -> None:
        if op in self._looks:
            self._looks.discard(op)
            self._look_at(answer)
            return
        told = self._asked.pop(op)
        if told.case:
            self._desk.done(told.case, told.command.kind)
        if told.command.kind == "read":
            self._desk.read(answer)
            width = self._terminal.width
            base = self._connection.base
            self._show(*reading_lines(told.number, answer, base=base, now=self._now(), width=width))
        else:
            self._show(line(Span(f"{_named(told)}: {answer.result}", "green")))
        if not answer.durable:
            self._show(line(Span(f"  not yet safe on the bus; you are told when it is: {op}", "yellow")))

    def refused(self, op: str, problem: Problem) -> None:
        if op in self._looks:
            self._looks.discard(op)
            return
        told = self._asked.pop(op, None)
        again = second_try(told.command, problem.type) if told else None
        if told is not None and again is not None:
            self._later(self._ask(again, self._desk.find(told.number)))
            return
        if told is not None and problem.type == UNSEEN:
            self._complain(f"{_named(told)}: {problem.title}. Read it, then resolve again if nothing is left to do:")
            self._later(self._ask(Command("read", told.number), self._desk.find(told.number)))
            return
        self._complain(f"{_named(told)}: {problem.title}. {problem.detail}" if told else problem.title)

    def pushed(self, push: Push) -> None:
        self._show(*self._desk.told(push, self._now()))

    def lost(self, why: str) -> None:
        unanswered = self._connection.unanswered
        rest = f"; {unanswered} not answered yet, to be sent again" if unanswered else ""
        self._show(line(Span(f"connection lost ({why}); trying to get it back{rest}", "bold yellow")))

    # -- looking around

    async def _look_around(self) -> None:
        """See whether replies failed while nobody was here to be told."""
        for case in self._desk.cases():
            op = self._next_op()
            self._looks.add(op)
            await self._connection.ask(Read(op=op, case=CaseId(case)))

    def _look_at(self, answer: Answer) -> None:
        for reply in answer.case.replies if answer.case else ():
            if answer.case and reply.state in ("failed", "unknown") and reply.advisor in ("", self._desk.advisor):
                told = self._desk.delivery(answer.case.id, reply=reply.id, state=reply.state, reason=reply.reason)
                self._show(*told)

    async def _remind(self) -> None:
        while True:
            await asyncio.sleep(_REMIND_EVERY_S)
            self._show(*self._desk.reminders(self._now()))

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name="advisor-asking")
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    def _complain(self, text: str) -> None:
        self._had_trouble = True
        self._show(line(Span(text, "red")))

    def _show(self, *lines: Line) -> None:
        self._terminal.show(lines)


def _named(told: _Told) -> str:
    """``reply 2``: what was asked for, in the words it was typed in."""
    kind = told.command.kind.replace("_", "-")
    if kind == "presence":
        return str(told.command.members["presence"])
    return f"{kind} {told.number}"
