"""What the demo says at its end: the account in words, and where to look next. Pure."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from router.demo.account import Findings

_SHOWN_FAULTS: Final = 10


def closing_lines(findings: Findings, keep: Path | None) -> Iterator[str]:
    """One text a line."""
    account = findings.account
    yield ""
    yield f"After {account.seconds:.0f} s, as customers and advisors have seen it:"
    yield f"  messages  {account.sent} sent, {account.accepted} accepted, {account.assigned} taken by advisors"
    yield f"            {account.resolved} resolved, {findings.with_advisor} with advisors, {findings.waiting} waiting"
    yield f"  replies   {account.replies_sent} sent, {account.replies_delivered} reached their customer in their thread"
    for name, flow in account.by_channel.items():
        yield f"            {name}: {flow.sent} messages in, {flow.delivered} replies out"
    times = account.time_to_offer_ms
    yield f"  offers    half of them within {times.p50:.0f} ms of the message, 99 of 100 within {times.p99:.0f} ms"
    yield (
        f"  faults    {account.lost} lost, {account.duplicated} twice, {account.over_capacity} above capacity, "
        f"{account.wrong_skill} without the skill, {account.sweep_found} found by the safety sweep"
    )
    for fault in findings.faults[:_SHOWN_FAULTS]:
        yield f"            - {fault}"
    if len(findings.faults) > _SHOWN_FAULTS:
        yield f"            and {len(findings.faults) - _SHOWN_FAULTS} more"
    yield ""
    yield from _next_steps(keep)


def _next_steps(keep: Path | None) -> Iterator[str]:
    yield "Where to look next:"
    if keep is not None:
        yield f"  {keep / 'service.log'}  what the service logged; settings, roster and rules lie beside it"
    else:
        yield "  turnout demo --keep DIR   the same, and leave settings, roster, rules and log in DIR"
    yield "  turnout demo --bus kafka  the same on Kafka"
    yield "  turnout up                the service for yourself; README.md has a tour of five minutes"
    yield "  turnout settings          everything that can be set"
