"""How a channel says no over HTTP: raise ``Refused`` anywhere below a handler, answer with it at the edge."""

from aiohttp import web

from router.runtime.hosting.problems import problem


class Refused(Exception):
    """What came is not taken, and ``detail`` tells the sender's developer why. Never quotes secrets."""

    def __init__(self, status: int, detail: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.retry_after_s = retry_after_s

    def answer(self) -> web.Response:
        """The short problem document that stands for it."""
        return problem(self.status, self.detail, retry_after_s=self.retry_after_s)


def malformed(detail: str) -> Refused:
    return Refused(400, detail)


def not_authentic() -> Refused:
    """For every signature that isn't right: which check failed is told to nobody."""
    return Refused(401, "The signature of this request is missing or not valid.")


def not_found() -> Refused:
    return Refused(404, "There is nothing here.")


def too_large(max_bytes: int) -> Refused:
    return Refused(413, f"A message may have at most {max_bytes} bytes.")
