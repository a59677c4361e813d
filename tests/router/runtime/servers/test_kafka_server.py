"""Our own Kafka: fetched once, started, killed, started again, and gone with its parent."""

import asyncio
import os
import signal
import socket
import stat
import sys
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from router.runtime.bus.kafka_topics import answers
from router.runtime.errors import EmbeddedServerError
from router.runtime.servers.kafka_install import default_cache_dir, ensure_installed, find_java
from router.runtime.servers.kafka_server import KafkaServer, free_ports, start_kafka
from tests.kafka_server_fixture import cache_dir
from tests.suites.eventually import eventually
from tests.suites.kafka_members import bus_on, new_topic, numbers, records

ROOT = Path(__file__).parents[3]

FAKE_JAVA = "#!/bin/sh\necho 'openjdk version \"{version}\" 2025-01-01' >&2\n"
FAKE_MAVEN = """#!/bin/sh
echo run >> {runs}
for word in "$@"; do case "$word" in -DoutputDirectory=*) out="${{word#*=}}";; esac; done
{body}
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that is all of PATH but for the shell's own programs; put ``java`` and ``mvn`` there."""
    directory = tmp_path / "programs"
    directory.mkdir()
    for name in ("mkdir", "touch", "sleep"):
        (directory / name).symlink_to(Path("/bin") / name)
    monkeypatch.setenv("PATH", str(directory))
    return directory


def _program(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def _maven(programs: Path, body: str) -> Path:
    runs = programs.parent / "runs"
    _program(programs / "mvn", FAKE_MAVEN.format(runs=runs, body=body))
    return runs


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"XDG_CACHE_HOME": "/var/cache/me"}, Path("/var/cache/me/turnout")),
        ({"XDG_CACHE_HOME": ""}, Path.home() / ".cache" / "turnout"),
        ({}, Path.home() / ".cache" / "turnout"),
    ],
)
def test_the_cache_is_where_the_desktop_wants_it(environment: dict[str, str], expected: Path) -> None:
    assert default_cache_dir(environment) == expected


def test_without_java_it_says_what_to_install(programs: Path) -> None:
    with pytest.raises(EmbeddedServerError, match=r"no java on PATH: install a Java runtime >= 17"):
        find_java()


@pytest.mark.parametrize(("version", "major"), [("11.0.2", "11"), ("1.8.0_392", "8"), ("unheard of", r"\?")])
def test_a_java_too_old_is_refused(programs: Path, version: str, major: str) -> None:
    _program(programs / "java", FAKE_JAVA.format(version=version))
    with pytest.raises(EmbeddedServerError, match=rf"doesn't run on Java {major}: install"):
        find_java()


@pytest.mark.parametrize("version", ["17.0.15", "21", "25-ea"])
def test_a_java_new_enough_is_found(programs: Path, version: str) -> None:
    _program(programs / "java", FAKE_JAVA.format(version=version))
    assert find_java() == str(programs / "java")


def test_without_maven_it_says_what_to_install(programs: Path, tmp_path: Path) -> None:
    with pytest.raises(EmbeddedServerError, match="no mvn on PATH: install it"):
        ensure_installed(tmp_path / "cache")


def test_two_at_once_fetch_once(programs: Path, tmp_path: Path) -> None:
    _program(programs / "java", FAKE_JAVA.format(version="17"))
    runs = _maven(programs, 'mkdir -p "$out"; sleep 0.2; touch "$out/kafka_2.13-4.1.1.jar"')
    with ThreadPoolExecutor() as pool:
        found = [*pool.map(lambda _: ensure_installed(tmp_path / "cache"), range(3))]
    assert len(set(found)) == 1
    assert (found[0] / "kafka_2.13-4.1.1.jar").exists()
    assert runs.read_text() == "run\n"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ('mkdir -p "$out"; touch "$out/kafka_2.13-4.1.1.jar"; echo "no route to host"; exit 1', "no route to host"),
        ('mkdir -p "$out"; touch "$out/other.jar"', "could not fetch"),
    ],
)
def test_a_fetch_that_fails_says_why_and_leaves_nothing(programs: Path, tmp_path: Path, body: str, says: str) -> None:
    _program(programs / "java", FAKE_JAVA.format(version="17"))
    _maven(programs, body)
    with pytest.raises(EmbeddedServerError, match=says):
        ensure_installed(tmp_path / "cache")
    assert [each for each in (tmp_path / "cache").iterdir() if each.is_dir()] == []


