"""The Erlang formulas: what a single class and one team come to exactly, to hold the simulation against.

Erlang C (customers wait for ever): A. K. Erlang, 1917; in the form of R. B. Cooper, "Introduction to Queueing Theory",
1981, section 3.5. Erlang A (they give up, exponentially): C. Palm, 1946; the waiting time from F. Baccelli and
G. Hebuterne, "On queues with impatient customers", 1981, as put together by A. Mandelbaum and S. Zeltyn, "Service
engineering in action: the Palm/Erlang-A queue", 2007. Rates are per second.
"""

import math
from collections.abc import Callable
from typing import Final, NamedTuple

_STEPS: Final = 4_000
_NEGLIGIBLE: Final = 1e-13


class Queueing(NamedTuple):
    """In the long run: the share that is served within the target, the mean wait of all, the share that gives up, the
    share that has to wait at all."""

    sla: float
    mean_wait_s: float
    abandoned: float
    delayed: float


def erlang_b(offered: float, servers: int) -> float:
    """The share that finds all servers busy where nobody waits. ``offered`` is the rate of arrivals times the mean
    service time."""
    blocked = 1.0
    for server in range(1, servers + 1):
        blocked = offered * blocked / (server + offered * blocked)
    return blocked


def erlang_c(*, per_s: float, mean_service_s: float, servers: int, target_s: float) -> Queueing:
    """Of M/M/n. Raises ``ValueError`` when the servers can't keep up: then waiting has no end."""
    offered = per_s * mean_service_s
    if offered >= servers:
        raise ValueError(f"{servers} servers can't keep up with a load of {offered:g}")
    blocked = erlang_b(offered, servers)
    delayed = servers * blocked / (servers - offered * (1 - blocked))
    spare_per_s = (servers - offered) / mean_service_s
    return Queueing(1 - delayed * math.exp(-spare_per_s * target_s), delayed / spare_per_s, 0.0, delayed)


def erlang_a(*, per_s: float, mean_service_s: float, servers: int, patience_s: float, target_s: float) -> Queueing:
    """Of M/M/n+M, where customers give up after an exponential time of mean ``patience_s``. Stable at any load."""
    busy_per_s = servers / mean_service_s

    def density(wait_s: float) -> float:
        """Of the wait that somebody with endless patience would have, over the chance that one server is free."""
        return math.exp(per_s * patience_s * -math.expm1(-wait_s / patience_s) - busy_per_s * wait_s)

    def stays(wait_s: float) -> float:
        return math.exp(-wait_s / patience_s)

    # The chance to be served at once, against the rate at which the density begins: all up to n - 1 servers busy.
    at_once = 1 / erlang_b(per_s * mean_service_s, servers - 1)
    end_s = target_s
    while density(end_s) > _NEGLIGIBLE:
        end_s = 2 * end_s + 1
    whole = _integral(density, 0, target_s) + _integral(density, target_s, end_s)
    total = at_once + per_s * whole
    served_in_time = at_once + per_s * _integral(lambda at: density(at) * stays(at), 0, target_s)
    served_late = per_s * _integral(lambda at: density(at) * stays(at), target_s, end_s)
    abandoned = max(0.0, 1 - (served_in_time + served_late) / total)
    # Who waits gives up at the rate 1 / patience: the mean wait follows from the share that does.
    return Queueing(served_in_time / total, abandoned * patience_s, abandoned, per_s * whole / total)


def _integral(function: Callable[[float], float], begin: float, end: float) -> float:
    """Simpson's rule."""
    if end <= begin:
        return 0.0
    step = (end - begin) / _STEPS
    odd = math.fsum(function(begin + step * at) for at in range(1, _STEPS, 2))
    even = math.fsum(function(begin + step * at) for at in range(2, _STEPS, 2))
    return step / 3 * (function(begin) + 4 * odd + 2 * even + function(end))
