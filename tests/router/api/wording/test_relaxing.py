"""What a waiting case will ask less, as the API says it."""

import pytest

from router.api.wording.relaxing import eased
from router.contract.config import Role
from rules import load
from rules.ladders import Easing
from tests.suites.api_bench import ApiBench

RULES = """
defaults: {queue: delivery, language: en}
skills: {delivery: Parcels}
tiers: [junior, senior]
policies: {standard: {first_response_s: 3600, resolution_s: 7200}}
queues:
  general: {policy: standard}
  delivery:
    policy: standard
    tiers: [senior]
    relax:
      - {after_s: 40, levels: {delivery: 3}}
      - {after_s: 90, drop: [delivery], queues: [general], tiers: [junior]}
outcomes: {solved: Done}
rules: [{name: parcel, match: {text: {contains: parcel}}, set: {skills: {delivery: 5}}}]
"""


@pytest.mark.parametrize(
    ("easing", "words"),
    [
        (Easing(levels={"billing": 3}), ["the level of billing falls to 3"]),
        (Easing(drop=("billing",)), ["billing is preferred and no longer needed"]),
        (Easing(queues=("a", "b")), ["members of a or b may have it too"]),
        (Easing(tiers=("lead",)), ["advisors of tier lead may have it too"]),
        (Easing(languages=("en", "ja")), ["speakers of en or ja may have it too"]),
        (Easing(any_language=True), ["it may go to whoever speaks any language"]),
        (Easing(), []),
    ],
)
def test_an_easing_in_words(easing: Easing, words: list[str]) -> None:
    assert [*eased(easing)] == words


async def test_a_case_says_when_it_asks_less_until_somebody_has_it(bench: ApiBench) -> None:
    bench.policies.activate(load({"rules.yaml": RULES}))
    supervisor = bench.key(Role.SUPERVISOR)
    case = await bench.write("Where is my parcel?")
    _, page = await bench.get(f"/v1/cases/{case}", supervisor)
    told = page["explanation"]
    assert [(step["step"], step["asks_less"]) for step in told["relaxes"]] == [
        (1, ["the level of delivery falls to 3"]),
        (2, ["delivery is preferred and no longer needed", "members of general may have it too",
             "advisors of tier junior may have it too"]),
    ]  # fmt: skip
    assert "in 40 s the level of delivery falls to 3" in told["why_waiting"]

    await bench.clock.advance_ms(40_000)
    await bench.timers.serve()
    _, page = await bench.get(f"/v1/cases/{case}", supervisor)
    told = page["explanation"]
    assert "step 1 of relaxation holds: the level of delivery falls to 3" in told["why_waiting"]
    assert [step["step"] for step in told["relaxes"]] == [2]
    assert [(line["act"], line["about"]) for line in page["history"][1:]] == [("rejudge", "relax 1")]

    token = await bench.advisor("minji", tier="senior", skills={"delivery": 3})
    async with bench.session(token) as talk:
        await bench.online(talk)
        await talk.next("offer")
        await bench.post(f"/v1/cases/{case}/accept", token)
    _, page = await bench.get(f"/v1/cases/{case}", supervisor)
    assert ("relaxes" in page["explanation"], page["case"]["owner"]) == (False, "minji")
