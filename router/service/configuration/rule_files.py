"""The files of policy: rulebook and roster, read as a whole, or not at all."""

from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Final, Self

from msgspec.structs import replace

from router.contract.advisor import NO_QUEUE, Profile, write_profile
from router.contract.ids import AdvisorId
from router.runtime.settings.model import Settings
from router.service.acting import Actor
from router.service.roster import RosterTail
from router.store.acts import ProfileAct, Result
from rules import AdvisorRow, Roster, Rulebook, load, load_roster
from rules.checking.expiry import expired
from rules.checking.lint import lint
from rules.checking.surroundings import Surroundings, misplaced
from rules.errors import Problem, RulesError, Severity

_CALENDAR: Final = ".ics"
_SUFFIXES: Final = (".yaml", ".yml", _CALENDAR)
_ROSTER: Final = "roster.yaml"
_BATCH: Final = 100


class RuleFiles:
    """Where policy is read from: a folder and a file, or what comes with Turnout; and what it is for."""

    def __init__(self, rules_dir: str | None, roster_file: str | None, around: Surroundings = Surroundings()) -> None:  # noqa: B008 (immutable)
        self.around = around
        self._rules_dir = Path(rules_dir) if rules_dir else None
        self._roster_file = Path(roster_file) if roster_file else None
        self._known: tuple[str, Roster] | None = None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Those of an installation."""
        around = Surroundings(pools=settings.pools, targets=tuple(settings.targets))
        return cls(settings.rules_dir, settings.roster_file, around)

    def rulebook(self) -> Rulebook:
        """Raises ``RulebookError`` with every problem, ``OSError`` when a file can't be read."""
        if self._rules_dir is None:
            folder = resources.files("rules") / "defaults"
            return load(
                {f"defaults/{name}": (folder / name).read_text("utf-8") for name in ("rulebook.yaml", "rules.yaml")}
            )
        try:
            files = sorted(
                path
                for path in self._rules_dir.iterdir()
                if path.suffix in _SUFFIXES and path.name != _ROSTER and not path.name.startswith(".")
            )
        except OSError as exc:
            raise _unread("rules_dir", exc) from None
        return load({str(path): _text(path) for path in files})

    def roster(self) -> Roster:
        """Raises ``RosterError`` with every problem, ``OSError`` when the file can't be read. The same as before where
        the file says the same: with a thousand advisors, to read it takes other threads' time, too."""
        if self._roster_file is None:
            name, text = f"defaults/{_ROSTER}", (resources.files("rules") / "defaults" / _ROSTER).read_text("utf-8")
        else:
            try:
                name, text = str(self._roster_file), _text(self._roster_file)
            except OSError as exc:
                raise _unread("roster_file", exc) from None
        if self._known is None or self._known[0] != text:
            self._known = (text, load_roster({name: text}))
        return self._known[1]

    def both(self, now_ms: int) -> tuple[Rulebook, Roster, tuple[Problem, ...]]:
        """Both, and what is doubtful about them as of now. Raises ``RulesError`` when they can't go together."""
        rulebook, roster = self.rulebook(), self.roster()
        problems = self.problems(rulebook, roster, now_ms)
        if errors := tuple(problem for problem in problems if problem.severity is Severity.ERROR):
            raise RulesError(errors)
        return rulebook, roster, problems

    def problems(self, rulebook: Rulebook, roster: Roster, now_ms: int) -> tuple[Problem, ...]:
        """What is wrong with the two together, with the names they use, and with what lies ahead, errors first."""
        found = [*lint(rulebook, roster), *misplaced(rulebook, roster, self.around), *expired(rulebook, now_ms)]
        return tuple(sorted(found, key=lambda problem: problem.severity is Severity.WARNING))

    def stamp(self) -> tuple[tuple[str, int, int], ...]:
        """Changes when a file does: for watching them."""
        kept = self._rules_dir.glob("*.*") if self._rules_dir else ()
        paths = [*(path for path in kept if path.suffix in _SUFFIXES), self._roster_file]
        found = [(path, path.stat()) for path in paths if path is not None and path.exists()]
        return tuple(sorted((str(path), stat.st_mtime_ns, stat.st_size) for path, stat in found))


def _unread(setting: str, exc: OSError) -> OSError:
    return OSError(f"{setting}: {exc.filename} can't be read: {exc.strerror}")


def _text(path: Path) -> str:
    """What a file says, in UTF-8; in Korea's older code too where another program has written it."""
    raw = path.read_bytes()
    for encoding in ("utf-8-sig", "cp949") if path.suffix == _CALENDAR else ("utf-8",):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise OSError(f"{path}: it isn't written in UTF-8")


async def enrol(actor: Actor, tail: RosterTail, rows: Sequence[AdvisorRow]) -> int:
    """Make the advisors of a pool as the rows say; how many differed. Repeating it changes nothing.

    Who has no row any more becomes inactive: he is offered nothing, and keeps the cases he has until he is done or
    somebody else takes them. A row brings him back.
    """
    profiles = {AdvisorId(row.id): profile_of(row) for row in rows}
    left = (member for member in tail.roster if member.profile.active and member.state.id not in profiles)
    profiles |= {member.state.id: replace(member.profile, active=False) for member in left}
    changed, names = 0, list(profiles)
    for start in range(0, len(names), _BATCH):
        acts = [_profile_act(actor, tail, name, profiles[name]) for name in names[start : start + _BATCH]]
        changed += sum(outcome.result is Result.DONE for outcome in await actor.apply(acts))
    return changed


def profile_of(row: AdvisorRow) -> Profile:
    """A roster row as the engine knows an advisor. ``all`` queues is no restriction; none but secondary ones are a
    restriction to no queue."""
    return Profile(
        name=row.name,
        team=row.team or "",
        tier=row.tier or "junior",
        skills=dict(row.skills),
        languages=dict(row.languages),
        queues=() if row.queues == "all" else tuple(row.queues) or (NO_QUEUE,),
        secondary=tuple(row.secondary),
        budget=row.budget,
        caps=dict(row.caps),
        contact=row.email or "",
        contacts=dict(row.contacts),
    )


def _profile_act(actor: Actor, tail: RosterTail, advisor: AdvisorId, profile: Profile) -> ProfileAct:
    member = tail.roster.get(advisor)
    return ProfileAct(
        pool=actor.pool,
        gen=actor.gen,
        now_ms=actor.now_ms(),
        advisor=advisor,
        budget=profile.budget,
        profile=write_profile(profile, before=member.state.profile if member else "{}"),
        caps=profile.caps,
    )
