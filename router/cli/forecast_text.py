"""What a change of rules would do to the cases that are there, in words. Pure: the page comes in."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from router.cli.clock_text import clock_name


def forecast_lines(page: Mapping[str, Any]) -> Iterator[str]:
    """The answer of ``/v1/rulebooks/forecast`` line by line; times as a clock on the wall here shows them."""
    if not page["touched"]:
        yield f"cases: {page['cases']:,}; these rules move the clocks of none"
        return
    yield f"cases: {page['cases']:,}; these rules move the clocks of {page['touched']:,}"
    yield f"  due times: {page['earlier']:,} earlier, {page['later']:,} later, {page['other']:,} begun or ended"
    overdue = ", ".join(f"{clock_name(clock)} of {count:,}" for clock, count in page["overdue"].items())
    yield f"  overdue at once: {overdue or 'none'}"
    for policy, count in page.get("policies", {}).items():
        yield f"  another policy: {policy} for {count:,}"
    for case in page["shown"]:
        policy = f", policy {case['policy']}" if case.get("policy") else ""
        yield f"  case {case['case']} in queue {case['queue']}{policy}"
        for clock, move in case["clocks"].items():
            late = ", overdue at once" if clock in case.get("overdue", ()) else ""
            yield f"    {clock_name(clock)}: {_moment(move.get('due_at'))} -> {_moment(move.get('would_be_at'))}{late}"
    if page["touched"] > len(page["shown"]):
        yield f"  and {page['touched'] - len(page['shown']):,} more"


def _moment(text: str | None) -> str:
    if text is None:
        return "not running"
    return datetime.fromisoformat(text).astimezone().strftime("%a %Y-%m-%d %H:%M:%S %Z")
