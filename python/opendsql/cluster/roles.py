"""Assembly of the commit path: adjudicator, journal, crossbar, storage, in one process or one process each.

    requests ─> adjudicator ─ring─> journal ─ring─> crossbar ─ring─> storage ─> replies

Every hop is a ring in either form; the code of a role is the same. What differs:
  together   the rings are private, no doorbell is rung between them, every role answers clients itself
  apart      the rings and doorbells (Hops) are made by the supervisor before it forks; only storage owns the reply rings,
             refusals of the others travel to it

Who starts when, apart: storage recovers and replays, then sets REPLAYED in the control page; the others wait for that
word, because the adjudicator's floor and the journal's continuation come from what storage found.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from time import sleep

from dsql_core.adjudicator import AdjudicatorOwner
from dsql_core.clock import HybridClock
from dsql_core.crossbar import CrossbarOwner
from dsql_core.journal import JournalError, JournalOwner, scan
from dsql_core.shared import (
    REPLAYED_OFFSET,
    ChannelHandle,
    DoorbellHandle,
    RoleHandle,
    SharedMemory,
    channel_size,
    control_page,
    format_channel,
)
from dsql_core.storage import Arena
from dsql_core.storage.applier import ApplierOwner
from opendsql.errors import OperatorError
from opendsql.journal import DataDirectory, Recovery, recover, remove_unfinished

ROLES = ("adjudicator", "journal", "crossbar", "storage")
HOP_BYTES = 4 << 20


@dataclass
class Hops:
    """The three rings between the four roles. With doorbells (one per role) the roles may live in separate processes."""

    rings: list[SharedMemory]
    bells: dict[str, DoorbellHandle] = field(default_factory=dict)

    @classmethod
    def create(cls, *, apart: bool = False, capacity: int = HOP_BYTES) -> Hops:
        """Fresh rings; apart also makes the doorbells. In the supervisor, before it forks."""
        rings = [SharedMemory(channel_size(capacity), f"hop-{role}") for role in ROLES[:-1]]
        hops = cls(rings, {role: DoorbellHandle() for role in ROLES} if apart else {})
        hops.reset()
        return hops

    def reset(self) -> None:
        """Empties the rings; only while no role runs."""
        for ring in self.rings:
            format_channel(ring)

    def producer(self, role: str) -> ChannelHandle:
        """The ring from role to the next one, as role sees it."""
        index = ROLES.index(role)
        return ChannelHandle(self.rings[index], doorbell=self.bells.get(ROLES[index + 1]))

    def consumer(self, role: str) -> ChannelHandle:
        """The ring to role from the one before, as role sees it."""
        index = ROLES.index(role)
        return ChannelHandle(self.rings[index - 1], doorbell=self.bells.get(ROLES[index - 1]))


class CommitRoles:
    """The commit roles that this process hosts, opened and recovered: `handles` is what a loop takes.

    Args:
        directory: open data directory.
        arena: storage's arena; this process becomes its writer when it hosts storage (Arena.recover() is called here),
            otherwise read-only is enough.
        requests: consumer view of each query worker's request ring, by worker number.
        replies: producer view of each query worker's reply ring, by worker number.
        control: the control page; None makes a private one.
        doorbell: of the loop that hosts these roles; None gives the journal its own eventfd.
        roles: which of ROLES this process hosts.
        hops: needed when it does not host all; made by the supervisor.
        flush_inline: flush inside the loop, or never (in a thread); None decides by the traffic.
        window_us: how long the adjudicator remembers writes.

    Raises:
        OperatorError: the directory cannot be recovered or written.
    """

    def __init__(
        self,
        directory: DataDirectory,
        arena: Arena,
        requests: list[ChannelHandle],
        replies: list[ChannelHandle],
        *,
        control: SharedMemory | None = None,
        doorbell: DoorbellHandle | None = None,
        roles: tuple[str, ...] = ROLES,
        hops: Hops | None = None,
        flush_inline: bool | None = None,
        window_us: int = 310_000_000,
        conflict_slots_max: int = 1 << 25,
    ) -> None:
        together = roles == ROLES
        if hops is None:
            if not together:
                raise ValueError("roles of several processes need the supervisor's Hops")
            hops = Hops.create()
        self.directory = directory
        self.arena = arena
        self.control = control or control_page()
        self.recovery: Recovery | None = None
        self.owners: dict[str, AdjudicatorOwner | JournalOwner | CrossbarOwner | ApplierOwner] = {}
        direct = replies if together else None
        if "storage" in roles:
            arena.recover()
            self.recovery = recover(arena, directory)
        else:
            self._await_replay()
        # Opened from the back, so that whoever may send finds its receiver ready.
        if "storage" in roles:
            self.owners["storage"] = ApplierOwner(arena, hops.consumer("storage"), replies, control=self.control)
        if "crossbar" in roles:
            self.owners["crossbar"] = CrossbarOwner([hops.consumer("crossbar")], hops.producer("crossbar"))
        if "journal" in roles:
            self.owners["journal"] = self._open_journal(hops, direct, doorbell, flush_inline)
        if "adjudicator" in roles:
            floor = max(arena.visible_ts, self.recovery.last_ts if self.recovery else 0)
            clock = HybridClock(self.control)
            clock.raise_to(floor)
            self.owners["adjudicator"] = AdjudicatorOwner(
                requests,
                hops.producer("adjudicator"),
                direct,
                clock,
                arena.visible_ts,
                self.control,
                window_us=window_us,
                capacity_max=conflict_slots_max,
            )
        if "storage" in roles and self.recovery is not None:
            self.control.write_u64(REPLAYED_OFFSET, self.recovery.next_seq)

    def _await_replay(self) -> None:
        # At start only; the supervisor clears the word before it starts the roles.
        while self.control.read_u64(REPLAYED_OFFSET) == 0:
            sleep(0.001)

    def _open_journal(
        self, hops: Hops, replies: list[ChannelHandle] | None, doorbell: DoorbellHandle | None, flush_inline: bool | None
    ) -> JournalOwner:
        try:
            remove_unfinished(self.directory)
            path = str(self.directory.journal_path)
            tail = self.recovery.tail if self.recovery else scan(path, self.directory.journal_id, self.directory.segment_size)
            return JournalOwner(
                path,
                tail,
                hops.consumer("journal"),
                hops.producer("journal"),
                replies,
                floor=self.arena.visible_ts,
                doorbell=doorbell,
                flush_inline=flush_inline,
                control=self.control,
            )
        except JournalError as error:
            raise OperatorError(str(error)) from None
        except OSError as error:
            raise OperatorError(f"{error.filename or self.directory.journal_path}: {error.strerror}") from None

    @property
    def handles(self) -> list[RoleHandle]:
        """The hosted roles, in the order in which a loop steps them."""
        return [self.owners[role].handle for role in ROLES if role in self.owners]

    def statistics(self) -> dict[str, dict[str, object]]:
        """Counters of every hosted role."""
        return {role: owner.statistics for role, owner in self.owners.items()}

    def step(self) -> int:
        """Steps the roles until all are idle; for tests and plain Python loops. The number of events."""
        total = 0
        while events := sum(handle.step() for handle in self.handles):
            total += events
        return total

    def close(self) -> None:
        """Waits for a flush under way and releases the journal's files and threads."""
        journal = self.owners.get("journal")
        if isinstance(journal, JournalOwner):
            journal.close()
        self.owners.clear()
