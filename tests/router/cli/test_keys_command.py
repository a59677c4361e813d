"""Keys of the API, from the shell."""

import asyncio
import re

from click.testing import CliRunner, Result

from router.cli.keys import keys
from router.contract.ids import PoolId
from router.contract.topics import topic_specs
from router.runtime.bus.streams import StreamsBus
from tests.servers import Server

SIGNING = "long enough to sign with, surely so"


async def _prepare(url: str) -> None:
    bus = StreamsBus(url)
    await bus.create_topics(topic_specs((PoolId("default"),), inquiry_partitions=1, partitions=1))
    await bus.close()


def test_a_key_is_made_listed_and_revoked(valkey: Server) -> None:
    asyncio.run(_prepare(valkey.url))
    environ = {"TURNOUT__REDIS__URL": valkey.url, "TURNOUT__SIGNING_KEY": SIGNING, "TURNOUT_SETTINGS": ""}

    def call(*words: str) -> Result:
        done = CliRunner().invoke(keys, words, env=environ)
        assert done.exit_code == 0, done.output
        return done

    assert call("list").output == "no keys yet: `turnout keys create` makes one\n"
    secret = call("create", "--role", "supervisor", "--name", "shift lead").stdout.strip()
    found = re.fullmatch(r"turnout_(\w{12})_[\w-]+", secret)
    assert found is not None
    assert re.fullmatch(rf"{found[1]}  supervisor +- +default +in force +shift lead\n", call("list").output)
    call("revoke", found[1])
    assert "revoked" in call("list").output
