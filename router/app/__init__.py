"""The composition root: the one place where the objects of a process are built and joined."""

from router.app.process import Role
from router.app.service import Service, fast_loop, serve

__all__ = ["Role", "Service", "fast_loop", "serve"]
