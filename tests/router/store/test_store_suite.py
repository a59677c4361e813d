"""Every store keeps the promises of the suites."""

from tests.suites.store_admits import AppendingSuite, CrowdSuite, GuardedAdmitSuite, OpeningSuite


class TestOpening(OpeningSuite): ...


class TestCrowd(CrowdSuite): ...


class TestAppending(AppendingSuite): ...


class TestGuardedAdmit(GuardedAdmitSuite): ...
