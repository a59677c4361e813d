"""A rulebook and a roster that go together, for tests of what is wrong with the two when one is changed."""

from rules import lint, load, load_roster

BOOK = """\
defaults: {queue: general}
skills: {billing: Money, returns: Back}
tiers: [junior, senior]
channels: {chat: {units: 30}, voice: {units: 100}}
policies: {standard: {first_response_s: 60, resolution_s: 600}}
queues:
  general: {policy: standard}
  billing: {policy: standard, tiers: [senior]}
outcomes: {solved: Done}
rules:
  - {name: money, match: {text: money}, set: {queue: billing, skills: {billing: 5}}}
  - {name: back, match: {text: back}, set: {skills: {returns: 3}}}
"""

ROSTER = """\
advisors:
  - {id: ann, name: Ann, tier: senior, languages: {en: 10, ko: 2}, skills: {billing: 6}}
  - {id: bo, name: Bo, tier: junior, languages: {ko: 10, en: 1}, skills: {returns: 3}, caps: {chat: 2}}
"""


def found(book: str = BOOK, roster: str = ROSTER) -> list[str]:
    """The problems of the two, in words."""
    problems = lint(load({"book.yaml": book}), load_roster({"roster.yaml": roster}))
    return [f"{problem.severity} {problem}" for problem in problems]
