"""What a case is simulated on: a rulebook, verdicts for its classes, and advisors."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from router.contract.advisor import NO_QUEUE, Profile
from router.contract.ids import AdvisorId
from router.simulation.case import Case, Group, Shift, Traffic, Words
from router.simulation.errors import CaseError
from rules import CustomerFacts, Facts, Rulebook, Verdict, judge, restore
from rules.errors import Problem

_LONGEST_S = 366 * 86_400
_SOLVED = "solved"
# The promise of a case is that somebody takes it up in time.
_UNTIL_TAKEN = {"first_response": {"stops": ["assigned"]}}


class Worker(NamedTuple):
    """One advisor, when he is there, and how much slower each further case makes him."""

    id: AdvisorId
    profile: Profile
    shift: Shift | None = None
    slowdown: float = 0.0


class Installation(NamedTuple):
    """A rulebook, the people, and of each class of the case, by its number: what the rules say of it and within how
    many milliseconds an inquiry is to be taken up."""

    rulebook: Rulebook
    workers: tuple[Worker, ...]
    verdicts: tuple[Verdict, ...]
    targets_ms: tuple[int, ...]


def installation(case: Case, rulebook: Rulebook | None = None, workers: Sequence[Worker] = ()) -> Installation:
    """That of a case: by a real rulebook, which then says what an inquiry needs and what is promised, or by one that
    says what the case does; with its own advisors unless there are others. Raises ``CaseError`` when offers would end
    before anybody accepts them: all would wait for ever."""
    rules = rulebook or rulebook_of(case)
    verdicts = tuple(judge(rules, _facts(name, traffic)) for name, traffic in case.classes.items())
    if problems := _unaccepted(case, rules, verdicts):
        raise CaseError(problems)
    return Installation(
        rulebook=rules,
        workers=tuple(workers) or workers_of(case),
        verdicts=verdicts,
        targets_ms=tuple(rules.policies[verdict.policy].first_response_s * 1000 for verdict in verdicts),
    )


def _unaccepted(case: Case, rules: Rulebook, verdicts: Sequence[Verdict]) -> list[Problem]:
    queues = {verdict.queue: rules.queues[verdict.queue] for verdict in verdicts}
    return [
        Problem(
            f'in {case.accept_s:g} s an offer of the queue "{name}" is over: it rings for {queue.offer_s} s', "accept_s"
        )
        for name, queue in queues.items()
        if not queue.auto_accept and queue.offer_s < case.accept_s
    ]


def rulebook_of(case: Case) -> Rulebook:
    """A rulebook that says of each class what the case says: a queue each, unless they share one. What a queue leaves
    open holds by default."""
    queues: dict[str, Any] = {}
    policies: dict[str, Any] = {}
    rules = []
    for name, traffic in case.classes.items():
        target_s = traffic.target_s or 1
        policies[name] = {"first_response_s": target_s, "resolution_s": _LONGEST_S, "warn": [], "clocks": _UNTIL_TAKEN}
        queue = traffic.queue or name
        queues.setdefault(queue, {"policy": name, "auto_accept": True})
        effect = {"queue": queue, "policy": name, "priority": traffic.priority, "skills": traffic.skills}
        rules.append({"name": name, "match": {"labels": name}, "set": effect})
    skills = {skill for traffic in case.classes.values() for skill in traffic.skills}
    skills |= {skill for group in case.advisors.values() for skill in group.skills}
    document = {
        "defaults": {"queue": next(iter(queues))},
        "queues": queues,
        "policies": policies,
        "channels": case.channels,
        "skills": {skill: skill for skill in sorted(skills)},
        "tiers": sorted({group.tier for group in case.advisors.values() if group.tier}),
        "outcomes": {_SOLVED: "Solved"},
        "rules": rules,
    }
    return restore(msgspec.json.encode(document))


def workers_of(case: Case) -> tuple[Worker, ...]:
    """The case's advisors, one by one."""
    return tuple(
        Worker(AdvisorId(f"{name}-{number}"), _profile(group), group.shift, group.slowdown)
        for name, group in case.advisors.items()
        for number in range(1, group.count + 1)
    )


def _profile(group: Group) -> Profile:
    return Profile(
        tier=group.tier or "junior",
        skills=dict(group.skills),
        languages=dict(group.languages),
        queues=() if group.queues == "all" else tuple(group.queues) or (NO_QUEUE,),
        budget=group.budget,
        caps=dict(group.caps),
        secondary=tuple(group.secondary),
    )


def _facts(name: str, traffic: Traffic) -> Facts:
    says: Words = traffic.says
    return Facts(
        channel=traffic.channel,
        account=says.account,
        subject=says.subject,
        text=says.text,
        language=traffic.language,
        customer=CustomerFacts(tags=says.tags, segment=says.segment or None),
        labels=(name, *says.labels),
        fields=says.fields,
    )
