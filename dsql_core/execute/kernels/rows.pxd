# Rows, constants and results inside kernels: what every loop of the package is written with.
from libc.string cimport memcpy

from dsql_core.base.error cimport dsql_error_set
from dsql_core.base.memory cimport Pool, pool_alloc
from dsql_core.base.types cimport int16_t, int32_t, int64_t, uint8_t, uint32_t
from dsql_core.base.vector cimport PHYS_I16, PHYS_I32, PHYS_I64, Bytes16, Var, Vector
from dsql_core.execute.kernel cimport EvalContext, KERNEL_NULLS, KERNEL_VOLATILE, kernel_register, kernel_t


cdef inline uint32_t row_at(const uint32_t* sel, uint32_t k) noexcept nogil:
    # Number of the k-th selected row.
    return sel[k] if sel != NULL else k


cdef inline const Var* var_at(const Vector* v, uint32_t i) noexcept nogil:
    return <const Var*>v.data + i * v.stride


cdef inline int is_null(const Vector* v, uint32_t i) noexcept nogil:
    return v.nulls != NULL and v.nulls[i * v.stride] != 0


cdef inline int null_row(Vector* out, Vector** args, uint32_t n, uint32_t i) noexcept nogil:
    # For strict functions that can also give NULL for other reasons (KERNEL_NULLS): 1 and NULL out when an argument is.
    cdef uint32_t j
    for j in range(n):
        if is_null(args[j], i):
            out.nulls[i] = 1
            return 1
    return 0


cdef inline int32_t int32_at(const Vector* v, uint32_t i) noexcept nogil:
    return (<const int32_t*>v.data)[i * v.stride]


cdef inline int64_t int64_at(const Vector* v, uint32_t i) noexcept nogil:
    return (<const int64_t*>v.data)[i * v.stride]


cdef inline double double_at(const Vector* v, uint32_t i) noexcept nogil:
    return (<const double*>v.data)[i * v.stride]


cdef inline uint8_t bool_at(const Vector* v, uint32_t i) noexcept nogil:
    return (<const uint8_t*>v.data)[i * v.stride]


cdef inline const Bytes16* bytes16_at(const Vector* v, uint32_t i) noexcept nogil:
    return <const Bytes16*>v.data + i * v.stride


cdef inline int64_t integer_at(const Vector* v, uint32_t i) noexcept nogil:
    # An integer of any width.
    if v.phys == PHYS_I32:
        return (<const int32_t*>v.data)[i * v.stride]
    if v.phys == PHYS_I64:
        return (<const int64_t*>v.data)[i * v.stride]
    return (<const int16_t*>v.data)[i * v.stride]


cdef inline void set_var(Vector* out, uint32_t i, const uint8_t* data, size_t size) noexcept nogil:
    cdef Var* v = <Var*>out.data + i
    v.data = data
    v.size = <uint32_t>size
    v.reserved = 0


cdef inline int no_memory(EvalContext* ctx) noexcept nogil:
    # The query's memory budget is spent (pools hold it); always -1.
    dsql_error_set(ctx.error, "54000", "query requires more than allowed temp space of %d KB to execute", 131072)
    return -1


cdef inline uint8_t* new_bytes(EvalContext* ctx, Vector* out, uint32_t i, size_t size) noexcept nogil:
    # Room for the result of row i, which is `size` bytes; NULL with the error set.
    cdef uint8_t* at
    if size > 1073741823:
        dsql_error_set(ctx.error, "54000", "invalid memory alloc request size %lld", <long long>size)
        return NULL
    at = <uint8_t*>pool_alloc(ctx.pool, size if size != 0 else 1)
    if at == NULL:
        no_memory(ctx)
        return NULL
    set_var(out, i, at, size)
    return at


cdef inline int set_copy(EvalContext* ctx, Vector* out, uint32_t i, const uint8_t* data, size_t size) noexcept nogil:
    cdef uint8_t* at = new_bytes(ctx, out, i, size)
    if at == NULL:
        return -1
    memcpy(at, data, size)
    return 0


cdef inline int kernel(const char* name, kernel_t fn) except -1:
    # Registers a strict kernel.
    return kernel_register(name, fn, 0)


cdef inline int kernel_flags(const char* name, kernel_t fn, uint32_t flags) except -1:
    return kernel_register(name, fn, flags)
