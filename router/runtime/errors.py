"""Errors of the runtime.

RuntimeFailure
├── BusError
│   ├── BusUnavailable     retryable
│   ├── RecordRefused
│   └── TopicDiffers
├── StoreUnavailable       retryable
│   ├── StoreFull
│   └── LedgerUnsettled
├── CommandRefused
├── EmbeddedServerError
├── SettingsError
├── PluginError
│   ├── PluginMissing
│   └── PluginFailed
├── PartitionFenced
├── SendLater              retryable
├── IntakeFull             retryable
├── BlobError
│   ├── BlobMissing
│   ├── BlobTooLarge
│   └── BlobsUnavailable   retryable
├── TokenRefused
├── StartFailed
├── TaskDied
└── ProcessStuck
"""


class RuntimeFailure(Exception):
    """Base of what the runtime raises. ``retryable``: the same call may succeed later."""

    retryable = False


class BusError(RuntimeFailure):
    """The bus failed."""


class BusUnavailable(BusError):
    """The broker didn't answer in time. The outcome is unknown: repeat with the same ids."""

    retryable = True


class RecordRefused(BusError):
    """The broker will never take this record (too large, bad topic): put it to the dead letters.

    ``index`` is the place of the record in the call.
    """

    def __init__(self, index: int, reason: str) -> None:
        super().__init__(f"record {index} of the call was refused by the bus: {reason}")
        self.index = index
        self.reason = reason


class TopicDiffers(BusError):
    """A topic exists with other properties than the settings ask for: change the setting or move the topic."""


class StoreUnavailable(RuntimeFailure):
    """The state store didn't answer. The outcome of a write is unknown: repeat with the same operation id."""

    retryable = True


class StoreFull(StoreUnavailable):
    """The state server's memory is full, and this call isn't among those that run all the same. It had no effect: come
    again later. It is ``expected``: loops that meet it don't log each time."""

    expected = True


class LedgerUnsettled(StoreUnavailable):
    """The state server has begun a new life, and its ledger of replies has not been compared with the deliveries since:
    nothing was claimed. Whoever meets it settles the ledger, or comes again later."""

    expected = True


class PartitionFenced(RuntimeFailure):
    """What a record would change was refused, as its partition was fenced for another owner. Ask the bus whose it
    is: whoever can still commit takes a new fence, anyone else drops what is left of the partition."""


class CommandRefused(RuntimeFailure):
    """The server ran a command or function and answered with an error: its text is the message. It had no
    other effect; repeating it gives the same answer."""


class EmbeddedServerError(RuntimeFailure):
    """A server that Turnout starts itself could not be started; the message says what to install or free."""


class SettingsError(RuntimeFailure):
    """The settings are wrong. ``problems`` lists all of them, each with its path and what to do."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class PluginError(RuntimeFailure):
    """A channel, simulator or notifier can't be used."""


class PluginMissing(PluginError):
    """No installed package offers a plug-in of this name: correct the name or install the package."""


class PluginFailed(PluginError):
    """A plug-in could not be loaded or opened; the message says what to mend."""


class SendLater(RuntimeFailure):
    """The provider takes nothing just now. The host sends the same reply again, with the same id.

    ``after_s`` is the provider's own wish (Retry-After); None leaves it to the host's back-off. ``may_have_arrived``:
    the try had no answer.
    """

    retryable = True

    def __init__(self, reason: str, after_s: float | None = None, *, may_have_arrived: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after_s = after_s
        self.may_have_arrived = may_have_arrived


class IntakeFull(RuntimeFailure):
    """More comes in than can be taken on. Refuse for now and name ``after_s`` as the time to come back."""

    retryable = True

    def __init__(self, after_s: float) -> None:
        super().__init__(f"the intake is full: come back in {after_s:g} s")
        self.after_s = after_s


class BlobError(RuntimeFailure):
    """The object store failed."""


class BlobMissing(BlobError):
    """There is no such object: it was never stored, or deleted with its case."""


class BlobTooLarge(BlobError):
    """The object is larger than allowed; nothing of it was kept."""


class BlobsUnavailable(BlobError):
    """The object store didn't answer. The outcome is unknown: repeat with the same key."""

    retryable = True


class TokenRefused(RuntimeFailure):
    """A token is forged, cut, made for something else or too old. Tell the bearer no more than no."""


class StartFailed(RuntimeFailure):
    """A part of the service could not be started; what was started before it has been stopped again."""


class TaskDied(RuntimeFailure):
    """A task that should run as long as the service has ended. The service stops."""


class ProcessStuck(RuntimeFailure):
    """The process no longer makes progress. It ends so that another takes over; healing in place hides it."""
