from typing import Any, final

from dsql_core.journal.scan import Tail
from dsql_core.shared import ChannelHandle, DoorbellHandle, RoleHandle, SharedMemory

@final
class JournalOwner:
    directory: str
    handle: RoleHandle
    def __init__(
        self,
        directory: str,
        tail: Tail,
        input: ChannelHandle,
        output: ChannelHandle,
        replies: list[ChannelHandle] | None = None,
        *,
        floor: int = 0,
        doorbell: DoorbellHandle | None = None,
        flush_inline: bool | None = None,
        control: SharedMemory | None = None,
        zeroed: int = 4194304,
    ) -> None: ...
    def close(self) -> None: ...
    def inject_failure(self, errno: int = 5) -> None: ...
    @property
    def generation(self) -> int: ...
    @property
    def seq(self) -> int: ...
    @property
    def flush_inline(self) -> bool: ...
    @property
    def stopped(self) -> bool: ...
    @property
    def statistics(self) -> dict[str, Any]: ...
