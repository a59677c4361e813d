"""The shape of the tree, held by guards; each guard is shown here to refuse what it is for."""

import importlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath

import pytest

from tests.suites import tree_guards as guards

ROOT = Path(__file__).resolve().parent.parent
MADE_BY_TOOLS = {"__pycache__", "build", "dist", "node_modules"}

Guard = Callable[[str], Iterable[str]]


def _tracked_paths() -> Iterator[PurePosixPath]:
    """All files of the tree, tools' own folders left out. Hidden folders are theirs, except ``.ci``."""
    for folder, inner, files in os.walk(ROOT):
        here = Path(folder).relative_to(ROOT)
        inner[:] = [
            name
            for name in inner
            if name == ".ci" or not (name.startswith(".") or name in MADE_BY_TOOLS or name.endswith(".egg-info"))
        ]
        for name in files:
            if here.parts or not name.startswith(".") or name in (".editorconfig", ".gitignore"):
                yield PurePosixPath(here.as_posix()) / name


PATHS = sorted(_tracked_paths())
CODE = [path for path in PATHS if path.suffix in (".py", ".lua") and path.parts[0] != "docs"]
PYTHON = [path for path in CODE if path.suffix == ".py"]
PRODUCT = [path for path in PATHS if path.parts[0] in guards.CODE_FOLDERS]
# The one place that may wait in small steps for an effect that no event announces.
WAITS_FOR_EFFECTS = PurePosixPath("tests/suites/eventually.py")


def _complaints(paths: Iterable[PurePosixPath], guard: Guard) -> list[str]:
    found = []
    for path in paths:
        try:
            text = (ROOT / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path}: {complaint}" for complaint in guard(text)]
    return found


def _name(value: object) -> str:
    return str(getattr(value, "__name__", ""))


@pytest.mark.parametrize(
    ("guard", "paths"),
    [
        (guards.over_long_file, CODE),
        (guards.over_long_functions, PYTHON),
        (guards.busy_init, [p for p in PYTHON if p.name == "__init__.py" and p.parts[0] in guards.CODE_FOLDERS]),
        (guards.sleeps, [p for p in PYTHON if p.parts[0] == "tests" and p != WAITS_FOR_EFFECTS]),
        (guards.unfinished, PRODUCT),
        (guards.stubs, [p for p in PRODUCT if p.suffix == ".py"]),
        (guards.forbidden_text, PATHS),
    ],
    ids=_name,
)
def test_every_file_keeps_the_rule(guard: Guard, paths: list[PurePosixPath]) -> None:
    assert paths
    assert _complaints(paths, guard) == []


def test_every_file_lies_in_a_room() -> None:
    assert [f"{path}: {complaint}" for path in PATHS for complaint in guards.misplaced(path)] == []


def test_every_folder_of_code_is_a_package() -> None:
    assert list(guards.packages_without_init(PATHS)) == []


def _function(lines: int, *, docstring: bool = False) -> str:
    doc = '    """One\n    two\n    three."""\n' if docstring else ""
    return "async def act():\n" + doc + "    x = 1\n" * lines


# The texts that the guards hunt for are put together here, or this file would be a hit itself.
REFUSED: list[tuple[Guard, str]] = [
    (guards.over_long_file, "x = 1\n" * 401),
    (guards.over_long_functions, _function(51)),
    (guards.over_long_functions, "class A:\n    def act(self):\n" + "        x = 1\n" * 51),
    (guards.busy_init, "import os\nLIMIT = 3\n"),
    (guards.busy_init, "def act(): ...\n"),
    (guards.busy_init, "if True:\n    from a import b\n"),
    (guards.busy_init, "print('loaded')\n"),
    (guards.sleeps, "import time\ntime.sleep(0)\n"),
    (guards.sleeps, "from time import sleep as nap\nnap(1)\n"),
    (guards.sleeps, "import asyncio as aio\nasync def t():\n    await aio.sleep(0.1)\n"),
    (guards.sleeps, "from asyncio import sleep\nasync def t(s):\n    await sleep(s)\n"),
    (guards.sleeps, "import asyncio\nasync def t():\n    await asyncio.sleep(delay=1)\n"),
    (guards.unfinished, "x = 1  # " + "TO" + "DO later\n"),
    (guards.unfinished, "-- FIX" + "ME\n"),
    (guards.stubs, "def act():\n    raise NotImplementedError\n"),
    (guards.stubs, "class A:\n    async def act(self):\n        'Later.'\n        raise NotImplementedError('act')\n"),
    (guards.forbidden_text, "index-url = https://py" + "pi.org/simple\n"),
    (guards.forbidden_text, '"resolved": "https://registry.npm' + 'js.org/htmx"\n'),
    (guards.forbidden_text, "curl https://repo1.mav" + "en.org/maven2\n"),
    (guards.forbidden_text, "cache = '/ho" + "me/ann/.cache'\n"),
    (guards.forbidden_text, "cd /Us" + "ers/ann\n"),
    (guards.forbidden_text, "log = /ro" + "ot/x.log\n"),
]

