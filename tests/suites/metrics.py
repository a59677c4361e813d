"""Reading what a registry shows."""

from prometheus_client import CollectorRegistry


def shown(registry: CollectorRegistry, name: str) -> dict[str, float]:
    """The samples of a metric that aren't zero, by their label values joined with ``/``."""
    return {
        "/".join(sample.labels.values()): sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name == name and sample.value
    }


def all_at_zero(registry: CollectorRegistry, *, but: frozenset[str] = frozenset()) -> dict[str, int]:
    """How many series each sample name has; raises ``AssertionError`` when one isn't at zero yet."""
    found: dict[str, int] = {}
    for family in registry.collect():
        for sample in family.samples:
            if not sample.name.endswith("_created") and family.name not in but:
                assert sample.value == 0, sample
            found[sample.name] = found.get(sample.name, 0) + 1
    return found
