"""What comes behind DATA: taken in chunks up to the lone dot, within bounds. No I/O."""

from enum import Enum
from typing import Final

_END: Final = b"\r\n.\r\n"


class Budget:
    """Bytes that all connections together may hold."""

    def __init__(self, size_bytes: int) -> None:
        self._left_bytes = size_bytes

    def take(self, size_bytes: int) -> bool:
        """Whether there was room for that much more."""
        if size_bytes > self._left_bytes:
            return False
        self._left_bytes -= size_bytes
        return True

    def give(self, size_bytes: int) -> None:
        self._left_bytes += size_bytes


class Excess(Enum):
    """What a mail was too much for."""

    MAIL = "mail"
    IN_HAND = "in-hand"


class Body:
    """One mail on its way in. Too much of it is read to its end all the same, and thrown away: the sender
    hears the answer only then."""

    def __init__(self, budget: Budget, max_bytes: int) -> None:
        self._budget = budget
        self._max_bytes = max_bytes
        self._data = bytearray(b"\r\n")  # a dot may be the first line
        self._held = 0
        self.is_complete = False
        self.excess: Excess | None = None
        self.rest = b""
        """What came behind the dot: the next commands."""

    def feed(self, chunk: bytes) -> None:
        """Take a chunk; nothing may follow once it is complete. Only CR LF dot CR LF is an end: a bare line
        feed before the dot is one server's end and another one's text, which lets one mail hide in another."""
        searched = max(0, len(self._data) - len(_END) + 1)
        self._data += chunk
        end = self._data.find(_END, searched)
        if end >= 0:
            self.is_complete = True
            self.rest = bytes(self._data[end + len(_END) :])
            del self._data[end + 2 :]
        self._bound(len(chunk))

    def content(self) -> bytes:
        """The mail, without the dots that were put in for the way."""
        return bytes(self._data.replace(b"\r\n.", b"\r\n")[2:])

    def release(self) -> None:
        """Give back what it holds of the budget."""
        self._budget.give(self._held)
        self._held = 0

    def _bound(self, added: int) -> None:
        if self.excess is None and len(self._data) - 2 > self._max_bytes:
            self.excess = Excess.MAIL
        if self.excess is None and not self._budget.take(added):
            self.excess = Excess.IN_HAND
        if self.excess is None:
            self._held += added
            return
        self.release()
        if not self.is_complete:
            del self._data[: 1 - len(_END)]
