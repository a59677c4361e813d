"""The command line: one file a command."""

from router.cli.main import main

__all__ = ["main"]
