"""What a benchmark says: samples of single runs, rows for ``bench.json``, a table for people."""

import statistics
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import msgspec

_COLUMNS: Final = ("name", "value", "unit", "baseline", "ratio", "aim", "met", "note")


class Judged(StrEnum):
    """What an aim is set for."""

    RATIO_AT_LEAST = "ratio >="
    RATIO_AT_MOST = "ratio <="
    VALUE_AT_LEAST = "value >="
    VALUE_AT_MOST = "value <="


class Aim(msgspec.Struct, frozen=True, kw_only=True):
    """What should be reached: ``met`` compares a measured row with it."""

    judged: Judged
    limit: float

    def met(self, value: float, ratio: float | None) -> bool | None:
        """None when there is no ratio to judge."""
        match self.judged:
            case Judged.RATIO_AT_LEAST:
                return None if ratio is None else ratio >= self.limit
            case Judged.RATIO_AT_MOST:
                return None if ratio is None else ratio <= self.limit
            case Judged.VALUE_AT_LEAST:
                return value >= self.limit
            case Judged.VALUE_AT_MOST:
                return value <= self.limit


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One run: what was measured, and the baseline measured beside it, if there is one. ``parts`` are further measured
    values by name, each with its unit."""

    value: float
    baseline: float | None = None
    parts: dict[str, tuple[float, str]] = {}

    @property
    def ratio(self) -> float | None:
        return None if self.baseline is None else self.value / self.baseline


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of ``bench.json``. What was not measured, or has no baseline or aim, is None."""

    name: str
    value: float | None
    unit: str
    baseline: float | None = None
    ratio: float | None = None
    aim: float | None = None
    met: bool | None = None


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A row, and what a person should know about it that is no number."""

    row: Row
    note: str = ""


def findings(name: str, unit: str, samples: Sequence[Sample], *, aim: Aim, judging: bool) -> list[Finding]:
    """The run with the middle ratio (or value, where there is no baseline) speaks for all; each run and the medians of
    the parts follow it.

    An aim is met or not by that run. Without ``judging`` (a smoke run, another bus) it is only named.
    """
    middle = sorted(samples, key=_judged)[(len(samples) - 1) // 2]
    found = [Finding(row=_row(name, unit, middle, aim=aim, judging=judging), note=f"{aim.judged} {_spread(samples)}")]
    if len(samples) > 1:
        found += [Finding(row=_row(f"{name}.run_{at}", unit, one)) for at, one in enumerate(samples, start=1)]
    for part, (_, part_unit) in middle.parts.items():
        values = [one.parts[part][0] for one in samples if part in one.parts]
        row = Row(name=f"{name}.{part}", value=_rounded(statistics.median(values)), unit=part_unit)
        found.append(Finding(row=row, note=f"{min(values):.4g} to {max(values):.4g}"))
    return found


def skipped(name: str, unit: str, *, aim: Aim, reason: str) -> Finding:
    """A benchmark that could not run: no number stands where nothing was measured."""
    return Finding(row=Row(name=name, value=None, unit=unit, aim=aim.limit), note=f"skipped: {reason}")


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of all values doesn't exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * round(share * 1000) // 1000) - 1)]


def table(found: Sequence[Finding]) -> str:
    """All findings in columns."""
    lines = [_COLUMNS, *(_cells(one) for one in found)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(_COLUMNS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _row(name: str, unit: str, sample: Sample, *, aim: Aim | None = None, judging: bool = False) -> Row:
    return Row(
        name=name,
        value=_rounded(sample.value),
        unit=unit,
        baseline=None if sample.baseline is None else _rounded(sample.baseline),
        ratio=None if sample.ratio is None else _rounded(sample.ratio),
        aim=aim.limit if aim else None,
        met=aim.met(sample.value, sample.ratio) if aim and judging else None,
    )


def _judged(sample: Sample) -> float:
    return sample.value if sample.ratio is None else sample.ratio


def _spread(samples: Sequence[Sample]) -> str:
    kind, found = "ratios" if samples[0].ratio is not None else "values", [_judged(one) for one in samples]
    return f"aim; {kind} {min(found):.2f} to {max(found):.2f} in {len(found)} runs"


def _cells(one: Finding) -> tuple[str, ...]:
    row = one.row
    met = {None: "", True: "yes", False: "NO"}[row.met]
    numbers = [_text(number) for number in (row.value, row.baseline, row.ratio, row.aim)]
    return (row.name, numbers[0], row.unit, *numbers[1:], met, one.note)


def _text(number: float | None) -> str:
    return "" if number is None else f"{number:,.2f}" if abs(number) < 100 else f"{number:,.0f}"


def _rounded(number: float) -> float:
    return float(f"{number:.5g}")
