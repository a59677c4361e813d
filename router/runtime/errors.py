"""Errors of the runtime.

RuntimeFailure
├── BusError
│   ├── BusUnavailable     retryable
│   ├── RecordRefused
│   └── TopicDiffers
├── StoreUnavailable       retryable
├── EmbeddedServerError
└── SettingsError
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


class EmbeddedServerError(RuntimeFailure):
    """A server that Turnout starts itself could not be started; the message says what to install or free."""


class SettingsError(RuntimeFailure):
    """The settings are wrong. ``problems`` lists all of them, each with its path and what to do."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
