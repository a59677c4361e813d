"""The Makefile and the installer on machines that lack this or that, acted by stand-ins on a PATH of our own."""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TARGETS = (
    *("demo", "up", "test", "check", "bench", "bench-quality", "faults", "soak"),
    *("format", "lock", "wheel", "clean", "help"),
)
TOOLS = ("sh", "bash", "make", "awk", "cat", "cksum", "cp", "cut", "dirname", "mkdir", "rm", "sed", "touch")

# Acts a Python: knows its version, whether it has venv, and notes what it was asked to do. The environment that
# it makes holds itself.
PYTHON = """#!/bin/sh
case "$*" in
    *version_info*) exit {old} ;;
    *"import ensurepip"*) exit {bare} ;;
    *"import pip"*) exit 0 ;;
esac
echo "python $*" >>"$CALLS"
case "$*" in
    "-m venv --clear "*) mkdir -p "$4/bin" && cp "$0" "$4/bin/python" ;;
esac
"""
UV = """#!/bin/sh
echo "uv $*" >>"$CALLS"
case "$1" in venv) mkdir -p .venv/bin && cp "$PYTHON_TO_COPY" .venv/bin/python ;; esac
"""


class Machine:
    """A clone of the installer's files on a machine that has only the commands it was given."""

    def __init__(self, folder: Path) -> None:
        self.clone = folder / "the clone"
        self._bin = folder / "bin"
        self._calls = folder / "calls"
        self._bin.mkdir()
        self.clone.mkdir()
        for name in ("Makefile", "pyproject.toml"):
            shutil.copy(ROOT / name, self.clone / name)
        for name in (".ci", "requirements"):
            shutil.copytree(ROOT / name, self.clone / name)
        for tool in TOOLS:
            (self._bin / tool).symlink_to(_real(tool))
        self.has("id", "#!/bin/sh\necho 1000\n")

    def has(self, name: str, script: str = "#!/bin/sh\n") -> None:
        path = self._bin / name
        path.write_text(script)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def has_python(self, name: str, *, old: bool = False, bare: bool = False) -> None:
        self.has(name, PYTHON.format(old=int(old), bare=int(bare)))

    def has_uv(self) -> None:
        self.has("uv", UV)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": str(self._bin), "CALLS": str(self._calls), "LC_ALL": "C"}
        environment["PYTHON_TO_COPY"] = str(self._bin / "python3")
        return subprocess.run(
            command, cwd=self.clone, env=environment, capture_output=True, text=True, timeout=30, check=False
        )

    def install(self, lock: str = "run") -> subprocess.CompletedProcess[str]:
        return self.run("sh", "requirements/install.sh", lock)

    def calls(self) -> list[str]:
        """What Python and uv were asked since the last look."""
        text = self._calls.read_text() if self._calls.exists() else ""
        self._calls.unlink(missing_ok=True)
        return text.splitlines()


def _real(tool: str) -> str:
    found = shutil.which(tool, path=f"{os.environ['PATH']}:/usr/bin:/bin")
    assert found, f"this test needs {tool}"
    return found


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_help_is_what_make_does_first_and_names_every_target(machine: Machine) -> None:
    shown = machine.run("make")
    assert shown.returncode == 0
    assert set(re.findall(r"^  make ([\w-]+) +\w", shown.stdout, flags=re.MULTILINE)) == set(TARGETS)
    assert machine.calls() == []


def test_a_bare_machine_gets_its_environment_by_hash_and_then_the_project(machine: Machine) -> None:
    machine.has_python("python3")
    assert machine.install().returncode == 0
    pip = "python -m pip install --quiet --disable-pip-version-check --no-input"
    assert machine.calls() == [
        "python -m venv --clear .venv",
        f"{pip} --require-hashes -r requirements/run.txt",
        f"{pip} --no-deps --no-build-isolation -e .",
    ]


def test_uv_is_taken_where_there_is_one(machine: Machine) -> None:
    machine.has_python("python3", bare=True)
    machine.has_uv()
    assert machine.install("dev").returncode == 0
    assert machine.calls() == [
        "uv venv --quiet --clear --python python3 .venv",
        "uv pip install --quiet --python .venv/bin/python --require-hashes -r requirements/dev.txt",
        "uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e .",
    ]


def test_the_newest_python_that_works_is_taken(machine: Machine) -> None:
    machine.has("python3.14", "#!/bin/sh\nexit 127\n")  # a shim without a Python behind it
    machine.has_python("python3.13", bare=True)
    machine.has("python3.12", PYTHON.format(old=0, bare=0).replace('echo "python', 'echo "the 3.12'))
    machine.has_python("python3.11")
    machine.has_python("python3", old=True)
    assert machine.install().returncode == 0
    assert machine.calls()[0] == "the 3.12 -m venv --clear .venv"


@pytest.mark.parametrize(
    ("python", "installer", "command"),
    [
        ("python3", "apt-get", "sudo apt-get install python3-venv"),
        ("python3.12", "apt-get", "sudo apt-get install python3.12-venv"),
        ("python3.12", "nothing", "python3.12 -m pip install --user uv"),
    ],
)
def test_a_python_without_venv_is_mended_by_one_command(
    machine: Machine, *, python: str, installer: str, command: str
) -> None:
    machine.has_python(python, bare=True)
    machine.has(installer)
    refused = machine.install()
    assert refused.returncode == 1
    assert f"    {command}\n" in refused.stderr
    assert not (machine.clone / ".venv").exists()


