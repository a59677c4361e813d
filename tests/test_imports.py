"""The import contracts of pyproject.toml, proved on a small tree of the same shape.

One row for each thing the design allows and each it forbids; both trees are checked in one run of import-linter.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

MODULES = (
    "channels.chat.adapter",
    "channels.email.adapter",
    "channels.kit.signatures",
    "router.api.rest.cases",
    "router.app",
    "router.cli.up",
    "router.contract.ids",
    "router.contract.plan",
    "router.demo.traffic",
    "router.engine.decide",
    "router.runtime.clock",
    "router.runtime.redis",
    "router.service.intake",
    "router.simulation.arrivals",
    "router.store.memory",
    "rules.facts",
    "rules.verdict",
)

ALLOWED = (
    ("channels.chat.adapter", "router.contract.ids"),
    ("channels.chat.adapter", "router.runtime.clock"),
    ("channels.chat.adapter", "channels.kit.signatures"),
    ("channels.chat.adapter", "aiohttp"),
    ("channels.kit.signatures", "router.contract.ids"),
    ("router.api.rest.cases", "aiohttp"),
    ("router.api.rest.cases", "router.service.intake"),
    ("router.app", "router.api.rest.cases"),
    ("router.app", "rules.facts"),
    ("router.cli.up", "router.app"),
    ("router.cli.up", "router.demo.traffic"),
    ("router.contract.plan", "rules.verdict"),
    ("router.demo.traffic", "router.contract.plan"),
    ("router.demo.traffic", "router.runtime.redis"),
    ("router.engine.decide", "router.contract.plan"),
    ("router.engine.decide", "rules.facts"),
    ("router.runtime.redis", "redis"),
    ("router.runtime.redis", "router.contract.plan"),
    ("router.service.intake", "router.engine.decide"),
    ("router.service.intake", "router.store.memory"),
    ("router.service.intake", "rules.facts"),
    ("router.simulation.arrivals", "random"),
    ("router.simulation.arrivals", "router.engine.decide"),
    ("router.simulation.arrivals", "router.runtime.clock"),
    ("router.simulation.arrivals", "router.store.memory"),
    ("router.store.memory", "redis"),
    ("router.store.memory", "router.contract.plan"),
    ("router.store.memory", "router.runtime.redis"),
)

FORBIDDEN = (
    ("channels.chat.adapter", "aiokafka"),
    ("channels.chat.adapter", "channels.email.adapter"),
    ("channels.chat.adapter", "router.app"),
    ("channels.chat.adapter", "router.engine.decide"),
    ("channels.chat.adapter", "router.service.intake"),
    ("channels.chat.adapter", "router.simulation.arrivals"),
    ("channels.chat.adapter", "router.store.memory"),
    ("channels.chat.adapter", "rules.facts"),
    ("channels.kit.signatures", "channels.chat.adapter"),
    ("router.api.rest.cases", "router.app"),
    ("router.api.rest.cases", "router.demo.traffic"),
    ("router.api.rest.cases", "redis"),
    ("router.app", "channels.chat.adapter"),
    ("router.app", "router.cli.up"),
    ("router.contract.ids", "router.runtime.clock"),
    ("router.contract.ids", "rules.facts"),
    ("router.contract.ids", "time"),
    ("router.demo.traffic", "router.api.rest.cases"),
    ("router.demo.traffic", "router.engine.decide"),
    ("router.demo.traffic", "router.service.intake"),
    ("router.demo.traffic", "router.store.memory"),
    ("router.demo.traffic", "rules.facts"),
    ("router.engine.decide", "asyncio"),
    ("router.engine.decide", "random"),
    ("router.engine.decide", "router.runtime.clock"),
    ("router.engine.decide", "router.store.memory"),
    ("router.runtime.clock", "router.store.memory"),
    ("router.runtime.clock", "rules.facts"),
    ("router.service.intake", "aiokafka"),
    ("router.service.intake", "router.api.rest.cases"),
    ("router.simulation.arrivals", "router.runtime.redis"),
    ("router.simulation.arrivals", "router.service.intake"),
    ("router.store.memory", "aiokafka"),
    ("router.store.memory", "router.engine.decide"),
    ("router.store.memory", "router.service.intake"),
    ("router.store.memory", "rules.verdict"),
    ("rules.facts", "channels.kit.signatures"),
    ("rules.facts", "os"),
    ("rules.facts", "redis"),
    ("rules.facts", "router.contract.ids"),
    ("rules.facts", "time"),
)


def _lint(folder: Path, imports: tuple[tuple[str, str], ...], modules: tuple[str, ...] = MODULES) -> str:
    """What import-linter says of a tree of these modules with these imports, in one line."""
    shutil.copy(ROOT / "pyproject.toml", folder)
    for module in modules:
        path = (folder / module.replace(".", "/")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        for parent in path.parents[: len(path.relative_to(folder).parts) - 1]:
            (parent / "__init__.py").touch()
    for importer, imported in imports:
        with (folder / importer.replace(".", "/")).with_suffix(".py").open("a") as source:
            source.write(f"import {imported}\n")
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    return re.sub(r"\s+", " ", done.stdout + done.stderr)


@pytest.fixture(scope="module")
def said_of_the_forbidden(tmp_path_factory: pytest.TempPathFactory) -> str:
    return _lint(tmp_path_factory.mktemp("forbidden"), FORBIDDEN)


@pytest.mark.parametrize(("importer", "imported"), FORBIDDEN)
def test_an_import_against_the_data_is_refused(said_of_the_forbidden: str, importer: str, imported: str) -> None:
    assert f"{importer} -> {imported} (l." in said_of_the_forbidden


def test_every_import_that_the_design_allows_passes(tmp_path: Path) -> None:
    said = _lint(tmp_path, ALLOWED)
    assert " 0 broken." in said, said


def test_a_room_without_a_place_among_the_layers_is_refused(tmp_path: Path) -> None:
    assert "router.brain" in _lint(tmp_path, (), (*MODULES, "router.brain.think"))
