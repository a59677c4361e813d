"""What no advisor must ever see: more than he has capacity for, and what he can't answer. Pure."""

from collections.abc import Iterable, Mapping

from router.demo.history import AdvisorEntry, Ended, Offered, Wrote
from router.demo.roster import Advisor


class Violations:
    """Folds the advisors' histories, each in its own order, into one line a violation.

    An advisor's load counts from an offer's arrival to the sending of the act that ends it.
    """

    def __init__(
        self,
        advisors: Iterable[AdvisorEntry],
        written: Mapping[str, Wrote],
        *,
        roster: Mapping[str, Advisor],
        units: Mapping[str, int],
    ) -> None:
        self._written = written
        self._roster = roster
        self._units = units
        self._hands: dict[str, dict[str, str]] = {name: {} for name in roster}
        self._judged: set[tuple[str, str]] = set()
        self.over_capacity: list[str] = []
        self.wrong_skill: list[str] = []
        for entry in sorted(advisors, key=lambda entry: entry.at):
            if isinstance(entry, Offered):
                self._arrived(entry)
            elif isinstance(entry, Ended):
                self._hands[entry.advisor].pop(entry.case, None)

    def _arrived(self, entry: Offered) -> None:
        hand = self._hands[entry.advisor]
        hand[entry.case] = entry.channel
        advisor = self._roster[entry.advisor]
        load = sum(self._units[channel] for channel in hand.values())
        if load > advisor.budget:
            self.over_capacity.append(f"advisor {entry.advisor} has {load} of {advisor.budget} units")
        cap = advisor.caps.get(entry.channel)
        if cap is not None and sum(channel == entry.channel for channel in hand.values()) > cap:
            self.over_capacity.append(f"advisor {entry.advisor} has more than {cap} cases of {entry.channel}")
        for name in entry.tokens:
            self._judge(advisor, name)

    def _judge(self, advisor: Advisor, name: str) -> None:
        wrote = self._written.get(name)
        if wrote is None or advisor.can(wrote.language, wrote.skills) or (advisor.id, name) in self._judged:
            return
        self._judged.add((advisor.id, name))
        needs = ", ".join([wrote.language, *(f"{skill} {level}" for skill, level in wrote.skills.items())])
        self.wrong_skill.append(f"message {name}, which needs {needs}, was offered to {advisor.id}")
