# Python-visible owners of what roles and loops share. Compiled code reaches the struct inside (`handle.role`,
# `handle.channel`, `handle.bell`); the owner keeps the memory alive, so hold the handle as long as the pointer.
from dsql_core.base.types cimport uint8_t, uint64_t
from dsql_core.shared.channel cimport Channel, Doorbell
from dsql_core.shared.role cimport Role

cdef class SharedMemory:
    cdef uint8_t* data              # the mapping, read-write
    cdef readonly size_t size
    cdef readonly int fd            # memfd, inherited by fork; -1 once closed

cdef class DoorbellHandle:
    cdef Doorbell bell              # sleeping word at memory + offset, eventfd inherited by fork
    cdef readonly SharedMemory memory

cdef class ChannelHandle:           # one side's view of a ring: make one object per side
    cdef Channel channel
    cdef readonly SharedMemory memory
    cdef readonly DoorbellHandle doorbell   # of the other side, or None inside one loop

cdef class RoleHandle:
    cdef Role role                  # the loop calls role.step(role.state)
    cdef readonly object owner      # keeps role.state alive

    @staticmethod
    cdef RoleHandle create(object owner, void* state, int (*step)(void*) noexcept nogil, int event_fd, const char* name)
