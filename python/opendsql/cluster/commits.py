"""Commits of a process that has no serving loop: the keeper over shared rings, embedded use over private ones.

A Committer is what EngineHandle takes as its commit function: request bytes in, reply status out, blocking.
"""

from __future__ import annotations

import select
import struct
from collections.abc import Callable

from dsql_core.shared import ChannelHandle, DoorbellHandle

REPLY_UNKNOWN = 6
# Layout: dsql_core/codec/message.pxd. reply_to lies at offset 8 of request and reply, the status at offset 6 of a reply.
REPLY_TO = struct.Struct("<Q")
STATUS = struct.Struct("<H")


class Committer:
    """Sends one request at a time and waits for its reply.

    Args:
        client: worker number in reply tokens.
        requests: producer side of this client's request ring.
        replies: consumer side of its reply ring.
        bell: this process's doorbell; None when `pump` does the work.
        pump: steps the commit roles hosted in this process until they are idle.
        alive: False ends the wait with an unknown outcome.
    """

    def __init__(
        self,
        client: int,
        requests: ChannelHandle,
        replies: ChannelHandle,
        *,
        bell: DoorbellHandle | None = None,
        pump: Callable[[], object] | None = None,
        alive: Callable[[], bool] = lambda: True,
    ) -> None:
        self.client, self.requests, self.replies = client, requests, replies
        self.bell, self.pump, self.alive = bell, pump, alive
        self.token = 0

    def __call__(self, request: bytes) -> int:
        """Status of the reply (REPLY_* of message.pxd)."""
        self.token = (self.token + 1) & 0xFFFF_FFFF_FFFF
        reply_to = self.client << 48 | self.token
        message = bytearray(request)
        REPLY_TO.pack_into(message, 8, reply_to)
        self.requests.send(message)
        while True:
            self.requests.flush()
            if self.pump is not None:
                self.pump()
            while (reply := self.replies.receive()) is not None:
                if REPLY_TO.unpack_from(reply, 8)[0] == reply_to:
                    return int(STATUS.unpack_from(reply, 6)[0])
            if not self.alive():
                return REPLY_UNKNOWN
            if self.bell is not None:
                self.wait(self.bell)

    def wait(self, bell: DoorbellHandle) -> None:
        """Sleeps until a reply may have come."""
        bell.arm()
        if self.replies.is_empty():
            select.select([bell.fd], [], [], 1.0)
        bell.disarm()
