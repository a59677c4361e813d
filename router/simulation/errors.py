"""What can go wrong with a simulation.

CaseError   a case's file can't be used (a ``RulesError``: every problem with its place)
Refused     the store refused an act that nobody else can have raced
"""

from typing import ClassVar

from rules.errors import RulesError


class CaseError(RulesError):
    """The case can't be simulated. Mend every problem listed."""


class Refused(Exception):
    """An act was refused although nobody else acts here: an error of the simulation or of what it simulates.
    Report it with the case and the seed."""

    retryable: ClassVar[bool] = False
