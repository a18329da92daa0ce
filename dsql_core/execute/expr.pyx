"""Evaluation of expressions: a tree of nodes, each computing a vector over the selected rows of a batch.

Invariants
  E1  a node computes exactly the rows it was asked for: AND, OR, CASE and COALESCE shrink the selection before they
      go on, so what a guard excludes is never computed (CASE WHEN b <> 0 THEN a / b ...).
  E2  a node whose arguments are all constant (stride 0) and that is not volatile is computed once, and is constant.
  E3  strict kernels never meet a NULL; rows with one are NULL in the result.
  E4  evaluation over the same batch may be repeated (EVAL_YIELD): it changes nothing but memory in the batch's pool.

Owner of the memory: the batch pool (execution.eval.pool); constants belong to the program, parameters to the execution.
"""

from libc.string cimport memcpy, memset

from dsql_core.base.error cimport dsql_error_set
from dsql_core.base.memory cimport Pool, pool_alloc
from dsql_core.base.vector cimport OID_BOOL, PHYS_BOOL, type_phys
from dsql_core.execute.expr_set cimport eval_any, eval_array, eval_subplan
from dsql_core.execute.kernel cimport KERNEL_NULLS, KERNEL_VOLATILE
from dsql_core.execute.pycall cimport eval_python
from dsql_core.execute.state cimport (X_ALL, X_ALL_SUB, X_AND, X_ANY, X_ANY_SUB, X_ARRAY, X_CALL, X_CASE, X_COALESCE, X_COL,
                                      X_CONST, X_DISTINCT, X_EXISTS, X_IN, X_ISFALSE, X_ISNULL, X_ISTRUE, X_NOT,
                                      X_NOTNULL, X_NULLIF, X_OR, X_PARAM, X_PY, X_SCALAR)
from dsql_core.execute.vectors cimport scalar_copy, vector_alloc, vector_is_null, vector_nulls, vector_of_value

cdef uint8_t _ONE_NULL[1]
_ONE_NULL[0] = 1
cdef uint8_t _ZEROS[16]
memset(_ZEROS, 0, 16)
cdef uint8_t _TRUE[1]
_TRUE[0] = 1


cdef int eval_no_memory(Execution* x) noexcept nogil:
    if x.budget.limit == 0:
        dsql_error_set(x.eval.error, "53200", "out of memory")
    else:
        dsql_error_set(x.eval.error, "54000", "query requires more than allowed temp space of %llu KB to execute",
                       <unsigned long long>(x.budget.limit >> 10))
    return EVAL_ERROR


cdef inline void _null_constant(uint32_t type_oid, uint8_t phys, Vector* out) noexcept nogil:
    out.data = _ZEROS
    out.nulls = _ONE_NULL
    out.type_oid = type_oid
    out.phys = phys
    out.stride = 0
    out.reserved = 0


cdef inline void _bool_constant(int value, Vector* out) noexcept nogil:
    out.data = &_TRUE[0] if value else &_ZEROS[0]
    out.nulls = NULL
    out.type_oid = OID_BOOL
    out.phys = PHYS_BOOL
    out.stride = 0
    out.reserved = 0


