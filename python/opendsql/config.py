"""What a server is told at start: frozen descriptions, checked once, each bound with its unit."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from opendsql.errors import OperatorError

TOPOLOGIES = ("auto", "fused", "split", "roles")


def default_arena_bytes() -> int:
    """Address space reserved for the arena: half of the machine's memory; pages are taken only when used."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """`opendsql serve`, as asked for.

    topology: `fused` = one serving worker that also hosts the commit roles; `split` = query workers and one commit
    worker; `roles` = every role its own process; `auto` = fused up to two cores, split above.
    """

    data: Path
    host: str = "127.0.0.1"
    port: int = 5432
    topology: str = "auto"
    query_workers: int = 0  # 0 = by core count
    connections_max: int = 10_000
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

    def __post_init__(self) -> None:
        if self.topology not in TOPOLOGIES:
            raise OperatorError(f"topology {self.topology!r}: choose one of {', '.join(TOPOLOGIES)}")
        if not 0 < self.port < 65536:
            raise OperatorError(f"port {self.port} is not between 1 and 65535")
        if self.host not in ("127.0.0.1", "::1", "localhost") and not self.allow_remote:
            raise OperatorError(
                f"{self.host} is not a loopback address: connections are neither encrypted nor authenticated yet; "
                "--allow-remote binds it all the same"
            )

    @property
    def asks_for_tokens(self) -> bool:
        """Whether a login needs a token; otherwise whoever reaches the port is let in."""
        return self.credentials is not None or self.policy is not None

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
