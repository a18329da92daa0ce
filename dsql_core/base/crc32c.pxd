# CRC32C of ext/crc32c: start with 0, continue with the value so far.
from libc.stdint cimport uint32_t

cdef extern from "crc32c/crc32c.h" nogil:
    uint32_t dsql_crc32c(uint32_t crc, const void* data, size_t size) noexcept
    uint32_t dsql_crc32c_portable(uint32_t crc, const void* data, size_t size) noexcept
