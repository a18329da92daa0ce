"""Owners of shared segments, rings, doorbells and roles, as Python sees them.

A segment is an anonymous memfd mapping: children made by fork inherit both descriptor and mapping, nothing has a name,
so nothing is left behind. One owner creates and formats; everyone else only attaches.

Typical wiring of one ring from a query worker to the commit worker (both handles made before the fork or after it, over
the same segment; the second half of each is used on one side only):

    memory = SharedMemory(channel_size(1 << 20))
    format_channel(memory)
    producer = ChannelHandle(memory, doorbell=commit_bell)     # used in the query worker
    consumer = ChannelHandle(memory, doorbell=worker_bell)     # used in the commit worker
"""
import os

cimport cython
from cpython.buffer cimport PyBuffer_FillInfo
from posix.mman cimport MAP_FAILED, MAP_SHARED, PROT_READ, PROT_WRITE, mmap, munmap

from dsql_core.base.atomic cimport dsql_load_acquire, dsql_store_release
from dsql_core.base.types cimport Slice, uint8_t, uint64_t
from dsql_core.shared.control cimport (
    CONTROL_BOOT, CONTROL_CLOCK, CONTROL_DURABLE_SEQ, CONTROL_DURABLE_TS, CONTROL_PAGE_SIZE,
    CONTROL_REPLAYED, CONTROL_STATUS, CONTROL_TRIM_SEQ,
)
from dsql_core.shared.channel cimport (
    CHANNEL_HEADER_SIZE, channel_attach, channel_consume, channel_detach, channel_flush, channel_format,
    channel_is_empty, channel_memory_size, channel_peek, channel_send, channel_used, doorbell_arm, doorbell_disarm,
    doorbell_ring,
)


STATUS_OFFSET, TRIM_SEQ_OFFSET = CONTROL_STATUS, CONTROL_TRIM_SEQ
DURABLE_SEQ_OFFSET, DURABLE_TS_OFFSET = CONTROL_DURABLE_SEQ, CONTROL_DURABLE_TS
CLOCK_OFFSET, BOOT_OFFSET, REPLAYED_OFFSET = CONTROL_CLOCK, CONTROL_BOOT, CONTROL_REPLAYED


def control_page() -> SharedMemory:
    """A fresh control page (words and writers: control.pxd)."""
    return SharedMemory(CONTROL_PAGE_SIZE, "control")


def channel_size(size_t capacity) -> int:
    """Bytes of shared memory for a ring of `capacity` data bytes (a power of two, at least 256)."""
    return channel_memory_size(capacity)


@cython.final
cdef class SharedMemory:
    """An anonymous shared segment: memfd plus mapping, zero-filled, inherited by fork."""

    def __cinit__(self, size_t size, str name="opendsql"):
        self.fd = -1
        cdef void* data
        size = (size + 4095) & ~<size_t>4095
        fd = os.memfd_create(name, 0)
        try:
            os.ftruncate(fd, size)
            data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
            if data == MAP_FAILED:
                raise MemoryError(f"cannot map {size} bytes of shared memory")
        except BaseException:
            os.close(fd)
            raise
        self.fd = fd
        self.size = size
        self.data = <uint8_t*>data

    def __dealloc__(self):
        if self.data != NULL:
            munmap(self.data, self.size)
            self.data = NULL
            if self.fd >= 0:
                os.close(self.fd)
                self.fd = -1

    def read_u64(self, size_t offset) -> int:
        """The 64-bit word at offset (acquire)."""
        self._check(offset)
        return dsql_load_acquire(<uint64_t*>(self.data + offset))

    def write_u64(self, size_t offset, uint64_t value) -> None:
        """Stores the 64-bit word at offset (release)."""
        self._check(offset)
        dsql_store_release(<uint64_t*>(self.data + offset), value)

    def _check(self, size_t offset):
        if offset % 8 or offset + 8 > self.size:
            raise ValueError(f"no aligned 64-bit word at offset {offset} of a segment of {self.size} bytes")

    def __getbuffer__(self, Py_buffer* buffer, int flags):
        PyBuffer_FillInfo(buffer, self, self.data, <Py_ssize_t>self.size, 0, flags)


