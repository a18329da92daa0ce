"""What roles share: segments of shared memory, message rings, doorbells, and the role handles that loops take."""

from dsql_core.shared.handle import (
    BOOT_OFFSET,
    CLOCK_OFFSET,
    DURABLE_SEQ_OFFSET,
    DURABLE_TS_OFFSET,
    REPLAYED_OFFSET,
    STATUS_OFFSET,
    TRIM_SEQ_OFFSET,
    ChannelHandle,
    DoorbellHandle,
    RoleHandle,
    SharedMemory,
    channel_size,
    control_page,
    format_channel,
)

Channel = ChannelHandle
Doorbell = DoorbellHandle

__all__ = [
    "BOOT_OFFSET",
    "CLOCK_OFFSET",
    "DURABLE_SEQ_OFFSET",
    "DURABLE_TS_OFFSET",
    "REPLAYED_OFFSET",
    "STATUS_OFFSET",
    "TRIM_SEQ_OFFSET",
    "Channel",
    "ChannelHandle",
    "Doorbell",
    "DoorbellHandle",
    "RoleHandle",
    "SharedMemory",
    "channel_size",
    "control_page",
    "format_channel",
]
