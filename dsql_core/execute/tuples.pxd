# Stored rows: how sorts, hash tables and materialised inputs keep rows of batches. Layout: state.pxd, TupleLayout.
from dsql_core.base.memory cimport Pool
from dsql_core.base.types cimport uint8_t, uint32_t, uint64_t
from dsql_core.base.vector cimport Batch, Value, Vector
from dsql_core.execute.state cimport TupleLayout

# Lays out columns of the given types; arrays come from pool. 0, -1 no memory.
cdef int tuple_layout(TupleLayout* layout, Pool* pool, const uint32_t* type_oids, uint32_t count) noexcept nogil
# Stores row `row` of count vectors; Var bytes are copied. NULL = pool exhausted.
cdef uint8_t* tuple_store(const TupleLayout* layout, Pool* pool, const Vector* columns, uint32_t row) noexcept nogil
cdef uint8_t* tuple_store_split(const TupleLayout* layout, Pool* pool, const Vector* first, uint32_t first_count,
                                const Vector* second, uint32_t row) noexcept nogil
cdef uint8_t* tuple_move(const TupleLayout* layout, Pool* pool, const uint8_t* tuple) noexcept nogil    # deep copy
# Column of `count` tuples as a vector in pool. A NULL tuple gives NULL (outer joins). 0, -1.
cdef int tuple_gather(const TupleLayout* layout, Pool* pool, uint8_t** tuples, uint32_t count, uint32_t column,
                      Vector* out) noexcept nogil
# All columns as a batch in pool. 0, -1.
cdef int tuple_batch(const TupleLayout* layout, Pool* pool, uint8_t** tuples, uint32_t count, Batch* out) noexcept nogil
# The first `columns` columns only.
cdef int tuple_batch_of(const TupleLayout* layout, Pool* pool, uint8_t** tuples, uint32_t count, uint32_t columns,
                        Batch* out) noexcept nogil
# Hash of the selected rows over `count` key vectors: NULLs hash alike. hashes[row].
cdef void hash_vectors(const Vector* keys, uint32_t key_count, const uint32_t* sel, uint32_t count,
                       uint64_t* hashes) noexcept nogil
# Whether columns first.. of the tuple equal the key vectors at row; NULL equals NULL.
cdef int tuple_equals(const TupleLayout* layout, const uint8_t* tuple, uint32_t first, const Vector* keys,
                      uint32_t key_count, uint32_t row) noexcept nogil
cdef int tuples_equal(const TupleLayout* layout, const uint8_t* a, const uint8_t* b, uint32_t first,
                      uint32_t count) noexcept nogil
cdef int scalar_equal(uint32_t type_oid, uint8_t phys, const void* a, const void* b) noexcept nogil
cdef int scalar_compare(uint32_t type_oid, uint8_t phys, const void* a, const void* b) noexcept nogil

cdef inline uint8_t tuple_is_null(const uint8_t* tuple, uint32_t column) noexcept nogil:
    return tuple[8 + column]

cdef inline void* tuple_slot(const TupleLayout* layout, const uint8_t* tuple, uint32_t column) noexcept nogil:
    return <void*>(tuple + layout.offset[column])

cdef inline uint64_t* tuple_word(const uint8_t* tuple) noexcept nogil:
    return <uint64_t*>tuple
