"""What customers and advisors did and were told, kept at their own edge: the account nobody can talk them out of."""

from collections.abc import Iterator
from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """``UNKNOWN``: no answer, or one that says that nobody knows. It may have taken effect."""

    INVOKE = "invoke"
    OK = "ok"
    FAIL = "fail"
    UNKNOWN = "unknown"
    HEARD = "heard"


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One step of somebody. ``op`` joins an answer to what was invoked; ``what`` is the act (``write``, ``accept``,
    ``reply``...); ``ref`` what it was about (a message's ref, a case); ``result`` the answer in the service's words;
    ``text`` a reply's."""

    at_ms: int
    who: str
    kind: Kind
    what: str
    op: str = ""
    ref: str = ""
    result: str = ""
    text: str = ""
    durable: bool = True


class History:
    """Grows only. Whoever writes into it shares the process, so its order is that in which things were seen."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def note(self, entry: Entry) -> None:
        self.entries.append(entry)

    def of(self, kind: Kind, what: str) -> Iterator[Entry]:
        return (entry for entry in self.entries if entry.kind is kind and entry.what == what)
