"""The page for adapter authors: its example is put together and passes the suite."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from channels.kit import signatures
from router.runtime.plugin_catalog import CHANNELS, SIMULATORS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "adapters.md").read_text("utf-8")
FILES = dict(re.findall(r"<!-- file: (\S+) -->\n```python\n(.*?)```", PAGE, re.DOTALL))


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tincan")
    for name, text in FILES.items():
        (folder / name).write_text(text, "utf-8")
    return folder


def _run(folder: Path, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env={"PYTHONPATH": f"{folder}:{ROOT}", "PATH": str(Path(sys.executable).parent), "MYPYPATH": f"{folder}"},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_example_passes_the_suite(package: Path) -> None:
    config = ("-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT))
    said = _run(package, "pytest", *config, "-q", "-k", "memory", "--timeout", "30", str(package / "test_tincan.py"))
    assert int(re.findall(r"(\d+) passed", said)[0]) > 15


def test_the_example_fits_the_types(package: Path) -> None:
    proof = package / "proof.py"
    proof.write_text(
        "from router.runtime.plugins import Adapter\n"
        "from router.runtime.simulators import Simulator\n"
        "from tincan import TincanOptions, adapter\n"
        "from tincan_simulator import simulator\n"
        "made: Adapter[TincanOptions] = adapter()\n"
        "played: Simulator = simulator()\n",
        "utf-8",
    )
    files = [str(package / name) for name in ("tincan.py", "tincan_simulator.py", "proof.py")]
    _run(package, "mypy", "--strict", "--follow-imports=silent", "--config-file=", "--explicit-package-bases", *files)


def test_the_entry_points_of_the_page_are_those_that_are_looked_for() -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    points: dict[str, dict[str, str]] = tomllib.loads(text)["project"]["entry-points"]
    assert set(points) == {CHANNELS, SIMULATORS}
    for target in (target for group in points.values() for target in group.values()):
        module, factory = target.split(":")
        assert f"def {factory}()" in FILES[f"{module}.py"]


def test_every_scheme_is_named_on_the_page() -> None:
    names = [name for name, value in vars(signatures).items() if isinstance(value, signatures.Scheme)]
    words = {"STANDARD": "Standard Webhooks", "HELP_SCOUT": "Help Scout", "TEAMS_OUTGOING": "Teams"}
    missing = [name for name in names if words.get(name, name).lower() not in PAGE.lower()]
    assert len(names) > 10
    assert missing == []
