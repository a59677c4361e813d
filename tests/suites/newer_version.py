"""The product as a newer version would be, for rolling upgrades: ``python -m tests.suites.newer_version up ...``.

Its function library has another content, so another name; and it gives each case that it opens a member which this
version doesn't know.
"""

from typing import Final

import msgspec

from router.contract.case import CaseDetail, write_detail
from router.engine import plans
from router.store import library

MEMBER: Final = "newer"
VALUE: Final = b'{"of":9007199254740993,"in":[1.0,{}]}'
"""What a reader that doesn't keep it raw would write otherwise."""

_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ENCODER: Final = msgspec.json.Encoder()


def become() -> None:
    """Make this process the newer version."""
    opening = library._opening
    library._opening = lambda: f"-- a newer version\n{opening()}"

    def write_more(known: CaseDetail, *, before: str = "{}") -> str:
        members = _MEMBERS.decode(write_detail(known, before=before))
        if before == "{}":
            members.setdefault(MEMBER, msgspec.Raw(VALUE))
        return _ENCODER.encode(members).decode()

    setattr(plans, write_detail.__name__, write_more)


def main() -> None:
    become()
    from router.cli.main import main as turnout  # noqa: PLC0415 - once it is the newer one

    turnout()


if __name__ == "__main__":
    main()
