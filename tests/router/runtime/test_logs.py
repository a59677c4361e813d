import io
import json
import logging
from collections.abc import Iterator

import pytest

from router.runtime.logs import install_logs
from router.runtime.secret import MASK, Secret
from router.runtime.settings.model import LogFormat, LogLevel, LogSettings

LOG = logging.getLogger("test.logs")


@pytest.fixture
def _kept() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


@pytest.fixture
def lines(_kept: None) -> io.StringIO:
    stream = io.StringIO()
    install_logs(LogSettings(), stream)
    return stream


def test_a_line_is_one_json_object_with_the_fields_given(lines: io.StringIO) -> None:
    LOG.info("case %s opened\nnow", "c1", extra={"event": "case.opened", "case": "c1", "n": 2})
    (text,) = lines.getvalue().splitlines()
    line = json.loads(text)
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "info",
        "logger": "test.logs",
        "event": "case.opened",
        "message": "case c1 opened\nnow",
        "case": "c1",
        "n": 2,
    }


def test_a_field_cannot_replace_the_level(lines: io.StringIO) -> None:
    LOG.warning("x", extra={"level": "fake", "time": "fake"})
    line = json.loads(lines.getvalue())
    assert (line["level"], line["time"] == "fake") == ("warning", False)


def test_an_error_brings_its_traceback_cut_to_a_bound(lines: io.StringIO) -> None:
    def fail() -> None:
        raise ValueError("y" * 100_000)

    try:
        fail()
    except ValueError:
        LOG.exception("failed")
    line = json.loads(lines.getvalue())
    assert line["error"].endswith("yyy")
    assert len(lines.getvalue()) < 10_000


@pytest.mark.parametrize("value", [object(), {1: {2, 3}}, "\ud800", float("nan"), b"\xff", Secret("s3cret")])
def test_a_field_that_json_does_not_know_does_not_cost_the_line(lines: io.StringIO, value: object) -> None:
    LOG.info("kept", extra={"field": value})
    line = json.loads(lines.getvalue())
    assert line["message"] == "kept"
    assert "s3cret" not in lines.getvalue()


def test_a_secret_is_masked(lines: io.StringIO) -> None:
    LOG.info("url %s", Secret("s3cret"), extra={"url": Secret("s3cret")})
    assert json.loads(lines.getvalue())["url"] == MASK
    assert "s3cret" not in lines.getvalue()


@pytest.mark.usefixtures("_kept")
def test_the_console_format_is_for_people() -> None:
    stream = io.StringIO()
    install_logs(LogSettings(format=LogFormat.CONSOLE, level=LogLevel.WARNING), stream)
    LOG.info("not shown")
    LOG.warning("case %s", "c1", extra={"event": "e", "queue": "billing"})
    assert stream.getvalue().rstrip().endswith("WARNING test.logs  case c1  queue=billing")
    assert len(stream.getvalue().splitlines()) == 1


@pytest.mark.usefixtures("_kept")
def test_installing_again_replaces_the_first() -> None:
    first, second = io.StringIO(), io.StringIO()
    install_logs(LogSettings(), first)
    install_logs(LogSettings(), second)
    LOG.info("once")
    assert first.getvalue() == ""
    assert len(second.getvalue().splitlines()) == 1
