"""Bounds as byte ranges: what a scan or a lookup seeks in a tree.

A key is the concatenation of its parts (codec/keycode); a part begins with 0x00 NULL first, 0x01 value, 0x02 NULL last.
With a prefix P of equal parts:

  no lo, no hi    [P, successor(P))
  lo only         [P ++ part(lo), P ++ 0x02)       NULLs do not satisfy a comparison
  hi only         [P ++ 0x01, P ++ part(hi))
  inclusive hi    stop = successor(P ++ part(hi));  exclusive lo: start = successor(P ++ part(lo))

Invariants
  R1  a NULL among eq, lo or hi matches nothing; a NULL among the alternatives of `in` is left out.
  R2  prefixes are ascending and distinct, so ranges are visited in key order (or exactly reversed).

Owner of the memory: the pool given; execution.scratch holds the key under construction.
"""

from libc.stdlib cimport qsort
from libc.string cimport memcmp

from dsql_core.base.error cimport dsql_error_set
from dsql_core.base.memory cimport buffer_append, buffer_append_u8, pool_alloc, pool_copy
from dsql_core.base.vector cimport Value
from dsql_core.codec.keycode cimport keycode_append, keycode_part_size, keycode_successor
from dsql_core.execute.expr cimport EVAL_ERROR, EVAL_OK, eval_expr
from dsql_core.execute.machine cimport no_memory
from dsql_core.execute.state cimport Expr
from dsql_core.execute.vectors cimport vector_is_null, vector_value


cdef int _eval_list(Op* op, Expr** exprs, uint32_t expr_count, const Batch* input, const uint32_t* sel, uint32_t count,
                    Vector** out) noexcept nogil:
    cdef uint32_t i
    cdef int r
    out[0] = <Vector*>pool_alloc(op.execution.eval.pool, (expr_count + 1) * sizeof(Vector))
    if out[0] == NULL:
        no_memory(op.execution)
        return EVAL_ERROR
    for i in range(expr_count):
        r = eval_expr(op.execution, exprs[i], input, sel, count, &out[0][i])
        if r != EVAL_OK:
            return r
    return EVAL_OK


cdef int bounds_eval(Op* op, const PlanNode* node, const Batch* input, const uint32_t* sel, uint32_t count, Pool* pool,
                     Bounds* bounds) noexcept nogil:
    cdef int r
    op.execution.eval.pool = pool
    r = _eval_list(op, node.eq, node.eq_count, input, sel, count, &bounds.eq)
    if r == EVAL_OK and node.in_count:
        r = _eval_list(op, node.in_list, node.in_count, input, sel, count, &bounds.in_list)
    if r == EVAL_OK and node.lo != NULL:
        r = eval_expr(op.execution, node.lo, input, sel, count, &bounds.lo)
    if r == EVAL_OK and node.hi != NULL:
        r = eval_expr(op.execution, node.hi, input, sel, count, &bounds.hi)
    return r


cdef int append_key_part(Op* op, Buffer* out, const Vector* v, uint32_t row, int nulls_first) noexcept nogil:
    cdef Value value
    vector_value(v, row, &value)
    if keycode_append(out, &value, nulls_first) < 0:
        dsql_error_set(op.execution.eval.error, "0A000", "type %u cannot be part of a key", <unsigned>value.type_oid)
        return -1
    if out.failed:
        out.failed = 0
        no_memory(op.execution)
        return -1
    return 0


cdef int _compare_slices(const void* a, const void* b) noexcept nogil:
    cdef const Slice* x = <const Slice*>a
    cdef const Slice* y = <const Slice*>b
    cdef int c = memcmp(x.data, y.data, x.size if x.size < y.size else y.size)
    if c != 0:
        return c
    return (x.size > y.size) - (x.size < y.size)


