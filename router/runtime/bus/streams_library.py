"""The bus's functions in the server: put together from ``lua/``, named by their content, called here.

Function names are global in a server and carry the hash of the source, so two versions of Turnout serve at
the same time. A library that is missing (a flushed or replaced server) is loaded at the first call.
"""

import hashlib
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Final, cast

from router.runtime.errors import BusUnavailable, CommandRefused, StoreUnavailable
from router.runtime.redis import Argument, Coalescer

_FILES: Final = ("prelude", "create_topic", "publish", "group", "upkeep", "reads")
_PREFIX: Final = "turnout_bus_"
_READ_ONLY: Final = ("seek", "lag")
_GROUPS: Final = ("join", "sync", "release", "leave", "commit", "expire_group")
_UPKEEP: Final = ("create_topic", "tick", "libraries", "trim", "compact")
# All of it runs over maxmemory: it frees memory, or lets a process start, a relay and a consumer get on, and so frees
# some. What comes from outside is held back before it gets here (server_memory.Room).
_FUNCTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(("publish", *_GROUPS, *_UPKEEP), ("allow-oom",)),
    **dict.fromkeys(_READ_ONLY, ("no-writes", "allow-oom")),
}


def _source() -> tuple[str, str]:
    """The library's text and its hash."""
    folder = resources.files("router.runtime.bus") / "lua"
    body = "\n".join((folder / f"{name}.lua").read_text(encoding="utf-8") for name in _FILES)
    digest = hashlib.sha256((body + repr(_FUNCTIONS)).encode()).hexdigest()[:12]
    registered = "\n".join(
        f"redis.register_function{{function_name='bus_{name}_{digest}', callback={name}, "
        f"flags={{{', '.join(repr(flag) for flag in flags)}}}}}"
        for name, flags in _FUNCTIONS.items()
    )
    return f"#!lua name={_PREFIX}{digest}\n{body}\n{registered}\n", digest


class StreamsLibrary:
    """Calls the bus's functions over one coalescer. Raises ``BusUnavailable`` when the server doesn't
    answer; a function that was missing is loaded and called, which is no repetition: it had not run."""

    def __init__(self, calls: Coalescer) -> None:
        self._calls = calls
        self._text, self._digest = _source()

    async def call(self, function: str, keys: Sequence[str], args: Sequence[Argument]) -> object:
        name = f"bus_{function}_{self._digest}"
        verb = "FCALL_RO" if function in _READ_ONLY else "FCALL"
        try:
            try:
                return await self._calls.call(verb, name, len(keys), *keys, *args)
            except CommandRefused as exc:
                if "Function not found" not in str(exc):
                    raise
            await self.load()
            return await self._calls.call(verb, name, len(keys), *keys, *args)
        except StoreUnavailable as exc:
            raise BusUnavailable(str(exc)) from exc

    async def command(self, *args: Argument) -> object:
        """One plain command, with errors as those of the bus."""
        try:
            return await self._calls.call(*args)
        except StoreUnavailable as exc:
            raise BusUnavailable(str(exc)) from exc

    @property
    def name(self) -> str:
        """What the library is called in the server."""
        return f"{_PREFIX}{self._digest}"

    async def others(self) -> frozenset[str]:
        """The libraries of other versions that the server holds."""
        listed = cast("list[list[bytes]]", await self.command("FUNCTION", "LIST", "LIBRARYNAME", f"{_PREFIX}*"))
        return frozenset(each[1].decode() for each in listed) - {self.name}

    async def delete(self, library: str) -> None:
        """Delete another version's library; repeating it does nothing."""
        try:
            await self.command("FUNCTION", "DELETE", library)
        except CommandRefused as exc:
            if "not found" not in str(exc):
                raise

    async def load(self) -> None:
        """Load the library if the server hasn't it. Repeating it does nothing."""
        try:
            await self._calls.call("FUNCTION", "LOAD", self._text)
        except CommandRefused as exc:
            if "already exists" not in str(exc):
                raise
