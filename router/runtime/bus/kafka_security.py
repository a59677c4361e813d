"""How connections to Kafka are encrypted and who we say we are."""

import ssl
from typing import Any, Literal

import msgspec

from router.runtime.secret import Secret

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]


class KafkaSecurity(msgspec.Struct, frozen=True, kw_only=True):
    """``ca_path``: a file of the authorities that may sign the brokers' certificates; None for the system's."""

    protocol: Protocol = "PLAINTEXT"
    mechanism: Mechanism = "SCRAM-SHA-512"
    username: str | None = None
    password: Secret | None = None
    ca_path: str | None = None

    def connection(self) -> dict[str, Any]:
        """What every client of the library is told. Reads ``ca_path``; raises ``OSError`` if it can't."""
        told: dict[str, Any] = {"security_protocol": self.protocol}
        if self.protocol in {"SSL", "SASL_SSL"}:
            told["ssl_context"] = ssl.create_default_context(cafile=self.ca_path)
        if self.protocol in {"SASL_PLAINTEXT", "SASL_SSL"}:
            told["sasl_mechanism"] = self.mechanism
            told["sasl_plain_username"] = self.username or ""
            told["sasl_plain_password"] = self.password.reveal() if self.password else ""
        return told
