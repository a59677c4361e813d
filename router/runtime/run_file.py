"""The run file: where the process of a data directory listens, for the command line and for people."""

import os
from pathlib import Path
from typing import Final

import msgspec

NAME: Final = "run.json"


class RunFile(msgspec.Struct, frozen=True, kw_only=True):
    """Written when the process is ready, removed when it ends; ``alive`` tells one that a crash left behind.

    ``ops``, ``api`` and ``channels`` are base URLs, ``ports`` the channels' own ports by protocol, ``store`` the
    URL of the embedded state store.
    """

    pid: int
    roles: tuple[str, ...]
    ops: str
    api: str = ""
    channels: dict[str, str] = {}
    ports: dict[str, dict[str, int]] = {}
    store: str = ""

    @property
    def alive(self) -> bool:
        """Whether a process of that number is there."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True


def write(data_dir: Path, run_file: RunFile) -> None:
    """Replace the run file in one step: a reader sees the old one or the new one."""
    fresh = data_dir / f"{NAME}.new"
    fresh.write_bytes(msgspec.json.encode(run_file))
    fresh.replace(data_dir / NAME)


def remove(data_dir: Path) -> None:
    (data_dir / NAME).unlink(missing_ok=True)


def read(data_dir: Path) -> RunFile | None:
    """The run file of a live process; None when none runs there, or none is ready yet."""
    try:
        found = msgspec.json.decode((data_dir / NAME).read_bytes(), type=RunFile)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    return found if found.alive else None
