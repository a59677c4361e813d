"""The rules of the tree as pure functions: text or paths in, complaints out.

Each returns the complaints about one thing, in words that say what to do, and nothing when all is well.
They know no file system; ``tests/test_tree.py`` runs them over the real tree and proves each on bad examples.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Final

MAX_FILE_LINES: Final = 400
MAX_BODY_LINES: Final = 50

TOP_FOLDERS: Final = frozenset({".ci", "channels", "deploy", "docs", "requirements", "router", "rules", "tests"})
CODE_FOLDERS: Final = frozenset({"channels", "router", "rules"})
CODE_SUFFIXES: Final = frozenset({".py", ".lua", ".sh", ".js"})
VAGUE_NAMES: Final = re.compile(r"^(utils?|helpers?|managers?|misc|common)$|_(utils?|helpers?|managers?)$")

# The rooms of the design. A folder that is not here has no place yet: give it one by argument.
ROUTER_ROOMS: Final = frozenset(
    {"api", "app", "cli", "contract", "demo", "engine", "runtime", "service", "simulation", "store"}
)
CHANNEL_ROOMS: Final = frozenset({"chat", "email", "kit", "messenger", "notify", "telegram", "web_form", "webhook"})
RULES_ROOMS: Final = frozenset({"checking", "conditions", "defaults", "icalendar"})
ROOMS: Final = {
    "router": ROUTER_ROOMS,
    "channels": CHANNEL_ROOMS,
    "rules": RULES_ROOMS,
    "tests": frozenset(
        {"bench", "channels", "faults", "golden", "integration", "journeys", "router", "rules", "suites"}
    ),
    "tests/router": ROUTER_ROOMS,
    "tests/channels": CHANNEL_ROOMS,
    "tests/rules": RULES_ROOMS,
}
# What may lie beside the rooms of a folder that is made of rooms only.
LOOSE_FILES: Final = {
    "router": re.compile(r"__init__\.py|__main__\.py|py\.typed"),
    "channels": re.compile(r"__init__\.py|py\.typed"),
    "tests": re.compile(r"(test_\w+|conftest|servers|\w+_fixture)\.py"),
}

# Written so that no line of this file is itself a hit.
FORBIDDEN_TEXT: Final = {
    "a registry's host; installers know theirs, and a mirror has another": re.compile(
        r"\b(?:(?:test\.)?pypi\.(?:org|io)|pythonhosted\.(?:org)|registry\.(?:npmjs)\.org|(?:npmjs)\.com"
        r"|(?:crates)\.io|proxy\.(?:golang)\.org|repo1?\.maven\.(?:org|apache\.org)|(?:maven)\.org"
        r"|deb\.(?:debian)\.org|archive\.(?:ubuntu)\.com|docker\.(?:io))\b"
    ),
    "a path of one person's machine": re.compile(
        r"(?<![\w./<{}$-])/(?:(?:home|Users)/\w+|root/[\w.]|work/(?:main|shared))"
    ),
}
UNFINISHED: Final = re.compile(r"\b(?:TODO|FIXME|XXX)\b")


def over_long_file(text: str) -> Iterator[str]:
    """A source file has at most 400 lines."""
    lines = len(text.splitlines())
    if lines > MAX_FILE_LINES:
        yield f"{lines} lines, more than {MAX_FILE_LINES}: split it by idea"


def over_long_functions(text: str) -> Iterator[str]:
    """A Python function's body, its docstring left out, spans at most 50 lines."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if not (body := _body(node)):
            continue
        lines = (body[-1].end_lineno or body[-1].lineno) - body[0].lineno + 1
        if lines > MAX_BODY_LINES:
            yield f"line {node.lineno}: {node.name} has {lines} lines, more than {MAX_BODY_LINES}"


def _body(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.stmt]:
    return node.body if ast.get_docstring(node, clean=False) is None else node.body[1:]


def busy_init(text: str) -> Iterator[str]:
    """An ``__init__.py`` holds a docstring, imports and ``__all__``; no logic."""
    for position, node in enumerate(ast.parse(text).body):
        if isinstance(node, ast.Import | ast.ImportFrom):
            continue
        if position == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        if _assigned_name(node) == "__all__":
            continue
        yield f"line {node.lineno}: logic in __init__.py; give it a module of its own"


