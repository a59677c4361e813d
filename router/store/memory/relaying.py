"""The outbox's one owner: who it is, what he may forget, and how another comes to be it."""

from router.runtime.errors import StoreUnavailable
from router.store.memory.guard import FORMAT
from router.store.memory.rows import PoolRows
from router.store.protocol import RelayLease


def lease(rows: PoolRows) -> RelayLease:
    relay = rows.relay
    return RelayLease(
        gen=rows.gen,
        epoch=relay.epoch,
        beat=relay.beat,
        held=relay.held,
        trimmed=rows.trimmed,
        number=rows.number,
    )


def take(rows: PoolRows) -> RelayLease:
    rows.relay.epoch += 1
    rows.relay.held = True
    return lease(rows)


def take_over(rows: PoolRows, seen: RelayLease) -> RelayLease | None:
    if rows.format > FORMAT or not _is_owner(rows, seen) or seen.beat != rows.relay.beat:
        return None
    return take(rows)


def trim(rows: PoolRows, mine: RelayLease, upto: int, *, verified: bool) -> bool:
    if not _is_owner(rows, mine):
        return False
    if upto > rows.number:
        # The bus has more of this pool than the store, whatever a look at it said before.
        rows.verified = ""
        verified = False
    if upto > rows.trimmed and not verified:
        raise StoreUnavailable("the pool has not been vouched for since the store began")
    while rows.outbox and rows.outbox[0].number <= upto:
        rows.outbox.popleft()
    rows.trimmed = max(rows.trimmed, upto)
    rows.relay.beat += 1
    return True


def release(rows: PoolRows, mine: RelayLease) -> bool:
    if not _is_owner(rows, mine):
        return False
    rows.relay.held = False
    return True


def _is_owner(rows: PoolRows, one: RelayLease) -> bool:
    """Whether a lease is the newest, of this life of the pool."""
    return (one.gen, one.epoch) == (rows.gen, rows.relay.epoch)
