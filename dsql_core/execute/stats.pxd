# What EXPLAIN ANALYZE counts. Callers hold a NodeStats* that is NULL unless the statement is counted, and look before
# they call: a statement nobody explains pays one comparison per batch.
#
# A storage read (one range, one key) is billed at least STORAGE_UNIT bytes, so is a written row or index entry: a read
# begins with that much paid, and its entries first use up what is paid.
from dsql_core.base.memory cimport Pool
from dsql_core.base.types cimport Slice, uint32_t, uint64_t
from dsql_core.execute.state cimport NodeStats

cdef enum:
    STORAGE_UNIT = 128             # bytes; limits.DPU_UNIT_BYTES

cdef inline void stats_read(NodeStats* stats) noexcept nogil:
    stats.reads += 1
    stats.read_bytes += STORAGE_UNIT
    stats.read_paid = STORAGE_UNIT

cdef inline void stats_entries(NodeStats* stats, const Slice* keys, const Slice* values, uint32_t count) noexcept nogil:
    cdef uint64_t bytes = 0
    cdef uint32_t i
    for i in range(count):
        bytes += keys[i].size + values[i].size
    stats.entries += count
    if bytes <= stats.read_paid:
        stats.read_paid -= bytes
    else:
        stats.read_bytes += bytes - stats.read_paid
        stats.read_paid = 0

cdef inline void stats_write(NodeStats* stats, uint64_t bytes) noexcept nogil:
    stats.writes += 1
    stats.write_bytes += bytes if bytes > STORAGE_UNIT else STORAGE_UNIT

# Bytes handed out of a pool so far.
cdef inline uint64_t pool_used(const Pool* pool) noexcept nogil:
    return pool.bytes_total - <uint64_t>(pool.end - pool.at)
