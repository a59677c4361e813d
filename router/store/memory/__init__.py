"""The state store in memory."""

from router.store.memory.store import MemoryStore

__all__ = ["MemoryStore"]
