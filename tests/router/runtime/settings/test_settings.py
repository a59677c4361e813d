from pathlib import Path

import msgspec
import pytest

from router.runtime.errors import SettingsError
from router.runtime.secret import MASK, RawOptions, Secret
from router.runtime.settings.loader import load
from router.runtime.settings.model import BusKind, Mode, Settings
from router.runtime.settings.table import describe, public

KEY = "k" * 32


def _file(directory: Path, text: str) -> Path:
    path = directory / "turnout.yaml"
    path.write_text(text, "utf-8")
    return path


def _problems(environ: dict[str, str], file: Path | None = None) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load(environ, file)
    return caught.value.problems


def test_nothing_given_is_a_standalone_installation() -> None:
    settings = load({"PATH": "/bin", "TURNOUT_HOME": "not ours"})
    assert settings == Settings()
    assert settings.mode is Mode.STANDALONE
    assert settings.served_pools == ("default",)


def test_environment_wins_over_file_and_file_over_default(tmp_path: Path) -> None:
    file = _file(tmp_path, "http: {api_port: 1, ops_port: 2}\nstop_s: 3\n")
    settings = load({"TURNOUT__HTTP__OPS_PORT": "22"}, file)
    assert (settings.http.api_port, settings.http.ops_port, settings.http.channels_port) == (1, 22, 8080)
    assert settings.stop_s == 3


@pytest.mark.parametrize(
    ("name", "value", "path", "expected"),
    [
        ("BUS__KIND", "kafka", ("bus", "kind"), BusKind.KAFKA),
        ("BUS__CREATE_TOPICS", "false", ("bus", "create_topics"), False),
        ("POOLS", "default, north", ("pools",), ("default", "north")),
        ("STOP_S", "1.5", ("stop_s",), 1.5),
        ("RULES_DIR", "", ("rules_dir",), None),
        ("RULES_DIR", "/etc/rules", ("rules_dir",), "/etc/rules"),
        ("ROSTER_FILE", "/etc/roster.yaml", ("roster_file",), "/etc/roster.yaml"),
        ("REDIS__URL", "redis://x", ("redis", "url"), Secret("redis://x")),
    ],
)
def test_a_variable_is_read_as_its_settings_type(
    name: str, value: str, path: tuple[str, ...], expected: object
) -> None:
    environ = {
        "TURNOUT__KAFKA__BOOTSTRAP": "a:9092,b:9092",
        "TURNOUT__SIGNING_KEY": KEY,
        f"TURNOUT__{name}": value,
    }
    found: object = load(environ)
    for step in path:
        found = getattr(found, step)
    assert found == expected


def test_a_variable_may_name_a_file_that_holds_the_secret(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    settings = load(
        {
            "TURNOUT__KAFKA__PASSWORD_FILE": str(secret),
            "TURNOUT__ACCOUNTS__SHOP_MAIL__CHANNEL": "email",
            "TURNOUT__ACCOUNTS__SHOP_MAIL__OPTIONS__PASSWORD_FILE": str(secret),
        }
    )
    assert settings.kafka.password == Secret("s3cret")
    assert settings.accounts["shop-mail"].options["password"] == "s3cret"


def test_a_variable_completes_the_account_of_the_file(tmp_path: Path) -> None:
    file = _file(tmp_path, "accounts: {shop-mail: {channel: email, options: {a: 1}}}")
    settings = load({"TURNOUT__ACCOUNTS__SHOP_MAIL__OPTIONS__B": "2"}, file)
    assert dict(settings.accounts["shop-mail"].options) == {"a": 1, "b": "2"}


def test_all_problems_are_reported_together_with_their_paths(tmp_path: Path) -> None:
    file = _file(
        tmp_path,
        "htpp: {}\n"
        "http: {api_port: 70000, hots: x}\n"
        "accounts: {Shop: {channel: email}, b: {pool: default}}\n"
        "redis: 5\n",
    )
    problems = _problems({"TURNOUT__BUS__KID": "kafka", "TURNOUT__STOP_S": "soon", "TURNOUT__HTTP": "x"}, file)
    text = "\n".join(problems)
    assert len(problems) == 9
    assert "htpp: unknown name (did you mean 'http'?)" in problems
    assert "http.hots: unknown name (did you mean 'host'?)" in problems
    assert "http.api_port: Expected `int` <= 65535" in problems
    assert "TURNOUT__BUS__KID: unknown name 'kid' (did you mean 'kind'?)" in problems
    assert "stop_s: Expected `float`, got `str` (from TURNOUT__STOP_S)" in problems
    assert "TURNOUT__HTTP: does not name a single value" in problems
    assert "accounts.b.channel: missing" in problems
    assert "redis: expected a mapping of names to values" in problems
    assert "accounts.Shop: " in text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("bus: {kind: kafka}", "kafka.bootstrap: missing, since bus.kind is kafka"),
        ("redis: {url: 'redis://x'}", "signing_key: missing"),
        ("signing_key: short", "signing_key: must have at least 32 characters"),
        ("router: {pools: [defualt]}", "router.pools: 'defualt' is not in pools (did you mean 'default'?)"),
        ("accounts: {a: {channel: x, pool: north}}", "accounts.a.pool: 'north' is not in pools"),
        ("pools: [a, b, a]", "pools: 'a' stands there twice"),
        ("http: {api_port: 9, ops_port: 9}", "http.ops_port: 9 is http.api_port already"),
        ("http: {trusted_proxies: [10.0.0.0/8, proxy.example]}", "http.trusted_proxies[1]: 'proxy.example' does not"),
        ("http: {trusted_proxies: [10.0.0.1/8]}", "http.trusted_proxies[0]: 10.0.0.1/8 has host bits set"),
        ("http: {trusted_proxies: ['::/0']}", "http.trusted_proxies[0]: '::/0' is everybody"),
        ("masks: [{name: a, pattern: '('}]", "masks[0].pattern: not a regular expression"),
        ("masks: [{name: a, pattern: 'x*'}]", "masks[0].pattern: matches the empty text"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(tmp_path: Path, text: str, problem: str) -> None:
    problems = _problems({}, _file(tmp_path, text))
    assert len(problems) == 1
    assert problems[0].startswith(problem)


def test_free_ports_may_repeat(tmp_path: Path) -> None:
    settings = load({}, _file(tmp_path, "http: {api_port: 0, ops_port: 0, channels_port: 0}"))
    assert settings.http.ops_port == 0


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("stop_s: 1\nstop_s: 2", "the name 'stop_s' stands here twice"),
        ("redis: &r {}\nkafka: *r", "references (*name) are not allowed"),
        ("1: 2", "a name must be text"),
        ("[1, 2]", "expected a mapping of names to values"),
        ("a: [", ":1:5: "),
        ("!!python/name:os.system {}", "could not determine a constructor"),
        ("[" * 5000, "nested too deeply"),
    ],
)
def test_a_file_that_is_no_plain_yaml_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    problems = _problems({}, _file(tmp_path, text))
    assert len(problems) == 1
    assert problem in problems[0]