@pytest.mark.parametrize(
    ("installer", "command"),
    [
        ("apt-get", "sudo apt-get install python3.11 python3.11-venv"),
        ("dnf", "sudo dnf install python3.11"),
        ("brew", "brew install python@3.13"),
        ("nothing", "python3 -m pip install --user uv"),
    ],
)
def test_a_python_too_old_is_mended_by_one_command(machine: Machine, installer: str, command: str) -> None:
    machine.has_python("python3", old=True)
    machine.has(installer)
    refused = machine.run("make", "demo")
    assert refused.returncode == 2
    assert "needs Python 3.11 or later" in refused.stderr
    assert f"    {command}\n" in refused.stderr


def test_root_is_not_told_to_use_sudo(machine: Machine) -> None:
    machine.has("id", "#!/bin/sh\necho 0\n")
    machine.has("apt-get")
    assert "    apt-get install python3.11 python3.11-venv\n" in machine.install().stderr


def _ready(machine: Machine, target: str) -> list[str]:
    """What Python is asked for before a target's own commands, which have nothing to run here."""
    machine.run("make", target)
    return [call for call in machine.calls() if "pip install" in call or "venv" in call]


def test_the_second_run_installs_nothing(machine: Machine) -> None:
    machine.has_python("python3")
    assert len(_ready(machine, "demo")) == 3
    assert _ready(machine, "demo") == []


def test_the_development_lock_covers_the_run_lock(machine: Machine) -> None:
    machine.has_python("python3")
    assert any("dev.txt" in call for call in _ready(machine, "test"))
    assert _ready(machine, "demo") == []
    assert _ready(machine, "bench") == []


@pytest.mark.parametrize("changed", ["requirements/run.txt", "pyproject.toml"])
def test_a_changed_lock_or_project_is_installed_anew_into_the_same_environment(machine: Machine, changed: str) -> None:
    machine.has_python("python3")
    _ready(machine, "demo")
    stamp = next((machine.clone / ".venv").glob(".run-*"))
    for seconds, paths in enumerate((machine.clone.rglob("*"), [stamp], [machine.clone / changed])):
        for path in paths:
            os.utime(path, (seconds, seconds))
    again = _ready(machine, "demo")
    assert [re.sub(".* -", "-", call) for call in again] == ["-r requirements/run.txt", "-e ."]
    assert _ready(machine, "demo") == []


def test_a_moved_clone_gets_a_new_environment(machine: Machine) -> None:
    machine.has_python("python3")
    _ready(machine, "demo")
    machine.clone = machine.clone.rename(machine.clone.with_name("elsewhere"))
    assert _ready(machine, "demo")[0] == "python -m venv --clear .venv"


def test_an_environment_made_by_a_lost_uv_is_named(machine: Machine) -> None:
    machine.has_python("python3")
    machine.install()
    (machine.clone / ".venv/bin/python").write_text(
        (machine.clone / ".venv/bin/python").read_text().replace('"import pip"*) exit 0', '"import pip"*) exit 1')
    )
    assert "    rm -rf .venv\n" in machine.install().stderr


def test_a_failed_install_is_tried_again(machine: Machine) -> None:
    machine.has("python3", PYTHON.format(old=0, bare=0) + 'case "$*" in *pip*) exit 1 ;; esac\n')
    assert machine.run("make", "demo").returncode == 2
    machine.calls()
    assert any("--require-hashes" in call for call in _ready(machine, "demo"))


def test_ci_asks_for_exactly_what_the_machine_lacks(machine: Machine) -> None:
    machine.has("git")
    machine.has("mvn")
    machine.has("redis-server")
    machine.has("java", "#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n")
    machine.has("apt-cache", '#!/bin/sh\ntest "$2" = openjdk-21-jre-headless\n')
    machine.has("apt-get", '#!/bin/sh\necho "apt-get $*" >>"$CALLS"\n')
    machine.has_python("python3.12", bare=True)
    assert machine.run("bash", ".ci/run").returncode == 1
    lacking = "python3 python3-venv prometheus chromium openjdk-21-jre-headless"
    assert machine.calls() == [
        "apt-get update -qq",
        f"apt-get install -qq -y --no-install-recommends {lacking}",
    ]


def test_ci_stops_at_the_first_phase_that_fails(machine: Machine) -> None:
    for name in ("git", "mvn", "redis-server", "promtool", "chromium"):
        machine.has(name)
    machine.has("java", "#!/bin/sh\necho 'openjdk version \"17.0.1\" 2021-10-19' >&2\n")
    machine.has_python("python3.11")
    ran = machine.run("bash", ".ci/run")
    assert ran.returncode == 2
    assert "nothing is missing" in ran.stdout
    assert "=== check" in ran.stdout
    assert "=== demo" not in ran.stdout


@pytest.mark.parametrize(
    ("failed", "again", "code", "runs"),
    [(0, True, 1, 1), (1, True, 0, 2), (3, True, 0, 2), (3, False, 1, 2), (4, True, 1, 1)],
)
def test_a_few_failed_tests_are_run_once_more(tmp_path: Path, failed: int, again: bool, code: int, runs: int) -> None:
    cache = tmp_path / ".pytest_cache" / "v" / "cache"
    cache.mkdir(parents=True)
    (cache / "lastfailed").write_text(json.dumps({f"t::{number}": True for number in range(failed)}))
    source = (ROOT / ".ci" / "run").read_text("utf-8")
    part = source[source.index("run_tests() {") : source.index('phase "what is missing"')]
    stub = (
        'timeout() { echo "$*" >>calls; case "$*" in *--last-failed*) return '
        + ("0" if again else "1")
        + ";; esac; return 1; }"
    )
    script = f"set -euo pipefail\nPYTHON={sys.executable}\n{stub}\n{part}\nrun_tests\n"
    ran = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, check=False)
    assert ran.returncode == code, ran.stderr
    assert len((tmp_path / "calls").read_text().splitlines()) == runs
