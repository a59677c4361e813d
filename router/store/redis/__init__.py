"""The state store on Redis or Valkey."""

from router.store.redis.server import StoreMisconfigured
from router.store.redis.store import RedisStore

__all__ = ["RedisStore", "StoreMisconfigured"]
