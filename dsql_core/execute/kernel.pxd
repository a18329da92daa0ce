# Kernels: the functions that expressions and aggregates are made of, and the table they are found in by name.
#
# A kernel computes out[i] from args[.][i] for every selected row i: sel[0..count) when sel is not NULL, else 0..count.
# Strict kernels never see NULLs: the evaluator has removed those rows from sel and set out.nulls. Other kernels
# (KERNEL_NULLS) see them and set out.nulls themselves (out.nulls is allocated and zeroed for them).
# out.data is allocated for `rows` values; Var results live in ctx.pool or point into an argument's memory.
# An argument with stride 0 is a constant: element 0 stands for all rows; always index with i * stride.
# On failure: dsql_error_set(ctx.error, ...) and return -1.
from dsql_core.base.error cimport dsql_error_t
from dsql_core.base.memory cimport Pool
from dsql_core.base.types cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from dsql_core.base.vector cimport Value, Vector
from dsql_core.types.io cimport FormatSettings

cdef struct EvalContext:
    Pool* pool                     # batch lifetime
    dsql_error_t* error
    const FormatSettings* format   # time zone, date style ... of the session
    const Value* params
    uint32_t param_count
    int64_t statement_us           # statement_timestamp(), microseconds since 2000-01-01 UTC
    int64_t transaction_us         # now()
    uint64_t* random_state
    void* session                  # execute's Session, opaque here

ctypedef int (*kernel_t)(EvalContext* ctx, Vector* out, Vector** args, uint32_t arg_count,
                         const uint32_t* sel, uint32_t count) noexcept nogil

# Aggregates. state is `state_size` zeroed bytes per group, 16-aligned, in `pool` (query lifetime).
# update: for every selected row i add args[.][i] to states[i] (an array of row_count pointers; all equal without GROUP BY).
# Strict aggregates (AGG_STRICT) get NULL rows removed by the caller. final writes one result per state: out row g.
ctypedef int (*agg_update_t)(EvalContext* ctx, Pool* pool, void** states, Vector** args, uint32_t arg_count,
                             const uint32_t* sel, uint32_t count) noexcept nogil
ctypedef int (*agg_final_t)(EvalContext* ctx, Pool* pool, void** states, uint32_t count, Vector* out) noexcept nogil
# Optional fast path for one group (no GROUP BY): all selected rows into one state. NULL = use update.
ctypedef int (*agg_update_one_t)(EvalContext* ctx, Pool* pool, void* state, Vector** args, uint32_t arg_count,
                                 const uint32_t* sel, uint32_t count) noexcept nogil

cdef enum:
    KERNEL_NULLS = 1       # sees NULLs
    KERNEL_VOLATILE = 2    # not folded, evaluated per row
    AGG_STRICT = 4

cdef struct Kernel:
    const char* name       # static storage
    kernel_t fn
    uint32_t flags

cdef struct Aggregate:
    const char* name
    uint32_t state_size
    uint32_t flags
    agg_update_t update
    agg_update_one_t update_one
    agg_final_t final

# Called at import of the kernel modules (GIL held); a name may be registered once.
cdef int kernel_register(const char* name, kernel_t fn, uint32_t flags) except -1
cdef int aggregate_register(const char* name, uint32_t state_size, uint32_t flags, agg_update_t update,
                            agg_update_one_t update_one, agg_final_t final) except -1
cdef const Kernel* kernel_find(str name) except NULL       # raises LookupError
cdef const Aggregate* aggregate_find(str name) except NULL
