"""Who asks: the bearer key of a request, and what its role opens."""

from typing import Final

from aiohttp import web
from msgspec.structs import replace

from router.api.desks import Caller, Desks
from router.api.problems import refused
from router.contract.advisor import read_profile
from router.contract.config import Role
from router.contract.ids import AdvisorId
from router.service.configuration.api_keys import KeyTable

_SCHEME: Final = "bearer"
EVERYONE: Final = frozenset({Role.ADVISOR, Role.SUPERVISOR, Role.OPERATIONS})
STAFF: Final = frozenset({Role.ADVISOR, Role.SUPERVISOR})
ACTING: Final = STAFF | {Role.NOTIFIER}
ON_BEHALF: Final = "Turnout-On-Behalf-Of"
"""The header in which a notifier names the advisor for whom it asks."""
OVERSIGHT: Final = frozenset({Role.SUPERVISOR, Role.OPERATIONS})


class Gate:
    """Lets in whoever has a key. Raises ``Refused``: 401 without one, 403 for the wrong role."""

    def __init__(self, keys: KeyTable, desks: Desks) -> None:
        self._keys = keys
        self._desks = desks

    def caller(self, request: web.Request, roles: frozenset[Role]) -> Caller:
        """Who sends this request; his role must be one of ``roles``."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        caller = self.known(token.strip() if scheme.lower() == _SCHEME else "")
        if caller.key.role not in roles:
            raise refused("forbidden", f"It takes a key of role {' or '.join(sorted(roles))}.")
        if caller.key.role is Role.NOTIFIER:
            return _on_behalf(caller, request.headers.get(ON_BEHALF, ""))
        return caller

    def known(self, token: str) -> Caller:
        """Whose token it is."""
        key = self._keys.check(token)
        if key is None:
            raise refused("unauthorized", "Send the key as: Authorization: Bearer turnout_...")
        desk = self._desks.get(key.pool)
        if desk is None:
            raise refused("forbidden", f"This process does not serve the pool {key.pool}.")
        return Caller(key, desk)


def _on_behalf(caller: Caller, advisor: str) -> Caller:
    """The caller as the advisor whom a notifier names."""
    state = caller.desk.known(AdvisorId(advisor)) if advisor else None
    if state is None or not read_profile(state.profile).active:
        raise refused("forbidden", f"A notifier names, in {ON_BEHALF}, an advisor of its pool.")
    return Caller(replace(caller.key, advisor=state.id), caller.desk)
