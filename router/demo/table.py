"""What a run looks like on a terminal, and in a log where there is none."""

import time
from collections import Counter
from collections.abc import Sequence
from typing import Final, Self

from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from router.demo.history import Accepted, Received, Replied, Wrote, of_type
from router.demo.run import Scene
from router.demo.whereabouts import Place, Whereabouts

_PLAIN_EVERY_S: Final = 3.0
_SHOWN_ADVISORS: Final = 25
_ADVISORS_A_ROW: Final = 5
_PROMISE_S: Final = 10.0


class PlainScreen:
    """A line every few seconds."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._next = 0.0

    def say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def show(self, scene: Scene) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _PLAIN_EVERY_S
        self.say(headline(scene))


class LiveScreen:
    """Tables that stay in their place. Use it as a context manager."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False)

    def show(self, scene: Scene) -> None:
        self._live.update(picture(scene), refresh=True)


def headline(scene: Scene) -> str:
    """How things stand, in one line."""
    account = scene.findings.account
    # What is on its way looks like lost: that is counted at the end only.
    wrong = account.duplicated + account.over_capacity + account.wrong_skill
    return (
        f"{scene.phase:<8} {scene.elapsed_s:5.1f} s  messages {account.accepted}/{account.sent}  "
        f"with advisors {scene.findings.with_advisor}  resolved {account.resolved}  "
        f"replies {account.replies_delivered}/{account.replies_sent}  "
        f"offer p50 {account.time_to_offer_ms.p50:.0f} p99 {account.time_to_offer_ms.p99:.0f} ms  faults {wrong}"
    )


def picture(scene: Scene) -> Group:
    """Queues, channels and advisors."""
    return Group(
        Text(headline(scene), no_wrap=True, overflow="ellipsis"), _queues(scene), _channels(scene), _advisors(scene)
    )


def _queues(scene: Scene) -> Table:
    within = f"in {_PROMISE_S:.0f} s"
    table = _table(("queue", "messages", "waiting", "at advisors", "resolved", "first reply", within))
    where = Whereabouts(scene.edges.advisors)
    accepted = {entry.token: entry.sent_at for entry in of_type(scene.edges.customers, Accepted)}
    replied = _first_replies(of_type(scene.edges.advisors, Replied))
    queues: dict[str, list[str]] = {}
    for entry in of_type(scene.edges.customers, Wrote):
        queues.setdefault(entry.queue, []).append(entry.token)
    for queue, tokens in sorted(queues.items()):
        places = Counter(where.place(token) for token in tokens if token in accepted)
        times = sorted(replied[token] - accepted[token] for token in tokens if token in replied and token in accepted)
        table.add_row(
            queue,
            str(len(tokens)),
            str(places[Place.NOWHERE] + places[Place.WAITING]),
            str(places[Place.WITH_ADVISOR]),
            str(places[Place.RESOLVED]),
            f"{times[len(times) // 2]:.1f} s" if times else "-",
            f"{100 * sum(took <= _PROMISE_S for took in times) / len(times):.0f} %" if times else "-",
        )
    return table


def _first_replies(replies: Sequence[Replied]) -> dict[str, float]:
    first: dict[str, float] = {}
    for reply in replies:
        for token in reply.tokens:
            first[token] = min(reply.at, first.get(token, reply.at))
    return first


def _channels(scene: Scene) -> Table:
    table = _table(("channel", "messages in", "replies out", "automatic"))
    automatic = Counter(entry.channel for entry in of_type(scene.edges.customers, Received) if not entry.mark)
    for channel, flow in scene.findings.account.by_channel.items():
        table.add_row(channel, str(flow.sent), str(flow.delivered), str(automatic[channel]))
    return table


def _advisors(scene: Scene) -> Table:
    """Each with a mark for every case in his hands, and the number of his replies so far."""
    table = _table(("advisor", *[""] * (_ADVISORS_A_ROW - 1)), is_left=True)
    replies = Counter(entry.advisor for entry in of_type(scene.edges.advisors, Replied))
    hands = sorted(scene.in_hand.items())
    cells = [f"{name:<8.8}{'#' * min(count, 3):<3}{replies[name]:>3}" for name, count in hands[:_SHOWN_ADVISORS]]
    for start in range(0, len(cells), _ADVISORS_A_ROW):
        table.add_row(*cells[start : start + _ADVISORS_A_ROW])
    return table


def _table(columns: Sequence[str], *, is_left: bool = False) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    for number, name in enumerate(columns):
        table.add_column(name, justify="left" if is_left or number == 0 else "right", no_wrap=True)
    return table
