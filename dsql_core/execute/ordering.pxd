# Ordering of stored rows by sort keys: comparison, order-preserving prefixes, a merge sort that can pause.
from dsql_core.base.memory cimport Pool
from dsql_core.base.types cimport uint8_t, uint32_t, uint64_t
from dsql_core.base.vector cimport Vector
from dsql_core.execute.state cimport Execution, SortKey, TupleLayout

cdef struct SortItem:
    uint64_t prefix                # a smaller prefix decides; equal ones say nothing
    uint8_t* tuple

cdef struct Ordering:
    const TupleLayout* layout
    const SortKey* keys
    const uint32_t* columns        # stored column of each key
    uint32_t count

cdef struct MergeSort:             # state between pauses
    SortItem* items                # where the data is
    SortItem* spare
    uint64_t count
    uint64_t width                 # runs of this size are sorted; 0 = not begun
    uint64_t start                 # of the pair under way
    uint64_t left
    uint64_t right
    uint64_t out

cdef uint64_t order_prefix(const Ordering* order, const uint8_t* tuple) noexcept nogil
cdef int order_compare(const Ordering* order, const uint8_t* a, const uint8_t* b) noexcept nogil
# Row `row` of vectors against a tuple; vectors[stored column].
cdef int order_compare_row(const Ordering* order, const Vector* first, uint32_t first_count, const Vector* second,
                           uint32_t row, const uint8_t* tuple) noexcept nogil
# Sorts items (spare: as much room). 0 done (sort.items holds the result), else STEP_YIELD / STEP_ERROR: call again.
cdef int merge_sort(Execution* x, const Ordering* order, MergeSort* sort) noexcept nogil
