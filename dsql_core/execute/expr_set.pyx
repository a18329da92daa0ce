"""Expressions over sets of values: IN, ANY and ALL of arrays and subqueries, scalar subqueries, EXISTS, ARRAY[...].

IN and ANY / ALL go through their members one operator call at a time, dropping rows as they are decided (E1 of
expr.pyx); many members under a type's default equality are searched instead.

Invariants
  E6  SQL's three values: a row without a deciding member is NULL when its left operand or any member compared NULL.

Owner of the memory: the batch pool (execution.eval.pool).
"""

from libc.stdlib cimport qsort

from dsql_core.base.memory cimport pool_alloc
from dsql_core.base.types cimport uint8_t
from dsql_core.base.vector cimport OID_BOOL, PHYS_BOOL, PHYS_VAR
from dsql_core.execute.arrays cimport array_make, array_values
from dsql_core.execute.expr cimport EVAL_OK, eval_expr, eval_kernel, eval_no_memory
from dsql_core.execute.state cimport X_ALL, X_ALL_SUB, X_ANY_SUB, X_IN
from dsql_core.execute.tuples cimport scalar_compare, scalar_equal
from dsql_core.execute.vectors cimport (scalar_copy, vector_alloc, vector_is_null, vector_nulls, vector_of_value,
                                        vector_value)

cdef enum:
    MANY_MEMBERS = 8               # from here on a search beats one operator call per member


cdef int _fold(Execution* x, const Expr* e, Vector* left, Vector* right, uint32_t rows, uint32_t* active,
               uint32_t* active_count, uint8_t decisive, Vector* out) noexcept nogil:
    # One round of IN / ANY / ALL: applies the operator to the undecided rows and drops those now decided.
    cdef Vector* pair[2]
    cdef Vector v
    cdef uint32_t i
    cdef uint32_t row
    cdef uint32_t kept = 0
    cdef uint8_t* data = <uint8_t*>out.data
    cdef int r
    pair[0] = left
    pair[1] = right
    r = eval_kernel(x, e.kernel, OID_BOOL, pair, 2, rows, active, active_count[0], &v)
    if r != EVAL_OK:
        return r
    for i in range(active_count[0]):
        row = active[i]
        if v.nulls != NULL and v.nulls[row * v.stride]:
            out.nulls[row] = 1
        elif (<uint8_t*>v.data)[row * v.stride] == decisive:
            data[row] = decisive
            out.nulls[row] = 0
            continue
        active[kept] = row
        kept += 1
    active_count[0] = kept
    return EVAL_OK


cdef int _compare_values(const void* a, const void* b) noexcept nogil:
    return scalar_compare((<const Value*>a).type_oid, (<const Value*>a).phys, &(<const Value*>a).v, &(<const Value*>b).v)


cdef void sort_values(Value* values, uint32_t count) noexcept nogil:
    qsort(values, count, sizeof(Value), _compare_values)


cdef inline int _is_member(const Value* members, uint32_t count, int is_sorted, const Value* value) noexcept nogil:
    cdef uint32_t low = 0
    cdef uint32_t high = count
    cdef uint32_t middle
    cdef int c
    if not is_sorted:
        for middle in range(count):
            if scalar_equal(value.type_oid, value.phys, &members[middle].v, &value.v):
                return 1
        return 0
    while low < high:
        middle = (low + high) >> 1
        c = scalar_compare(value.type_oid, value.phys, &members[middle].v, &value.v)
        if c == 0:
            return 1
        if c < 0:
            low = middle + 1
        else:
            high = middle
    return 0


cdef void _members(const Vector* left, const Value* members, uint32_t count, int is_sorted, int has_null,
                   const uint32_t* active, uint32_t active_count, Vector* out) noexcept nogil:
    # IN / = ANY over many values by search instead of one operator call per value.
    cdef uint32_t i
    cdef uint32_t row
    cdef Value value
    for i in range(active_count):
        row = active[i]
        if vector_is_null(left, row):
            out.nulls[row] = 1
            continue
        vector_value(left, row, &value)
        if _is_member(members, count, is_sorted, &value):
            (<uint8_t*>out.data)[row] = 1
        elif has_null:
            out.nulls[row] = 1


cdef int _any_elements(Execution* x, const Expr* e, Vector* left, Value* elements, uint32_t count, uint32_t* active,
                       uint32_t active_count, Vector* out) noexcept nogil:
    # = ANY over the elements of one array, all of the left operand's type.
    cdef uint32_t i
    cdef uint32_t kept = 0
    for i in range(count):
        if not elements[i].is_null:
            elements[kept] = elements[i]
            kept += 1
    if active_count > 8:
        sort_values(elements, kept)
    _members(left, elements, kept, active_count > 8, kept < count, active, active_count, out)
    return EVAL_OK


