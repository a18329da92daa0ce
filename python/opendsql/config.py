"""What a server is told at start: frozen descriptions, checked once, each bound with its unit."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from opendsql.errors import OperatorError
from opendsql.limits import DSQL, Limits

TOPOLOGIES = ("auto", "fused", "split", "roles")


def default_arena_bytes() -> int:
    """Address space reserved for the arena: half of the machine's memory; pages are taken only when used."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """`opendsql serve`, as asked for.

    topology: `fused` = one serving worker that also hosts the commit roles; `split` = query workers and one commit
    worker; `roles` = every role its own process; `auto` = fused up to two cores, split above.
    strict: DSQL to the letter: TLS, a host name of this cluster and a token for every connection, DSQL's connection limits.
    """

    data: Path
    host: str = "127.0.0.1"
    port: int = 5432
    topology: str = "auto"
    query_workers: int = 0  # 0 = by core count
    connections_max: int | None = None  # short for one of the limits
    limits: Limits = DSQL
    arena_bytes: int = 0  # 0 = default_arena_bytes()
    checkpoint_seconds: float = 30.0
    checkpoint_journal_bytes: int = 64 << 20
    checkpoint_bytes_per_second: int = 64 << 20
    allow_remote: bool = False
    region: str | None = None  # of the endpoint; None = as kept in the directory
    account: str | None = None
    host_names: tuple[str, ...] = ()
    credentials: Path | None = None  # access keys; None = the directory's own, where tokens are asked for
    policy: Path | None = None  # the same
    strict: bool = False
    hints: bool = True  # beside refusals (opendsql.hints); never under strict
    tls_cert: Path | None = None
    tls_key: Path | None = None
    connection_rate: int | None = None  # per second, 0 = off; None = DSQL's under strict, else off
    connection_burst: int | None = None
    connection_lifetime_s: float | None = None  # likewise
    drain_seconds: float = 10.0  # at SIGTERM: for statements and transactions under way

    def __post_init__(self) -> None:
        if self.topology not in TOPOLOGIES:
            raise OperatorError(f"topology {self.topology!r}: choose one of {', '.join(TOPOLOGIES)}")
        if not 0 < self.port < 65536:
            raise OperatorError(f"port {self.port} is not between 1 and 65535")
        if self.host not in ("127.0.0.1", "::1", "localhost") and not self.allow_remote and not self.strict:
            raise OperatorError(
                f"{self.host} is not a loopback address, and without --strict connections need neither TLS nor token; "
                "--allow-remote binds it all the same"
            )
        if (self.tls_cert is None) != (self.tls_key is None):
            raise OperatorError("--tls-cert and --tls-key go together")
        if self.chosen_connections_max < 1 or self.chosen_burst < 1:
            raise OperatorError("--connections-max and --connection-burst are at least 1")
        if (self.connection_rate or 0) < 0 or (self.connection_lifetime_s or 0) < 0:
            raise OperatorError("--connection-rate and --connection-lifetime are at least 0 (0 = off)")

    @property
    def chosen_connections_max(self) -> int:
        """Open connections at once."""
        return self.limits.connections_max if self.connections_max is None else self.connections_max

    @property
    def chosen_burst(self) -> int:
        """Connections the token bucket holds."""
        return self.limits.connection_burst if self.connection_burst is None else self.connection_burst

    @property
    def chosen_rate(self) -> int:
        """New connections per second, 0 = any number."""
        if self.connection_rate is not None:
            return self.connection_rate
        chosen = self.limits.connection_rate_per_s
        return chosen if self.strict or chosen != DSQL.connection_rate_per_s else 0

    @property
    def chosen_lifetime_s(self) -> float:
        """Life of a connection in seconds, 0 = for ever."""
        if self.connection_lifetime_s is not None:
            return self.connection_lifetime_s
        chosen = self.limits.connection_lifetime_s
        return chosen if self.strict or chosen != DSQL.connection_lifetime_s else 0

    @property
    def asks_for_tokens(self) -> bool:
        """Whether a login needs a token; otherwise whoever reaches the port is let in."""
        return self.strict or self.credentials is not None or self.policy is not None

    @property
    def chosen_topology(self) -> str:
        """The topology after `auto` has looked at the machine."""
        if self.topology != "auto":
            return self.topology
        return "fused" if len(os.sched_getaffinity(0)) <= 2 else "split"

    @property
    def chosen_query_workers(self) -> int:
        """Query workers of the split form."""
        return self.query_workers or max(1, len(os.sched_getaffinity(0)) - 1)
