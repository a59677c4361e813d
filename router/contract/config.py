"""Entries of the configuration topic: rulebooks and keys. One partition; the last record of a key stands.

``rulebook/<hash>`` holds a rulebook's canonical content as it is (``rules.content``), ``rulebook/active`` says
which one is in force, ``key/<id>`` holds an API key without its secret. A tombstone takes an entry away. The
relays' notes lie on the same topic and are none of this: ``record_head`` places them.
"""

from enum import StrEnum
from typing import Final

import msgspec

from router.contract.codec import Headers, cloud_headers
from router.contract.ids import AdvisorId, PoolId
from router.contract.records import CLOUD_TYPES
from router.contract.values import Integer

ACTIVE_RULEBOOK: Final = "rulebook/active"
CONFIG_SOURCE: Final = "/turnout/config"

_RULEBOOK: Final = "rulebook/"
_KEY: Final = "key/"
_NAMES: Final = {_RULEBOOK: "active-rulebook", _KEY: "api-key"}


class Role(StrEnum):
    """What an API key may do. ``NOTIFIER`` acts for the advisors that a notice was sent to."""

    ADVISOR = "advisor"
    SUPERVISOR = "supervisor"
    OPERATIONS = "operations"
    NOTIFIER = "notifier"


class ActiveRulebook(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which rulebook is in force since when, and who put it there."""

    hash: str
    at_ms: Integer
    by: str = ""


class ApiKey(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A key of the API. ``sha256`` is the hash of its secret, in hexadecimal; the secret is kept nowhere.

    ``advisor`` is whose key it is; a supervisor's key may name one too, and serves then for his own work.
    """

    id: str
    sha256: str
    role: Role
    pool: PoolId
    created_at_ms: Integer
    advisor: AdvisorId | None = None
    name: str = ""
    revoked: bool = False


def rulebook_entry(hash: str) -> str:  # noqa: A002 - what it is called everywhere
    """The record key of a rulebook's content."""
    return _RULEBOOK + hash


def key_entry(id: str) -> str:  # noqa: A002 - the member's name
    """The record key of an API key."""
    return _KEY + id


def named_rulebook(entry: str) -> str | None:
    """The hash in a record key of a rulebook's content; None for any other record key."""
    if entry == ACTIVE_RULEBOOK or not entry.startswith(_RULEBOOK):
        return None
    return entry[len(_RULEBOOK) :]


def named_key(entry: str) -> str | None:
    """The id in a record key of an API key; None for any other record key."""
    return entry[len(_KEY) :] if entry.startswith(_KEY) else None


def config_headers(entry: str, *, at_ms: int) -> Headers:
    """The headers of an entry that is written at ``at_ms``. Its id names entry and time: an entry is written many
    times. Raises ``KeyError`` for a record key that is neither a rulebook's nor an API key's.
    """
    kind, slash, _ = entry.partition("/")
    type_ = CLOUD_TYPES[_NAMES[kind + slash]]
    return cloud_headers(id=f"{entry}:{at_ms}", type=type_, source=CONFIG_SOURCE, time_ms=at_ms)
