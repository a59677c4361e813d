"""One process and one server to a data directory, whatever was killed before.

``turnout.lock`` is held by the process that uses the directory. ``server.lock`` is held by the server
itself (it inherits the descriptor), so a server left behind by a killed parent is seen by the next start;
the file says its pid and socket.
"""

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from router.runtime.errors import EmbeddedServerError

_log = logging.getLogger(__name__)

ANSWER_S: Final = 2.0
STOP_S: Final = 10.0
_POLL_S: Final = 0.01


class Holder(NamedTuple):
    """What a server wrote of itself into its lock file; pid 0 when it hasn't yet."""

    pid: int
    socket: str


async def until(holds: Callable[[], bool], within_s: float) -> bool:
    """Whether a claim about a foreign process comes true in time. It sends us no event, so we look."""
    ends = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > ends:
            return False
        await asyncio.sleep(_POLL_S)
    return True


async def ask(socket: str, command: bytes) -> bytes:
    """The first line a server answers to a command; empty when it gives none."""
    try:
        async with asyncio.timeout(ANSWER_S):
            reader, writer = await asyncio.open_unix_connection(socket)
            try:
                writer.write(command + b"\r\n")
                return await reader.readline()
            finally:
                writer.close()
    except OSError:  # a TimeoutError is one
        return b""


def send_signal(pid: int, number: signal.Signals) -> None:
    """Signal a process that may be gone already."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def holder_of(lock: Path) -> Holder:
    """Who wrote himself into the server's lock file."""
    words = lock.read_text(encoding="utf-8").splitlines()
    return Holder(int(words[0]), words[1]) if len(words) == 2 else Holder(0, "")


def _locked(path: Path) -> int | None:
    """A descriptor of the file with an exclusive lock, or None when somebody holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def claim_directory(data_dir: Path) -> tuple[Path, int]:
    """Take the directory, made if absent, for this process: its real path, and a descriptor to close when
    giving it back. Raises ``EmbeddedServerError`` when another live process has it.
    """
    data_dir = data_dir.resolve()
    data_dir.mkdir(parents=True, exist_ok=True)
    path = data_dir / "turnout.lock"
    descriptor = _locked(path)
    if descriptor is None:
        pid = path.read_text(encoding="utf-8").strip() or "unknown"
        raise EmbeddedServerError(
            f"the data directory {data_dir} is in use by another Turnout process (pid {pid}): "
            "stop it, or choose another data directory"
        )
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return data_dir, descriptor


async def claim_server(data_dir: Path) -> int:
    """The lock of the directory's server, after ending one that was left behind.

    Raises ``EmbeddedServerError`` when that server can't be ended.
    """
    path = data_dir / "server.lock"
    held: list[int] = []

    def free() -> bool:
        descriptor = _locked(path)
        if descriptor is not None:
            held.append(descriptor)
        return descriptor is not None

    if await until(free, 0.2):  # it may be ending already
        remove_socket(holder_of(path).socket)
        return held[0]
    await until(lambda: holder_of(path).pid > 0, ANSWER_S)
    left = holder_of(path)
    await _end(left, free)
    if not held:
        raise EmbeddedServerError(
            f"a server left behind (pid {left.pid or 'unknown'}) uses {data_dir} and doesn't end: end it"
        )
    _log.warning("ended a server left behind", extra={"event": "server_taken_over", "pid": left.pid})
    remove_socket(left.socket)
    return held[0]


async def _end(left: Holder, gone: Callable[[], bool]) -> None:
    # It still holds the lock it wrote its pid under, so the pid has not become somebody else's.
    if not left.pid:
        return
    # NOSAVE is about snapshots; the log is written out in any case.
    if await ask(left.socket, b"PING"):
        await ask(left.socket, b"SHUTDOWN NOSAVE")
        if await until(gone, STOP_S):
            return
    # It is frozen or stuck. SIGKILL loses nothing that was acknowledged: that is in its log.
    for number, within_s in ((signal.SIGTERM, ANSWER_S), (signal.SIGKILL, STOP_S)):
        send_signal(left.pid, number)
        if await until(gone, within_s):
            return


def remove_socket(socket: str) -> None:
    """Remove a server's socket and the directory that was made for it, if nothing else is in there."""
    if socket:
        with contextlib.suppress(OSError):
            Path(socket).unlink(missing_ok=True)
            Path(socket).parent.rmdir()
