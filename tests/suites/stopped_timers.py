"""The command line, in a process whose timer loop stands still from SIGUSR2 on while everything else goes on: run it as
``python -m tests.suites.stopped_timers up ...``."""

import asyncio
import signal

from router.cli.main import main
from router.service.timers import Timers
from tests.suites.installation import Process


class _Hanging:
    """The loop's one step, until it is told to stand."""

    def __init__(self) -> None:
        self._serve = Timers.serve
        self._stands = False

    def stand(self, *_: object) -> None:
        self._stands = True

    def lay(self) -> None:
        async def serve(timers: Timers) -> int:
            if self._stands:
                await asyncio.Event().wait()
            return await self._serve(timers)

        Timers.serve = serve  # type: ignore[method-assign,assignment]  # a child that is to hang
        signal.signal(signal.SIGUSR2, self.stand)


class StoppingProcess(Process):
    """``turnout up`` as that child."""

    def command(self, *words: str) -> list[str]:
        python, dash, _, *rest = super().command(*words)
        return [python, dash, "tests.suites.stopped_timers", *rest]


if __name__ == "__main__":
    _Hanging().lay()
    main()
