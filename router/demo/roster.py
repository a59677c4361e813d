"""The advisors the demo starts the service with, and what a case of each channel weighs. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

_RATE_OF_ONE_TEAM: Final = 15.0
_OTHER_CHANNEL_UNITS: Final = 20
_UNITS: Final = {"chat": 30, "messenger": 20, "telegram": 20, "webhook": 15, "email": 10, "web_form": 10}


class Advisor(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One row of the roster file. Without ``queues`` he serves them all."""

    id: str
    name: str
    tier: str
    languages: dict[str, int]
    skills: dict[str, int]
    budget: int = 100
    caps: dict[str, int] = {}

    def can(self, language: str, skills: Mapping[str, int]) -> bool:
        """Whether he has the language and every skill at its level."""
        has_skills = all(self.skills.get(skill, 0) >= level for skill, level in skills.items())
        return has_skills and self.languages.get(language, 0) > 0


# Two at least for everything in each language: a declined offer has somebody else to go to.
_DESKS: Final = (
    ("senior", {"billing": 8, "complaints": 6}),
    ("junior", {"billing": 5, "returns": 5}),
    ("junior", {"billing": 4, "delivery": 4}),
    ("junior", {"delivery": 6, "returns": 4}),
    ("senior", {"delivery": 7, "complaints": 8}),
    ("senior", {"technical": 8, "account-access": 8}),
    ("junior", {"technical": 5, "account-access": 4}),
    ("lead", {"returns": 7, "complaints": 9, "billing": 7}),
    ("lead", {"account-access": 7, "technical": 6, "delivery": 6, "complaints": 7}),
    ("junior", {"returns": 6, "technical": 3}),
    ("junior", {"account-access": 6, "billing": 3}),
)
_PEOPLE: Final = {
    "ko": (
        *(("minji", "Kim Minji"), ("jiwoo", "Lee Jiwoo"), ("seojun", "Park Seojun"), ("hayun", "Choi Hayun")),
        *(("doyun", "Jung Doyun"), ("soah", "Kang Soah"), ("eunwoo", "Cho Eunwoo"), ("jia", "Yoon Jia")),
        *(("hyunwoo", "Lim Hyunwoo"), ("yuna", "Han Yuna"), ("taeho", "Shin Taeho")),
    ),
    "en": (
        *(("alice", "Alice Baker"), ("ben", "Ben Carter"), ("chloe", "Chloe Davies"), ("dan", "Dan Evans")),
        *(("erin", "Erin Foster"), ("finn", "Finn Grant"), ("grace", "Grace Hill"), ("harry", "Harry Irwin")),
        *(("isla", "Isla Jones"), ("jack", "Jack Kerr"), ("kate", "Kate Lowe")),
    ),
}
_BILINGUAL: Final = {"yuna": {"en": 6}, "isla": {"ko": 3}}


def make_roster(rate: float) -> tuple[Advisor, ...]:
    """Advisors for so many conversations a second: whole teams, one for each 15."""
    teams = max(1, round(rate / _RATE_OF_ONE_TEAM + 0.4))
    return tuple(advisor for team in range(teams) for advisor in _team(team))


def units_of(channels: Iterable[str]) -> dict[str, int]:
    """What a case takes of an advisor's budget, by channel: of these, and of all that are known by name."""
    return {**dict.fromkeys(channels, _OTHER_CHANNEL_UNITS), **_UNITS}


def roster_document(advisors: Iterable[Advisor]) -> dict[str, Any]:
    """The content of the roster file."""
    return {"advisors": [msgspec.to_builtins(advisor) for advisor in advisors]}


def _team(team: int) -> Iterable[Advisor]:
    for language, people in _PEOPLE.items():
        for (short, name), (tier, skills) in zip(people, _DESKS, strict=True):
            yield Advisor(
                id=f"{short}-{team + 1}" if team else short,
                name=f"{name} {team + 1}" if team else name,
                tier=tier,
                languages={language: 10, **_BILINGUAL.get(short, {})},
                skills=skills,
                caps={"chat": 3},
            )
