"""A port on which a whole application answers."""

from aiohttp import web


class Listener:
    """Closed at first. ``closing_s`` is how long requests that are under way may take when it is closed."""

    def __init__(self, *, closing_s: float) -> None:
        self._closing_s = closing_s
        self._runner: web.AppRunner | None = None
        self._port = 0

    @property
    def port(self) -> int:
        """The port it listens on, once open; afterwards the last one."""
        return self._port

    async def open(self, app: web.Application, host: str, port: int) -> None:
        """Listen; 0 takes a free port. Raises ``OSError`` when the port is taken."""
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=self._closing_s)
        await runner.setup()
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        self._port = int(runner.addresses[0][1])

    async def close(self) -> None:
        """Stop listening. Repeating it does nothing."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()
