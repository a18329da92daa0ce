"""LZ4 block compression for frames and large values, callable from threads that hold no GIL.

The `lz4` wheel carries the library and exports its C calls; taking them from there saves a system header, a build
dependency and a second copy. Importing this module imports lz4.block and resolves three symbols, or fails clearly.
"""
import os

import lz4.block._block as _block

from dsql_core.base.types cimport uint8_t

cdef extern from "lz4/lz4_calls.h" nogil:
    ctypedef struct dsql_lz4_t:
        int (*compress)(const char*, char*, int, int) noexcept nogil
        int (*decompress)(const char*, char*, int, int) noexcept nogil
        int (*bound)(int) noexcept nogil
    int dsql_lz4_load(dsql_lz4_t* calls, const char* path) noexcept

cdef dsql_lz4_t calls

if dsql_lz4_load(&calls, os.fsencode(_block.__file__)) < 0:
    raise ImportError(f"{_block.__file__} does not export the LZ4 block calls; reinstall the lz4 package as a wheel")


cdef size_t compress_bound(size_t size) noexcept nogil:
    return <size_t>calls.bound(<int>size)


cdef size_t compress_block(const uint8_t* source, size_t size, uint8_t* target, size_t capacity) noexcept nogil:
    cdef int written
    if size >= 0x7E000000:
        return 0
    if capacity > 0x7E000000:
        capacity = 0x7E000000
    written = calls.compress(<const char*>source, <char*>target, <int>size, <int>capacity)
    return <size_t>written if written > 0 else 0


cdef Py_ssize_t decompress_block(const uint8_t* source, size_t size, uint8_t* target, size_t capacity) noexcept nogil:
    cdef int written
    if size > 0x7E000000 or capacity > 0x7E000000:
        return -1
    written = calls.decompress(<const char*>source, <char*>target, <int>size, <int>capacity)
    return written if written >= 0 else -1
