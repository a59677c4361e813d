"""Everything that may grow has a bound, and stands here with what bounds it and what counts that."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.suites.limits import DRIVES

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("router", "channels", "rules")
# Stand-ins of providers, the demo and the terminal live for one show, outside the service.
SHOWS = ("/demo/", "/cli/", "simulat")


class Bound(NamedTuple):
    """What bounds something, and the series that counts how often that was reached: one that `test_limits.py` drives
    there, or another's that ``proved`` does; else why nothing is counted."""

    by: str
    counted: str = ""
    why_not: str = ""
    proved: str = ""


PAUSES = "turnout_consumer_pauses_total/turnout.inquiries.v1.p/g"
WINDOW = "a window: the newest are all that is asked for"
COMPUTED = "what is forgotten is computed again, with the same result"

# Queues and deques, and what else lets in only so many.
BOUNDED_BY = {
    "router/runtime/bus/lanes.py:Queue": Bound("Limits.max_in_flight: what is not handed out is not polled", PAUSES),
    "router/runtime/bus/kafka_group.py:deque": Bound(
        "hand-overs not yet told", why_not="at most one a partition and rebalance"
    ),
    "router/runtime/bus/watermark.py:deque": Bound("Limits.max_in_flight", PAUSES),
    "router/runtime/redis.py:deque": Bound(
        "max_waiting: a call beyond it fails", "turnout_store_errors_total/unavailable"
    ),
    "router/runtime/hosting/batches.py:deque": Bound(
        "IntakeLimits.records and size_bytes",
        "turnout_channel_refused_total",
        proved="router/runtime/hosting/test_intake.py::test_beyond_its_bound_the_intake_is_full_until_the_bus_answers",
    ),
    "router/service/matching/shares.py:deque": Bound("halved when it has too many marks", why_not=WINDOW),
    "router/service/hindsight.py:deque": Bound("MOST_CHANGES, and an hour", why_not=WINDOW),
    "router/store/memory/rows.py:deque": Bound("a store in memory", why_not="tests and simulations"),
    "router/api/sessions/session.py:deque": Bound("MAX_HINTS", "turnout_api_pushes_dropped_total/"),
    "router/api/sessions/session.py:Semaphore": Bound("MAX_UNCONFIRMED", "turnout_api_limits_reached_total/answers"),
    "router/service/matching/pace.py:deque": Bound("KEPT", why_not=WINDOW),
    "router/service/measuring/invariants.py:deque": Bound("_MAX_SUSPECTS", "turnout_invariant_suspects_dropped_total/"),
    "router/runtime/hosting/notice_sender.py:Semaphore": Bound(
        "_AT_ONCE_A_TARGET", why_not="those that wait are in flight, which the consumer bounds"
    ),
    "channels/kit/mail_relay.py:Semaphore": Bound(
        "connections to a mail server", why_not="those that wait are in flight, which the consumer bounds"
    ),
    "channels/chat/visit.py:Semaphore": Bound("reads at once", why_not="a visit reads one thing at a time"),
}
# Maps that grow by use, and what else is remembered.
GROWING = {
    "router/runtime/bus/lanes.py:Counter": Bound("partitions", why_not="as many as there are"),
    "router/engine/room.py:Counter": Bound("skills and languages of the roster", why_not="as many as there are"),
    "router/runtime/crash_points.py:Counter": Bound("crash points", why_not="as many as there are"),
    "router/runtime/ledger.py:Counter": Bound("a ledger in memory", why_not="tests"),
    "router/runtime/hosting/notice_sender.py:defaultdict": Bound("targets of the settings", why_not="as many"),
    "router/runtime/token_bucket.py:OrderedDict": Bound("max_keys", "forgotten_total/"),
    "rules/checking/covering.py:defaultdict": Bound("values that conditions of one rulebook name", why_not="as many"),
    "router/api/sessions/newest.py:OrderedDict": Bound(
        "most, given by the session", why_not="as many as can be overtaken: the answers that wait, twice"
    ),
    "router/api/acts/operations.py:OrderedDict": Bound("_REMEMBERED", "turnout_api_limits_reached_total/operations"),
    "router/service/configuration/policies.py:OrderedDict": Bound("KEPT", "turnout_limits_reached_total/rulebooks"),
}
# Bounds that no type shows.
BESIDES = {
    "outbox": Bound("outbox_mark", "turnout_acts_total/admit/full"),
    "wait classes of a pool": Bound("max_classes", "turnout_limits_reached_total/wait_classes"),
    "cases that acts have shown": Bound("MAX_STATES", "turnout_limits_reached_total/cases"),
    "sessions of an advisor": Bound("MAX_SESSIONS", "turnout_api_limits_reached_total/sessions"),
    "names in labels": Bound("MAX_NAMES", "turnout_sla_targets_total/other/first_response/met"),
    "notices held in quiet hours": Bound(
        "MOST_QUIET",
        "turnout_notices_early_total",
        proved="router/runtime/hosting/test_notice_gathering.py"
        "::test_too_many_in_quiet_hours_are_told_early_rather_than_lost",
    ),
    "replies of which a claim got no answer": Bound("_UNSENT_KEPT", why_not="the log says which one was forgotten"),
    "caches of functions": Bound("maxsize", why_not=COMPUTED),
}
INVENTORY = BOUNDED_BY | GROWING | BESIDES


