import io
from pathlib import Path

from rich.console import Console

from router.demo.account import Edges, draw_up
from router.demo.closing import closing_lines
from router.demo.history import Accepted, Offered, Received, Replied, Taken, Wrote
from router.demo.roster import Advisor
from router.demo.run import Scene
from router.demo.table import LiveScreen, PlainScreen, headline

MINJI = Advisor(id="minji", name="Minji", tier="senior", languages={"ko": 10}, skills={"billing": 5})
TOKEN = "TN-000000"


def scene(*, language: str = "ko") -> Scene:
    wrote = Wrote(
        at=1.0,
        token=TOKEN,
        channel="email",
        customer="anna",
        thread="t",
        language=language,
        skills={"billing": 3},
        queue="billing",
    )
    offered = Offered(at=2.0, advisor="minji", case="c1", channel="email", tokens=(TOKEN,))
    edges = Edges(
        customers=(
            wrote,
            Accepted(at=1.1, token=TOKEN, sent_at=1.0),
            Received(at=4.0, channel="email", customer="anna", thread="t", mark=""),
            Received(at=5.0, channel="email", customer="anna", thread="t", mark="RP-000001"),
        ),
        advisors=(
            offered,
            Taken(at=2.1, advisor="minji", case="c1"),
            Replied(at=3.5, advisor="minji", case="c1", mark="RP-000001", tokens=(TOKEN,)),
        ),
        roster={"minji": MINJI},
        units={"email": 10},
        channels=("email",),
    )
    findings = draw_up(edges, sweep_found=0, seconds=4.2)
    return Scene(phase="traffic", elapsed_s=4.2, edges=edges, findings=findings, in_hand={"minji": 1})


def rows(shown: str) -> list[list[str]]:
    return [line.split() for line in shown.splitlines()]


def test_the_table_shows_queues_channels_and_advisors() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=100, height=50, color_system=None)
    with LiveScreen(console) as screen:
        screen.say("starting")
        screen.show(scene())
    shown = rows(out.getvalue())
    assert ["billing", "1", "0", "1", "0", "2.5", "s", "100", "%"] in shown
    assert ["email", "1", "1", "1"] in shown
    assert ["minji", "#", "1"] in shown
    assert "starting" in out.getvalue()


def test_without_a_terminal_a_line_comes_every_few_seconds_at_most() -> None:
    out = io.StringIO()
    screen = PlainScreen(Console(file=out, width=80))
    for _ in range(5):
        screen.show(scene())
    assert out.getvalue().splitlines() == [headline(scene())]


def test_the_closing_words_tell_the_account_and_where_to_look_next() -> None:
    said = "\n".join(closing_lines(scene(language="en").findings, None))
    assert "1 sent, 1 accepted, 1 taken by advisors" in said
    assert "0 resolved, 1 with advisors, 0 waiting" in said
    assert "1 without the skill" in said
    assert f"- message {TOKEN}, which needs en, billing 3, was offered to minji" in said
    assert "Where to look next:" in said
    assert "--keep DIR" in said


def test_a_kept_folder_is_named() -> None:
    said = "\n".join(closing_lines(scene().findings, Path("somewhere")))
    assert str(Path("somewhere") / "service.log") in said


def test_of_many_faults_the_first_are_shown() -> None:
    findings = scene().findings
    many = type(findings)(
        account=findings.account, waiting=0, with_advisor=0, faults=tuple(f"fault {n}" for n in range(25))
    )
    said = list(closing_lines(many, None))
    assert sum("fault " in line for line in said) == 10
    assert "            and 15 more" in said
