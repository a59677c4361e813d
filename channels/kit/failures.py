"""What can go wrong between a channel and its provider; no text of these holds a token or a customer's words.

ProviderFailure
|-- Unreachable    nothing went out: trying again is harmless
|-- NoAnswer       the request may have been carried out
|-- FileRefused    this file can't be had, now or later
`-- Malformed      what came is nothing that the provider sends
"""


class ProviderFailure(Exception):
    """Something between us and a provider went wrong."""

    retryable = False


class Unreachable(ProviderFailure):
    """No connection to the provider: nothing was sent."""

    retryable = True


class NoAnswer(ProviderFailure):
    """The request was out and no answer that can be read came back. Only what changes nothing (fetching a
    file) may be repeated."""

    retryable = True


class FileRefused(ProviderFailure):
    """The provider won't give out this file, it is too large, or its address leads where we don't go."""


class Malformed(ProviderFailure):
    """What came isn't what the provider sends; the text says where and what was expected."""
