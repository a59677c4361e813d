"""The child process that becomes, or watches, an embedded server. Run as a script, standard library only.

``valkey_guard.py exec|watch LOCK_FD PARENT_PID SOCKET COMMAND...``

LOCK_FD is an open, locked file in the data directory. The server inherits it, so the lock lasts exactly as
long as the server lives, however its parent ended; the file says its pid and socket.

* ``exec`` (Linux): asks the kernel for SIGTERM at the parent's death, then becomes the server.
* ``watch`` (elsewhere): runs the server as a child and ends it once standard input is closed.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading

PR_SET_PDEATHSIG = 1


def _note(lock_fd: int, pid: int, socket: str) -> None:
    text = f"{pid}\n{socket}\n".encode()
    os.ftruncate(lock_fd, 0)
    os.pwrite(lock_fd, text, 0)


def _become(lock_fd: int, parent: int, socket: str, command: list[str]) -> None:
    _note(lock_fd, os.getpid(), socket)
    if parent:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        # The parent may have died before the call above: nobody would send the signal any more.
        if os.getppid() != parent:
            sys.exit(1)
    os.set_inheritable(lock_fd, True)
    os.execv(command[0], command)  # noqa: S606


def _watch(lock_fd: int, socket: str, command: list[str]) -> int:
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=(lock_fd,))  # noqa: S603
    _note(lock_fd, server.pid, socket)
    os.close(lock_fd)

    def end_with_parent() -> None:
        while os.read(0, 1):
            pass
        with contextlib.suppress(ProcessLookupError):
            server.terminate()

    threading.Thread(target=end_with_parent, name="parent-watch", daemon=True).start()
    return server.wait()


def main(arguments: list[str]) -> int:
    mode, lock_fd, parent, socket, *command = arguments
    if mode == "exec":
        _become(int(lock_fd), int(parent), socket, command)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return _watch(int(lock_fd), socket, command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
