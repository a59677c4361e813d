"""``turnout demo`` as a stranger runs it: a process, real ports, an account on its last line."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from router.runtime.plugin_catalog import CHANNELS, SIMULATORS, PluginCatalog
from tests.kafka_server_fixture import Broker, cache_dir
from tests.suites.eventually import eventually

MEMBERS = [
    *("sent", "accepted", "assigned", "resolved", "replies_sent", "replies_delivered", "lost", "duplicated"),
    *("over_capacity", "wrong_skill", "sweep_found", "time_to_offer_ms", "by_channel", "seconds"),
]
FAULTS = ("lost", "duplicated", "over_capacity", "wrong_skill", "sweep_found")


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "router.cli", "demo", "--seconds", "5", *arguments]


def run(*arguments: str, **environ: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, the object on the last line, and what was said to people."""
    done = subprocess.run(
        command("--json", *arguments),
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
        env={**os.environ, **environ},
    )
    lines = done.stdout.splitlines()
    assert lines, done.stderr
    return done.returncode, msgspec.json.decode(lines[-1]), done.stderr


def test_the_demo_answers_every_message_and_its_account_is_sound(tmp_path: Path) -> None:
    code, account, said = run("--keep", str(tmp_path))
    assert code == 0, said
    assert list(account) == MEMBERS
    assert {name: account[name] for name in FAULTS} == dict.fromkeys(FAULTS, 0)
    assert account["sent"] == account["accepted"] == account["assigned"] == account["resolved"] > 10
    assert account["replies_sent"] == account["replies_delivered"] > 10
    assert 0 < account["time_to_offer_ms"]["p50"] <= account["time_to_offer_ms"]["p99"]
    catalog = PluginCatalog()
    assert set(account["by_channel"]) == set(catalog.names(CHANNELS)) & set(catalog.names(SIMULATORS))
    assert all(flow["sent"] and flow["delivered"] for flow in account["by_channel"].values()), account
    assert "Where to look next:" in said
    assert "service.log" in said
    assert (tmp_path / "service.log").stat().st_size > 0


def test_on_a_kafka_of_its_own(tmp_path: Path) -> None:
    cache_dir()
    code, account, said = run("--bus", "kafka", "--keep", str(tmp_path))
    assert code == 0, said
    assert account["sent"] == account["resolved"] > 10
    assert (tmp_path / "kafka" / "kafka.log").exists()


def test_on_a_kafka_that_is_there_time_and_again(fresh_kafka: Broker) -> None:
    for _ in range(2):
        code, account, said = run("--bus", "kafka", TURNOUT__KAFKA__BOOTSTRAP=fresh_kafka.bootstrap)
        assert code == 0, said
        assert account["sent"] == account["resolved"] > 10
        assert "starting Kafka" not in said


@pytest.mark.parametrize(
    ("sabotage", "fault"), [("lose", "lost"), ("double", "duplicated"), ("misroute", "wrong_skill")]
)
def test_sabotage_makes_the_account_fail(sabotage: str, fault: str) -> None:
    code, account, said = run("--sabotage", sabotage)
    assert code == 1
    assert {name for name in FAULTS if account[name]} == {fault}, said


@contextlib.contextmanager
def started(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        command("--keep", str(folder)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def service_of(process: "subprocess.Popen[str]") -> int:
    """The number of the service's process, as the demo says it."""
    assert process.stdout is not None
    for line in process.stdout:
        if "(process " in line:
            return int(line.split("(process ")[1].split(")")[0])
    raise AssertionError("the service never came up")


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    # One that ended but was not waited for yet is gone, too.
    return (
        Path(f"/proc/{pid}/stat").exists() and Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly_when_told_to(tmp_path: Path, number: signal.Signals) -> None:
    with started(tmp_path) as process:
        service = service_of(process)
        process.send_signal(number)
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 130, said
        assert "Traceback" not in said
    assert is_gone(service)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells a child of its parent's death on Linux only")
async def test_a_killed_demo_leaves_no_service_behind(tmp_path: Path) -> None:
    with started(tmp_path) as process:
        service = service_of(process)
        process.kill()
        await eventually(lambda: is_gone(service), within_s=30)


def test_a_service_that_cannot_start_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    environ = {**os.environ, "TURNOUT__KAFKA__SECURITY": "NONE"}
    done = subprocess.run(
        command("--keep", str(tmp_path)), capture_output=True, text=True, timeout=60, check=False, env=environ
    )
    assert done.returncode == 2
    assert "turnout demo: the service ended with code 2" in done.stderr
    assert "kafka.security" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_directory_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_text("data_dir: elsewhere")
    done = subprocess.run(command("--keep", str(tmp_path)), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "is not empty" in done.stderr


def test_sabotage_is_hidden_and_the_rest_is_explained() -> None:
    done = subprocess.run(command("--help"), capture_output=True, text=True, timeout=60, check=True)
    assert "--sabotage" not in done.stdout
    for option in ("--seconds", "--rate", "--seed", "--bus", "--json", "--keep"):
        assert option in done.stdout
