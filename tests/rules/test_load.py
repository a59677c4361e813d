"""Golden messages for broken rulebooks, and what is and isn't content."""

import time

import pytest
import yaml

from rules import Rulebook, RulebookError, RulesError, content, load, restore

GOOD = """\
defaults: {queue: general}
skills:
  billing: Money
tiers: [junior, senior]
policies:
  standard: {first_response_s: 3600, resolution_s: 7200}
ladders:
  up:
    steps:
      - {at: 0.5, raise_priority: 1}
      - {at: breach, notify: [slack]}
queues:
  general:
    policy: standard
    ladder: up
outcomes: {solved: Done}
rules:
  - name: money
    match:
      text: {contains: invoice}
    set: {queue: general, skills: {billing: 3}}
"""


def problems_of(**files: str) -> list[str]:
    with pytest.raises(RulebookError) as caught:
        load({f"{name}.yaml": text for name, text in files.items()})
    assert str(caught.value) == "\n".join(map(str, caught.value.problems))
    return [str(problem) for problem in caught.value.problems]


def change(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


def test_a_good_rulebook_loads() -> None:
    book = load({"a.yaml": GOOD})
    assert isinstance(book, Rulebook)
    assert book.queues["general"].offer_s == 30
    assert [step.share for step in book.ladders["up"].steps] == [0.5, 1.0]
    assert (book.reopen_s, book.cool_down_s, book.backoff_s) == (604_800, 120, 15)


GOLDEN = [
    (
        "polcy: standard",
        "policy: standard",
        [
            'a.yaml:14:5 queues.general.polcy: unknown field `polcy` (did you mean "policy"?)',
            "a.yaml:14:5 queues.general: the field `policy` is missing",
        ],
    ),
    (
        "policy: standrd",
        "policy: standard",
        ['a.yaml:14:13 queues.general.policy: there is no policy `standrd` (did you mean "standard"?)'],
    ),
    (
        "ladder: upp",
        "ladder: up",
        ['a.yaml:15:13 queues.general.ladder: there is no ladder `upp` (did you mean "up"?)'],
    ),
    (
        "{queue: generl, skills: {biling: 3}}",
        "{queue: general, skills: {billing: 3}}",
        [
            'a.yaml:21:18 rules[0].set.queue: there is no queue `generl` (did you mean "general"?)',
            'a.yaml:21:35 rules[0].set.skills.biling: there is no skill `biling` (did you mean "billing"?)',
        ],
    ),
    (
        "txt: {contains: invoice}",
        "text: {contains: invoice}",
        ['a.yaml:20:7 rules[0].match.txt: unknown field `txt` (did you mean "text"?)'],
    ),
    (
        "customer.tag: invoice",
        "text: {contains: invoice}",
        ['a.yaml:20:7 rules[0].match.customer.tag: unknown field `customer.tag` (did you mean "customer.tags"?)'],
    ),
    (
        "first_response_s: 12:30",
        "first_response_s: 3600",
        [
            (
                "a.yaml:6:32 policies.standard.first_response_s: expected `int`, got `str`:"
                " `12:30` is text; give durations in seconds"
            )
        ],
    ),
    (
        "first_response_s: 0",
        "first_response_s: 3600",
        ["a.yaml:6:32 policies.standard.first_response_s: expected `int` >= 1"],
    ),
    (
        "policy: standard\n    auto_accept: no",
        "policy: standard",
        [
            (
                "a.yaml:15:18 queues.general.auto_accept: expected `bool`, got `str`:"
                " only `true` and `false` are booleans, `no` is text"
            )
        ],
    ),
    (
        "policy: standard\n    strategy: least-loded",
        "policy: standard",
        [
            (
                'a.yaml:15:15 queues.general.strategy: "least-loded" is none of longest-idle, least-loaded,'
                ' round-robin, most-skilled, least-skilled, balanced (did you mean "least-loaded"?)'
            )
        ],
    ),
    (
        "policy: standard\n    strategy: longest-idle\n    weights: {idle: 2}",
        "policy: standard",
        [
            "a.yaml:16:14 queues.general.weights: only `balanced` looks at it; the strategy is `longest-idle`",
        ],
    ),
    (
        (
            "policy: standard\n    strategy: balanced\n"
            "    weights: {skill_fit: 0, free_share: 0, idle: 0, affinity: 0, scarcity: 0, ramp_in: 0}"
        ),
        "policy: standard",
        ["a.yaml:16:14 queues.general.weights: all are 0: give at least one term a weight"],
    ),
    (
        "policy: standard\n    policy: other",
        "policy: standard",
        ["a.yaml:15:5 queues.general.policy: `policy` is given twice (first in line 14)"],
    ),
    (
        "at: breech, notify",
        "at: breach, notify",
        ['a.yaml:11:14 ladders.up.steps[1].at: "breech" is none of breach (did you mean "breach"?)'],
    ),
    (
        "at: 0, raise_priority",
        "at: 0.5, raise_priority",
        ["a.yaml:10:14 ladders.up.steps[0].at: expected `float` > 0.0"],
    ),
    (
        "at: 1.5, raise_priority",
        "at: 0.5, raise_priority",
        ["a.yaml:11:14 ladders.up.steps[1].at: not after the step before it on the clock first_response"],
    ),
    (
        "{at: breach}",
        "{at: breach, notify: [slack]}",
        ["a.yaml:11:9 ladders.up.steps[1]: the step does nothing: give `raise_priority`, `notify` or another action"],
    ),
    (
        "tiers: [junior, junior]",
        "tiers: [junior, senior]",
        ["a.yaml:4:17 tiers[1]: `junior` is listed twice"],
    ),
    (
        "  general:\n    tiers: [senor]",
        "  general:",
        ['a.yaml:14:13 queues.general.tiers[0]: there is no tier `senor` (did you mean "senior"?)'],
    ),
    (
        "outcomes: {}",
        "outcomes: {solved: Done}",
        ["a.yaml:16:11 outcomes: at least one is needed"],
    ),
    (
        "outcomes: {Solved!: Done}",
        "outcomes: {solved: Done}",
        [
            (
                'a.yaml:16:12 outcomes.Solved!: the name `Solved!` can\'t be used: "Solved!" must be up to 64'
                ' small letters, digits, "-" and "_", and not begin with a sign'
            )
        ],
    ),
    (
        "set: {language: und}",
        "set: {queue: general, skills: {billing: 3}}",
        [
            (
                'a.yaml:21:21 rules[0].set.language: "und" is no primary language tag; write two or three small'
                ' letters, such as "en"'
            )
        ],
    ),
    (
        "name: language",
        "name: money",
        ["a.yaml:18:11 rules[0].name: `language` is reserved for the reasons of a verdict"],
    ),
    (
        "set: {skills: {billing: {levl: 3}}}",
        "set: {queue: general, skills: {billing: 3}}",
        ['a.yaml:21:30 rules[0].set.skills.billing.levl: unknown field `levl` (did you mean "level"?)'],
    ),
    (
        "skills: &s\n  billing: Money",
        "skills:\n  billing: Money",
        ["a.yaml:2:9: anchors and aliases are not allowed: write the value out"],
    ),
    (
        "billing: !!python/object:os.system x",
        "billing: Money",
        ["a.yaml:3:12: tags are not allowed: tag:yaml.org,2002:python/object:os.system"],
    ),
]


@pytest.mark.parametrize(("new", "old", "messages"), GOLDEN)
def test_golden_messages(new: str, old: str, messages: list[str]) -> None:
    assert problems_of(a=change(old, new)) == messages


def test_all_problems_are_told_together_in_reading_order() -> None:
    text = GOOD.replace("ladder: up", "ladder: upp").replace("contains: inv", "contain: inv").replace("3600", "x")
    assert [line.split(" ")[1] for line in problems_of(a=text)] == [
        "policies.standard.first_response_s:",
        "rules[0].match.text.contain:",
    ]


def test_norway_and_times_stay_text() -> None:
    text = change("text: {contains: invoice}", "fields.country: no\n      fields.at: 12:30\n      fields.x: on")
    assert load({"a.yaml": text}).rules[0].match == {"fields.country": "no", "fields.at": "12:30", "fields.x": "on"}


def test_norwegian_is_a_language() -> None:
    assert load({"a.yaml": change("set: {queue: general,", "set: {language: no,")}).rules[0].set.language == "no"


def test_a_rule_after_an_unconditional_one_is_never_reached() -> None:
    more = GOOD + "  - name: all\n    set: {priority: 2}\n  - name: lost\n    set: {priority: 1}\n"
    assert problems_of(a=more) == [
        "a.yaml:24:5 rules[2]: never reached: `all` before it always matches and doesn't continue"
    ]
    load({"a.yaml": more.replace("  - name: lost", "    continue: true\n  - name: lost")})


def test_a_rule_with_the_conditions_of_an_earlier_one_is_never_reached() -> None:
    more = GOOD + "  - name: again\n    match: {text: {contains: invoice}}\n    set: {priority: 1}\n"
    assert problems_of(a=more) == [
        "a.yaml:22:5 rules[1]: never reached: `money` has the same conditions and doesn't continue"
    ]
    load({"a.yaml": more.replace("name: money", "name: money\n    continue: true")})


def test_two_rules_of_one_name() -> None:
    assert problems_of(a=GOOD + "  - name: money\n") == [
        "a.yaml:22:11 rules[1].name: another rule is called `money` too"
    ]


def test_an_alias_bomb_is_refused_at_once() -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(20)
    )
    started = time.process_time()
    with pytest.raises(RulebookError) as caught:
        load({"bomb.yaml": bomb})
    assert time.process_time() - started < 1
    assert {problem.message for problem in caught.value.problems} == {
        "anchors and aliases are not allowed: write the value out"
    }
    assert str(caught.value).endswith("more")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 100_000, "a.yaml:1:1: expected a mapping at the top"),
        ("a: " + "[" * 100_000, "a.yaml:1:35: nested deeper than 32 levels"),
        ("a: 1\n---\nb: 2\n", "a.yaml:2:1: only one document a file"),
        ("just text", "a.yaml:1:1: expected a mapping at the top"),
        ("? [a]\n: b\n", "a.yaml:1:3: a key must be plain text"),
        ("a: \x00", "a.yaml:1:1: not YAML: holds a character that YAML doesn't allow"),
        ("a: \ud800", "a.yaml:1:1: not YAML: holds a character that YAML doesn't allow"),
        ("a: " + "x" * 1_000_001, "a.yaml:1:1: the file is longer than 1,000,000 characters"),
        ("a: [" + "1," * 200_001 + "]", "a.yaml:1:399999: more than 200,000 values"),
    ],
)
def test_unreadable_files(text: str, message: str) -> None:
    assert problems_of(a=text) == [message]


