"""A Kafka of our own on loopback: for the demo on Kafka and for tests, not for production.

One process, one node (KRaft), one data directory. It ends with the process that started it.
"""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from router.runtime.bus.kafka_topics import answers
from router.runtime.errors import EmbeddedServerError
from router.runtime.servers import valkey_guard
from router.runtime.servers.kafka_install import ensure_installed, find_java
from router.runtime.servers.valkey_directory import claim_server, holder_of, send_signal, until

_log = logging.getLogger(__name__)

_START_S: Final = 90.0
_FORMAT_S: Final = 60.0
_STOP_S: Final = 15.0
_LOG_LINES: Final = 15


class KafkaPorts(NamedTuple):
    """Where the server listens on loopback: for clients, and for itself."""

    clients: int
    controller: int


class KafkaServer:
    """A running server of ours, made by ``start_kafka``. May be used from any event loop."""

    def __init__(self, launch: "_Launch", process: subprocess.Popen[bytes], pid: int) -> None:
        self._launch = launch
        self._process = process
        self.pid = pid

    @property
    def bootstrap(self) -> str:
        """What a client connects to; the same after ``restart``."""
        return f"127.0.0.1:{self._launch.ports.clients}"

    @property
    def log_file(self) -> Path:
        return self._launch.data_dir / "kafka.log"

    async def stop(self) -> None:
        """End the server in good order, by force when it takes too long. Repeating it does nothing."""
        await self._end(signal.SIGTERM)
        await self._end(signal.SIGKILL)

    async def kill(self) -> None:
        """End the server as a power cut would. Repeating it does nothing."""
        await self._end(signal.SIGKILL)

    async def restart(self) -> None:
        """Start it again on the same data and ports, ending it first if it still runs."""
        await self.stop()
        self._process, self.pid = await self._launch.run()

    async def _end(self, number: signal.Signals) -> None:
        await _end(self._process, self.pid, number)


async def _end(process: "subprocess.Popen[bytes]", pid: int, number: signal.Signals) -> None:
    """Signal the server that this process is, or that it watches as pid, and wait until it is gone."""
    if process.poll() is None:
        for each in (number, signal.SIGCONT):  # a stopped process acts on no other signal but SIGKILL
            send_signal(pid or process.pid, each)
        await until(lambda: process.poll() is not None, _STOP_S)
    if process.stdin is not None and process.poll() is not None:
        process.stdin.close()


class _Launch(NamedTuple):
    """All that a start of the server takes, so that it can be repeated."""

    java: str
    libs: Path
    data_dir: Path
    ports: KafkaPorts
    heap_mb: int
    settings: Mapping[str, str]
    cluster_id: str

    @property
    def log_file(self) -> Path:
        return self.data_dir / "kafka.log"

    def command(self, main: str, *arguments: str) -> list[str]:
        return [
            *(self.java, f"-Xmx{self.heap_mb}m", "-XX:+UseSerialGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"),
            *("-Dorg.slf4j.simpleLogger.showDateTime=true", "-cp", f"{self.libs}/*", main, *arguments),
        ]

    async def run(self) -> tuple["subprocess.Popen[bytes]", int]:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        lock = await claim_server(self.data_dir)
        try:
            os.ftruncate(lock, 0)  # the pid in it is that of an earlier server, or anybody's by now
            properties = self.data_dir / "server.properties"
            properties.write_text(_properties(self.data_dir, self.ports, self.settings), encoding="utf-8")
            if not (self.data_dir / "log" / "meta.properties").exists():
                await asyncio.to_thread(self._format, properties)
            process = self._spawn(self.command("kafka.Kafka", str(properties)), lock)
        finally:
            os.close(lock)  # the server has its own descriptor of the same lock
        try:
            pid = await self._ready(process)
        except BaseException:
            await _end(process, holder_of(self.data_dir / "server.lock").pid, signal.SIGKILL)
            raise
        return process, pid

    def _format(self, properties: Path) -> None:
        named = f"--cluster-id={self.cluster_id}"
        command = self.command("kafka.tools.StorageTool", "format", named, "-c", str(properties))
        try:
            done = subprocess.run(  # noqa: S603
                command, capture_output=True, text=True, timeout=_FORMAT_S, check=False
            )
        except subprocess.TimeoutExpired as exc:
            raise EmbeddedServerError(f"Kafka's storage was not made within {_FORMAT_S:.0f} s") from exc
        if done.returncode != 0:
            raise EmbeddedServerError(f"Kafka's storage could not be made:\n{done.stdout}{done.stderr}")

    def _spawn(self, command: list[str], lock: int) -> "subprocess.Popen[bytes]":
        # As for the embedded Valkey: the kernel's parent-death signal counts for the main thread only.
        by_kernel = sys.platform == "linux" and threading.current_thread() is threading.main_thread()
        guard = [sys.executable, "-I", "-S", valkey_guard.__file__, "exec" if by_kernel else "watch"]
        with self.log_file.open("ab") as log:
            return subprocess.Popen(  # noqa: S603
                [*guard, str(lock), str(os.getpid()), "", *command],
                stdin=subprocess.DEVNULL if by_kernel else subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=(lock,),
                start_new_session=True,  # Ctrl-C in the terminal is ours to handle, the server's after us
            )

    async def _ready(self, process: "subprocess.Popen[bytes]") -> int:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_START_S):
                while process.poll() is None:
                    if await answers("127.0.0.1", self.ports.clients):
                        return holder_of(self.data_dir / "server.lock").pid
        raise EmbeddedServerError(f"Kafka on {self.data_dir} didn't start:\n{self._last_lines()}")

    def _last_lines(self) -> str:
        with contextlib.suppress(OSError):
            return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-_LOG_LINES:])
        return "it wrote no log"


