"""Errors of the service.

ServiceError
├── IntakeHeldBack     retryable
├── Contended          retryable
├── FenceRenewed       retryable
├── NotServed
├── KeepsKilling
├── ConversationHeld
├── Superseded
├── PoolUnsettled      retryable (a StoreUnavailable, too)
├── StoreBehind
└── SkewedClock
"""

from router.runtime.errors import StoreUnavailable


class ServiceError(Exception):
    """Base of what the service raises."""

    retryable = False


class IntakeHeldBack(ServiceError):
    """The pool takes no new work just now: memory is short, or its outbox long. The inquiry stays on the bus and is
    tried again; it is ``expected``, so nobody logs each record."""

    retryable = True
    expected = True


class Contended(ServiceError):
    """The case changed under every one of five attempts. Repeat the act."""

    retryable = True


class FenceRenewed(ServiceError):
    """The act was refused under a fence that this process has renewed since. It is tried again under the new one."""

    retryable = True


class KeepsKilling(ServiceError):
    """Handling this record has ended its process again and again. It goes to the dead letters: mend what it meets,
    then replay it."""


class ConversationHeld(ServiceError):
    """An earlier record of the conversation lies among the dead letters. This one waits there for it: replay both."""


class NotServed(ServiceError):
    """This version can't handle such a message. It goes to the dead letters, to be replayed by one that can."""


class Superseded(ServiceError):
    """Another process owns this partition, outbox or state by now: this one has to step back."""


class StoreBehind(ServiceError):
    """The state store has lost what the bus was told already: the pool must be rebuilt before anything is relayed."""


class PoolUnsettled(StoreUnavailable, ServiceError):
    """The pool isn't known to be whole, or was rebuilt under a new gen: what was asked had no effect, or nobody knows
    whether it was lost. Repeat it, with the same operation id, once the pool has settled."""

    retryable = True


class SkewedClock(ServiceError):
    """This host's clock is more than five seconds ahead of the others: correct it and restart."""