cdef int eval_kernel(Execution* x, const Kernel* kernel, uint32_t type_oid, Vector** args, uint32_t arg_count,
                     uint32_t rows, const uint32_t* sel, uint32_t count, Vector* out) noexcept nogil:
    cdef Pool* pool = x.eval.pool
    cdef uint8_t phys = type_phys(type_oid)
    cdef uint32_t i
    cdef uint32_t k
    cdef uint32_t row
    cdef uint32_t kept_count
    cdef uint32_t* kept
    cdef uint8_t* nulls
    cdef int is_constant = not (kernel.flags & KERNEL_VOLATILE)
    cdef int has_nulls = 0
    for i in range(arg_count):
        if args[i].stride:
            is_constant = 0
        if args[i].nulls != NULL:
            if args[i].stride:
                has_nulls = 1
            elif args[i].nulls[0] and not (kernel.flags & KERNEL_NULLS):
                _null_constant(type_oid, phys, out)
                return EVAL_OK
    if is_constant:
        rows = 1
        sel = NULL
        count = 1
    if vector_alloc(pool, out, type_oid, phys, rows) < 0:
        return eval_no_memory(x)
    out.stride = not is_constant
    if kernel.flags & KERNEL_NULLS:
        if vector_nulls(pool, out, rows) < 0:
            return eval_no_memory(x)
        return kernel.fn(&x.eval, out, args, arg_count, sel, count)
    if has_nulls:
        nulls = <uint8_t*>pool_alloc(pool, rows)
        kept = <uint32_t*>pool_alloc(pool, count * sizeof(uint32_t))
        if nulls == NULL or kept == NULL:
            return eval_no_memory(x)
        kept_count = 0
        if sel == NULL:
            memset(nulls, 0, count)
            for k in range(arg_count):
                if args[k].nulls != NULL and args[k].stride:
                    for row in range(count):
                        nulls[row] |= args[k].nulls[row]
            for row in range(count):
                kept[kept_count] = row
                kept_count += nulls[row] == 0
        else:
            for i in range(count):
                row = sel[i]
                nulls[row] = 0
                for k in range(arg_count):
                    if args[k].nulls != NULL and args[k].stride:
                        nulls[row] |= args[k].nulls[row]
                kept[kept_count] = row
                kept_count += nulls[row] == 0
        if kept_count != count:
            out.nulls = nulls
            if kept_count == 0:
                return EVAL_OK
            return kernel.fn(&x.eval, out, args, arg_count, kept, kept_count)
    return kernel.fn(&x.eval, out, args, arg_count, sel, count)


cdef int _call(Execution* x, const Expr* e, const Batch* input, const uint32_t* sel, uint32_t count,
               Vector* out) noexcept nogil:
    cdef Vector few[6]
    cdef Vector* few_pointers[6]
    cdef Vector* args = few
    cdef Vector** pointers = few_pointers
    cdef uint32_t i
    cdef int r
    if e.arg_count > 6:
        args = <Vector*>pool_alloc(x.eval.pool, e.arg_count * sizeof(Vector))
        pointers = <Vector**>pool_alloc(x.eval.pool, e.arg_count * sizeof(Vector*))
        if args == NULL or pointers == NULL:
            return eval_no_memory(x)
    for i in range(e.arg_count):
        r = eval_expr(x, e.args[i], input, sel, count, &args[i])
        if r != EVAL_OK:
            return r
        pointers[i] = &args[i]
    return eval_kernel(x, e.kernel, e.type_oid, pointers, e.arg_count, input.row_count, sel, count, out)


cdef int _logic(Execution* x, const Expr* e, const Batch* input, const uint32_t* sel, uint32_t count,
                Vector* out) noexcept nogil:
    # AND and OR. `decisive` is the value that ends a row: 0 for AND, 1 for OR.
    cdef uint8_t decisive = e.kind == X_OR
    cdef uint32_t rows = input.row_count
    cdef uint32_t a
    cdef uint32_t i
    cdef uint32_t row
    cdef uint32_t active_count = count
    cdef uint32_t kept
    cdef uint32_t* active
    cdef uint8_t* data
    cdef Vector v
    cdef int r
    cdef uint8_t value
    if vector_alloc(x.eval.pool, out, OID_BOOL, PHYS_BOOL, rows) < 0 or vector_nulls(x.eval.pool, out, rows) < 0:
        return eval_no_memory(x)
    active = <uint32_t*>pool_alloc(x.eval.pool, count * sizeof(uint32_t))
    if active == NULL:
        return eval_no_memory(x)
    data = <uint8_t*>out.data
    for i in range(count):
        row = i if sel == NULL else sel[i]
        active[i] = row
        data[row] = not decisive
    for a in range(e.arg_count):
        if active_count == 0:
            break
        r = eval_expr(x, e.args[a], input, active, active_count, &v)
        if r != EVAL_OK:
            return r
        kept = 0
        for i in range(active_count):
            row = active[i]
            if v.nulls != NULL and v.nulls[row * v.stride]:
                out.nulls[row] = 1
            else:
                value = (<uint8_t*>v.data)[row * v.stride]
                if value == decisive:
                    data[row] = decisive
                    out.nulls[row] = 0
                    continue
            active[kept] = row
            kept += 1
        active_count = kept
    return EVAL_OK


