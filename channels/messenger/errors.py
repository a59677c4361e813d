"""Errors of the Messenger channel; none of them holds a token or a text.

MessengerFailure
├── Unreachable    nothing went out: trying again is harmless
├── NoAnswer       the request may have been carried out
├── FileRefused    this file can't be had, now or later
└── Malformed      what came is no event of a page
"""


class MessengerFailure(Exception):
    """Something between us and Messenger went wrong."""

    retryable = False


class Unreachable(MessengerFailure):
    """No connection to the Graph API: nothing was sent."""

    retryable = True


class NoAnswer(MessengerFailure):
    """The request was out and no answer that can be read came back. Only what changes nothing (fetching a
    file) may be repeated."""

    retryable = True


class FileRefused(MessengerFailure):
    """The file is gone, too large, or its address leads where we don't go."""


class Malformed(MessengerFailure):
    """The body, or one event in it, isn't what Messenger sends; the text says where and what was expected."""
