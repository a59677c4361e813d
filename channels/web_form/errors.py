"""Errors of the web form channel.

FormFailure
└── Malformed    what came is no filled-in form
"""


class FormFailure(Exception):
    """A form can't be taken."""

    retryable = False


class Malformed(FormFailure):
    """The body isn't a filled-in form; the text says what was expected and quotes nothing of it."""
