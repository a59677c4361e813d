"""What a run looks like on a terminal, and in a log where there is none."""

import time
from collections import Counter
from typing import Final

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from router.demo.history import Accepted, Received, Replied, Wrote, of_type
from router.demo.run import Scene
from router.demo.whereabouts import Place, Whereabouts

_PLAIN_EVERY_S: Final = 3.0
_SHOWN_ADVISORS: Final = 24
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
    """A table that stays in its place. Use it as a context manager."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=False)

    def __enter__(self) -> "LiveScreen":
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
    faults = account.lost if scene.phase == "done" else 0
    wrong = account.duplicated + account.over_capacity + account.wrong_skill + faults
    return (
        f"{scene.phase:<8} {scene.elapsed_s:5.1f} s  sent {account.sent}  accepted {account.accepted}  "
        f"with advisors {scene.findings.with_advisor}  resolved {account.resolved}  "
        f"replies {account.replies_delivered}/{account.replies_sent}  "
        f"offer p50 {account.time_to_offer_ms.p50:.0f} p99 {account.time_to_offer_ms.p99:.0f} ms  wrong {wrong}"
    )


def picture(scene: Scene) -> Group:
    """Queues, channels and advisors."""
    return Group(Text(headline(scene)), _queues(scene), _channels(scene), _advisors(scene))


def _queues(scene: Scene) -> Table:
    table = Table(title="Queues", title_justify="left", expand=True)
    names = (
        "queue",
        "messages",
        "waiting",
        "with advisors",
        "resolved",
        "first reply p50",
        f"within {_PROMISE_S:.0f} s",
    )
    for name in names:
        table.add_column(name, justify="left" if name == "queue" else "right")
    where = Whereabouts(scene.edges.advisors)
    written = {entry.token: entry for entry in of_type(scene.edges.customers, Wrote)}
    accepted = {entry.token: entry.sent_at for entry in of_type(scene.edges.customers, Accepted)}
    replied: dict[str, float] = {}
    for reply in of_type(scene.edges.advisors, Replied):
        for token in reply.tokens:
            replied.setdefault(token, reply.at)
    for queue in sorted({entry.queue for entry in written.values()}):
        tokens = [token for token in accepted if written[token].queue == queue]
        places = Counter(where.place(token) for token in tokens)
        times = sorted(replied[token] - accepted[token] for token in tokens if token in replied)
        kept = sum(took <= _PROMISE_S for took in times)
        table.add_row(
            queue,
            str(len(tokens)),
            str(places[Place.NOWHERE] + places[Place.WAITING]),
            str(places[Place.WITH_ADVISOR]),
            str(places[Place.RESOLVED]),
            f"{times[len(times) // 2]:.1f} s" if times else "-",
            f"{100 * kept / len(times):.0f} %" if times else "-",
        )
    return table


def _channels(scene: Scene) -> Table:
    table = Table(title="Channels", title_justify="left", expand=True)
    for name in ("channel", "messages in", "replies out", "automatic messages"):
        table.add_column(name, justify="left" if name == "channel" else "right")
    automatic = Counter(entry.channel for entry in of_type(scene.edges.customers, Received) if not entry.mark)
    for channel, flow in scene.findings.account.by_channel.items():
        table.add_row(channel, str(flow.sent), str(flow.delivered), str(automatic[channel]))
    return table


def _advisors(scene: Scene) -> Table:
    table = Table(title="Advisors", title_justify="left", expand=True, show_header=False)
    replies = Counter(entry.advisor for entry in of_type(scene.edges.advisors, Replied))
    cells = [
        f"{name:<10.10} {'#' * min(count, 8):<8} {replies[name]:>3}" for name, count in sorted(scene.in_hand.items())
    ]
    columns = 4
    for _ in range(columns):
        table.add_column()
    for start in range(0, min(len(cells), _SHOWN_ADVISORS), columns):
        table.add_row(*cells[start : start + columns])
    return table