def test_free_ports_differ() -> None:
    ports = free_ports()
    assert ports.clients != ports.controller


@pytest.fixture
def cache() -> Path:
    return cache_dir()


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """Ends whatever server a failing test leaves on the directory."""
    yield tmp_path / "kafka"
    lock = tmp_path / "kafka" / "server.lock"
    pid = lock.read_text().split()[0] if lock.exists() and lock.read_text().split() else None
    if pid is not None and _is_kafka(int(pid)):
        os.kill(int(pid), signal.SIGKILL)


def _is_kafka(pid: int) -> bool:
    try:
        return b"kafka.Kafka" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


async def test_what_was_published_is_there_after_a_kill_and_a_restart(cache: Path, data_dir: Path) -> None:
    server = await start_kafka(data_dir, cache_dir=cache)
    try:
        async with bus_on(server.bootstrap) as bus:
            topic = await new_topic(bus)
            await bus.publish(records(topic, 10))
        first_pid, bootstrap = server.pid, server.bootstrap
        await server.kill()
        assert not _is_kafka(first_pid)
        await server.kill()
        await server.restart()
        assert server.bootstrap == bootstrap
        assert server.pid != first_pid
        async with bus_on(server.bootstrap) as bus:
            assert numbers([record async for record in bus.history(topic)]) == list(range(10))
    finally:
        await server.stop()
        await server.stop()
    assert not _is_kafka(server.pid)
    assert server.log_file.exists()


async def test_a_frozen_server_can_be_stopped(cache: Path, data_dir: Path) -> None:
    server = await start_kafka(data_dir, cache_dir=cache)
    os.kill(server.pid, signal.SIGSTOP)
    await server.stop()
    assert not _is_kafka(server.pid)


async def test_settings_that_kafka_refuses_are_said(cache: Path, data_dir: Path) -> None:
    with pytest.raises(EmbeddedServerError, match=r"could not be made:\s.*num\.io\.threads"):
        await start_kafka(data_dir, cache_dir=cache, settings={"num.io.threads": "0"})


async def test_a_server_that_does_not_start_says_what_its_log_says(cache: Path, data_dir: Path) -> None:
    ports = free_ports()
    said = pytest.raises(EmbeddedServerError, match=rf"(?s)didn't start:.*{ports.controller}")
    with socket.create_server(("127.0.0.1", ports.controller)), said:
        await start_kafka(data_dir, cache_dir=cache, ports=ports)
    server = await start_kafka(data_dir, cache_dir=cache, ports=ports)
    assert server.bootstrap == f"127.0.0.1:{ports.clients}"
    await server.stop()


async def test_a_server_started_by_another_thread_is_watched_and_can_be_stopped(cache: Path, data_dir: Path) -> None:
    server = await asyncio.to_thread(asyncio.run, start_kafka(data_dir, cache_dir=cache))
    assert await answers("127.0.0.1", int(server.bootstrap.rpartition(":")[2]))
    await server.stop()
    assert not _is_kafka(server.pid)


PARENT = """
import asyncio, sys
from pathlib import Path
from router.runtime.servers.kafka_server import start_kafka
async def main():
    server = await start_kafka(Path(sys.argv[1]), cache_dir=Path(sys.argv[2]))
    print(server.pid, server.bootstrap, flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


async def test_the_server_ends_with_its_parent_and_its_data_can_be_used_again(cache: Path, data_dir: Path) -> None:
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PARENT, str(data_dir), str(cache)), stdout=PIPE, cwd=ROOT
    )
    assert parent.stdout is not None
    pid, bootstrap = (await parent.stdout.readline()).decode().split()
    parent.kill()
    await parent.communicate()
    again: KafkaServer = await start_kafka(data_dir, cache_dir=cache)
    try:
        await eventually(lambda: not _is_kafka(int(pid)))
        assert not await answers("127.0.0.1", int(bootstrap.rpartition(":")[2]))
        assert await answers("127.0.0.1", int(again.bootstrap.rpartition(":")[2]))
    finally:
        await again.stop()
