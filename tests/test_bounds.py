"""Everything that may grow has a bound: what is made without one by its type stands here with what bounds it."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("router", "channels", "rules")
# Stand-ins of providers, the demo and the terminal live for one show, outside the service.
SHOWS = ("/demo/", "/cli/", "simulat")

# Queues and deques without a maximum of their own. Each line says what bounds it.
BOUNDED_BY = {
    "router/runtime/bus/lanes.py:Queue": "Limits.max_in_flight: what is not handed out is not polled",
    "router/runtime/bus/kafka_group.py:deque": "hand-overs not yet told, at most one a partition and rebalance",
    "router/runtime/bus/watermark.py:deque": "Limits.max_in_flight",
    "router/runtime/redis.py:deque": "max_waiting: a call beyond it fails, and is counted",
    "router/runtime/hosting/batches.py:deque": "IntakeLimits.records and size_bytes, refused and counted",
    "router/service/shares.py:deque": "halved when it has too many marks",
    "router/store/memory/rows.py:deque": "a store in memory: tests and simulations",
}
# Maps that grow by use. Each line says what bounds it.
GROWING = {
    "router/runtime/bus/lanes.py:Counter": "partitions",
    "router/runtime/crash_points.py:Counter": "crash points",
    "router/runtime/ledger.py:Counter": "a ledger in memory: tests",
    "router/runtime/hosting/notice_sender.py:defaultdict": "targets of the settings",
    "router/runtime/token_bucket.py:OrderedDict": "max_keys; what is forgotten early is counted",
    "rules/covering.py:defaultdict": "values that conditions of one rulebook name",
    "router/api/newest.py:OrderedDict": "most, given by the session",
    "router/api/operations.py:OrderedDict": "_REMEMBERED",
    "router/service/policies.py:OrderedDict": "KEPT",
}


_QUEUES = frozenset({"Queue", "LifoQueue", "PriorityQueue", "SimpleQueue", "deque"})
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
    found = {f"{place}:{_name(call)}" for place, call in _calls(_QUEUES) if not _has(call, "maxsize", "maxlen")}
    assert found == set(BOUNDED_BY)


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
