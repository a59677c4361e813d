"""What is known of the progress of a consumer and of a publisher, for the watchdog. Used from the event loop."""

import itertools

from router.runtime.clock import Clock


class _Failures:
    """Calls that fail again and again: since when, and when they last did."""

    def __init__(self, clock: Clock, limit_s: float) -> None:
        self._clock = clock
        self._limit_s = limit_s
        self._since_s: float | None = None
        self._last_s = 0.0

    def failed(self) -> None:
        """A call has failed: the other side is away, or we are broken."""
        self._last_s = self._clock.monotonic()
        self._since_s = self._last_s if self._since_s is None else self._since_s

    def succeeded(self) -> None:
        """A call has succeeded."""
        self._since_s = None

    def failing_s(self) -> float | None:
        """For how long calls have failed, if that is longer than the limit and they still do."""
        if self._since_s is None:
            return None
        now_s = self._clock.monotonic()
        is_old = now_s - self._last_s > self._limit_s
        age_s = now_s - self._since_s
        return age_s if age_s > self._limit_s and not is_old else None

    def excuse_failures(self) -> None:
        """The other side is away: measure anew."""
        self._since_s = None


class PublisherWatch(_Failures):
    """What is known of the publishing of this process."""

    def problem(self) -> str | None:
        """Nothing by itself: that publishing fails may be the bus's fault."""
        return None

    def failing(self) -> str | None:
        """That nothing has been published for longer than the limit, if it was tried."""
        age_s = self.failing_s()
        return None if age_s is None else f"nothing could be published for {age_s:.0f} s"

    def excuse(self, _stood_still_s: float) -> None:
        """The whole process stood still."""
        self.excuse_failures()


class ConsumerWatch(_Failures):
    """What is known of one consumer's progress."""

    def __init__(self, name: str, clock: Clock, *, limit_s: float) -> None:
        super().__init__(clock, limit_s)
        self.name = name
        self._polled_at_s = clock.monotonic()
        self._moved_at_s = clock.monotonic()
        self._tokens = itertools.count()
        self._begun_at_s: dict[int, float] = {}

    def polled(self, records: int) -> None:
        """A poll has come back, with so many records."""
        self._polled_at_s = self._clock.monotonic()
        if records:
            self._moved_at_s = self._polled_at_s

    def idle(self) -> None:
        """There is nothing to hand out, or the consumer is paused on purpose: standing still is right."""
        self._moved_at_s = self._clock.monotonic()

    def failed(self) -> None:
        """The bus is away, or the store: standing still is right."""
        super().failed()
        self._polled_at_s = self._moved_at_s = self._clock.monotonic()

    def begun(self) -> int:
        """A handler was called; tell ``ended`` the number."""
        token = next(self._tokens)
        self._begun_at_s[token] = self._clock.monotonic()
        return token

    def ended(self, token: int) -> None:
        """It has returned, or raised."""
        self._begun_at_s.pop(token, None)

    def excuse(self, stood_still_s: float) -> None:
        """The whole process stood still for so long: that time doesn't count."""
        now_s = self._clock.monotonic()
        self._polled_at_s = min(now_s, self._polled_at_s + stood_still_s)
        self._moved_at_s = min(now_s, self._moved_at_s + stood_still_s)
        self._begun_at_s = {token: min(now_s, at_s + stood_still_s) for token, at_s in self._begun_at_s.items()}
        self.excuse_failures()

    def problem(self) -> str | None:
        """Why the consumer counts as stuck, if it does: it doesn't poll; polls come back empty although nobody has
        said ``idle`` for as long; or a handler doesn't return."""
        now_s = self._clock.monotonic()
        if (age_s := now_s - self._polled_at_s) > self._limit_s:
            return f"the consumer {self.name} has not polled for {age_s:.0f} s"
        if (age_s := now_s - self._moved_at_s) > self._limit_s:
            return f"the consumer {self.name} gets no records for {age_s:.0f} s although there are some"
        # In the order in which they began: the first has been at work the longest.
        begun_at_s = next(iter(self._begun_at_s.values()), now_s)
        if (age_s := now_s - begun_at_s) > self._limit_s:
            return f"a handler of the consumer {self.name} has not returned for {age_s:.0f} s"
        return None

    def failing(self) -> str | None:
        """That the consumer's calls have failed for longer than the limit."""
        age_s = self.failing_s()
        return None if age_s is None else f"the consumer {self.name} can't read for {age_s:.0f} s"
