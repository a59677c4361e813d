"""Python's collector of cycles, kept from looking again and again at what stays."""

import gc
from typing import Final

_YOUNG: Final = 20_000
_ROUNDS: Final = (20, 20)


def leave_alone_what_stays() -> None:
    """Call it when a process has opened everything: what is there then is never looked at again, and what comes
    is looked at seldom. A whole look at a router takes a tenth of a second, in which nothing else happens. Nearly
    all of what comes goes by itself; only cycles wait for the collector. Repeating it harms nothing."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, *_ROUNDS)