cdef int eval_filter(Execution* x, const Expr* e, const Batch* input, const uint32_t* sel, uint32_t count,
                     uint32_t* kept, uint32_t* kept_count) noexcept nogil:
    cdef Vector v
    cdef uint32_t i
    cdef uint32_t n = 0
    cdef uint32_t a
    cdef uint8_t* data
    cdef int r
    if e.kind == X_AND:
        # kept is written behind the reading position, so it may serve as input of the next round.
        for a in range(e.arg_count):
            r = eval_filter(x, e.args[a], input, sel, count, kept, &n)
            if r != EVAL_OK:
                return r
            sel = kept
            count = n
            if n == 0:
                break
        kept_count[0] = count
        return EVAL_OK
    if count == 0:
        kept_count[0] = 0
        return EVAL_OK
    r = eval_expr(x, e, input, sel, count, &v)
    if r != EVAL_OK:
        return r
    data = <uint8_t*>v.data
    if v.stride == 0:
        if data[0] and not (v.nulls != NULL and v.nulls[0]):
            if sel == NULL:
                for i in range(count):
                    kept[i] = i
            elif sel != kept:
                memcpy(kept, sel, count * sizeof(uint32_t))
            n = count
    elif v.nulls == NULL:
        if sel == NULL:
            for i in range(count):
                kept[n] = i
                n += data[i] & 1
        else:
            for i in range(count):
                kept[n] = sel[i]
                n += data[kept[n]] & 1
    else:
        if sel == NULL:
            for i in range(count):
                kept[n] = i
                n += (v.nulls[i] == 0) & data[i]
        else:
            for i in range(count):
                kept[n] = sel[i]
                n += (v.nulls[kept[n]] == 0) & data[kept[n]]
    kept_count[0] = n
    return EVAL_OK


cdef int _test(Execution* x, const Expr* e, const Batch* input, const uint32_t* sel, uint32_t count,
               Vector* out) noexcept nogil:
    # NOT, IS NULL, IS NOT NULL, IS TRUE, IS FALSE.
    cdef Vector v
    cdef uint32_t i
    cdef uint32_t row
    cdef uint32_t rows = input.row_count
    cdef uint8_t* data
    cdef uint8_t is_null
    cdef uint8_t value
    cdef int r = eval_expr(x, e.args[0], input, sel, count, &v)
    if r != EVAL_OK:
        return r
    if v.stride == 0:
        rows = 1
        sel = NULL
        count = 1
    elif v.nulls == NULL and (e.kind == X_ISNULL or e.kind == X_NOTNULL):
        _bool_constant(e.kind == X_NOTNULL, out)
        return EVAL_OK
    if vector_alloc(x.eval.pool, out, OID_BOOL, PHYS_BOOL, rows) < 0:
        return eval_no_memory(x)
    out.stride = v.stride
    data = <uint8_t*>out.data
    if e.kind == X_NOT:
        out.nulls = v.nulls
    for i in range(count):
        row = i if sel == NULL else sel[i]
        is_null = v.nulls != NULL and v.nulls[row]
        if e.kind == X_ISNULL:
            data[row] = is_null
        elif e.kind == X_NOTNULL:
            data[row] = not is_null
        else:
            value = (<uint8_t*>v.data)[row]
            if e.kind == X_NOT:
                data[row] = not value
            elif e.kind == X_ISTRUE:
                data[row] = not is_null and value
            else:
                data[row] = not is_null and not value
    return EVAL_OK


