"""The templates' hand-made statements against the rulebook that comes with Turnout, and the demo's own."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from router.demo.roster import Advisor, make_roster, roster_document, units_of
from router.demo.service import VIP_RULES, ServiceFiles, default_rules, with_units
from router.demo.template import Template
from router.demo.templates import ALL, ENGLISH, PHRASES
from router.demo.traffic import tokens
from router.service.configuration.rule_files import RuleFiles
from rules import Rulebook, judge
from rules.facts import Facts

TOKEN = "TN-012340"
DEFAULT = RuleFiles(None, None).rulebook()
CHANNELS = ("chat", "email", "pigeon", "webhook")


def facts(template: Template, *, has_subject: bool) -> Facts:
    subject = template.subject if has_subject else ""
    return Facts(channel="email", account="demo", subject=subject, text=template.text.format(token=TOKEN))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> ServiceFiles:
    roster = roster_document(make_roster(6))
    made = ServiceFiles(
        folder=tmp_path_factory.mktemp("demo"), settings={"stop_s": 15}, roster=roster, units=units_of(CHANNELS)
    )
    made.write()
    return made


@pytest.fixture(scope="module")
def own(files: ServiceFiles) -> Rulebook:
    return RuleFiles(str(files.folder / "rules"), str(files.folder / "roster.yaml")).both(0)[0]


@pytest.mark.parametrize("has_subject", [True, False], ids=["with subject", "text alone"])
@pytest.mark.parametrize("template", ALL, ids=lambda template: template.name)
def test_the_default_rulebook_wants_what_the_template_states(template: Template, has_subject: bool) -> None:
    verdict = judge(DEFAULT, facts(template, has_subject=has_subject))
    assert {want.skill: want.level for want in verdict.wants if want.hard} == template.skills
    assert verdict.language == template.language
    assert template.queue in {verdict.queue, "vip"}


@pytest.mark.parametrize("template", ALL, ids=lambda template: template.name)
def test_the_demos_rulebook_says_the_same_and_knows_vips(own: Rulebook, template: Template) -> None:
    verdict = judge(own, facts(template, has_subject=False))
    assert {want.skill: want.level for want in verdict.wants if want.hard} == template.skills
    assert (verdict.language, verdict.queue) == (template.language, template.queue)


def test_the_demos_rulebook_differs_in_weights_and_vips_only(own: Rulebook) -> None:
    names = set(Rulebook.__struct_fields__) - {"channels", "rules", "tests", "calls", "hash", "places"}
    assert {name: getattr(own, name) for name in names} == {name: getattr(DEFAULT, name) for name in names}
    assert own.rules[1:] == DEFAULT.rules
    assert own.rules[0].name == VIP_RULES["rules"][0]["name"]
    assert {channel: own.weight(channel).units for channel in CHANNELS} == {
        "chat": 30,
        "email": 10,
        "pigeon": 20,
        "webhook": 15,
    }
    assert all(weight.wrap_up_s == 0 for weight in own.channels.values())


def test_there_are_enough_templates_in_both_languages_over_all_topics() -> None:
    assert len(ALL) >= 30
    for language in ("en", "ko"):
        queues = {template.queue for template in ALL if template.language == language}
        assert queues == {
            *("general", "billing", "delivery", "returns", "technical", "account-access", "complaints", "vip")
        }
    assert len({template.name for template in ALL}) == len(ALL)
    assert len({template.text for template in ALL}) == len(ALL)


def test_every_text_names_its_token_once_and_early_enough_for_a_summary() -> None:
    later = [phrase for said in PHRASES.values() for phrase in (*said.more, *said.answers, *said.later)]
    for text in (*(template.text for template in ALL), *later):
        assert tokens(text.format(token=TOKEN)[:190]) == (TOKEN,)
        assert text.count("{token}") == 1


@pytest.mark.parametrize("rate", [1, 6, 100])
def test_for_everything_there_are_two_advisors_at_least(own: Rulebook, rate: float) -> None:
    roster = make_roster(rate)
    for template in ALL:
        tiers = own.queues[template.queue].tiers
        able = [
            who for who in roster if who.can(template.language, template.skills) and (not tiers or who.tier in tiers)
        ]
        assert len(able) >= 2, template.name


def test_the_roster_grows_with_the_rate() -> None:
    assert [len(make_roster(rate)) for rate in (0.5, 6, 30, 150)] == [22, 22, 44, 220]
    assert len({who.id for who in make_roster(150)}) == 220


CAN: list[tuple[dict[str, Any], bool]] = [
    ({"language": "en", "skills": {}}, True),
    ({"language": "en", "skills": {"billing": 5}}, True),
    ({"language": "en", "skills": {"billing": 6}}, False),
    ({"language": "en", "skills": {"billing": 3, "returns": 1}}, False),
    ({"language": "ko", "skills": {}}, False),
]


@pytest.mark.parametrize(("needs", "can"), CAN)
def test_an_advisor_can_what_his_row_says(needs: dict[str, Any], can: bool) -> None:
    ben = Advisor(id="ben", name="Ben", tier="junior", languages={"en": 10, "ko": 0}, skills={"billing": 5})
    assert ben.can(**needs) is can


def test_the_settings_name_the_files_beside_them(files: ServiceFiles) -> None:
    settings = yaml.safe_load(files.settings_file.read_text("utf-8"))
    assert settings["stop_s"] == 15
    for name in ("rules_dir", "roster_file"):
        assert Path(settings[name]).exists()
        assert Path(settings[name]).parent == files.folder


def test_the_weights_replace_those_of_the_document() -> None:
    document = yaml.safe_load((default_rules() / "rulebook.yaml").read_text("utf-8"))
    changed = with_units(document, {"chat": 7})
    assert changed["channels"] == {"chat": {"units": 7}}
    assert {**changed, "channels": document["channels"]} == document


def test_english_and_korean_are_balanced() -> None:
    assert len(ENGLISH) * 2 == len(ALL)
