"""Who may post a form: pages of the allowed sites, people rather than programs, not too many from one place."""

import ipaddress
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from channels.kit.outbound import is_public
from channels.kit.problems import Refused
from channels.web_form.metrics import FormRefusal, WebFormMetrics
from channels.web_form.options import WebFormOptions
from channels.web_form.submission import Submission
from channels.web_form.tokens import FormTokens, Loaded
from router.runtime.errors import TokenRefused
from router.runtime.hosting.proxies import read_address
from router.runtime.token_bucket import Limiter, Rate

_ADDRESSES: Final = 20_000


class Guard:
    """The guard of one account. What it refuses it counts and raises ``Refused`` for."""

    def __init__(self, options: WebFormOptions, tokens: FormTokens, metrics: WebFormMetrics, *, own_url: str) -> None:
        own = urlsplit(own_url)
        self._options = options
        self._tokens = tokens
        self._metrics = metrics
        self._origins = frozenset((f"{own.scheme}://{own.netloc}".lower(), *options.origins))
        rate = Rate(options.per_minute / 60, options.per_minute)
        self._limiter: Limiter[str] = Limiter(rate, max_keys=_ADDRESSES, on_forgotten=metrics.limits_forgotten.inc)

    def check_origin(self, request: web.Request) -> None:
        """A browser says whose page it posts for; who says nothing is no browser."""
        origin = request.headers.get("Origin")
        if origin is not None and origin.lower() not in self._origins:
            raise self._no(FormRefusal.ORIGIN, Refused(403, "This site may not post here."))

    def check_rate(self, request: web.Request, now_s: float) -> None:
        """Only public addresses are limited: a private one is a proxy's or our own, and may stand for many."""
        address = read_address(request.remote or "")
        if address is None or not is_public(address):
            return
        # A household has a whole /64 of IPv6.
        key = str(address) if address.version == 4 else str(ipaddress.ip_network((address, 64), strict=False))
        wait_s = self._limiter.take(key, now_s)
        if wait_s > 0:
            raise self._no(FormRefusal.RATE, Refused(429, "Too many forms: send it later.", retry_after_s=wait_s))

    def check_person(self, submission: Submission, now_ms: int) -> Loaded | None:
        """Nothing in the trap, and filled in at a person's speed. Returns when the form was loaded, None for
        one without a token where none is wanted."""
        if submission.fields.get(self._options.honeypot):
            field = "A field that must stay empty is filled in."
            raise self._no(FormRefusal.HONEYPOT, Refused(422, field))
        if not submission.token and not self._options.form_token:
            return None
        try:
            loaded = self._tokens.loaded(submission.token, now_ms)
        except TokenRefused:
            again = "The form's token is missing, forged or too old: load the form again."
            raise self._no(FormRefusal.TOKEN, Refused(401, again)) from None
        left_s = self._options.min_fill_s - (now_ms - loaded.at_ms) / 1000
        if left_s > 0:
            fast = "The form was filled in too fast: send it again."
            raise self._no(FormRefusal.TOO_FAST, Refused(429, fast, retry_after_s=left_s))
        return loaded

    def allow(self, request: web.Request, response: web.StreamResponse) -> None:
        """Let the page that asked read the answer, if it is one of the allowed."""
        response.headers["Vary"] = "Origin"
        origin = request.headers.get("Origin", "")
        if origin.lower() in self._origins:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = "Retry-After"

    def _no(self, reason: FormRefusal, refused: Refused) -> Refused:
        self._metrics.refused(reason)
        return refused