ACCEPTED: list[tuple[Guard, str]] = [
    (guards.over_long_file, "x = 1\n" * 400),
    (guards.over_long_functions, _function(50)),
    (guards.over_long_functions, _function(50, docstring=True)),
    (guards.over_long_functions, 'def act():\n    """A protocol\'s method."""\n'),
    (guards.busy_init, '"""What others may use."""\n\nfrom a import b\n\n__all__ = ["b"]\n'),
    (guards.sleeps, "import asyncio\nasync def t(clock):\n    await asyncio.sleep(0)\n    await clock.sleep(5)\n"),
    (guards.stubs, "def hook(v):\n    if v:\n        return 1\n    raise NotImplementedError(v)\n"),
    (guards.unfinished, "TODOS = ()\nreturn NotImplemented\n"),
    (guards.forbidden_text, "PATH=$HOME/bin GET /v1/home/page ${root}/home/x the /work set\n"),
]


@pytest.mark.parametrize(("guard", "text"), REFUSED, ids=_name)
def test_a_guard_refuses(guard: Guard, text: str) -> None:
    assert len(list(guard(text))) == 1


@pytest.mark.parametrize(("guard", "text"), ACCEPTED, ids=_name)
def test_a_guard_lets_pass(guard: Guard, text: str) -> None:
    assert list(guard(text)) == []


@pytest.mark.parametrize(
    ("path", "complaints"),
    [
        ("src/turnout/app.py", 1),
        ("setup.py", 1),
        ("router/utils.py", 2),
        ("router/service/helpers.py", 1),
        ("router/api/session_manager.py", 1),
        ("router/common/ids.py", 2),
        ("router/brain/think.py", 1),
        ("router/state.py", 1),
        ("channels/pigeon/adapter.py", 1),
        ("channels/registry.py", 1),
        ("rules/plugins/x.py", 1),
        ("tests/unit/test_x.py", 1),
        ("tests/router/brain/test_x.py", 1),
        ("tests/fakes.py", 1),
        ("router/app/service.py", 0),
        ("router/store/lua/admit.lua", 0),
        ("router/simulation/arrivals.py", 0),
        ("channels/chat/widget/page.html", 0),
        ("rules/match.py", 0),
        ("rules/defaults/rules.yaml", 0),
        ("tests/test_tree.py", 0),
        ("tests/router/test_app.py", 0),
        ("tests/router/store/test_acts.py", 0),
        ("deploy/prometheus/alerts.yaml", 0),
        ("requirements/install.sh", 0),
        ("docs/wire/asyncapi.json", 0),
        ("Makefile", 0),
    ],
)
def test_a_file_belongs_in_its_room(path: str, complaints: int) -> None:
    assert len(list(guards.misplaced(PurePosixPath(path)))) == complaints


@pytest.mark.parametrize(
    ("paths", "bare"),
    [
        (["router/__init__.py", "router/app/__init__.py", "router/app/service.py"], 0),
        (["router/app/service.py"], 2),
        (["router/__init__.py", "router/api/cases.py"], 1),
        (["router/store/lua/admit.lua", "tests/router/test_x.py"], 0),
        (["rules/a/b/c.py"], 3),
    ],
)
def test_a_folder_of_code_without_init_is_found(paths: list[str], bare: int) -> None:
    assert len(list(guards.packages_without_init(map(PurePosixPath, paths)))) == bare


@pytest.mark.parametrize("suite", ["tests.suites.replies", "tests.suites.store.day", "tests.suites.faults.tales"])
def test_an_assertion_of_a_suite_says_what_it_saw(suite: str) -> None:
    assert "@pytest_ar" in vars(importlib.import_module(suite))
