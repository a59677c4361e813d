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
    """What names this inquiry, not what it says, is beyond 256 KB. Refuse it to whoever sends it."""
