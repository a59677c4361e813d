"""``python -m router.cli``: the same as the command ``turnout``."""

from router.cli.main import main

main()
