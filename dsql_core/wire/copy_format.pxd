# The formats of COPY: rows of vectors to CopyData, CopyData to rows of fields.
from libc.stdint cimport uint32_t

from dsql_core.base.error cimport dsql_error_t
from dsql_core.base.memory cimport Buffer
from dsql_core.base.vector cimport Batch
from dsql_core.types.io cimport FormatSettings
from dsql_core.wire.connection cimport CopyState
from dsql_core.wire.plan_cache cimport Plan

cdef enum:
    COPY_NULL = 0xFFFFFFFF       # offset of a field that is NULL
    COPY_MORE = 0                # no whole row yet
    COPY_ROW = 1                 # state.offsets / sizes / fields hold one
    COPY_END = 2                 # end-of-data marker
    COPY_BAD = -1                # error set

cdef void copy_begin_out(const Plan* plan, Buffer* out) noexcept nogil          # CopyOutResponse, header
cdef int copy_put_rows(Buffer* out, const Plan* plan, const Batch* batch, uint32_t start, uint32_t stop,
                       const FormatSettings* settings, Buffer* scratch, int is_first) noexcept nogil
cdef void copy_end_out(const Plan* plan, Buffer* out, int is_empty) noexcept nogil   # trailer, CopyDone
cdef CopyState* copy_begin_in(Plan* plan, Buffer* out) noexcept nogil           # CopyInResponse; keeps a plan reference
# The next row of state.pending[*at:]; moves *at past it. final: no more data will come.
cdef int copy_next_row(CopyState* state, size_t* at, int final, dsql_error_t* error) noexcept nogil
