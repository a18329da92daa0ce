from collections.abc import Iterable
from typing import Any, final

from dsql_core.shared import ChannelHandle, RoleHandle, SharedMemory
from dsql_core.storage import Arena

@final
class ApplierOwner:
    arena: Arena
    handle: RoleHandle
    def __init__(
        self,
        arena: Arena,
        input: ChannelHandle | None = None,
        replies: list[ChannelHandle] | None = None,
        *,
        control: SharedMemory | None = None,
    ) -> None: ...
    def replay(
        self, frames: Iterable[tuple[int, int, int, int, bytes | None]], *, batch_bytes: int = 1048576
    ) -> dict[str, Any]: ...
    @property
    def journal_seq(self) -> int: ...
    @property
    def last_ts(self) -> int: ...
    @property
    def statistics(self) -> dict[str, Any]: ...
