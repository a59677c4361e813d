"""By what some faults are made: a disk that is full for one process, a clock that is off for one process."""

import subprocess
import sys
import time

import pytest

from router.runtime.clock import SystemClock
from tests.suites.faults import skew
from tests.suites.faults.disks import full_disk

# For each line it is told it tries to add to the file, and says what came of it.
WRITER = """
import sys
for _ in sys.stdin:
    try:
        with open(sys.argv[1], "ab", buffering=0) as file:
            file.write(b"xx")
        print("written", flush=True)
    except OSError as exc:
        print(exc.strerror, flush=True)
"""


def test_a_full_disk_is_full_until_there_is_room(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("disk") / "log"
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None

        def write() -> str:
            print(file=writer.stdin, flush=True)
            return writer.stdout.readline().strip() if writer.stdout else ""

        assert write() == "written"
        with full_disk(writer.pid):
            assert write() == "File too large"
        assert write() == "written"
        writer.stdin.close()
        assert writer.wait(10) == 0
    assert path.read_bytes() == b"xxxx"


def test_a_process_that_ends_on_its_full_disk_is_let_go() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process, full_disk(process.pid):
        process.kill()
        process.wait(10)


@pytest.mark.parametrize("seconds", [3600, -7200])
def test_a_clock_is_off_by_so_much(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    monkeypatch.setattr(SystemClock, "__init__", SystemClock.__init__)  # put back afterwards
    monkeypatch.setenv(skew.SKEW_S, str(seconds))
    skew.lay()
    assert SystemClock().now_ms() - time.time() * 1000 == pytest.approx(seconds * 1000, abs=2_000)


def test_without_a_skew_the_clock_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(skew.SKEW_S, raising=False)
    before = SystemClock.__init__
    skew.lay()
    assert SystemClock.__init__ is before
