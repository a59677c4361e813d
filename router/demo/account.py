"""The account of a run, drawn up from what was seen at the edges alone. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from router.demo.history import Accepted, AdvisorEntry, CustomerEntry, FoundWaiting, Received, Replied, Wrote
from router.demo.roster import Advisor
from router.demo.whereabouts import Place, Whereabouts
from router.demo.workload import Violations


class OfferTimes(msgspec.Struct, frozen=True, kw_only=True):
    p50: float
    p99: float


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """Of one channel: messages sent in, replies that reached their customers."""

    sent: int
    delivered: int


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What became of everything. ``sent`` to ``resolved`` count customers' messages, ``replies_*`` advisors'
    replies; ``lost`` counts accepted messages that are nowhere and replies that did not reach their customer in
    their thread, ``duplicated`` what came once too often, either way."""

    sent: int
    accepted: int
    assigned: int
    resolved: int
    replies_sent: int
    replies_delivered: int
    lost: int
    duplicated: int
    over_capacity: int
    wrong_skill: int
    sweep_found: int
    time_to_offer_ms: OfferTimes
    by_channel: dict[str, Flow]
    seconds: float

    @property
    def is_sound(self) -> bool:
        """Whether nothing happened that must never happen."""
        return not (self.lost or self.duplicated or self.over_capacity or self.wrong_skill or self.sweep_found)


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """The account with the evidence behind it: one line a violation, and where the messages are now."""

    account: Account
    waiting: int
    with_advisor: int
    faults: tuple[str, ...]


class Edges(msgspec.Struct, frozen=True, kw_only=True):
    """All histories of a run, each in its own order, and what the demo started the service with."""

    customers: tuple[CustomerEntry, ...]
    advisors: tuple[AdvisorEntry, ...]
    found: tuple[FoundWaiting, ...] = ()
    roster: Mapping[str, Advisor]
    units: Mapping[str, int]
    channels: tuple[str, ...]


def draw_up(edges: Edges, *, sweep_found: int, seconds: float) -> Findings:
    """Fold the histories into the account."""
    written = {entry.token: entry for entry in edges.customers if isinstance(entry, Wrote)}
    accepted = {entry.token: entry for entry in edges.customers if isinstance(entry, Accepted)}
    where = Whereabouts(edges.advisors, edges.found)
    violations = Violations(edges.advisors, written, roster=edges.roster, units=edges.units)
    places = {name: where.place(name) for name in accepted}
    missing = [f"message {name} is lost" for name, place in places.items() if place is Place.NOWHERE]
    replies = _Replies(edges, written)
    doubled = [f"message {name} became {count} messages" for name, count in where.doubled.items()]
    account = Account(
        sent=len(written),
        accepted=len(accepted),
        assigned=sum(name in where.assigned for name in accepted),
        resolved=sum(place is Place.RESOLVED for place in places.values()),
        replies_sent=len(replies.sent),
        replies_delivered=len(replies.arrived),
        lost=len(missing) + len(replies.lost),
        duplicated=len(doubled) + len(replies.doubled),
        over_capacity=len(violations.over_capacity),
        wrong_skill=len(violations.wrong_skill),
        sweep_found=sweep_found,
        time_to_offer_ms=_offer_times(accepted, where.first_offer),
        by_channel=_flows(written, replies.by_channel, edges.channels),
        seconds=round(seconds, 1),
    )
    return Findings(
        account=account,
        waiting=sum(place is Place.WAITING for place in places.values()),
        with_advisor=sum(place is Place.WITH_ADVISOR for place in places.values()),
        faults=(
            *missing,
            *replies.lost,
            *doubled,
            *replies.doubled,
            *violations.over_capacity,
            *violations.wrong_skill,
        ),
    )


class _Replies:
    """Which replies went out, which arrived, and where."""

    def __init__(self, edges: Edges, written: Mapping[str, Wrote]) -> None:
        self.sent = {entry.mark: entry for entry in edges.advisors if isinstance(entry, Replied)}
        self.arrived: set[str] = set()
        self.by_channel: Counter[str] = Counter()
        self.lost: list[str] = []
        self.doubled: list[str] = []
        times: Counter[str] = Counter()
        for entry in edges.customers:
            if isinstance(entry, Received) and entry.mark:
                times[entry.mark] += 1
                if self._is_right(entry, written):
                    if entry.mark not in self.arrived:
                        self.by_channel[entry.channel] += 1
                    self.arrived.add(entry.mark)
        self.arrived &= self.sent.keys()
        for mark, reply in self.sent.items():
            if mark not in self.arrived:
                elsewhere = ", but somebody else" if times[mark] else ""
                self.lost.append(f"reply {mark} to {', '.join(reply.tokens)} did not reach its customer{elsewhere}")
        self.doubled += [f"reply {mark} arrived {count} times" for mark, count in times.items() if count > 1]

    def _is_right(self, received: Received, written: Mapping[str, Wrote]) -> bool:
        """Whether it reached the customer who wrote what it answers, in the thread where he wrote it."""
        reply = self.sent.get(received.mark)
        if reply is None:
            return False
        asked = [written[name] for name in reply.tokens if name in written]
        return bool(asked) and all(
            (one.customer, one.thread, one.channel) == (received.customer, received.thread, received.channel)
            for one in asked
        )


def _offer_times(accepted: Mapping[str, Accepted], first_offer: Mapping[str, float]) -> OfferTimes:
    """From a message's hand-over to the offer it led to; of those that led to one."""
    times = sorted(
        max(0.0, first_offer[name] - entry.sent_at) for name, entry in accepted.items() if name in first_offer
    )
    return OfferTimes(p50=_share(times, 0.5), p99=_share(times, 0.99))


def _share(ordered: list[float], share: float) -> float:
    """In milliseconds; 0 of nothing."""
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000, 1) if ordered else 0.0


def _flows(written: Mapping[str, Wrote], delivered: Mapping[str, int], channels: Iterable[str]) -> dict[str, Flow]:
    sent = Counter(entry.channel for entry in written.values())
    return {name: Flow(sent=sent[name], delivered=delivered.get(name, 0)) for name in sorted(channels)}