_QUEUES = frozenset({"Queue", "LifoQueue", "PriorityQueue", "SimpleQueue", "deque", "Semaphore", "BoundedSemaphore"})
_MAPS = frozenset({"OrderedDict", "defaultdict", "Counter"})


def _nodes() -> Iterator[tuple[str, ast.AST]]:
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            place = path.relative_to(ROOT).as_posix()
            if not any(show in f"/{place}" for show in SHOWS):
                yield from ((place, node) for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


NODES = list(_nodes())


def _name(call: ast.Call) -> str:
    return ast.unparse(call.func).split("[")[0].split(".")[-1]


def _calls(names: frozenset[str]) -> list[tuple[str, ast.Call]]:
    return [(place, node) for place, node in NODES if isinstance(node, ast.Call) and _name(node) in names]


def _has(call: ast.Call, *names: str) -> bool:
    return any(keyword.arg in names for keyword in call.keywords)


def _kept(node: ast.AST) -> ast.Call | None:
    """The call that makes an attribute of ``self``."""
    target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
    made = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
    return made if isinstance(target, ast.Attribute) and isinstance(made, ast.Call) else None


def test_a_queue_has_a_maximum_or_stands_here() -> None:
    assert {f"{place}:{_name(call)}" for place, call in _calls(_QUEUES)} == set(BOUNDED_BY)


def test_what_stands_here_is_counted_or_says_why_not() -> None:
    assert [name for name, bound in INVENTORY.items() if bool(bound.counted) == bool(bound.why_not)] == []
    driven = {bound.counted for bound in INVENTORY.values() if bound.counted and not bound.proved}
    assert driven == set(DRIVES)
    for bound in INVENTORY.values():
        file, _, name = bound.proved.partition("::")
        assert not file or f"def {name}(" in (ROOT / "tests" / file).read_text("utf-8")


def test_a_map_that_grows_by_use_stands_here() -> None:
    kept = [(place, made) for place, node in NODES if (made := _kept(node)) is not None]
    # A counter of Prometheus has a name; one of the standard library begins empty.
    maps = {f"{place}:{_name(call)}" for place, call in kept if _name(call) in _MAPS and not _has(call, "registry")}
    assert maps == set(GROWING)


def test_a_cache_has_a_maximum() -> None:
    caches = [
        (place, ast.unparse(each))
        for place, node in NODES
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for each in node.decorator_list
        if "cache" in ast.unparse(each) and "cached_property" not in ast.unparse(each)
    ]
    assert len(caches) >= 5
    assert [cache for cache in caches if "maxsize=" not in cache[1] or "None" in cache[1]] == []


def test_a_rate_limit_says_how_many_it_knows_and_counts_what_it_forgets() -> None:
    limiters = _calls(frozenset({"Limiter"}))
    assert len(limiters) >= 6
    assert [place for place, call in limiters if not (_has(call, "max_keys") and _has(call, "on_forgotten"))] == []
