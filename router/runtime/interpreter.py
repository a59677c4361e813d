"""Python itself, set so that the event loop of a process is seldom kept waiting."""

import gc
import sys
from typing import Final

_YOUNG: Final = 20_000
_ROUNDS: Final = (20, 20)
_SWITCH_S: Final = 0.0005


def leave_alone_what_stays() -> None:
    """Call it when a process has opened everything: what is there then is never looked at again, and what comes
    is looked at seldom. A whole look at a router takes a tenth of a second, in which nothing else happens. Nearly
    all of what comes goes by itself; only cycles wait for the collector. Repeating it harms nothing."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, *_ROUNDS)


def let_the_loop_in() -> None:
    """Take the interpreter from a thread that computes (reading rules, rendering a page) after half a millisecond. By
    default it may keep it for five, each time the loop has waited for a server: an offer needs some ten of those."""
    sys.setswitchinterval(_SWITCH_S)
