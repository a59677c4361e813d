"""What can keep the demo from running::

DemoFailed
    ServiceFailed
"""


class DemoFailed(Exception):
    """The demo can't go on; the text says why, and what to do."""

    retryable = False


class ServiceFailed(DemoFailed):
    """The service didn't start, or ended by itself. The text ends with the last lines of its log."""
