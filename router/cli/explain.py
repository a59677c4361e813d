"""``turnout explain``: why a case is where it is."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import click

from router.cli.asking import address, ask, case_path, key_option, url_option
from router.cli.climb_text import climbed, to_come
from router.cli.decision_text import decision_lines
from router.cli.given import settings_option


class _Titles(NamedTuple):
    here: str
    others: str
    waiting: str
    frees: str
    climbed: str
    to_come: str
    people: str  # what follows a count of advisors


_TITLES: Final = {
    "en": _Titles(
        "why here",
        "why not the others, when it was decided",
        "what it waits for now",
        "what would free it, each alone",
        "how it climbed",
        "steps of its ladder to come",
        "",
    ),
    "ko": _Titles(
        "배정 근거",
        "결정 당시 제외된 상담사",
        "지금 기다리는 이유",
        "한 가지만 바뀌어도 배정되는 조건",
        "단계가 올라간 내력",
        "남은 사다리 단계",
        "명:",
    ),
}


@click.command()
@settings_option
@click.argument("case")
@key_option
@url_option
@click.option("--lang", type=click.Choice(["en", "ko"]), default="en", show_default=True, help="The language.")
@click.option("--full", is_flag=True, help="Every advisor as he stood when it was decided, and why it was him or not.")
@click.option("--advisor", help="The same of this one only.")
def explain(  # noqa: PLR0913 - one argument an option
    *,
    settings_file: Path | None,
    case: str,
    key: str | None,
    url: str | None,
    lang: str,
    full: bool,
    advisor: str | None,
) -> None:
    """Say why CASE went where it is, why not to others, what it waits for, and what would free it."""
    at = address(url, settings_file)
    if full or advisor:
        only = f"&advisor={quote(advisor)}" if advisor else ""
        lines = decision_lines(ask(at, key, f"{case_path(case, '/decision')}?lang={lang}&limit=1000{only}"), lang)
    else:
        lines = _lines(ask(at, key, f"{case_path(case)}?lang={lang}"), lang)
    for line in lines:
        click.echo(line)


def _lines(page: Mapping[str, Any], lang: str) -> Iterator[str]:
    case, told, titles = page["case"], page["explanation"], _TITLES[lang]
    owner = f", with {case['owner']}" if case.get("owner") else ""
    yield f"case {case['id']}: {case['state']}{owner}, queue {case['queue']}, priority {case['priority']}"
    yield f"rulebook {case['rulebook']}" + (f", decided at {told['decided_at']}" if told.get("decided_at") else "")
    yield from _part(titles.here, told["why_here"])
    removed = (
        f"{out['count']}{titles.people} {out['reason']}" + (f" ({', '.join(out['first'])})" if out.get("first") else "")
        for out in told.get("why_not", ())
    )
    yield from _part(titles.others, removed)
    yield from _part(titles.waiting, told.get("why_waiting", ()))
    yield from _part(titles.climbed, (climbed(step, lang) for step in case.get("escalations", ())))
    yield from _part(titles.to_come, (to_come(step, lang) for step in told.get("climbs", ())))
    yield from _part(titles.frees, [change["text"] for change in told.get("would_free", ())])


def _part(title: str, lines: Any) -> Iterator[str]:
    for number, line in enumerate(lines):
        if number == 0:
            yield f"{title}:"
        yield f"  {line}"
