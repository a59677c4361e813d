"""The rules: facts of an inquiry in, a verdict out. A pure leaf; it knows nothing of the system around it."""

from rules.capacity import ChannelWeight
from rules.checking.lint import lint
from rules.conditions.language import language_of
from rules.errors import Place, Problem, RosterError, RulebookError, RulesError, Severity
from rules.facts import CustomerFacts, Facts
from rules.judge import called, judge
from rules.ladders import Ladder, Step
from rules.load import load, load_roster, restore
from rules.policies import Clock, Policy
from rules.roster import AdvisorRow, Roster
from rules.rulebook import (
    Defaults,
    Queue,
    Rule,
    Rulebook,
    Strategy,
    content,
)
from rules.verdict import Reason, Verdict, Want

__all__ = [
    "AdvisorRow",
    "ChannelWeight",
    "Clock",
    "CustomerFacts",
    "Defaults",
    "Facts",
    "Ladder",
    "Place",
    "Policy",
    "Problem",
    "Queue",
    "Reason",
    "Roster",
    "RosterError",
    "Rule",
    "Rulebook",
    "RulebookError",
    "RulesError",
    "Severity",
    "Step",
    "Strategy",
    "Verdict",
    "Want",
    "called",
    "content",
    "judge",
    "language_of",
    "lint",
    "load",
    "load_roster",
    "restore",
]
