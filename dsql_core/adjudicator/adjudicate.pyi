from typing import Any, final

from dsql_core.clock import HybridClock
from dsql_core.shared import ChannelHandle, RoleHandle, SharedMemory

@final
class ConflictSet:
    def __init__(
        self, floor: int = 0, *, window_us: int = ..., capacity: int = 65536, capacity_max: int = 33554432
    ) -> None: ...
    def commit(self, request: bytes, now_us: int) -> tuple[int, int]: ...
    def last(self, fp: int) -> int: ...
    def measure(self, fingerprints: Any, ts: int) -> None: ...
    @property
    def watermark(self) -> int: ...
    @property
    def statistics(self) -> dict[str, Any]: ...

@final
class AdjudicatorOwner:
    handle: RoleHandle
    def __init__(
        self,
        requests: list[ChannelHandle],
        journal: ChannelHandle,
        replies: list[ChannelHandle] | None,
        clock: HybridClock,
        floor: int,
        control: SharedMemory | None = None,
        status_offset: int = 64,
        *,
        window_us: int = ...,
        capacity: int = 65536,
        capacity_max: int = 33554432,
    ) -> None: ...
    @property
    def statistics(self) -> dict[str, Any]: ...
