# Hash tables of tuples: groups, distinct rows, set operations, build sides of joins.
#
# Open addressing over tuple pointers; a tuple's word holds its hash. The array is replaced when it is 3/4 full; old
# arrays stay in the pool until it is freed (their sum is less than the newest).
from libc.string cimport memset
from dsql_core.base.memory cimport Pool, pool_alloc
from dsql_core.base.types cimport uint8_t, uint32_t, uint64_t
from dsql_core.base.vector cimport Vector
from dsql_core.execute.state cimport RowList, TupleLayout
from dsql_core.execute.tuples cimport tuple_equals, tuple_word

cdef struct TupleTable:
    uint8_t** slots
    uint64_t mask                  # slots - 1; 0 = not made yet
    uint64_t count
    Pool* pool

cdef inline void table_init(TupleTable* table, Pool* pool) noexcept nogil:
    table.slots = NULL
    table.mask = 0
    table.count = 0
    table.pool = pool

# Room for one more tuple. 0, -1 no memory.
cdef inline int table_reserve(TupleTable* table) noexcept nogil:
    cdef uint8_t** old = table.slots
    cdef uint64_t old_size = table.mask + 1 if old != NULL else 0
    cdef uint64_t size
    cdef uint64_t i
    cdef uint64_t at
    if (table.count + 1) * 4 <= old_size * 3:
        return 0
    size = old_size * 4 if old_size and old_size < 4096 else (old_size * 2 if old_size else 64)
    table.slots = <uint8_t**>pool_alloc(table.pool, size * sizeof(uint8_t*))
    if table.slots == NULL:
        table.slots = old
        return -1
    memset(table.slots, 0, size * sizeof(uint8_t*))
    table.mask = size - 1
    for i in range(old_size):
        if old[i] != NULL:
            at = tuple_word(old[i])[0] & table.mask
            while table.slots[at] != NULL:
                at = (at + 1) & table.mask
            table.slots[at] = old[i]
    return 0

# The slot of the tuple whose columns first.. equal the keys at row, or the empty slot where it belongs.
# Call table_reserve before storing into an empty one, then add to count.
cdef inline uint8_t** table_slot(TupleTable* table, const TupleLayout* layout, uint64_t hash, uint32_t first,
                                 const Vector* keys, uint32_t key_count, uint32_t row) noexcept nogil:
    cdef uint64_t at = hash & table.mask
    cdef uint8_t* tuple
    while True:
        tuple = table.slots[at]
        if tuple == NULL:
            return &table.slots[at]
        if tuple_word(tuple)[0] == hash and tuple_equals(layout, tuple, first, keys, key_count, row):
            return &table.slots[at]
        at = (at + 1) & table.mask

cdef inline int rows_add(RowList* list, Pool* pool, uint8_t* tuple) noexcept nogil:
    # 0, -1 no memory.
    cdef uint8_t** grown
    cdef uint64_t capacity
    cdef uint64_t i
    if list.count == list.capacity:
        capacity = list.capacity * 2 if list.capacity else 16
        grown = <uint8_t**>pool_alloc(pool, capacity * sizeof(uint8_t*))
        if grown == NULL:
            return -1
        for i in range(list.count):
            grown[i] = list.rows[i]
        list.rows = grown
        list.capacity = capacity
    list.rows[list.count] = tuple
    list.count += 1
    return 0
