import pytest

from rules import Roster, RosterError, RulesError, load_roster

GOOD = """\
advisors:
  - id: minji
    name: Kim Minji
    email: minji@example.com
    team: seoul
    tier: senior
    languages: {ko: 10, no: 4}
    skills: {billing: 8, returns: 0}
    queues: [billing]
    budget: 60
    caps: {chat: 2}
  - {id: ben, name: 벤}
"""


def problems_of(text: str) -> list[str]:
    with pytest.raises(RosterError) as caught:
        load_roster({"roster.yaml": text})
    return [str(problem) for problem in caught.value.problems]


def roster(text: str = GOOD) -> Roster:
    return load_roster({"roster.yaml": text})


def test_a_roster_is_read_with_its_defaults() -> None:
    ben, minji = roster().advisors
    assert (ben.id, ben.queues, ben.budget, ben.caps, ben.email) == ("ben", "all", 100, {}, None)
    assert (minji.queues, minji.budget, minji.languages) == (("billing",), 60, {"ko": 10, "no": 4})


def test_membership_and_levels() -> None:
    ben, minji = roster().advisors
    assert ben.serves("anything")
    assert minji.serves("billing")
    assert not minji.serves("returns")
    assert minji.has("billing", 8)
    assert not minji.has("billing", 9)
    assert not minji.has("returns", 1)
    assert not ben.has("billing", 1)


def test_the_hash_follows_the_content_not_the_layout() -> None:
    lines = GOOD.splitlines()
    swapped = "\n".join(["# turned round", lines[0], lines[-1], *lines[1:-1]])
    assert roster(swapped).hash == roster().hash
    assert roster(GOOD.replace("budget: 60", "budget: 61")).hash != roster().hash


def test_rows_may_be_spread_over_files() -> None:
    head, row = GOOD.rsplit("  - {", 1)
    both = load_roster({"a.yaml": head, "b.yaml": "advisors:\n  - {" + row})
    assert both.hash == roster().hash
    assert str(both.places["ben",]).startswith("b.yaml:2:")


@pytest.mark.parametrize(
    ("old", "new", "messages"),
    [
        (
            "id: minji",
            "id: ben",
            ["roster.yaml:12:10 advisors[1].id: another advisor has the id `ben` too"],
        ),
        (
            "{id: ben,",
            "{id: ben, email: MINJI@example.com,",
            ["roster.yaml:12:22 advisors[1].email: another advisor has the address `MINJI@example.com` too"],
        ),
        (
            "{id: ben, name",
            "{id: ben, nam",
            [
                "roster.yaml:12:5 advisors[1]: the field `name` is missing",
                'roster.yaml:12:15 advisors[1].nam: unknown field `nam` (did you mean "name"?)',
            ],
        ),
        (
            "billing: 8",
            "billing: 11",
            ["roster.yaml:8:23 advisors[0].skills.billing: expected `int` <= 10"],
        ),
        (
            "queues: [billing]",
            "queues: everything",
            ['roster.yaml:9:13 advisors[0].queues: "everything" is none of all'],
        ),
        (
            "queues: [billing]",
            "queues: [Billing]",
            [
                ('roster.yaml:9:14 advisors[0].queues[0]: "Billing" must be up to 64 small letters, digits,'
                ' "-" and "_", and not begin with a sign')
            ],
        ),
        (
            "minji@example.com",
            "minji",
            ['roster.yaml:4:12 advisors[0].email: "minji" is no mail address'],
        ),
        (
            "{ko: 10,",
            "{ko-KR: 10,",
            [
                ("roster.yaml:7:17 advisors[0].languages.ko-KR: the name `ko-KR` can't be used:"
                ' "ko-KR" is no primary language tag; write two or three small letters, such as "en"')
            ],
        ),
        ("caps: {chat: 2}", "caps: 2", ["roster.yaml:11:11 advisors[0].caps: expected `object`, got `int`"]),
    ],
)  # fmt: skip
def test_golden_messages(old: str, new: str, messages: list[str]) -> None:
    assert old in GOOD
    assert problems_of(GOOD.replace(old, new)) == messages


def test_a_roster_error_is_a_rules_error_that_no_retry_helps() -> None:
    assert issubclass(RosterError, RulesError)
    assert not RosterError.retryable
