"""Where a record comes from: the ``ce_source`` of CloudEvents, a URI reference."""

import functools
from urllib.parse import quote

from router.contract.ids import AccountId, PoolId


@functools.lru_cache(maxsize=256)
def pool_source(pool: PoolId) -> str:
    """The source of what the router says about a pool."""
    return f"/turnout/pools/{quote(pool, safe='')}"


@functools.lru_cache(maxsize=1_024)
def account_source(account: AccountId) -> str:
    """The source of what a channel account brings in."""
    return f"/turnout/accounts/{quote(account, safe='')}"