@pytest.mark.parametrize("loader", ["CSafeLoader", "SafeLoader"])
def test_both_loaders_read_the_same_and_point_at_broken_syntax(monkeypatch: pytest.MonkeyPatch, loader: str) -> None:
    expected = load({"a.yaml": GOOD}).hash
    monkeypatch.setattr("rules.tree._LOADER", getattr(yaml, loader))
    assert load({"a.yaml": GOOD}).hash == expected
    (message,) = problems_of(a="a: b\n c: d\n")
    assert message.startswith("a.yaml:2:3: not YAML: mapping values are not allowed")
    (message,) = problems_of(a="a: [1, 2")
    assert message.startswith("a.yaml:")
    assert "not YAML" in message


def test_an_empty_file_says_what_is_missing() -> None:
    assert problems_of(a="# nothing\n") == [
        f"the field `{name}` is missing" for name in ("defaults", "queues", "policies", "outcomes")
    ]
    assert problems_of() == ["no files given"]


def test_sections_and_rules_are_joined_over_files() -> None:
    more = "queues:\n  second: {policy: standard}\nrules:\n  - {name: later, set: {queue: secnd}}\n"
    assert problems_of(a=GOOD, b=more) == [
        'b.yaml:4:32 rules[1].set.queue: there is no queue `secnd` (did you mean "second"?)'
    ]
    book = load({"b.yaml": more.replace("secnd", "second"), "a.yaml": GOOD})
    assert [rule.name for rule in book.rules] == ["money", "later"]
    assert list(book.queues) == ["general", "second"]


