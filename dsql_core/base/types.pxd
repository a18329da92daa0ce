# Vocabulary: fixed-width names for the numbers of the system, and Slice, a pointer with a length.
#
#   timestamp_t   hybrid timestamp: microseconds since the Unix epoch << 12 | 12-bit counter
#   seq_t         position of a frame in its journal, dense from 1
#   page_no_t     page of the arena, 0 = none
#   tree_id_t     one tree per index; ids below 1024 belong to the catalog
#   epoch_t       number of a published root (and of the batch that made it)
from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

ctypedef uint64_t timestamp_t
ctypedef uint64_t seq_t
ctypedef uint32_t page_no_t
ctypedef uint64_t tree_id_t
ctypedef uint64_t epoch_t
ctypedef uint32_t oid_t

cdef struct Slice:
    const uint8_t* data
    size_t size
