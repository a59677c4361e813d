"""Errors of the Telegram channel; none of them holds the bot's token, which is a part of every address.

TelegramFailure
├── Unreachable    nothing went out: trying again is harmless
├── NoAnswer       the request may have been carried out
├── FileRefused    this file will never be given out
└── Malformed      what came is no update
"""


class TelegramFailure(Exception):
    """Something between us and the Bot API went wrong."""

    retryable = False


class Unreachable(TelegramFailure):
    """No connection to the Bot API: nothing was sent."""

    retryable = True


class NoAnswer(TelegramFailure):
    """The request was out and no answer that can be read came back. Only what changes nothing (fetching a
    file) may be repeated."""

    retryable = True


class FileRefused(TelegramFailure):
    """Telegram won't give out this file, or it is larger than the account allows."""


class Malformed(TelegramFailure):
    """The body isn't an update; the text says where and what was expected."""