def _assigned_name(node: ast.stmt) -> str | None:
    match node:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name
        case _:
            return None


def sleeps(text: str) -> Iterator[str]:
    """A test waits for what it expects. Only ``asyncio.sleep(0)``, which lets others run, is allowed."""
    tree = ast.parse(text)
    names = _names_of_sleep(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or ast.unparse(node.func) not in names:
            continue
        lets_others_run = [ast.unparse(argument) for argument in node.args] == ["0"]
        if names[ast.unparse(node.func)] == "time" or not lets_others_run:
            yield f"line {node.lineno}: a sleep; use the test clock or wait for the effect"


def _names_of_sleep(tree: ast.Module) -> dict[str, str]:
    """What this module calls the two sleeps: ``{"asyncio.sleep": "asyncio", "nap": "time"}``."""
    names = {}
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=aliases):
                for alias in aliases:
                    if alias.name in ("asyncio", "time"):
                        names[f"{alias.asname or alias.name}.sleep"] = alias.name
            case ast.ImportFrom(module="asyncio" | "time" as module, names=aliases):
                for alias in aliases:
                    if alias.name == "sleep":
                        names[alias.asname or alias.name] = module
            case _:
                pass
    return names


def unfinished(text: str) -> Iterator[str]:
    """Product code is finished: what is not built yet is an issue, not a marker."""
    for number, line in enumerate(text.splitlines(), start=1):
        if found := UNFINISHED.search(line):
            yield f"line {number}: {found.group()}"


def stubs(text: str) -> Iterator[str]:
    """No function only says that it is not there. (A codec's hook that refuses a type says so, and may.)"""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            match _body(node):
                case [ast.Raise(exc=ast.expr() as error)] if "NotImplementedError" in ast.unparse(error):
                    yield f"line {node.lineno}: {node.name} is a stub"


def forbidden_text(text: str) -> Iterator[str]:
    """No file names the host of a package registry or a path of somebody's own machine."""
    for number, line in enumerate(text.splitlines(), start=1):
        for what, pattern in FORBIDDEN_TEXT.items():
            if found := pattern.search(line):
                yield f"line {number}: {found.group()!r} is {what}"


def misplaced(path: PurePosixPath) -> Iterator[str]:
    """Every file lies in a room of the tree, and a module's name says what it is."""
    top = path.parts[0]
    if len(path.parts) > 1 and top not in TOP_FOLDERS:
        yield f"{top}/ is no folder of the tree"
    if len(path.parts) == 1 and path.suffix in CODE_SUFFIXES:
        yield "code beside the packages; put it into one of them"
    for part in (*path.parts[:-1], path.stem):
        if VAGUE_NAMES.search(part):
            yield f"{part!r} says nothing; name the module after what it holds"
    for folder, rooms in ROOMS.items():
        if path.is_relative_to(folder):
            yield from _outside_rooms(path, folder, rooms)


def _outside_rooms(path: PurePosixPath, folder: str, rooms: frozenset[str]) -> Iterator[str]:
    inside = path.relative_to(folder).parts
    if len(inside) > 1:
        if inside[0] not in rooms:
            yield f"{folder}/{inside[0]}/ is no room of the tree"
    elif folder in LOOSE_FILES and not LOOSE_FILES[folder].fullmatch(inside[0]):
        yield f"{inside[0]} lies loose in {folder}/; put it into a room"


def packages_without_init(paths: Iterable[PurePosixPath]) -> Iterator[str]:
    """Each folder of ours that holds Python, and each above it, is a package with an ``__init__.py``."""
    modules = [path for path in paths if path.parts[0] in CODE_FOLDERS and path.suffix == ".py"]
    folders = {folder for module in modules for folder in module.parents if folder.parts}
    for folder in sorted(folders - {path.parent for path in modules if path.name == "__init__.py"}):
        yield f"{folder}/ has no __init__.py: import-linter and the wheel would miss it"