def test_yaml_reads_what_people_mean(tmp_path: Path) -> None:
    text = (
        "accounts: {no: {channel: email, options: {at: 12:30, country: no, zip: 0123, "
        "n: 1, f: 1.5, t: true, none: null}}}"
    )
    options = load({}, _file(tmp_path, text)).accounts["no"].options
    assert dict(options) == {
        "at": "12:30",
        "country": "no",
        "zip": "0123",
        "n": 1,
        "f": 1.5,
        "t": True,
        "none": None,
    }


def test_a_missing_file_and_a_missing_secret_are_problems(tmp_path: Path) -> None:
    absent = tmp_path / "absent"
    problems = _problems({"TURNOUT__KAFKA__PASSWORD_FILE": str(absent)}, absent)
    assert len(problems) == 2
    assert all("cannot be read" in problem for problem in problems)


def test_secrets_never_show(tmp_path: Path) -> None:
    file = _file(
        tmp_path,
        f"redis: {{url: 'redis://:hunter2@x'}}\nsigning_key: hunter2{KEY}\n"
        "accounts: {a: {channel: x, options: {password: hunter2}}}",
    )
    settings = load({}, file)
    written = msgspec.json.encode(public(settings)).decode()
    for text in (repr(settings), str(settings), f"{settings.redis.url}", written):
        assert "hunter2" not in text
        assert MASK in text
    assert settings.redis.url is not None
    assert settings.redis.url.reveal() == "redis://:hunter2@x"
    with pytest.raises(TypeError):
        msgspec.json.encode(settings)


def test_a_wrong_secret_does_not_show_in_its_problem(tmp_path: Path) -> None:
    problems = _problems({}, _file(tmp_path, "signing_key: [hunter2]"))
    assert problems == ("signing_key: Expected text, got `list`",)


def test_every_setting_has_a_meaning_and_can_be_set_by_its_path() -> None:
    rows = describe()
    assert all(row.meaning and row.type for row in rows)
    assert len({row.path for row in rows}) == len(rows)
    assert ("redis.timeout_s", "number", "5.0") in {(row.path, row.type, row.default) for row in rows}
    for row in rows:
        if row.default and "<" not in row.path and row.path != "masks":
            value = ",".join(msgspec.json.decode(row.default)) if row.default[0] == "[" else row.default
            assert load({"TURNOUT__" + row.path.upper().replace(".", "__"): value}) == Settings()


def test_secrets_and_options_compare_by_value() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert len({Secret("a"), Secret("a")}) == 1
    assert not Secret("")
    assert repr(RawOptions({"key": "x"})) == f"RawOptions(key={MASK})"


def test_a_file_that_is_no_yaml_is_said_with_line_and_column(tmp_path: Path) -> None:
    (problem,) = _problems({}, _file(tmp_path, "pools: [a,\nhttp: {"))
    assert problem.startswith(f"{tmp_path}/turnout.yaml:2:")
    assert "expected" in problem
    assert "\n" not in problem
