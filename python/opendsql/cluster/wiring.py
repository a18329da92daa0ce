"""Wiring: every shared segment, ring and doorbell of one server, made by the supervisor before it forks.

    client w (serving worker or keeper) --request[w]--> adjudicator -> journal -> crossbar -> storage --reply[w]--> client w

The planner thread of a serving worker is a client of its own (nextval commits while its statement runs), with its own
doorbell. Otherwise one doorbell per process. A ring between two roles of one process rings nothing: their loop steps both. Worker numbers
are 0..n-1 for serving workers, n for the keeper, from n+1 on for planner threads; a reply finds its worker by that number.

Who owns the memory: the supervisor, for as long as the server runs. Workers make their own handles over the inherited
segments, one per side and process.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dsql_core.shared import (
    DURABLE_SEQ_OFFSET,
    REPLAYED_OFFSET,
    TRIM_SEQ_OFFSET,
    ChannelHandle,
    DoorbellHandle,
    SharedMemory,
    channel_size,
    control_page,
    format_channel,
)
from dsql_core.storage import Arena
from dsql_core.wire import COUNTER_BYTES, TlsContext, read_counters
from opendsql.cluster.commits import Committer
from opendsql.cluster.roles import ROLES, Hops
from opendsql.config import ServerConfig, default_arena_bytes
from opendsql.endpoint import Endpoint
from opendsql.gateway.certificates import Certificates, local_certificates
from opendsql.journal import DataDirectory
from opendsql.storage import CHECKPOINT_FILE, open_arena

REQUEST_RING_BYTES = 1 << 20
REPLY_RING_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """One process: what it serves, which commit roles it hosts, its number among the commit path's clients."""

    kind: str  # serving | query | commit | adjudicator | journal | crossbar | storage | keeper
    serves: bool = False
    roles: tuple[str, ...] = ()
    client: int = -1  # worker number, -1 = sends no commits
    aside: int = -1  # number under which its planner thread commits, beside the statement it is working for

    @property
    def hosts_commit(self) -> bool:
        """Whether everybody must restart when this process dies."""
        return bool(self.roles)


def specs_for(config: ServerConfig) -> list[WorkerSpec]:
    """The processes of a topology; writers first, so that they recover while the others start."""
    topology = config.chosen_topology
    if topology == "fused":
        return [WorkerSpec("serving", True, ROLES, 0, 2), WorkerSpec("keeper", client=1)]
    count = config.chosen_query_workers
    commit = [WorkerSpec("commit", roles=ROLES)] if topology == "split" else [WorkerSpec(role, roles=(role,)) for role in reversed(ROLES)]
    return [*commit, *(WorkerSpec("query", True, (), n, count + 1 + n) for n in range(count)), WorkerSpec("keeper", client=count)]


