"""Ordering: how rows are compared by sort keys, and the merge sort that uses it.

A prefix is 64 bits whose unsigned order agrees with the order of the first key (NULL placement and DESC included):
prefix(a) < prefix(b) implies a before b. Equal prefixes are decided by comparing all keys.

Invariants
  F1  the sort is stable.
  F2  the sort may stop after any few thousand moves and go on later.

Owner of the memory: the caller's arrays.
"""

from libc.string cimport memcpy

from dsql_core.base.types cimport int16_t, int32_t, int64_t
from dsql_core.base.vector cimport (OID_BYTEA, OID_NAME, OID_TEXT, OID_UUID, OID_VARCHAR, PHYS_B16, PHYS_BOOL, PHYS_F32,
                                    PHYS_F64, PHYS_I16, PHYS_I32, PHYS_I64, PHYS_VAR, Var, phys_size)
from dsql_core.execute.machine cimport machine_pause
from dsql_core.execute.tuples cimport scalar_compare

cdef enum:
    RUN_ROWS = 16                  # sorted by insertion
    MOVES_PER_PAUSE = 8192

cdef uint64_t _SIGN = <uint64_t>1 << 63


cdef inline uint64_t _head(const uint8_t* data, size_t size) noexcept nogil:
    cdef uint64_t head = 0
    cdef size_t i
    for i in range(size if size < 8 else 8):
        head |= <uint64_t>data[i] << (56 - 8 * i)
    return head


cdef inline uint64_t _double_prefix(double value) noexcept nogil:
    cdef uint64_t bits
    if value != value:
        return ~<uint64_t>0
    if value == 0:
        value = 0
    memcpy(&bits, &value, 8)
    return ~bits if bits & _SIGN else bits | _SIGN


cdef uint64_t order_prefix(const Ordering* order, const uint8_t* tuple) noexcept nogil:
    cdef uint32_t column = order.columns[0]
    cdef const uint8_t* slot = tuple + order.layout.offset[column]
    cdef uint8_t phys = order.layout.phys[column]
    cdef uint32_t oid = order.layout.type_oids[column]
    cdef uint64_t prefix
    if tuple[8 + column]:
        return 0 if order.keys[0].nulls_first else ~<uint64_t>0
    if phys == PHYS_I64:
        prefix = (<const uint64_t*>slot)[0] ^ _SIGN
    elif phys == PHYS_I32:
        prefix = <uint64_t><int64_t>(<const int32_t*>slot)[0] ^ _SIGN
    elif phys == PHYS_I16:
        prefix = <uint64_t><int64_t>(<const int16_t*>slot)[0] ^ _SIGN
    elif phys == PHYS_BOOL:
        prefix = slot[0]
    elif phys == PHYS_F64:
        prefix = _double_prefix((<const double*>slot)[0])
    elif phys == PHYS_F32:
        prefix = _double_prefix((<const float*>slot)[0])
    elif phys == PHYS_VAR and (oid == OID_TEXT or oid == OID_VARCHAR or oid == OID_BYTEA or oid == OID_NAME):
        prefix = _head((<const Var*>slot).data, (<const Var*>slot).size)
    elif phys == PHYS_B16 and oid == OID_UUID:
        prefix = _head(slot, 16)
    else:
        return <uint64_t>1 << 62     # no prefix for this type: all alike, between the NULLs' extremes
    return ~prefix if order.keys[0].is_desc else prefix


cdef inline int _compare_slot(const Ordering* order, uint32_t k, int a_null, const void* a, int b_null,
                              const void* b) noexcept nogil:
    cdef uint32_t column = order.columns[k]
    cdef int c
    if a_null or b_null:
        if a_null and b_null:
            return 0
        return -1 if a_null == order.keys[k].nulls_first else 1
    c = scalar_compare(order.layout.type_oids[column], order.layout.phys[column], a, b)
    return -c if order.keys[k].is_desc else c


cdef int order_compare(const Ordering* order, const uint8_t* a, const uint8_t* b) noexcept nogil:
    cdef uint32_t k
    cdef uint32_t column
    cdef int c
    for k in range(order.count):
        column = order.columns[k]
        c = _compare_slot(order, k, a[8 + column], a + order.layout.offset[column], b[8 + column],
                          b + order.layout.offset[column])
        if c != 0:
            return c
    return 0


cdef int order_compare_row(const Ordering* order, const Vector* first, uint32_t first_count, const Vector* second,
                           uint32_t row, const uint8_t* tuple) noexcept nogil:
    cdef uint32_t k
    cdef uint32_t column
    cdef uint32_t at
    cdef const Vector* v
    cdef int c
    for k in range(order.count):
        column = order.columns[k]
        v = &first[column] if column < first_count else &second[column - first_count]
        at = row * v.stride
        c = _compare_slot(order, k, v.nulls != NULL and v.nulls[at],
                          <const uint8_t*>v.data + <size_t>at * phys_size(v.phys), tuple[8 + column],
                          tuple + order.layout.offset[column])
        if c != 0:
            return c
    return 0


cdef inline int _before(const Ordering* order, const SortItem* a, const SortItem* b) noexcept nogil:
    # a strictly before b.
    if a.prefix != b.prefix:
        return a.prefix < b.prefix
    return order_compare(order, a.tuple, b.tuple) < 0


cdef void _insertion_sort(const Ordering* order, SortItem* items, uint64_t count) noexcept nogil:
    cdef uint64_t i
    cdef uint64_t k
    cdef SortItem item
    for i in range(1, count):
        item = items[i]
        k = i
        while k > 0 and _before(order, &item, &items[k - 1]):
            items[k] = items[k - 1]
            k -= 1
        items[k] = item


cdef int merge_sort(Execution* x, const Ordering* order, MergeSort* sort) noexcept nogil:
    cdef uint64_t middle
    cdef uint64_t end
    cdef uint64_t moves = 0
    cdef SortItem* swap
    cdef int r
    if sort.width == 0:
        while sort.start < sort.count:
            end = sort.start + RUN_ROWS if sort.start + RUN_ROWS < sort.count else sort.count
            _insertion_sort(order, sort.items + sort.start, end - sort.start)
            sort.start = end
            moves += RUN_ROWS * 4
            if moves > MOVES_PER_PAUSE:
                moves = 0
                r = machine_pause(x)
                if r != 0:
                    return r
        sort.width = RUN_ROWS
        sort.start = 0
        sort.left = 0
        sort.right = RUN_ROWS
        sort.out = 0
    while sort.width < sort.count:
        while sort.start < sort.count:
            middle = sort.start + sort.width if sort.start + sort.width < sort.count else sort.count
            end = middle + sort.width if middle + sort.width < sort.count else sort.count
            while sort.out < end:
                if sort.left < middle and (sort.right >= end or
                                           not _before(order, &sort.items[sort.right], &sort.items[sort.left])):
                    sort.spare[sort.out] = sort.items[sort.left]
                    sort.left += 1
                else:
                    sort.spare[sort.out] = sort.items[sort.right]
                    sort.right += 1
                sort.out += 1
                moves += 1
                if moves > MOVES_PER_PAUSE:
                    moves = 0
                    r = machine_pause(x)
                    if r != 0:
                        return r
            sort.start = end
            sort.left = end
            sort.right = end + sort.width
        swap = sort.items
        sort.items = sort.spare
        sort.spare = swap
        sort.width *= 2
        sort.start = 0
        sort.left = 0
        sort.right = sort.width
        sort.out = 0
    return 0
