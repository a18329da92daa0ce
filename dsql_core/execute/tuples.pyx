"""Stored rows (tuples): the one format in which operators keep rows beyond a batch.

  0  u64  word of the owner: hash, order prefix or chain pointer
  8  u8   nulls[column_count], padded to 8
  .  slots, one per column: 8 bytes, or 16 for PHYS_VAR and PHYS_B16 (Var bytes follow in the same pool)

Invariants
  U1  values equal in SQL (1.0 = 1.00, -0 = 0, 24 hours = 1 day) hash alike and compare equal here: classes whose
      equality is equality of bytes are compared as bytes, all others through types/io.
  U2  a tuple's Var data is in the same pool as the tuple.

Owner of the memory: whoever owns the pool given.
"""

from libc.string cimport memcmp, memcpy, memset

from dsql_core.base.memory cimport pool_alloc
from dsql_core.base.types cimport int16_t, int32_t, int64_t
from dsql_core.base.vector cimport (OID_BYTEA, OID_NAME, OID_TEXT, OID_VARCHAR, PHYS_B16, PHYS_BOOL, PHYS_F32, PHYS_F64,
                                    PHYS_I16, PHYS_I32, PHYS_I64, PHYS_VAR, Var, type_phys)
from dsql_core.execute.vectors cimport scalar_copy, vector_alloc, vector_nulls
from dsql_core.types.io cimport type_compare, type_hash


cdef int tuple_layout(TupleLayout* layout, Pool* pool, const uint32_t* type_oids, uint32_t count) noexcept nogil:
    cdef uint32_t i
    cdef uint32_t at = 8 + ((count + 7) & ~<uint32_t>7)
    layout.column_count = count
    layout.type_oids = <uint32_t*>pool_alloc(pool, (count + 1) * sizeof(uint32_t))
    layout.phys = <uint8_t*>pool_alloc(pool, count + 1)
    layout.offset = <uint32_t*>pool_alloc(pool, (count + 1) * sizeof(uint32_t))
    if layout.type_oids == NULL or layout.phys == NULL or layout.offset == NULL:
        return -1
    for i in range(count):
        layout.type_oids[i] = type_oids[i]
        layout.phys[i] = type_phys(type_oids[i])
        layout.offset[i] = at
        at += 16 if layout.phys[i] == PHYS_VAR or layout.phys[i] == PHYS_B16 else 8
    layout.size = at
    return 0


cdef inline int _store_column(const TupleLayout* layout, Pool* pool, uint8_t* tuple, uint32_t column, const Vector* v,
                              uint32_t row) noexcept nogil:
    cdef Var* slot
    cdef const Var* source
    cdef uint8_t* copy
    row = row * v.stride
    if v.nulls != NULL and v.nulls[row]:
        tuple[8 + column] = 1
        memset(tuple + layout.offset[column], 0, 8)
        return 0
    tuple[8 + column] = 0
    if layout.phys[column] == PHYS_VAR:
        source = <const Var*>v.data + row
        slot = <Var*>(tuple + layout.offset[column])
        slot.size = source.size
        slot.reserved = 0
        copy = <uint8_t*>pool_alloc(pool, source.size if source.size else 1)
        if copy == NULL:
            return -1
        if source.size:
            memcpy(copy, source.data, source.size)
        slot.data = copy
        return 0
    scalar_copy(layout.phys[column], tuple + layout.offset[column], 0, v.data, row)
    return 0


cdef uint8_t* tuple_store(const TupleLayout* layout, Pool* pool, const Vector* columns, uint32_t row) noexcept nogil:
    return tuple_store_split(layout, pool, columns, layout.column_count, NULL, row)


cdef uint8_t* tuple_store_split(const TupleLayout* layout, Pool* pool, const Vector* first, uint32_t first_count,
                                const Vector* second, uint32_t row) noexcept nogil:
    cdef uint8_t* tuple = <uint8_t*>pool_alloc(pool, layout.size)
    cdef uint32_t i
    if tuple == NULL:
        return NULL
    for i in range(layout.column_count):
        if _store_column(layout, pool, tuple, i, &first[i] if i < first_count else &second[i - first_count], row) < 0:
            return NULL
    return tuple