cdef int bounds_prefixes(Op* op, const PlanNode* node, const Bounds* bounds, uint32_t row, Pool* pool,
                         Slice** prefixes) noexcept nogil:
    cdef Buffer* scratch = &op.execution.scratch
    cdef uint32_t i
    cdef int count = 0
    cdef int kept = 0
    cdef size_t eq_size
    cdef Slice* list
    scratch.size = 0
    if node.in_count == 0 and node.has_in:
        return 0
    for i in range(node.eq_count):
        if vector_is_null(&bounds.eq[i], row):
            return 0
        if append_key_part(op, scratch, &bounds.eq[i], row, 0) < 0:
            return -1
    list = <Slice*>pool_alloc(pool, (node.in_count + 1) * sizeof(Slice))
    if list == NULL:
        no_memory(op.execution)
        return -1
    prefixes[0] = list
    eq_size = scratch.size
    if node.in_count == 0:
        list[0].size = eq_size
        list[0].data = pool_copy(pool, scratch.data, eq_size)
        if list[0].data == NULL:
            no_memory(op.execution)
            return -1
        return 1
    for i in range(node.in_count):
        if vector_is_null(&bounds.in_list[i], row):
            continue
        scratch.size = eq_size
        if append_key_part(op, scratch, &bounds.in_list[i], row, 0) < 0:
            return -1
        list[count].size = scratch.size
        list[count].data = pool_copy(pool, scratch.data, scratch.size)
        if list[count].data == NULL:
            no_memory(op.execution)
            return -1
        count += 1
    if count > 1:
        qsort(list, count, sizeof(Slice), _compare_slices)
        for i in range(1, count):
            if _compare_slices(&list[kept], &list[i]) != 0:
                kept += 1
                list[kept] = list[i]
        count = kept + 1
    return count


cdef int _keep(Op* op, Buffer* scratch, Pool* pool, Slice* out) noexcept nogil:
    out.size = scratch.size
    out.data = pool_copy(pool, scratch.data, scratch.size)
    if out.data == NULL:
        no_memory(op.execution)
        return -1
    return 0


cdef int bounds_range(Op* op, const PlanNode* node, const Bounds* bounds, uint32_t row, Slice prefix, Pool* pool,
                      KeyRange* out) noexcept nogil:
    cdef Buffer* scratch = &op.execution.scratch
    out.start = prefix
    out.stop.data = NULL
    out.stop.size = 0
    if node.lo == NULL and node.hi == NULL:
        if prefix.size:
            scratch.size = 0
            buffer_append(scratch, prefix.data, prefix.size)
            scratch.size = keycode_successor(scratch.data, scratch.size)
            if scratch.size and _keep(op, scratch, pool, &out.stop) < 0:
                return -1
        return 1
    if (node.lo != NULL and vector_is_null(&bounds.lo, row)) or (node.hi != NULL and vector_is_null(&bounds.hi, row)):
        return 0
    scratch.size = 0
    buffer_append(scratch, prefix.data, prefix.size)
    if node.lo == NULL:
        buffer_append_u8(scratch, 0x01)
    else:
        if append_key_part(op, scratch, &bounds.lo, row, 0) < 0:
            return -1
        if not node.lo_inclusive:
            scratch.size = keycode_successor(scratch.data, scratch.size)
            if scratch.size == 0:
                return 0
    if _keep(op, scratch, pool, &out.start) < 0:
        return -1
    scratch.size = 0
    buffer_append(scratch, prefix.data, prefix.size)
    if node.hi == NULL:
        buffer_append_u8(scratch, 0x02)
    else:
        if append_key_part(op, scratch, &bounds.hi, row, 0) < 0:
            return -1
        if node.hi_inclusive:
            scratch.size = keycode_successor(scratch.data, scratch.size)
            if scratch.size == 0:
                return 1
    if _keep(op, scratch, pool, &out.stop) < 0:
        return -1
    return 1


cdef Slice row_key_suffix(const PlanNode* node, Slice key) noexcept nogil:
    cdef uint32_t i
    cdef size_t size
    for i in range(node.tree_key_count):
        size = keycode_part_size(key.data, key.size, node.key_types[i])
        if size == 0 or size > key.size:
            break
        key.data += size
        key.size -= size
    return key