cdef int eval_any(Execution* x, const Expr* e, const Batch* input, const uint32_t* sel, uint32_t count,
                  Vector* out) noexcept nogil:
    # a IN (list), a op ANY (array), a op ALL (array).
    cdef uint32_t rows = input.row_count
    cdef uint8_t decisive = e.kind != X_ALL
    cdef uint32_t* active = <uint32_t*>pool_alloc(x.eval.pool, count * sizeof(uint32_t))
    cdef uint32_t active_count = count
    cdef uint32_t one
    cdef uint32_t i
    cdef uint32_t k
    cdef uint32_t row
    cdef uint32_t element_count
    cdef Value* elements
    cdef Vector left
    cdef Vector right
    cdef Vector element
    cdef int r
    if active == NULL or vector_alloc(x.eval.pool, out, OID_BOOL, PHYS_BOOL, rows) < 0 \
            or vector_nulls(x.eval.pool, out, rows) < 0:
        return eval_no_memory(x)
    for i in range(count):
        row = i if sel == NULL else sel[i]
        active[i] = row
        (<uint8_t*>out.data)[row] = not decisive
    r = eval_expr(x, e.args[0], input, sel, count, &left)
    if r != EVAL_OK:
        return r
    if e.kind == X_IN and e.member_count:
        _members(&left, e.members, e.member_count, 1, e.members_null, active, active_count, out)
        return EVAL_OK
    if e.kind == X_IN:
        for k in range(1, e.arg_count):
            if active_count == 0:
                break
            r = eval_expr(x, e.args[k], input, active, active_count, &right)
            if r == EVAL_OK:
                r = _fold(x, e, &left, &right, rows, active, &active_count, decisive, out)
            if r != EVAL_OK:
                return r
        return EVAL_OK
    r = eval_expr(x, e.args[1], input, sel, count, &right)
    if r != EVAL_OK:
        return r
    if right.stride == 0:
        if vector_is_null(&right, 0):
            for i in range(count):
                out.nulls[active[i]] = 1
            return EVAL_OK
        if array_values(x.eval.pool, e.elem_oid, &right, 0, &elements, &element_count) < 0:
            return eval_no_memory(x)
        if e.is_plain_equal and element_count >= MANY_MEMBERS and elements[0].phys == left.phys:
            return _any_elements(x, e, &left, elements, element_count, active, active_count, out)
        for k in range(element_count):
            if active_count == 0:
                break
            vector_of_value(&elements[k], &element)
            r = _fold(x, e, &left, &element, rows, active, &active_count, decisive, out)
            if r != EVAL_OK:
                return r
        return EVAL_OK
    for i in range(count):
        row = active[i]
        if vector_is_null(&right, row):
            out.nulls[row] = 1
            continue
        if array_values(x.eval.pool, e.elem_oid, &right, row, &elements, &element_count) < 0:
            return eval_no_memory(x)
        for k in range(element_count):
            one = 1
            vector_of_value(&elements[k], &element)
            r = _fold(x, e, &left, &element, rows, &active[i], &one, decisive, out)
            if r != EVAL_OK:
                return r
            if one == 0:
                break
    return EVAL_OK


cdef int eval_subplan(Execution* x, const Expr* e, const Batch* input, const uint32_t* sel, uint32_t count,
                      Vector* out) noexcept nogil:
    # SCALAR, EXISTS, ANY_SUB, ALL_SUB. Without correlation and left operand one run serves all rows.
    cdef uint32_t rows = input.row_count
    cdef uint32_t i
    cdef uint32_t row
    cdef Value value
    cdef Value lhs
    cdef Vector* args
    cdef Value* kept
    cdef int r
    cdef int has_lhs = e.kind == X_ANY_SUB or e.kind == X_ALL_SUB
    if not has_lhs and x.program.subplans[e.index].cacheable:
        kept = <Value*>pool_alloc(x.eval.pool, sizeof(Value))
        if kept == NULL:
            return eval_no_memory(x)
        r = x.run_subplan(x, e, NULL, 0, NULL, kept)
        if r == EVAL_OK:
            kept.type_oid = e.type_oid
            kept.phys = e.phys
            vector_of_value(kept, out)
        return r
    args = <Vector*>pool_alloc(x.eval.pool, (e.arg_count + 1) * sizeof(Vector))
    if args == NULL:
        return eval_no_memory(x)
    for i in range(e.arg_count):
        r = eval_expr(x, e.args[i], input, sel, count, &args[i])
        if r != EVAL_OK:
            return r
    if vector_alloc(x.eval.pool, out, e.type_oid, e.phys, rows) < 0 or vector_nulls(x.eval.pool, out, rows) < 0:
        return eval_no_memory(x)
    for i in range(count):
        row = i if sel == NULL else sel[i]
        if has_lhs:
            vector_value(&args[0], row, &lhs)
        r = x.run_subplan(x, e, args + has_lhs, row, &lhs if has_lhs else NULL, &value)
        if r != EVAL_OK:
            return r
        if value.is_null:
            out.nulls[row] = 1
        else:
            scalar_copy(out.phys, out.data, row, &value.v, 0)
    return EVAL_OK


cdef int eval_array(Execution* x, const Expr* e, const Batch* input, const uint32_t* sel, uint32_t count,
                    Vector* out) noexcept nogil:
    cdef Vector* args = <Vector*>pool_alloc(x.eval.pool, (e.arg_count + 1) * sizeof(Vector))
    cdef Value* values = <Value*>pool_alloc(x.eval.pool, (e.arg_count + 1) * sizeof(Value))
    cdef uint32_t i
    cdef uint32_t k
    cdef uint32_t row
    cdef uint32_t rows = input.row_count
    cdef int is_constant = 1
    cdef int r
    if args == NULL or values == NULL:
        return eval_no_memory(x)
    for k in range(e.arg_count):
        r = eval_expr(x, e.args[k], input, sel, count, &args[k])
        if r != EVAL_OK:
            return r
        if args[k].stride:
            is_constant = 0
    if is_constant:
        rows = 1
        sel = NULL
        count = 1
    if vector_alloc(x.eval.pool, out, e.type_oid, PHYS_VAR, rows) < 0:
        return eval_no_memory(x)
    out.stride = not is_constant
    for i in range(count):
        row = i if sel == NULL else sel[i]
        for k in range(e.arg_count):
            vector_value(&args[k], row, &values[k])
        if array_make(x.eval.pool, e.elem_oid, values, e.arg_count, out, row) < 0:
            return eval_no_memory(x)
    return EVAL_OK