cdef void _scatter(const Vector* v, const uint32_t* sel, uint32_t count, Vector* out) noexcept nogil:
    # out[row] = v[row] for the selected rows (out.nulls is there).
    cdef uint32_t i
    cdef uint32_t row
    for i in range(count):
        row = i if sel == NULL else sel[i]
        if v.nulls != NULL and v.nulls[row * v.stride]:
            out.nulls[row] = 1
        else:
            out.nulls[row] = 0
            scalar_copy(out.phys, out.data, row, v.data, row * v.stride)


cdef uint32_t _subtract(uint32_t* active, uint32_t count, const uint32_t* gone, uint32_t gone_count) noexcept nogil:
    # active minus gone (a subset), both ascending, in place.
    cdef uint32_t i
    cdef uint32_t g = 0
    cdef uint32_t kept = 0
    for i in range(count):
        if g < gone_count and gone[g] == active[i]:
            g += 1
        else:
            active[kept] = active[i]
            kept += 1
    return kept


cdef int _case(Execution* x, const Expr* e, const Batch* input, const uint32_t* sel, uint32_t count,
               Vector* out) noexcept nogil:
    cdef uint32_t rows = input.row_count
    cdef uint32_t* active = <uint32_t*>pool_alloc(x.eval.pool, count * sizeof(uint32_t))
    cdef uint32_t* matched = <uint32_t*>pool_alloc(x.eval.pool, count * sizeof(uint32_t))
    cdef uint32_t active_count = count
    cdef uint32_t matched_count
    cdef uint32_t i
    cdef Vector v
    cdef int r
    if active == NULL or matched == NULL or vector_alloc(x.eval.pool, out, e.type_oid, e.phys, rows) < 0 \
            or vector_nulls(x.eval.pool, out, rows) < 0:
        return eval_no_memory(x)
    for i in range(count):
        active[i] = i if sel == NULL else sel[i]
    i = 0
    while i + 1 < e.arg_count and active_count:
        r = eval_filter(x, e.args[i], input, active, active_count, matched, &matched_count)
        if r != EVAL_OK:
            return r
        if matched_count:
            r = eval_expr(x, e.args[i + 1], input, matched, matched_count, &v)
            if r != EVAL_OK:
                return r
            if matched_count == count:
                out[0] = v                      # every row took this branch: no copy
                return EVAL_OK
            _scatter(&v, matched, matched_count, out)
            active_count = _subtract(active, active_count, matched, matched_count)
        i += 2
    if active_count:
        if e.arg_count & 1:
            r = eval_expr(x, e.args[e.arg_count - 1], input, active, active_count, &v)
            if r != EVAL_OK:
                return r
            _scatter(&v, active, active_count, out)
        else:
            for i in range(active_count):
                out.nulls[active[i]] = 1
    return EVAL_OK


cdef int _coalesce(Execution* x, const Expr* e, const Batch* input, const uint32_t* sel, uint32_t count,
                   Vector* out) noexcept nogil:
    cdef uint32_t rows = input.row_count
    cdef uint32_t* active
    cdef uint32_t active_count = count
    cdef uint32_t kept
    cdef uint32_t a
    cdef uint32_t i
    cdef uint32_t row
    cdef Vector v
    cdef int r = eval_expr(x, e.args[0], input, sel, count, &v)
    if r != EVAL_OK:
        return r
    if v.nulls == NULL or e.arg_count == 1:
        out[0] = v
        return EVAL_OK
    active = <uint32_t*>pool_alloc(x.eval.pool, count * sizeof(uint32_t))
    if active == NULL or vector_alloc(x.eval.pool, out, e.type_oid, e.phys, rows) < 0 \
            or vector_nulls(x.eval.pool, out, rows) < 0:
        return eval_no_memory(x)
    for i in range(count):
        active[i] = i if sel == NULL else sel[i]
    for a in range(e.arg_count):
        if a:
            r = eval_expr(x, e.args[a], input, active, active_count, &v)
            if r != EVAL_OK:
                return r
        kept = 0
        for i in range(active_count):
            row = active[i]
            if v.nulls != NULL and v.nulls[row * v.stride]:
                active[kept] = row
                kept += 1
            else:
                scalar_copy(out.phys, out.data, row, v.data, row * v.stride)
        active_count = kept
        if kept == 0:
            break
    for i in range(active_count):
        out.nulls[active[i]] = 1
    return EVAL_OK


