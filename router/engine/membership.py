"""Of what an advisor is a member, by the names that wait classes have for it. Pure."""

from typing import Final

from router.contract.advisor import Profile
from rules.membership import secondary

ALL: Final = "*"
"""What who serves all queues is a member of."""


def memberships(profile: Profile) -> tuple[str, ...]:
    """His queues, or all, and the secondary members of queues of whom he is one."""
    queues = profile.queues or (ALL,)
    return (*queues, *map(secondary, profile.secondary)) if profile.secondary else queues


def serves(profile: Profile, queue: str, others: tuple[str, ...]) -> bool:
    """Whether he is a member of the queue, or of any of the others."""
    known = memberships(profile)
    return ALL in known or queue in known or any(name in known for name in others)