async def start_kafka(
    data_dir: Path,
    *,
    cache_dir: Path,
    ports: KafkaPorts | None = None,
    heap_mb: int = 512,
    settings: Mapping[str, str] | None = None,
    cluster_id: str | None = None,
) -> KafkaServer:
    """Start a Kafka on this data directory, or raise ``EmbeddedServerError`` saying what to install or free.

    The first start on a machine fetches the programs into ``cache_dir``. Free ports are taken unless
    ``ports`` names them; ``settings`` are broker properties that go over ours. It returns once the server
    answers. A server that a killed process left on the directory is ended first. Nodes of one cluster are given
    the same ``cluster_id`` (``new_cluster_id``) and, by ``settings``, the same voters; start them at the same time.
    """
    java = find_java()
    libs = await asyncio.to_thread(ensure_installed, cache_dir)
    home = await asyncio.to_thread(data_dir.resolve)
    launch = _Launch(
        java, libs, home, ports or free_ports(), heap_mb, dict(settings or {}), cluster_id or new_cluster_id()
    )
    process, pid = await launch.run()
    _log.info("Kafka started", extra={"event": "embedded_server_started", "pid": pid})
    return KafkaServer(launch, process, pid)


def new_cluster_id() -> str:
    """A name for a cluster, in the form that Kafka wants."""
    return urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")


def free_ports() -> KafkaPorts:
    """Two loopback ports that nobody listens on now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(2)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return KafkaPorts(*(each.getsockname()[1] for each in sockets))


def _properties(data_dir: Path, ports: KafkaPorts, settings: Mapping[str, str]) -> str:
    """The server's settings: one node that is broker and controller, small, with nothing implicit."""
    clients, controller = (f"127.0.0.1:{port}" for port in ports)
    lines = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{controller}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://{clients},CONTROLLER://{controller}",
        "advertised.listeners": f"PLAINTEXT://{clients}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": str(data_dir / "log"),
        "auto.create.topics.enable": "false",
        "group.initial.rebalance.delay.ms": "0",
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        # After a kill the server waits this long for its own former self to be declared dead.
        "broker.session.timeout.ms": "2000",
        "broker.heartbeat.interval.ms": "400",
        "num.network.threads": "2",
        "num.io.threads": "4",
        "log.cleaner.dedupe.buffer.size": str(32 * 1024 * 1024),
        **settings,
    }
    return "".join(f"{name}={value}\n" for name, value in lines.items())
