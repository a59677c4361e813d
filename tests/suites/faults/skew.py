"""A host whose clock is off, as one process of ours sees it. The product has no such thing; it is laid around it."""

import os
from typing import Final

from router.runtime.clock import SystemClock

SKEW_S: Final = "FAULT_SKEW_S"
"""The environment's variable: by how many seconds this process's clock is ahead; negative for behind."""


def lay() -> None:
    """From now on this process lives by that clock."""
    skew_s = float(os.environ.get(SKEW_S, "0"))
    if not skew_s:
        return
    begin = SystemClock.__init__

    def begin_skewed(self: SystemClock) -> None:
        begin(self)
        self._offset_s += skew_s

    SystemClock.__init__ = begin_skewed  # type: ignore[method-assign]
