"""The embedded server: one process and one server to a data directory, whatever was killed."""

import asyncio
import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from router.runtime.errors import EmbeddedServerError
from router.runtime.servers.valkey import EmbeddedValkey, server_binary, start_embedded
from router.runtime.servers.valkey_directory import holder_of

_CHILD = """
import asyncio, sys
from pathlib import Path
from router.runtime.servers.valkey import start_embedded

async def main() -> None:
    server = await start_embedded(Path(sys.argv[1]), dies_with_parent=sys.argv[2] == "yes")
    print(server.pid, server.socket, flush=True)
    await server.exited()

asyncio.run(main())
"""


@pytest.fixture(autouse=True)
def _binary() -> None:
    try:
        server_binary()
    except EmbeddedServerError as missing:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(missing))


async def _command(server: EmbeddedValkey | str, command: str) -> bytes:
    socket = server if isinstance(server, str) else str(server.socket)
    reader, writer = await asyncio.open_unix_connection(socket)
    try:
        writer.write(command.encode() + b"\r\n")
        return (await reader.readline()).strip()
    finally:
        writer.close()
        await writer.wait_closed()


async def _child(data_dir: Path, *, dies_with_parent: bool) -> tuple[asyncio.subprocess.Process, int, str]:
    arguments = ("-c", _CHILD, str(data_dir), "yes" if dies_with_parent else "no")
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[3]
    )
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), 20)
    pid, socket = line.decode().split()
    return process, int(pid), socket


async def _kill(process: asyncio.subprocess.Process) -> None:
    process.kill()
    await asyncio.wait_for(process.wait(), 10)


async def test_data_is_there_after_a_stop_and_a_start(tmp_path: Path) -> None:
    first = await start_embedded(tmp_path / "data")
    assert await _command(first, "SET a 1") == b"+OK"
    await first.stop()
    second = await start_embedded(tmp_path / "data")
    try:
        assert await _command(second, "STRLEN a") == b":1"
    finally:
        await second.stop()
    assert not second.socket.parent.exists()


async def test_an_acknowledged_write_survives_the_servers_sigkill(tmp_path: Path) -> None:
    first = await start_embedded(tmp_path)
    assert await _command(first, "SET a 1") == b"+OK"
    os.kill(first.pid, signal.SIGKILL)
    assert await asyncio.wait_for(first.exited(), 10) == -signal.SIGKILL
    await first.stop()
    second = await start_embedded(tmp_path)
    try:
        assert await _command(second, "STRLEN a") == b":1"
    finally:
        await second.stop()


async def test_a_directory_in_use_is_refused_and_free_after_stop(tmp_path: Path) -> None:
    first = await start_embedded(tmp_path)
    try:
        with pytest.raises(EmbeddedServerError, match=f"in use by another Turnout process .pid {os.getpid()}"):
            await start_embedded(tmp_path)
        assert await _command(first, "PING") == b"+PONG"
    finally:
        await first.stop()
        await first.stop()
    await (await start_embedded(tmp_path)).stop()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
async def test_the_server_ends_with_its_killed_parent(tmp_path: Path) -> None:
    process, pid, _ = await _child(tmp_path, dies_with_parent=True)
    descriptor = os.pidfd_open(pid)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(descriptor, ended.set)
    try:
        await _kill(process)
        await asyncio.wait_for(ended.wait(), 10)
    finally:
        asyncio.get_running_loop().remove_reader(descriptor)
        os.close(descriptor)


@pytest.mark.parametrize("frozen", [False, True])
async def test_a_server_left_behind_is_taken_over(tmp_path: Path, frozen: bool) -> None:
    process, orphan, socket = await _child(tmp_path, dies_with_parent=False)
    assert await _command(socket, "SET a 1") == b"+OK"
    await _kill(process)
    if frozen:
        os.kill(orphan, signal.SIGSTOP)
    else:
        assert await _command(socket, "PING") == b"+PONG"
    ours = await start_embedded(tmp_path)
    try:
        assert ours.pid != orphan
        assert holder_of(tmp_path / "server.lock").pid == ours.pid
        assert await _command(ours, "STRLEN a") == b":1"
        with pytest.raises(FileNotFoundError):
            await _command(socket, "PING")
    finally:
        await ours.stop()


async def test_started_off_the_main_thread_it_is_watched_by_a_pipe(tmp_path: Path) -> None:
    outcome: list[tuple[bytes, int]] = []

    async def run() -> None:
        server = await start_embedded(tmp_path)
        outcome.append((await _command(server, "PING"), server.pid))
        await server.stop()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    await asyncio.to_thread(thread.join, 30)
    assert outcome[0][0] == b"+PONG"
    assert outcome[0][1] == holder_of(tmp_path / "server.lock").pid
    await (await start_embedded(tmp_path)).stop()  # nothing is left behind that would hold the locks


async def test_a_server_that_cannot_start_says_why_and_leaves_the_directory_free(tmp_path: Path) -> None:
    (tmp_path / "appendonlydir").write_text("not a directory")
    with pytest.raises(EmbeddedServerError, match="didn't start"):
        await start_embedded(tmp_path)
    (tmp_path / "appendonlydir").unlink()
    await (await start_embedded(tmp_path)).stop()
