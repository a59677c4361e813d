"""Where an advisor types and reads: a terminal with a prompt, or plain lines through pipes."""

import asyncio
import codecs
import contextlib
import os
import queue
import sys
import termios
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Final, Self

from rich.console import Console
from rich.text import Text

from router.cli.advisor_text import Line, one_row, plain

PROMPT: Final = "> "
_CHUNK_BYTES: Final = 65_536


class Terminal:
    """Standard input and output. A line that is shown while something is being typed does not tear it. What is
    shown is made harmless here once more, whatever it was made of."""

    def __init__(self) -> None:
        self.is_interactive = sys.stdin.isatty() and sys.stdout.isatty()
        self._console = Console(highlight=False, markup=False, emoji=False) if sys.stdout.isatty() else None
        self._asked: queue.SimpleQueue[tuple[asyncio.AbstractEventLoop, asyncio.Future[str | None]]]
        self._asked = queue.SimpleQueue()
        self._is_typing = False
        self._prompt = PROMPT
        self._modes: list[Any] | None = None
        self._pipe = _PipedLines()

    @property
    def width(self) -> int | None:
        """In cells; None where there is no screen."""
        return self._console.width if self._console else None

    def __enter__(self) -> Self:
        reconfigure = getattr(sys.stdout, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
        if self.is_interactive:
            with contextlib.suppress(ImportError):
                import readline  # noqa: F401, PLC0415  # makes input() edit; not every Python has it
            self._modes = termios.tcgetattr(sys.stdin.fileno())
        # A daemon: nobody can wake it from its read, and leaving must not wait for one more line.
        threading.Thread(target=self._read_all, name="advisor-input", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._modes is not None:
            termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, self._modes)

    def show(self, lines: Iterable[Line]) -> None:
        """Print whole lines."""
        shown = list(lines)
        if not shown:
            return
        if self._is_typing:
            sys.stdout.write("\r\x1b[K" if self._console and not self._console.is_dumb_terminal else "\n")
        if self._console is None:
            sys.stdout.write("".join(f"{text}\n" for text in plain(shown)))
        else:
            for pieces in shown:
                self._console.print(Text.assemble(*((one_row(text), style) for text, style in pieces)), soft_wrap=True)
        if self._is_typing:
            sys.stdout.write(self._prompt + _typed_so_far())
        sys.stdout.flush()

    async def next_line(self, prompt: str = PROMPT) -> str | None:
        """The next line that is typed; None at the end of the input."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[str | None] = loop.create_future()
        self._prompt = prompt
        self._is_typing = self.is_interactive
        self._asked.put((loop, future))
        try:
            return await future
        finally:
            self._is_typing = False

    def _read_all(self) -> None:
        while True:
            loop, future = self._asked.get()
            text = self._read_one()
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(_fulfil, future, text)

    def _read_one(self) -> str | None:
        if not self.is_interactive:
            return self._pipe.read()
        try:
            return input(self._prompt)
        except (EOFError, OSError, UnicodeDecodeError):
            return None


class _PipedLines:
    """Lines of standard input, read below ``sys.stdin``: a thread that waits in there would keep its lock, and
    Python's end from ending."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._text = ""
        self._is_over = False

    def read(self) -> str | None:
        """The next line without its end; None when there is no more."""
        while "\n" not in self._text and not self._is_over:
            data = os.read(sys.stdin.fileno(), _CHUNK_BYTES)
            self._is_over = not data
            self._text += self._decoder.decode(data, final=self._is_over)
        row, _, self._text = self._text.partition("\n")
        return row.removesuffix("\r") if row or self._text or not self._is_over else None


def _fulfil(future: "asyncio.Future[str | None]", text: str | None) -> None:
    if not future.done():
        future.set_result(text)


def _typed_so_far() -> str:
    readline = sys.modules.get("readline")
    return str(readline.get_line_buffer()) if readline is not None else ""
