"""Errors of the contract.

ContractError
└── Undecodable
"""


class ContractError(Exception):
    """Base of what the contract raises."""

    retryable = False


class Undecodable(ContractError):
    """These bytes are not the message they should be. They go to the dead letters with this text."""
