"""Errors of the service.

ServiceError
├── IntakeHeldBack     retryable
├── Contended          retryable
├── NotServed
├── Superseded
├── StoreBehind
└── SkewedClock
"""


class ServiceError(Exception):
    """Base of what the service raises."""

    retryable = False


class IntakeHeldBack(ServiceError):
    """The pool takes no new work just now: its outbox is long. The inquiry stays on the bus and is tried again."""

    retryable = True


class Contended(ServiceError):
    """The case changed under every one of five attempts. Repeat the act."""

    retryable = True


class NotServed(ServiceError):
    """This version can't handle such a message. It goes to the dead letters, to be replayed by one that can."""


class Superseded(ServiceError):
    """Another process owns this partition, outbox or state by now: this one has to step back."""


class StoreBehind(ServiceError):
    """The state store has lost what the bus was told already: the pool must be rebuilt before anything is relayed."""


class SkewedClock(ServiceError):
    """This host's clock is more than five seconds ahead of the others: correct it and restart."""
