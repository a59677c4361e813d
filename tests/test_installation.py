"""Services that tests start don't outlive the tests, however these end."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.suites.eventually import eventually

ROOT = Path(__file__).resolve().parents[1]
PARENT = """
import sys
from pathlib import Path
from tests.suites.installation import Process

folder = Path(sys.argv[1])
child = Process(folder, {"data_dir": str(folder / "data")})._spawned(["/bin/sleep", "300"])
print(child.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
async def test_a_service_ends_with_a_killed_test(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as parent:  # noqa: ASYNC220
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert _runs(pid)
        parent.send_signal(signal.SIGKILL)
        await eventually(lambda: not _runs(pid))


def _runs(pid: int) -> bool:
    """Whether it is there and no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