cdef uint8_t* tuple_move(const TupleLayout* layout, Pool* pool, const uint8_t* tuple) noexcept nogil:
    cdef uint8_t* copy = <uint8_t*>pool_alloc(pool, layout.size)
    cdef uint8_t* bytes_copy
    cdef Var* slot
    cdef uint32_t i
    if copy == NULL:
        return NULL
    memcpy(copy, tuple, layout.size)
    for i in range(layout.column_count):
        if layout.phys[i] == PHYS_VAR and not copy[8 + i]:
            slot = <Var*>(copy + layout.offset[i])
            bytes_copy = <uint8_t*>pool_alloc(pool, slot.size if slot.size else 1)
            if bytes_copy == NULL:
                return NULL
            if slot.size:
                memcpy(bytes_copy, slot.data, slot.size)
            slot.data = bytes_copy
    return copy


cdef int tuple_gather(const TupleLayout* layout, Pool* pool, uint8_t** tuples, uint32_t count, uint32_t column,
                      Vector* out) noexcept nogil:
    cdef uint8_t phys = layout.phys[column]
    cdef uint32_t offset = layout.offset[column]
    cdef uint32_t i
    cdef uint8_t* tuple
    cdef int has_null = 0
    if vector_alloc(pool, out, layout.type_oids[column], phys, count) < 0 or vector_nulls(pool, out, count) < 0:
        return -1
    for i in range(count):
        tuple = tuples[i]
        if tuple == NULL or tuple[8 + column]:
            out.nulls[i] = 1
            has_null = 1
            continue
        scalar_copy(phys, out.data, i, tuple + offset, 0)
    if not has_null:
        out.nulls = NULL
    return 0


cdef int tuple_batch(const TupleLayout* layout, Pool* pool, uint8_t** tuples, uint32_t count, Batch* out) noexcept nogil:
    return tuple_batch_of(layout, pool, tuples, count, layout.column_count, out)


cdef int tuple_batch_of(const TupleLayout* layout, Pool* pool, uint8_t** tuples, uint32_t count, uint32_t columns,
                        Batch* out) noexcept nogil:
    cdef uint32_t c
    out.columns = <Vector*>pool_alloc(pool, (columns + 1) * sizeof(Vector))
    if out.columns == NULL:
        return -1
    for c in range(columns):
        if tuple_gather(layout, pool, tuples, count, c, &out.columns[c]) < 0:
            return -1
    out.column_count = columns
    out.row_count = count
    out.sel_count = count
    out.sel = NULL
    return 0


cdef inline uint64_t _mix(uint64_t h) noexcept nogil:
    h ^= h >> 32
    h *= <uint64_t>0xD6E8FEB86659FD93
    h ^= h >> 32
    h *= <uint64_t>0xD6E8FEB86659FD93
    h ^= h >> 32
    return h


cdef inline uint64_t _hash_bytes(const uint8_t* data, size_t size) noexcept nogil:
    cdef uint64_t h = <uint64_t>0x9E3779B97F4A7C15 ^ size
    cdef uint64_t word
    cdef size_t i = 0
    while i + 8 <= size:
        memcpy(&word, data + i, 8)
        h = (h ^ word) * <uint64_t>0x9FB21C651E98DF25
        h ^= h >> 29
        i += 8
    if i < size:
        word = 0
        memcpy(&word, data + i, size - i)
        h = (h ^ word) * <uint64_t>0x9FB21C651E98DF25
        h ^= h >> 29
    return h


cdef inline int _bytes_class(uint32_t type_oid) noexcept nogil:
    # Var types whose equality is equality of bytes.
    return type_oid == OID_TEXT or type_oid == OID_VARCHAR or type_oid == OID_BYTEA or type_oid == OID_NAME


cdef inline uint64_t _hash_scalar(uint32_t type_oid, uint8_t phys, const void* p, size_t i) noexcept nogil:
    cdef Value value
    if phys == PHYS_I64:
        return _mix(<uint64_t>(<const int64_t*>p)[i])
    if phys == PHYS_I32:
        return _mix(<uint64_t><int64_t>(<const int32_t*>p)[i])
    if phys == PHYS_I16:
        return _mix(<uint64_t><int64_t>(<const int16_t*>p)[i])
    if phys == PHYS_BOOL:
        return _mix((<const uint8_t*>p)[i])
    if phys == PHYS_VAR and _bytes_class(type_oid):
        return _hash_bytes((<const Var*>p)[i].data, (<const Var*>p)[i].size)
    value.type_oid = type_oid
    value.phys = phys
    value.is_null = 0
    scalar_copy(phys, &value.v, 0, p, i)
    return type_hash(&value)


