"""Processes that tests mistreat."""

import os
import signal


def freeze(pid: int) -> None:
    """SIGSTOP to a child of ours, and wait until every thread of it stands still.

    A signal is only sent when ``os.kill`` returns: a server with many threads may still answer a request then.
    """
    os.kill(pid, signal.SIGSTOP)
    os.waitpid(pid, os.WUNTRACED)


def thaw(pid: int) -> None:
    """Let it go on."""
    os.kill(pid, signal.SIGCONT)
