"""Rulebook, API keys and whatever else comes from the configuration topic."""

import asyncio
from typing import Final

from router.app.process import Process, Role
from router.app.state import State
from router.service.configuration.api_keys import KeyTable
from router.service.configuration.policies import Policies
from router.service.configuration.policy_loader import PolicyLoader
from router.service.configuration.rule_files import RuleFiles
from router.service.configuration.topic import ConfigurationTail, ConfigurationWriter
from rules import Rulebook

_FIRST_RULEBOOK_S: Final = 60.0


class Policy:
    """What is in force, kept current. Only a router has a loader: it brings the files to the topic."""

    keys: KeyTable
    policies: Policies
    loader: PolicyLoader | None = None


async def open_policy(process: Process, state: State) -> Policy:
    """The configuration as the topic has it, after a router has put into it what the files say."""
    policy, settings = Policy(), process.settings
    policy.keys = KeyTable()
    tail = ConfigurationTail(state.bus, policy.keys, clock=process.clock)
    process.life.spawn("configuration", tail.run())
    await process.life.open("configuration", tail.ready.wait())
    if Role.ROUTER in process.roles:
        writer = ConfigurationWriter(state.bus, clock=process.clock)
        files = RuleFiles.of(settings)
        policy.loader = PolicyLoader(files, writer, tail, clock=process.clock, metrics=process.metrics)
        await process.life.open("rules", policy.loader.start())
    forgotten = process.metrics.limits.labels("rulebooks").inc
    policy.policies = Policies(await _first_rulebook(process, tail), tail.stored, forgotten=forgotten)

    def activate(rulebook: Rulebook) -> None:
        policy.policies.activate(rulebook)
        process.metrics.cases.adopt(rulebook)
        process.pool_metrics.queues.adopt(rulebook)
        process.metrics.rulebook.clear()
        process.metrics.rulebook.labels(rulebook.hash).set(1)

    tail.listen(activate)
    return policy


async def _first_rulebook(process: Process, tail: ConfigurationTail) -> Rulebook:
    first: asyncio.Future[Rulebook] = asyncio.get_running_loop().create_future()
    tail.listen(lambda rulebook: None if first.done() else first.set_result(rulebook))

    async def arrived() -> Rulebook:
        return await first

    return await process.life.open("rulebook", arrived(), within_s=_FIRST_RULEBOOK_S)