cdef void hash_vectors(const Vector* keys, uint32_t key_count, const uint32_t* sel, uint32_t count,
                       uint64_t* hashes) noexcept nogil:
    cdef uint32_t k
    cdef uint32_t i
    cdef uint32_t row
    cdef uint32_t at
    cdef uint64_t h
    cdef const Vector* v
    for i in range(count):
        hashes[i if sel == NULL else sel[i]] = <uint64_t>0x2545F4914F6CDD1D
    for k in range(key_count):
        v = &keys[k]
        for i in range(count):
            row = i if sel == NULL else sel[i]
            at = row * v.stride
            if v.nulls != NULL and v.nulls[at]:
                h = <uint64_t>0x51ED270B7A1C4D3F
            else:
                h = _hash_scalar(v.type_oid, v.phys, v.data, at)
            hashes[row] = (hashes[row] ^ h) * <uint64_t>0x9FB21C651E98DF25
            hashes[row] ^= hashes[row] >> 32


cdef int scalar_equal(uint32_t type_oid, uint8_t phys, const void* a, const void* b) noexcept nogil:
    if phys == PHYS_I64:
        return (<const int64_t*>a)[0] == (<const int64_t*>b)[0]
    if phys == PHYS_I32:
        return (<const int32_t*>a)[0] == (<const int32_t*>b)[0]
    if phys == PHYS_I16:
        return (<const int16_t*>a)[0] == (<const int16_t*>b)[0]
    if phys == PHYS_BOOL:
        return (<const uint8_t*>a)[0] == (<const uint8_t*>b)[0]
    if phys == PHYS_VAR and _bytes_class(type_oid):
        return (<const Var*>a).size == (<const Var*>b).size and \
            memcmp((<const Var*>a).data, (<const Var*>b).data, (<const Var*>a).size) == 0
    return scalar_compare(type_oid, phys, a, b) == 0


cdef int scalar_compare(uint32_t type_oid, uint8_t phys, const void* a, const void* b) noexcept nogil:
    cdef Value x
    cdef Value y
    cdef uint32_t n
    cdef int c
    if phys == PHYS_I64:
        return ((<const int64_t*>a)[0] > (<const int64_t*>b)[0]) - ((<const int64_t*>a)[0] < (<const int64_t*>b)[0])
    if phys == PHYS_I32:
        return ((<const int32_t*>a)[0] > (<const int32_t*>b)[0]) - ((<const int32_t*>a)[0] < (<const int32_t*>b)[0])
    if phys == PHYS_VAR and _bytes_class(type_oid):
        n = (<const Var*>a).size if (<const Var*>a).size < (<const Var*>b).size else (<const Var*>b).size
        c = memcmp((<const Var*>a).data, (<const Var*>b).data, n)
        if c != 0:
            return 1 if c > 0 else -1
        return ((<const Var*>a).size > (<const Var*>b).size) - ((<const Var*>a).size < (<const Var*>b).size)
    x.type_oid = type_oid
    x.phys = phys
    x.is_null = 0
    y = x
    scalar_copy(phys, &x.v, 0, a, 0)
    scalar_copy(phys, &y.v, 0, b, 0)
    return type_compare(&x, &y)


cdef int tuple_equals(const TupleLayout* layout, const uint8_t* tuple, uint32_t first, const Vector* keys,
                      uint32_t key_count, uint32_t row) noexcept nogil:
    cdef uint32_t k
    cdef uint32_t at
    cdef int is_null
    cdef const Vector* v
    cdef uint32_t size
    for k in range(key_count):
        v = &keys[k]
        at = row * v.stride
        is_null = v.nulls != NULL and v.nulls[at]
        if is_null != tuple[8 + first + k]:
            return 0
        if is_null:
            continue
        size = _element_size(v.phys)
        if not scalar_equal(v.type_oid, v.phys, <const uint8_t*>v.data + at * size, tuple + layout.offset[first + k]):
            return 0
    return 1


cdef inline uint32_t _element_size(uint8_t phys) noexcept nogil:
    if phys == PHYS_I64 or phys == PHYS_F64:
        return 8
    if phys == PHYS_I32 or phys == PHYS_F32:
        return 4
    if phys == PHYS_VAR or phys == PHYS_B16:
        return 16
    if phys == PHYS_BOOL:
        return 1
    return 2


cdef int tuples_equal(const TupleLayout* layout, const uint8_t* a, const uint8_t* b, uint32_t first,
                      uint32_t count) noexcept nogil:
    cdef uint32_t k
    for k in range(first, first + count):
        if a[8 + k] != b[8 + k]:
            return 0
        if not a[8 + k] and not scalar_equal(layout.type_oids[k], layout.phys[k], a + layout.offset[k],
                                             b + layout.offset[k]):
            return 0
    return 1
