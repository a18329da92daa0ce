"""gen_random_uuid: version 4, from the system's random source, one call per batch."""

from dsql_core.base.error cimport dsql_error_set
from dsql_core.base.types cimport uint32_t
from dsql_core.base.vector cimport Bytes16, Vector
from dsql_core.execute.kernel cimport KERNEL_VOLATILE, EvalContext
from dsql_core.execute.kernels.rows cimport kernel_flags, row_at

cdef extern from "sys/random.h" nogil:
    ssize_t getrandom(void* buffer, size_t size, unsigned int flags) noexcept


cdef int gen_random_uuid(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                         uint32_t count) noexcept nogil:
    cdef Bytes16[16] fresh
    cdef uint32_t k
    for k in range(count):
        # 256 bytes are delivered whole or not at all.
        if k % 16 == 0 and getrandom(&fresh[0], sizeof(fresh), 0) != <ssize_t>sizeof(fresh):
            dsql_error_set(ctx.error, "XX000", "could not generate random values")
            return -1
        fresh[k % 16].b[6] = (fresh[k % 16].b[6] & 0x0F) | 0x40
        fresh[k % 16].b[8] = (fresh[k % 16].b[8] & 0x3F) | 0x80
        (<Bytes16*>out.data)[row_at(sel, k)] = fresh[k % 16]
    return 0


kernel_flags(b"gen_random_uuid", gen_random_uuid, KERNEL_VOLATILE)
