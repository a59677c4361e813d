"""An advisor between the state of the store and the bytes on the bus, his profile to the letter.

As with cases, what a newer version added to the profile goes to the bus and back.
"""

from typing import Final

import msgspec

from router.contract.advisor import Advisor, AdvisorState, Presence, read_profile
from router.contract.codec import Decoder, Headers, cloud_headers
from router.contract.errors import Undecodable
from router.contract.ids import AdvisorId, PoolId, advisor_record_id
from router.contract.records import CLOUD_TYPES
from router.contract.sources import pool_source


class _RawAdvisor(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``Advisor`` with his profile as it is. A test holds the two together."""

    id: AdvisorId
    pool: PoolId
    gen: int
    ver: int
    elig: int
    at_ms: int
    presence: Presence
    profile: msgspec.Raw
    reason: str = ""
    idle_since_ms: int = 0
    number: int = 0
    away_from: tuple[str, ...] = ()


_ENCODER: Final = msgspec.json.Encoder()
_ANY: Final = msgspec.json.Decoder(msgspec.Raw)
_RAW: Final = Decoder(_RawAdvisor)
_CHECK: Final = Decoder(Advisor)


def advisor_bytes(*, pool: PoolId, state: AdvisorState, number: int, at_ms: int) -> bytes:
    """The value of an ``Advisor`` record, the same however often it is made.

    Raises ``Undecodable`` when the state's ``profile`` isn't JSON.
    """
    try:
        profile = _ANY.decode(state.profile)
    except (msgspec.DecodeError, RecursionError) as exc:
        raise Undecodable(f"the profile of advisor {state.id}: {exc}") from exc
    return _ENCODER.encode(
        _RawAdvisor(
            id=state.id,
            pool=pool,
            gen=state.gen,
            ver=state.ver,
            elig=state.elig,
            at_ms=at_ms,
            presence=state.presence,
            profile=profile,
            reason=state.reason,
            idle_since_ms=state.idle_since_ms,
            number=number,
            away_from=state.away_from,
        )
    )


def advisor_headers(*, pool: PoolId, state: AdvisorState, at_ms: int) -> Headers:
    """The headers that go with ``advisor_bytes``: those of ``record_head``, without reading the bytes again."""
    return cloud_headers(
        id=advisor_record_id(state.id, state.gen, state.ver),
        type=CLOUD_TYPES["advisor"],
        source=pool_source(pool),
        time_ms=at_ms,
    )


def advisor_of(record: bytes) -> AdvisorState:
    """The state that an ``Advisor`` record carries, without work, timers and missed offers, which it leaves out.

    ``budget`` and ``caps`` are the profile's. Raises ``Undecodable`` for anything that isn't an ``Advisor``.
    """
    _CHECK.decode(record, Advisor)
    raw = _RAW.decode(record, _RawAdvisor)
    try:
        text = bytes(raw.profile).decode()
    except UnicodeDecodeError as exc:
        raise Undecodable(f"the profile of advisor {raw.id}: {exc}") from exc
    profile = read_profile(text)
    return AdvisorState(
        id=raw.id,
        ver=raw.ver,
        elig=raw.elig,
        gen=raw.gen,
        presence=raw.presence,
        reason=raw.reason,
        budget=profile.budget,
        caps=profile.caps,
        idle_since_ms=raw.idle_since_ms,
        profile=text,
        away_from=raw.away_from,
    )
