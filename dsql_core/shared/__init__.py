"""What roles share: segments of shared memory, message rings, doorbells, and the role handles that loops take."""

from dsql_core.shared.handle import (
    ChannelHandle,
    DoorbellHandle,
    RoleHandle,
    SharedMemory,
    channel_size,
    format_channel,
)

Channel = ChannelHandle
Doorbell = DoorbellHandle

__all__ = [
    "Channel",
    "ChannelHandle",
    "Doorbell",
    "DoorbellHandle",
    "RoleHandle",
    "SharedMemory",
    "channel_size",
    "format_channel",
]