cdef int _compare_two(Execution* x, const Expr* e, const Batch* input, const uint32_t* sel, uint32_t count,
                      Vector* out) noexcept nogil:
    # NULLIF(a, b) and a IS DISTINCT FROM b: the equality kernel, with NULLs dealt with here.
    cdef Vector a
    cdef Vector b
    cdef Vector same
    cdef Vector* pair[2]
    cdef uint32_t i
    cdef uint32_t row
    cdef uint32_t rows = input.row_count
    cdef int a_null
    cdef int b_null
    cdef int equal
    cdef int r = eval_expr(x, e.args[0], input, sel, count, &a)
    if r == EVAL_OK:
        r = eval_expr(x, e.args[1], input, sel, count, &b)
    if r != EVAL_OK:
        return r
    pair[0] = &a
    pair[1] = &b
    r = eval_kernel(x, e.kernel, OID_BOOL, pair, 2, rows, sel, count, &same)
    if r != EVAL_OK:
        return r
    if vector_alloc(x.eval.pool, out, e.type_oid, e.phys, rows) < 0 or vector_nulls(x.eval.pool, out, rows) < 0:
        return eval_no_memory(x)
    for i in range(count):
        row = i if sel == NULL else sel[i]
        a_null = vector_is_null(&a, row)
        b_null = vector_is_null(&b, row)
        equal = not a_null and not b_null and not vector_is_null(&same, row) and \
            (<uint8_t*>same.data)[row * same.stride]
        if e.kind == X_NULLIF:
            if a_null or equal:
                out.nulls[row] = 1
            else:
                scalar_copy(out.phys, out.data, row, a.data, row * a.stride)
        else:
            (<uint8_t*>out.data)[row] = not (equal or (a_null and b_null))
    return EVAL_OK


cdef int eval_expr(Execution* x, const Expr* e, const Batch* input, const uint32_t* sel, uint32_t count,
                   Vector* out) noexcept nogil:
    cdef uint8_t kind = e.kind
    if kind == X_COL:
        out[0] = input.columns[e.index]
        return EVAL_OK
    if kind == X_CONST:
        vector_of_value(&e.constant, out)
        return EVAL_OK
    if kind == X_PARAM:
        vector_of_value(&x.eval.params[e.index], out)
        out.type_oid = e.type_oid
        out.phys = e.phys
        return EVAL_OK
    if count == 0:
        _null_constant(e.type_oid, e.phys, out)
        return EVAL_OK
    if kind == X_CALL:
        return _call(x, e, input, sel, count, out)
    if kind == X_AND or kind == X_OR:
        return _logic(x, e, input, sel, count, out)
    if kind == X_NOT or kind == X_ISNULL or kind == X_NOTNULL or kind == X_ISTRUE or kind == X_ISFALSE:
        return _test(x, e, input, sel, count, out)
    if kind == X_CASE:
        return _case(x, e, input, sel, count, out)
    if kind == X_COALESCE:
        return _coalesce(x, e, input, sel, count, out)
    if kind == X_NULLIF or kind == X_DISTINCT:
        return _compare_two(x, e, input, sel, count, out)
    if kind == X_IN or kind == X_ANY or kind == X_ALL:
        return eval_any(x, e, input, sel, count, out)
    if kind == X_SCALAR or kind == X_EXISTS or kind == X_ANY_SUB or kind == X_ALL_SUB:
        return eval_subplan(x, e, input, sel, count, out)
    if kind == X_ARRAY:
        return eval_array(x, e, input, sel, count, out)
    if kind == X_PY:
        return eval_python(x, e, input, sel, count, out)
    dsql_error_set(x.eval.error, "XX000", "unknown expression kind %d", <int>kind)
    return EVAL_ERROR
