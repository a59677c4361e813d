"""Golden files: what an output must be, to the byte, so that a change of it is seen in review.

``TURNOUT_GOLDEN=write python -m pytest tests/router/contract`` writes them anew; read the difference before
you commit it. A file without its example fails too.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent.parent / "golden"


def is_writing() -> bool:
    """Whether this run writes golden files instead of comparing with them."""
    return os.environ.get("TURNOUT_GOLDEN") == "write"


def check_golden(name: str, content: bytes) -> None:
    """Fails unless the file of that name, below ``tests/golden``, holds ``content`` and a line end."""
    path = FOLDER / name
    if is_writing():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content + b"\n")
    assert path.exists(), f"{name} is missing: run with TURNOUT_GOLDEN=write, and read what it writes"
    assert content + b"\n" == path.read_bytes(), f"{name} differs: if that is meant, run with TURNOUT_GOLDEN=write"


def read_golden(name: str) -> bytes:
    """The content of a golden file without its line end."""
    return (FOLDER / name).read_bytes().removesuffix(b"\n")


def strangers(folder: str, expected: Iterable[str]) -> set[str]:
    """The files of a golden folder (not those of folders in it) that no example stands for."""
    return {path.name for path in (FOLDER / folder).iterdir() if path.is_file()} - set(expected)