@dataclass
class Wiring:
    """What children inherit."""

    config: ServerConfig
    directory: DataDirectory
    endpoint: Endpoint
    certificates: Certificates | None
    tls: TlsContext | None  # loaded before the fork: workers read no key
    listener: socket.socket
    arena: Arena
    specs: list[WorkerSpec]
    control: SharedMemory
    bells: dict[str, DoorbellHandle]  # by process
    requests: list[SharedMemory]
    replies: list[SharedMemory]
    counters: SharedMemory
    recovery: SharedMemory  # JSON of the last recovery, size first
    hops: Hops | None
    cancel: SharedMemory
    rate: SharedMemory  # the token bucket of new connections: one word for all workers
    facts: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def create(cls, config: ServerConfig, directory: DataDirectory, listener: socket.socket) -> Wiring:
        """Loads the newest checkpoint into a fresh arena and makes every segment."""
        endpoint = Endpoint.of(directory.path, region=config.region, account=config.account, host_names=config.host_names)
        if config.tls_cert is not None and config.tls_key is not None:
            certificates: Certificates | None = Certificates(config.tls_cert, config.tls_key)
        else:
            certificates = local_certificates(directory.path, endpoint, make=config.strict)
        opened = open_arena(directory.path, min(config.arena_bytes or default_arena_bytes(), config.limits.cluster_bytes_max))
        opened.arena.become_reader()  # the writer is a worker; nobody else may even map the pages for writing
        specs = specs_for(config)
        clients = max(max(spec.client, spec.aside) for spec in specs) + 1
        hops = Hops.create(apart=True) if config.chosen_topology == "roles" else None
        bells = {cls.process_name(spec): DoorbellHandle() for spec in specs}
        bells.update({cls.aside_name(spec): DoorbellHandle() for spec in specs if spec.aside >= 0})
        if hops is not None:
            bells.update(hops.bells)
        wiring = cls(
            config,
            directory,
            endpoint,
            certificates,
            certificates.context() if certificates else None,
            listener,
            opened.arena,
            specs,
            control_page(),
            bells,
            [SharedMemory(channel_size(REQUEST_RING_BYTES), f"request-{w}") for w in range(clients)],
            [SharedMemory(channel_size(REPLY_RING_BYTES), f"reply-{w}") for w in range(clients)],
            SharedMemory(COUNTER_BYTES * clients, "counters"),
            SharedMemory(4096, "recovery"),
            hops,
            SharedMemory(8 * clients, "cancel"),
            SharedMemory(8, "rate"),
        )
        wiring.control.write_u64(TRIM_SEQ_OFFSET, opened.journal_seq)  # what the checkpoint holds the journal may recycle
        wiring.facts = {"checkpoint_journal_seq": opened.journal_seq, "new_directory": opened.is_new}
        wiring.reset_channels()
        return wiring

    @staticmethod
    def process_name(spec: WorkerSpec) -> str:
        """Key of a process in bells."""
        return f"query-{spec.client}" if spec.kind == "query" else spec.kind

    @classmethod
    def aside_name(cls, spec: WorkerSpec) -> str:
        """Key of its planner thread in bells."""
        return cls.process_name(spec) + "-aside"

    def reset_channels(self) -> None:
        """Empty rings, nothing replayed; only while no worker runs."""
        for memory in (*self.requests, *self.replies):
            format_channel(memory)
        if self.hops is not None:
            self.hops.reset()
        self.control.write_u64(REPLAYED_OFFSET, 0)

    def host_of(self, role: str) -> str:
        """Name of the process that hosts a commit role."""
        return next(self.process_name(spec) for spec in self.specs if role in spec.roles)

    def bell_between(self, mine: str, other: str) -> DoorbellHandle | None:
        """The other side's doorbell, or None when both sides share a loop."""
        return None if mine == other else self.bells[other]

    def client_name(self, client: int) -> str:
        """Name of the process with that worker number, or of its planner thread."""
        names = {spec.client: self.process_name(spec) for spec in self.specs}
        names.update({spec.aside: self.aside_name(spec) for spec in self.specs if spec.aside >= 0})
        return names[client]

    def request_consumers(self, process: str) -> list[ChannelHandle]:
        """Every request ring as the adjudicator reads it."""
        return [ChannelHandle(memory, doorbell=self.bell_between(process, self.client_name(w))) for w, memory in enumerate(self.requests)]

    def reply_producers(self, process: str) -> list[ChannelHandle]:
        """Every reply ring as the commit roles write it."""
        return [ChannelHandle(memory, doorbell=self.bell_between(process, self.client_name(w))) for w, memory in enumerate(self.replies)]

    def request_producer(self, spec: WorkerSpec) -> ChannelHandle:
        """The request ring of one client, as it writes it."""
        return ChannelHandle(self.requests[spec.client], doorbell=self.bell_between(self.process_name(spec), self.host_of("adjudicator")))

    def reply_consumer(self, spec: WorkerSpec) -> ChannelHandle:
        """The reply ring of one client, as it reads it."""
        return ChannelHandle(self.replies[spec.client], doorbell=self.bell_between(self.process_name(spec), self.host_of("storage")))

    def aside_committer(self, spec: WorkerSpec, alive: Callable[[], bool]) -> Committer:
        """Commits of a serving worker's planner thread."""
        name = self.aside_name(spec)
        requests = ChannelHandle(self.requests[spec.aside], doorbell=self.bells[self.host_of("adjudicator")])
        replies = ChannelHandle(self.replies[spec.aside], doorbell=self.bells[self.host_of("storage")])
        return Committer(spec.aside, requests, replies, bell=self.bells[name], alive=alive)

    def status(self) -> dict[str, Any]:
        """Positions, sizes and counters, read without stopping anybody."""
        stats = self.arena.stats()
        data = self.directory.path
        size = int.from_bytes(self.recovery_bytes(0, 8), "little")
        counters: dict[str, int] = {}
        for client in range(len(self.requests)):
            for name, value in read_counters(self.counters, COUNTER_BYTES * client).items():
                counters[name] = counters.get(name, 0) + value
        return {
            "endpoint": {"host": self.endpoint.host, "arn": self.endpoint.arn, "host_names": ", ".join(self.endpoint.host_names)},
            "visible_ts": self.arena.visible_ts,
            "catalog_version": self.arena.catalog_version,
            "durable_seq": self.control.read_u64(DURABLE_SEQ_OFFSET),
            "checkpoint_seq": self.control.read_u64(TRIM_SEQ_OFFSET),
            "arena_bytes": (stats["pages_used"] + stats["pages_held"]) * stats["page_size"],
            "checkpoint_bytes": (data / CHECKPOINT_FILE).stat().st_size,
            "journal_bytes": sum(path.stat().st_size for path in self.directory.journal_path.iterdir()),
            "arena": stats,
            "counters": counters,
            "recovery": self.recovery_bytes(8, 8 + size).decode(),
        }

    def recovery_bytes(self, start: int, stop: int) -> bytes:
        """A part of the recovery note."""
        return bytes(memoryview(self.recovery)[start:stop])

    def note_recovery(self, text: str) -> None:
        """Called by the process that recovered: how far the checkpoint reached and what was replayed."""
        raw = text.encode()[:4000]
        view = memoryview(self.recovery)
        view[8 : 8 + len(raw)] = raw
        view[0:8] = len(raw).to_bytes(8, "little")
