from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import EntryPoint
from typing import Any

import msgspec
import pytest

from router.contract.messages import DeliveryState, Reply
from router.runtime.errors import PluginFailed, PluginMissing, SettingsError
from router.runtime.plugin_catalog import CHANNELS, NOTIFIERS, SIMULATORS, PluginCatalog, install
from router.runtime.plugins import (
    Account,
    Adapter,
    ChannelHost,
    OpenChannel,
    SendResult,
    failed,
    sent,
    unknown,
)
from router.runtime.secret import RawOptions, Secret
from router.runtime.settings.model import AccountSettings, Settings, TargetSettings


class PostOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    url: str
    token: Secret
    tries: int = 3


class PostChannel:
    """The least that an adapter can be: the type checker holds it against the Protocols."""

    def routes(self) -> Sequence[Any]:
        return ()

    def ports(self) -> Mapping[str, int]:
        return {}

    def troubles(self) -> Sequence[str]:
        return ()

    async def send(self, reply: Reply) -> SendResult:
        return sent(reply.id)

    async def stop_intake(self) -> None: ...

    async def close(self, within_s: float) -> None: ...


class PostAdapter:
    name = "post"
    deduplicates = True

    def options_type(self) -> type[PostOptions]:
        return PostOptions

    async def open(self, accounts: Sequence[Account[PostOptions]], host: ChannelHost) -> OpenChannel:
        return PostChannel()


class Misnamed(PostAdapter):
    name = "other"


def post() -> Adapter[PostOptions]:
    return PostAdapter()


def misnamed() -> Adapter[PostOptions]:
    return Misnamed()


def broken() -> Adapter[PostOptions]:
    raise OSError("no such library")


def _find(group: str) -> Iterable[EntryPoint]:
    if group == SIMULATORS:
        return []
    return [
        EntryPoint("post", f"{__name__}:post", group),
        EntryPoint("misnamed", f"{__name__}:misnamed", group),
        EntryPoint("broken", f"{__name__}:broken", group),
        EntryPoint("absent", "no_such_module:adapter", group),
    ]


@pytest.fixture
def catalog() -> PluginCatalog:
    return PluginCatalog(_find)


def _account(channel: str, **options: Any) -> AccountSettings:
    return AccountSettings(channel=channel, options=RawOptions(options))


def test_a_plugin_is_found_by_its_name(catalog: PluginCatalog) -> None:
    assert catalog.names(CHANNELS) == ("absent", "broken", "misnamed", "post")
    assert catalog.names(SIMULATORS) == ()
    assert catalog.adapter("post").deduplicates
    assert catalog.notifier("post").name == "post"


@pytest.mark.parametrize(
    ("name", "error", "text"),
    [
        ("posd", PluginMissing, r"did you mean 'post'.*there are: absent, broken"),
        ("broken", PluginFailed, "no such library"),
        ("absent", PluginFailed, "no_such_module"),
        ("misnamed", PluginFailed, "calls itself 'other'"),
    ],
)
def test_a_plugin_that_cannot_be_used_says_why(
    catalog: PluginCatalog, name: str, error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        catalog.adapter(name)


def test_an_empty_environment_says_there_are_none() -> None:
    with pytest.raises(PluginMissing, match="there are: none"):
        PluginCatalog(lambda _group: []).simulator("post")


def test_accounts_and_targets_come_with_their_options_checked(catalog: PluginCatalog) -> None:
    settings = Settings(
        accounts={"a": _account("post", url="u", token="t"), "b": _account("post", url="v", token="t")},
        targets={"ops": TargetSettings(notifier="post", options=RawOptions({"url": "w", "token": "t"}))},
    )
    installation = install(settings, catalog)
    adapter, accounts = installation.channels["post"]
    assert adapter.name == "post"
    assert [(account.id, account.pool, account.options.url) for account in accounts] == [
        ("a", "default", "u"),
        ("b", "default", "v"),
    ]
    assert accounts[0].options == PostOptions(url="u", token=Secret("t"))
    (target,) = installation.notifiers["post"][1]
    assert (target.id, target.options.url) == ("ops", "w")


def test_all_problems_of_accounts_and_targets_are_reported_together(catalog: PluginCatalog) -> None:
    settings = Settings(
        accounts={
            "a": _account("post", url=1, token="t", tires=2),
            "b": _account("post", url="u"),
            "c": _account("posd"),
        },
        targets={"ops": TargetSettings(notifier="broken"), "lead": TargetSettings(notifier="post")},
    )
    with pytest.raises(SettingsError) as caught:
        install(settings, catalog)
    problems = "\n".join(caught.value.problems)
    assert "accounts.a.options.tires: unknown name (did you mean 'tries'?)" in problems
    assert "accounts.a.options.url: Expected `str`, got `int`" in problems
    assert "accounts.b.options.token: missing" in problems
    assert "accounts.c.channel: no installed package offers 'posd'" in problems
    assert "targets.ops.notifier: 'broken' of turnout.notifiers cannot be loaded" in problems
    assert "targets.lead.options.url: missing" in problems


def test_an_adapter_by_the_name_of_the_callbacks_path_is_refused_before_it_is_made() -> None:
    def find(group: str) -> Iterable[EntryPoint]:
        return [EntryPoint("notify", f"{__name__}:broken", group)]

    with pytest.raises(SettingsError) as caught:
        install(Settings(accounts={"desk": _account("notify")}), PluginCatalog(find))
    (problem,) = caught.value.problems
    assert problem == (
        "accounts.desk.channel: an adapter can't be called 'notify': /notify on the channels' port is where notifiers "
        "are called back; give the adapter's entry point in turnout.channels another name"
    )


def test_the_real_environment_is_read_without_importing_any_plugin() -> None:
    catalog = PluginCatalog()
    assert set(catalog.names(SIMULATORS)) <= set(catalog.names(CHANNELS))
    assert isinstance(catalog.names(NOTIFIERS), tuple)


def test_send_results_carry_the_state() -> None:
    assert sent("p1") == SendResult(state=DeliveryState.SENT, provider_message_id="p1")
    assert failed("gone").state is DeliveryState.FAILED
    assert unknown("cut").state is DeliveryState.UNKNOWN