def test_the_same_name_in_two_files_is_refused() -> None:
    assert problems_of(a=GOOD, b="queues:\n  general: {policy: standard}\n") == [
        "b.yaml:2:3 queues.general: `general` is given twice (first at a.yaml:13:3)"
    ]
    assert problems_of(a=GOOD + "reopen_s: 1\n", b="reopen_s: 2\n") == [
        "b.yaml:1:1 reopen_s: `reopen_s` is given twice (first at a.yaml:22:1)"
    ]


def test_the_hash_is_of_the_content_alone() -> None:
    book = load({"a.yaml": GOOD})
    head, rules = GOOD.split("rules:\n")
    moved = "outcomes: {solved: Done}\n" + head.replace("outcomes: {solved: Done}\n", "# a remark\n")
    spelled_out = moved.replace("    policy: standard", '    policy: "standard"\n    offer_s: 30')
    split = load({"x/one.yml": spelled_out, "x/two.yml": "rules:\n" + rules})
    assert split.hash == book.hash
    assert len(book.hash) == 16
    assert content(split) == content(book)


@pytest.mark.parametrize(
    ("old", "new"),
    [("3600", "3601"), ("contains: invoice", "contains: invoices"), ("name: money", "name: cash"), ("0.5", "0.6")],
)
def test_the_hash_changes_with_the_content(old: str, new: str) -> None:
    assert load({"a.yaml": change(old, new)}).hash != load({"a.yaml": GOOD}).hash


def test_a_stored_rulebook_is_restored_whole() -> None:
    text = change("contains: invoice", 'contains: ["a\\u2028b", "x\\u0085y", "🙂", "no", "12:30", "\\u007f"]')
    book = load({"a.yaml": text})
    again = restore(content(book))
    assert again.hash == book.hash
    assert again.rules == book.rules


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"\xff", b'{"a":' * 100_000])
def test_what_is_no_stored_rulebook_is_refused(data: bytes) -> None:
    with pytest.raises(RulebookError, match="not a stored rulebook"):
        restore(data)


def test_a_stored_rulebook_of_a_newer_version_is_refused_with_its_field() -> None:
    newer = content(load({"a.yaml": GOOD})).replace(b'"skills"', b'"siesta":1,"skills"', 1)
    with pytest.raises(RulesError, match="siesta"):
        restore(newer)


def test_a_wrap_up_may_last_as_long_as_it_does() -> None:
    flawed = "channels: {chat: {wrap_up_s: 60, wrap_up_most_s: 59}}\n"
    with pytest.raises(RulebookError) as caught:
        load({"a.yaml": GOOD, "b.yaml": flawed})
    told = [(problem.path, problem.message) for problem in caught.value.problems]
    assert told == [("channels.chat.wrap_up_most_s", "is less than `wrap_up_s`, which is 60")]
