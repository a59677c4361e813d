"""``turnout dead-letters`` against a bus on a real server."""

import asyncio
import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from router.cli.dead_letters import dead_letters
from router.contract.ids import PoolId
from router.contract.topics import inquiries, topic_specs
from router.runtime.bus.protocol import Outgoing, Partition, Record
from router.runtime.bus.streams import StreamsBus
from router.runtime.dead_letters import dead_letter
from tests.servers import Server

TOPIC = inquiries(PoolId("default"))
FIRST, SECOND = f"{TOPIC}/0@3", f"{TOPIC}/1@0"

Turnout = Callable[..., Result]


def broken(number: int, offset: int, key: str, reason: str) -> Outgoing:
    record = Record(
        partition=Partition(TOPIC, number),
        offset=offset,
        epoch=1,
        key=key,
        value=b'{"text": "hello"}',
        headers=(("ce_id", b"i1"),),
        published_at_ms=1,
    )
    return dead_letter(record, reason)


async def _prepare(url: str) -> None:
    bus = StreamsBus(url)
    await bus.create_topics(topic_specs((PoolId("default"),), inquiry_partitions=2, partitions=2))
    await bus.publish([broken(0, 3, "talk-1", "Undecodable: no JSON"), broken(1, 0, "talk-2", "KeyError: 'x'")])
    await bus.close()


async def _published(url: str) -> list[Record]:
    bus = StreamsBus(url)
    found = [record async for record in bus.history(TOPIC)]
    await bus.close()
    return found


@pytest.fixture
def turnout(valkey: Server) -> Turnout:
    asyncio.run(_prepare(valkey.url))
    environ = {"TURNOUT__REDIS__URL": valkey.url, "TURNOUT__SIGNING_KEY": "long enough to sign with, surely so"}

    def call(*words: str, answer: str = "") -> Result:
        return CliRunner().invoke(dead_letters, words, input=answer, env=environ)

    return call


def listed(turnout: Turnout, *words: str) -> list[str]:
    return [row["id"] for row in json.loads(turnout("list", "--json", *words).stdout)]


def test_letters_are_listed_by_what_is_asked_for(turnout: Turnout) -> None:
    assert listed(turnout) == [FIRST, SECOND]
    assert listed(turnout, "--key", "talk-2") == [SECOND]
    assert listed(turnout, "--reason", "undecodable") == [FIRST]
    assert listed(turnout, "--id", SECOND, "--since", "1h", "--topic", "inquiries") == [SECOND]
    assert listed(turnout, "--limit", "1") == [FIRST]
    assert "Undecodable: no JSON" in turnout("list").stdout
    assert turnout("list", "--key", "nobody").output == "no dead letters\n"
    assert listed(turnout, "--key", "nobody") == []


def test_a_letter_is_shown_whole(turnout: Turnout) -> None:
    shown = json.loads(turnout("show", FIRST, "--json").stdout)
    assert (shown["value"], shown["headers"], shown["key"]) == ('{"text": "hello"}', {"ce_id": "i1"}, "talk-1")
    assert "hello" in turnout("show", FIRST).stdout


def test_a_replayed_letter_lies_on_its_topic_once_and_is_no_longer_listed(turnout: Turnout, valkey: Server) -> None:
    told = turnout("replay", "--id", FIRST, "--yes", "--json")
    assert json.loads(told.stdout) == {"dry_run": False, "replayed": [FIRST], "refused": []}
    (record,) = asyncio.run(_published(valkey.url))
    assert (record.key, record.value) == ("talk-1", b'{"text": "hello"}')
    assert record.headers == (("ce_id", b"i1"), ("turnout-replay", FIRST.encode()))
    assert listed(turnout) == [SECOND]
    again = turnout("replay", "--id", FIRST, "--yes")
    assert again.exit_code == 2
    assert f"{FIRST} was replayed at" in again.stderr
    assert len(asyncio.run(_published(valkey.url))) == 1


def test_a_dropped_letter_is_no_longer_listed_and_nothing_is_put_back(turnout: Turnout, valkey: Server) -> None:
    assert turnout("drop", "--key", "talk-1", "--yes").stdout == f"dropped: {FIRST}\n"
    assert listed(turnout) == [SECOND]
    assert asyncio.run(_published(valkey.url)) == []


@pytest.mark.parametrize("command", ["replay", "drop"])
def test_a_dry_run_does_nothing(turnout: Turnout, command: str) -> None:
    told = turnout(command, "--all", "--dry-run")
    assert told.stdout.splitlines() == [
        f"would be {command}{'ed' if command == 'replay' else 'ped'}: {each}" for each in (FIRST, SECOND)
    ]
    assert listed(turnout) == [FIRST, SECOND]


@pytest.mark.parametrize(("answer", "left"), [("y\n", []), ("n\n", [FIRST, SECOND]), ("", [FIRST, SECOND])])
def test_without_yes_it_asks_first(turnout: Turnout, answer: str, left: list[str]) -> None:
    told = turnout("drop", "--all", answer=answer)
    assert FIRST in told.stderr
    assert (told.exit_code == 0) == (not left)
    assert listed(turnout) == left


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("drop", "--yes"), "name letters by --id or another filter, or say --all"),
        (("drop", "--id", "t/0@0", "--yes"), "there is no letter t/0@0"),
        (("show", "t/0@0"), "there is no letter t/0@0"),
        (("replay", "--key", "nobody", "--yes"), "no letter is open that fits"),
        (("list", "--since", "yesterday"), "neither a span"),
    ],
)
def test_what_names_nothing_is_refused(turnout: Turnout, words: tuple[str, ...], said: str) -> None:
    told = turnout(*words)
    assert told.exit_code == 2
    assert said in told.stderr
    assert listed(turnout) == [FIRST, SECOND]
