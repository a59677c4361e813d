"""The function library: one file an act, bundled into one text whose functions carry its content's hash.

Function names are global on a server, and two versions of Turnout serve at once during a rolling deploy: with
the hash in every name they never meet.
"""

import hashlib
from collections.abc import Mapping
from importlib import resources
from typing import Final, Literal

import msgspec

from router.store.acts import AnyAct
from router.store.keys import STEMS
from router.store.marks import LATE_MS, LEVEL_LIFE_MS, PUT_OFF_MS, YIELDING, Level

FORMAT: Final = 1

Witness = Literal["time", "key"]

PRELUDE: Final = ("values", "rows", "states", "txn", "people", "placing", "beside", "commit", "life", "guard")
# By name, whether it runs however short memory is.
ACTS: Final[Mapping[str, bool]] = {str(kind.__struct_config__.tag): kind not in YIELDING for kind in AnyAct.__args__}
# All of them may write, so a replica refuses them: it would remember its life beyond a promotion.
REBUILDS: Final = (
    *("inspect", "vouch", "rebuild_begin", "rebuild_wipe", "rebuild_lay", "rebuild_restore", "rebuild_finish"),
)
CONTROLS: Final = (
    *REBUILDS,
    "open",
    "press",
    "take_epochs",
    "applied",
    "hand_out",
    "attempt",
    "take",
    "take_over",
    "release",
    "trim",
)
READS: Final = ("read_case", "read_conversation", "read_advisor", "read_roster", "read_work", "status", "lease")

_GLOBALS: Final = ("redis", "cmsgpack", "string", "table", "math", "pairs", "ipairs", "next", "unpack", "tonumber")


class Library(msgspec.Struct, frozen=True, kw_only=True):
    """A library's name, its text for ``FUNCTION LOAD``, and what its functions are called."""

    name: str
    text: str

    def function(self, name: str) -> str:
        """The full name of an act's function, or of a control's or read's."""
        return f"{self.name}_{name}"


def build_library(witness: Witness = "time") -> Library:
    """Bundle the files of this package. The same files give the same name everywhere.

    ``witness`` "key" builds the library for tests, whose clock is a key.
    """
    body = "".join(
        (
            _opening(),
            _part(f"witness_{witness}"),
            *(_part(f"prelude_{name}") for name in PRELUDE),
            *(_part(name) for name in _ordered_acts()),
            *(_part(name) for name in (*CONTROLS, *READS)),
        )
    )
    unnamed = body + "".join(_registrations("turnout"))
    name = f"turnout_{hashlib.sha256(unnamed.encode()).hexdigest()[:12]}"
    return Library(name=name, text=f"#!lua name={name}\n{body}{''.join(_registrations(name))}")


def _ordered_acts() -> list[str]:
    # follow_up takes the function of pend, so pend comes first; replan takes label's, which comes first by its name.
    return sorted(ACTS, key=lambda name: (name != "pend", name))


def _opening() -> str:
    """The table of all parts, and the names of Lua's library as locals: a global costs several times as much, and
    they aren't there yet while a library is loaded."""
    stems = ", ".join(f"{name} = '{stem}'" for name, stem in sorted(STEMS.items()))
    names = ", ".join(_GLOBALS)
    yielding = ", ".join(f"{name} = true" for name, always in sorted(ACTS.items()) if not always)
    return (
        f"local T = {{ acts = {{}}, control = {{}}, FORMAT = {FORMAT}, KEY = {{ {stems} }} }}\n"
        f"T.YIELDS, T.SOFT, T.HARD = {{ {yielding} }}, {Level.SOFT:d}, {Level.HARD:d}\n"
        f"T.LEVEL_LIFE_MS, T.PUT_OFF_MS, T.LATE_MS = {LEVEL_LIFE_MS}, {PUT_OFF_MS}, {LATE_MS}\n"
        "local register = redis.register_function\n"
        f"local function globals() return {names} end\n"
        f"local {names}\n"
        f"local function bind() if not redis then {names} = globals() end end\n"
    )


def _part(name: str) -> str:
    """One file in a block of its own, so that its locals stay its own."""
    source = resources.files("router.store").joinpath("lua", f"{name}.lua").read_text(encoding="utf-8")
    return f"\ndo\n{source}end\n"


def _registrations(library: str) -> list[str]:
    flags = {name: "'allow-oom'" if always else "" for name, always in ACTS.items()}
    lines = ["\n"]
    for name, flag in sorted(flags.items()):
        call = f"T.serve('{name}', keys, args)"
        lines.append(_registration(f"{library}_{name}", call, flag))
    for name in (*CONTROLS, *READS):
        call = f"T.control.{name}(keys[1], cmsgpack.unpack(args[1]))"
        flag = "'no-writes'" if name in READS else "'allow-oom'"
        lines.append(_registration(f"{library}_{name}", call, flag))
    return lines


def _registration(name: str, call: str, flag: str) -> str:
    return (
        f"register{{ function_name = '{name}', flags = {{ {flag} }},\n"
        f"  callback = function(keys, args) bind() return {call} end }}\n"
    )
