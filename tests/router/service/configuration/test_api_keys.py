import hashlib

import msgspec
import pytest

from router.contract.config import ApiKey, Role
from router.contract.ids import AdvisorId, PoolId
from router.service.configuration.api_keys import InvalidKey, KeyTable, make_key

POOL = PoolId("default")


def made(role: Role = Role.SUPERVISOR, advisor: str | None = None) -> tuple[ApiKey, str]:
    return make_key(role, POOL, created_at_ms=5, advisor=AdvisorId(advisor) if advisor else None, name="shift")


def test_a_token_shows_its_key_and_nothing_kept_shows_the_token() -> None:
    key, token = made(Role.ADVISOR, "minji")
    prefix, key_id, secret = token.split("_", 2)
    assert (prefix, key_id) == ("turnout", key.id)
    assert key.sha256 == hashlib.sha256(secret.encode()).hexdigest()
    assert secret not in msgspec.json.encode(key).decode()
    assert len(secret) >= 43
    assert (key.role, key.advisor, key.pool, key.name, key.created_at_ms) == (Role.ADVISOR, "minji", POOL, "shift", 5)


def test_no_two_keys_are_alike() -> None:
    tokens = {made()[1] for _ in range(100)}
    assert len({token.split("_", 2)[1] for token in tokens}) == 100
    assert len({token.split("_", 2)[2] for token in tokens}) == 100


def test_an_advisors_key_needs_an_advisor() -> None:
    with pytest.raises(InvalidKey, match="needs the advisor"):
        made(Role.ADVISOR)


def test_only_the_whole_token_of_a_known_key_is_good() -> None:
    table = KeyTable()
    key, token = made()
    other, other_token = made()
    table.put(key)
    table.put(other)
    assert table.check(token) == key
    secret = token.split("_", 2)[2]
    bad = [
        "",
        "turnout",
        "turnout_",
        f"turnout_{key.id}",
        f"turnout_{key.id}_",
        f"turnout_{key.id}_{secret[:-1]}",
        f"turnout_{key.id}_{secret}x",
        f"turnout_{key.id}_{other_token.split('_', 2)[2]}",
        f"turnout_{other.id}_{secret}",
        f"other_{key.id}_{secret}",
        f"turnout_{'0' * 12}_{secret}",
        f"turnout_{key.id}_{key.sha256}",
        f"turnout_{key.id}_\ud800",
        "turnout_" + "x" * 100_000,
    ]
    assert [table.check(token) for token in bad] == [None] * len(bad)


def test_a_revoked_key_is_good_no_more_and_its_sessions_are_ended() -> None:
    table = KeyTable()
    told: list[ApiKey] = []
    table.listen(told.append)
    key, token = made()
    table.put(key)
    table.put(key)
    assert told == []
    table.put(msgspec.structs.replace(key, revoked=True))
    assert told == [key]
    assert table.check(token) is None
    assert table.get(key.id) is not None


def test_a_removed_key_is_unknown_and_removing_it_again_is_no_error() -> None:
    table = KeyTable()
    told: list[ApiKey] = []
    table.listen(told.append)
    key, token = made()
    table.put(key)
    table.remove(key.id)
    table.remove(key.id)
    assert told == [key]
    assert (table.check(token), len(table), list(table)) == (None, 0, [])
