# Small moves between vectors, values and pools. All inline: they sit inside every loop of the package.
from libc.string cimport memcpy, memset
from dsql_core.base.memory cimport Pool, pool_alloc
from dsql_core.base.types cimport uint8_t, uint32_t
from dsql_core.base.vector cimport (PHYS_BOOL, PHYS_B16, PHYS_F32, PHYS_F64, PHYS_I16, PHYS_I32, PHYS_I64, PHYS_VAR, Bytes16,
                                    Scalar, Value, Var, Vector, phys_size)

cdef inline int vector_alloc(Pool* pool, Vector* v, uint32_t type_oid, uint8_t phys, uint32_t rows) noexcept nogil:
    # Room for `rows` values, no nulls. 0, -1 no memory.
    v.data = pool_alloc(pool, <size_t>rows * phys_size(phys) if rows else 16)
    v.nulls = NULL
    v.type_oid = type_oid
    v.phys = phys
    v.stride = 1
    v.reserved = 0
    return 0 if v.data != NULL else -1

cdef inline int vector_nulls(Pool* pool, Vector* v, uint32_t rows) noexcept nogil:
    # Zeroed null bytes. 0, -1 no memory.
    v.nulls = <uint8_t*>pool_alloc(pool, rows if rows else 1)
    if v.nulls == NULL:
        return -1
    memset(v.nulls, 0, rows if rows else 1)
    return 0

cdef inline int vector_is_null(const Vector* v, uint32_t i) noexcept nogil:
    return v.nulls != NULL and v.nulls[i * v.stride]

cdef inline void scalar_copy(uint8_t phys, void* out, size_t o, const void* source, size_t i) noexcept nogil:
    # out[o] = source[i]
    if phys == PHYS_I64 or phys == PHYS_F64:
        (<long long*>out)[o] = (<const long long*>source)[i]
    elif phys == PHYS_VAR or phys == PHYS_B16:
        (<Bytes16*>out)[o] = (<const Bytes16*>source)[i]
    elif phys == PHYS_I32 or phys == PHYS_F32:
        (<int*>out)[o] = (<const int*>source)[i]
    elif phys == PHYS_BOOL:
        (<uint8_t*>out)[o] = (<const uint8_t*>source)[i]
    else:
        (<short*>out)[o] = (<const short*>source)[i]

cdef inline void vector_value(const Vector* v, uint32_t i, Value* out) noexcept nogil:
    # Element i as a Value; Var bytes stay where they are.
    i = i * v.stride
    out.type_oid = v.type_oid
    out.phys = v.phys
    if v.nulls != NULL and v.nulls[i]:
        out.is_null = 1
        return
    out.is_null = 0
    scalar_copy(v.phys, &out.v, 0, v.data, i)

cdef inline void vector_of_value(const Value* value, Vector* v) noexcept nogil:
    # A constant vector over the value's own memory.
    v.data = <void*>&value.v
    v.nulls = <uint8_t*>&value.is_null if value.is_null else NULL
    v.type_oid = value.type_oid
    v.phys = value.phys
    v.stride = 0
    v.reserved = 0

cdef inline int value_keep(Pool* pool, Value* value) noexcept nogil:
    # Moves Var bytes into pool. 0, -1 no memory.
    cdef uint8_t* copy
    if value.phys != PHYS_VAR or value.is_null:
        return 0
    copy = <uint8_t*>pool_alloc(pool, value.v.var.size if value.v.var.size else 1)
    if copy == NULL:
        return -1
    memcpy(copy, value.v.var.data, value.v.var.size)
    value.v.var.data = copy
    return 0
