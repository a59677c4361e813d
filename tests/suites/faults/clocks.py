"""Clocks that are off: a router an hour ahead, or two hours behind, keeps off and hurts nobody."""

from random import Random
from typing import Final

from tests.suites.eventually import eventually
from tests.suites.faults.plant import ROUTERS, Part, Plant
from tests.suites.faults.scenes import Fault, Findings, Strike, pass_s
from tests.suites.faults.skew import SKEW_S

KEPT_OFF: Final = "kept off for its clock"
_HOUR_S: Final = 3600
_SKEWED_S: Final = 8.0
_WITHIN_S: Final = 60.0
_EVENT: Final = "clock.skewed"


def skew(seconds: int) -> Strike:
    """A router is started anew on a host whose clock is off by so much, stays so for a while, and is set right."""

    async def strike(place: Plant, random: Random, _: Findings) -> None:
        part = place.parts[random.choice(ROUTERS)]
        said, starts = _said(part), part.starts
        part.process.environment[SKEW_S] = str(seconds)
        try:
            part.process.kill()
            await eventually(lambda: _said(part) > said, within_s=_WITHIN_S)
            await pass_s(_SKEWED_S)
            assert part.running is None or part.starts == starts, "a router whose clock is off became ready"
        finally:
            del part.process.environment[SKEW_S]
        place.bites[KEPT_OFF] += _said(part) - said
        part.process.kill()

    return strike


def _said(part: Part) -> int:
    """How often a process has said that its clock is off."""
    return part.process.log.read_text("utf-8", "replace").count(_EVENT)


CLOCK_FAULTS: Final = (
    Fault(name="clock an hour ahead", strike=skew(_HOUR_S), wants=(KEPT_OFF,)),
    Fault(name="clock two hours behind", strike=skew(-2 * _HOUR_S), wants=(KEPT_OFF,)),
)
