"""Errors of the contract.

ContractError
├── Undecodable
└── TooLarge
"""


class ContractError(Exception):
    """Base of what the contract raises."""

    retryable = False


class Undecodable(ContractError):
    """These bytes are not the message they should be. They go to the dead letters with this text."""


class TooLarge(ContractError):
    """An inquiry beyond 256 KB. Of one that comes in, what names it is, not what it says: refuse it to whoever sends
    it. One that is on the bus goes to the dead letters."""
