import rules

NAMES = [
    "AdvisorRow", "ChannelWeight", "Clock", "CustomerFacts", "Defaults", "Facts", "Ladder", "Place", "Policy",
    "Problem", "Queue", "Reason", "Roster", "RosterError", "Rule", "Rulebook", "RulebookError", "RulesError",
    "Severity", "Step", "Strategy", "Verdict", "Want", "called", "content", "judge", "language_of", "lint",
    "load", "load_roster", "restore",
]  # fmt: skip


def test_the_public_names_are_these() -> None:
    assert rules.__all__ == NAMES
    assert all(hasattr(rules, name) for name in NAMES)