@cython.final
cdef class DoorbellHandle:
    """How a sleeping loop is woken: a word in shared memory and an eventfd. One per loop."""

    def __cinit__(self, SharedMemory memory=None, size_t offset=0):
        self.bell.fd = -1
        if memory is None:
            memory = SharedMemory(4096, "doorbell")
        memory._check(offset)
        self.memory = memory
        self.bell.sleeping = <uint64_t*>(memory.data + offset)
        self.bell.fd = os.eventfd(0, os.EFD_NONBLOCK)

    def __dealloc__(self):
        if self.bell.fd >= 0:
            os.close(self.bell.fd)
            self.bell.fd = -1

    @property
    def fd(self) -> int:
        """The eventfd to poll for reading; drain it after a wake-up."""
        return self.bell.fd

    def ring(self) -> None:
        """Wakes the loop when it sleeps."""
        doorbell_ring(&self.bell)

    def arm(self) -> None:
        """Announces that the loop is about to wait; look at every channel once more, then wait."""
        doorbell_arm(&self.bell)

    def disarm(self) -> None:
        """The loop is awake again; drains the eventfd."""
        doorbell_disarm(&self.bell)
        try:
            os.eventfd_read(self.bell.fd)
        except BlockingIOError:
            pass


def format_channel(SharedMemory memory, size_t offset=0, size_t capacity=0) -> None:
    """Makes an empty ring of `capacity` bytes at offset; 0 takes the largest power of two that fits."""
    cdef size_t room = memory.size - offset - CHANNEL_HEADER_SIZE
    if offset % 64 or offset + CHANNEL_HEADER_SIZE + 256 > memory.size:
        raise ValueError(f"no room for a ring at offset {offset} of a segment of {memory.size} bytes")
    if capacity == 0:
        capacity = 256
        while capacity * 2 <= room:
            capacity *= 2
    if capacity < 256 or capacity & (capacity - 1) or capacity > room:
        raise ValueError(f"ring capacity {capacity} is not a power of two within {room} bytes")
    channel_format(memory.data + offset, capacity)


@cython.final
cdef class ChannelHandle:
    """One side of a ring. Give it the doorbell of the other side's loop, or None when both roles share a loop."""

    def __cinit__(self, SharedMemory memory, size_t offset=0, DoorbellHandle doorbell=None):
        if offset + CHANNEL_HEADER_SIZE > memory.size:
            raise ValueError(f"no ring at offset {offset} of a segment of {memory.size} bytes")
        if channel_attach(&self.channel, memory.data + offset, &doorbell.bell if doorbell is not None else NULL) < 0:
            raise ValueError(f"the segment holds no ring at offset {offset}")
        if offset + CHANNEL_HEADER_SIZE + self.channel.capacity > memory.size:
            raise ValueError("the ring is larger than its segment")
        self.memory = memory
        self.doorbell = doorbell

    def __dealloc__(self):
        channel_detach(&self.channel)

    @property
    def capacity(self) -> int:
        """Data bytes of the ring."""
        return self.channel.capacity

    @property
    def used(self) -> int:
        """Bytes in the ring, written and not yet read."""
        return channel_used(&self.channel)

    @property
    def backlog(self) -> int:
        """Producer: bytes waiting for room."""
        return self.channel.backlog.size - self.channel.backlog_at

    def send(self, const uint8_t[::1] message not None) -> None:
        """Producer: sends (or queues) one message of at least one byte."""
        if message.shape[0] == 0:
            raise ValueError("a message has at least one byte")
        if channel_send(&self.channel, &message[0], message.shape[0]) < 0:
            raise MemoryError

    def flush(self) -> bool:
        """Producer: retries the backlog; True when it is empty."""
        return channel_flush(&self.channel) == 1

    def receive(self):
        """Consumer: the oldest message as bytes, or None."""
        cdef Slice message
        cdef int found = channel_peek(&self.channel, &message)
        if found < 0:
            raise ValueError("malformed ring")
        if found == 0:
            return None
        result = <bytes>message.data[:message.size]
        channel_consume(&self.channel)
        return result

    def is_empty(self) -> bool:
        """Consumer: nothing to read."""
        return channel_is_empty(&self.channel) == 1


@cython.final
cdef class RoleHandle:
    """A role as the loop takes it. Made by the role's owner; step() is for tests and plain Python loops."""

    @staticmethod
    cdef RoleHandle create(object owner, void* state, int (*step)(void*) noexcept nogil, int event_fd,
                           const char* name):
        cdef RoleHandle handle = RoleHandle.__new__(RoleHandle)
        handle.owner = owner
        handle.role.state = state
        handle.role.step = step
        handle.role.event_fd = event_fd
        handle.role.name = name
        return handle

    def step(self) -> int:
        """Handles everything pending; the number of events, 0 = idle, -1 = fatal."""
        cdef int events
        if self.role.step == NULL:
            raise ValueError("this role was not made by an owner")
        with nogil:
            events = self.role.step(self.role.state)
        return events

    @property
    def event_fd(self) -> int:
        """Becomes readable when work arrives from outside the loop; -1 = never."""
        return self.role.event_fd

    @property
    def name(self) -> str:
        """The role's noun."""
        return (<bytes>self.role.name).decode() if self.role.name != NULL else ""
