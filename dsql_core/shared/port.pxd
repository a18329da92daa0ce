# ReplyPort: the way of a CommitReply from any role of the commit path to the query worker that waits for it.
#
# In one process the roles share one producer view per worker and send directly. One role per process: only the last
# role owns the reply rings (a ring has one producer), the others hand replies downstream, in order with the records.
from dsql_core.base.types cimport uint8_t, uint32_t, uint64_t
from dsql_core.shared.channel cimport Channel, channel_resume, channel_send

cdef struct ReplyPort:
    Channel** channels        # by worker number; an entry may be NULL; NULL as a whole = pass downstream
    uint32_t count
    Channel* downstream       # used when channels is NULL

cdef inline void reply_port_send(ReplyPort* port, uint64_t reply_to, const uint8_t* reply, size_t size) noexcept nogil:
    # A reply nobody waits for (no such worker) is dropped: its transaction is resolvable by id.
    cdef uint64_t worker = reply_to >> 48
    if port.channels == NULL:
        if port.downstream != NULL:
            channel_send(port.downstream, reply, size)
    elif worker < port.count and port.channels[worker] != NULL:
        channel_send(port.channels[worker], reply, size)

cdef inline int reply_port_resume(ReplyPort* port) noexcept nogil:
    # Retries backlogs; the number of channels on which something moved.
    cdef uint32_t i
    cdef int moved = 0
    if port.channels != NULL:
        for i in range(port.count):
            if port.channels[i] != NULL:
                moved += channel_resume(port.channels[i])
    return moved
