"""Which partition a key belongs to on the buses of our own (Kafka has its own partitioner)."""

import zlib


def partition_of(key: str, partitions: int) -> int:
    """The partition of a key; the same in every process and for ever, or order per key would break."""
    return zlib.crc32(key.encode("utf-8", "surrogatepass")) % partitions
