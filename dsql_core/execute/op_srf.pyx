"""Set-returning functions in FROM: generate_series and unnest natively, others through Python (rows of texts).

generate_series(int4 | int8 | numeric | timestamp | timestamptz ...) yields a batch at a time, so LIMIT stops it early;
unnest of several arrays runs beside each other, the shorter ones filled up with NULL. WITH ORDINALITY adds a bigint.

Invariants
  Y1  a NULL argument yields no rows (unnest of several arrays: none from that array).
  Y2  a series ends at its bound or where its type ends, whichever comes first; it never wraps around.

Owner of the memory: run.pool for arguments, the operator's batch pool for rows.
"""

from libc.string cimport memset

from dsql_core.base.error cimport dsql_error_set
from dsql_core.base.memory cimport pool_alloc, pool_reset
from dsql_core.base.types cimport int32_t, int64_t, uint32_t, uint64_t
from dsql_core.base.vector cimport (BATCH_ROWS, OID_INT4, OID_INT8, OID_NUMERIC, OID_TIMESTAMP, OID_TIMESTAMPTZ,
                                    PHYS_I64, Interval, Value, Vector, type_phys)
from dsql_core.execute.arrays cimport array_values
from dsql_core.execute.expr cimport EVAL_OK, eval_expr
from dsql_core.execute.machine cimport (eval_step, no_memory, one_row, op_alloc, op_name_batch, op_own_pool,
                                        operator_register, source_pause)
from dsql_core.execute.pycall cimport srf_rows
from dsql_core.execute.state cimport Execution, Op, P_SRF, PlanNode, RowList, Run, STEP_DONE, STEP_ERROR, STEP_ROWS
from dsql_core.execute.tuples cimport tuple_batch_of
from dsql_core.execute.vectors cimport (scalar_copy, value_keep, vector_alloc, vector_nulls, vector_of_value,
                                        vector_value)
from dsql_core.types.bignum cimport NUMERIC_NAN
from dsql_core.types.datetime cimport timestamp_add_interval, timestamptz_add_interval
from dsql_core.types.interval cimport interval_compare
from dsql_core.types.numeric cimport numeric_add, numeric_compare, numeric_from_int64, numeric_special

cdef enum:
    SRF_SERIES = 1
    SRF_UNNEST = 2
    SRF_PYTHON = 3

cdef struct SrfOp:
    Op base
    Value* args
    Value** elements               # unnest: of each array
    uint32_t* element_counts
    RowList rows                   # Python
    Value at                       # series: next value
    uint64_t produced
    uint64_t total                 # unnest, Python
    int32_t phase                  # 0 start, 1 running, 2 done
    int32_t sign                   # of the series' step


cdef int _bad_argument(Op* op, const char* message) noexcept nogil:
    dsql_error_set(op.execution.eval.error, "22023", "%s", message)
    return STEP_ERROR


cdef int _numeric_check(Op* op, const Value* value, int place) noexcept nogil:
    cdef const char* name = "start" if place == 0 else ("stop" if place == 1 else "step size")
    cdef int special = numeric_special(&value.v.var)
    if special == 0:
        return 0
    dsql_error_set(op.execution.eval.error, "22023", "%s%s cannot be %s", name, "" if place == 2 else " value",
                   "NaN" if special == NUMERIC_NAN else "infinity")
    return STEP_ERROR


cdef int _series_start(SrfOp* op) noexcept nogil:
    # 0 ready, else StepResult.
    cdef Op* base = &op.base
    cdef Execution* x = base.execution
    cdef uint32_t oid = base.node.out_types[0]
    cdef uint32_t i
    cdef Value* step = &op.args[2]
    cdef Value zero
    cdef Interval nothing
    op.at = op.args[0]
    if base.node.expr_count < 3:
        memset(step, 0, sizeof(Value))
        step.type_oid = oid
        step.phys = type_phys(oid)
        if oid == OID_NUMERIC:
            if numeric_from_int64(1, &base.run.pool, &step.v.var, x.eval.error) < 0:
                return STEP_ERROR
        elif oid == OID_INT4:
            step.v.i32 = 1
        else:
            step.v.i64 = 1
    if oid == OID_INT4:
        op.sign = (step.v.i32 > 0) - (step.v.i32 < 0)
    elif oid == OID_INT8:
        op.sign = (step.v.i64 > 0) - (step.v.i64 < 0)
    elif oid == OID_NUMERIC:
        for i in range(3):
            if _numeric_check(base, &op.args[i], <int>i) < 0:
                return STEP_ERROR
        if numeric_from_int64(0, &base.run.pool, &zero.v.var, x.eval.error) < 0:
            return STEP_ERROR
        op.sign = numeric_compare(&step.v.var, &zero.v.var)
    elif oid == OID_TIMESTAMP or oid == OID_TIMESTAMPTZ:
        memset(&nothing, 0, sizeof(Interval))
        op.sign = interval_compare(&step.v.interval, &nothing)
    else:
        dsql_error_set(x.eval.error, "XX000", "generate_series of type %u", <unsigned>oid)
        return STEP_ERROR
    if op.sign == 0:
        return _bad_argument(base, "step size cannot equal zero")
    return 0


cdef int _beyond(const SrfOp* op, uint32_t oid) noexcept nogil:
    # Whether the next value lies behind the stop value.
    cdef int c
    if oid == OID_INT4:
        c = (op.at.v.i32 > op.args[1].v.i32) - (op.at.v.i32 < op.args[1].v.i32)
    elif oid == OID_NUMERIC:
        c = numeric_compare(&op.at.v.var, &op.args[1].v.var)
    else:
        c = (op.at.v.i64 > op.args[1].v.i64) - (op.at.v.i64 < op.args[1].v.i64)
    return c > 0 if op.sign > 0 else c < 0


cdef int _advance(SrfOp* op, uint32_t oid) noexcept nogil:
    # The next value. 1, 0 = the type ends here, -1 error set.
    cdef Execution* x = op.base.execution
    cdef const Value* step = &op.args[2]
    cdef int64_t next_i64
    if oid == OID_INT4:
        next_i64 = <int64_t>op.at.v.i32 + step.v.i32
        if next_i64 > 2147483647 or next_i64 < -<int64_t>2147483648:
            return 0
        op.at.v.i32 = <int32_t>next_i64
    elif oid == OID_INT8:
        next_i64 = <int64_t>(<uint64_t>op.at.v.i64 + <uint64_t>step.v.i64)
        if (next_i64 > op.at.v.i64) != (step.v.i64 > 0):
            return 0
        op.at.v.i64 = next_i64
    elif oid == OID_NUMERIC:
        if numeric_add(&op.at.v.var, &step.v.var, op.base.batch_pool, &op.at.v.var, x.eval.error) < 0:
            return -1
    elif oid == OID_TIMESTAMP:
        if timestamp_add_interval(op.at.v.i64, &step.v.interval, 1, &op.at.v.i64, x.eval.error) < 0:
            return -1
    elif timestamptz_add_interval(op.at.v.i64, &step.v.interval, 1, x.eval.format.timezone, &op.at.v.i64,
                                  x.eval.error) < 0:
        return -1
    return 1


cdef int _series(SrfOp* op) noexcept nogil:
    cdef Op* base = &op.base
    cdef Vector* out = &base.out.columns[0]
    cdef uint32_t oid = base.node.out_types[0]
    cdef uint32_t count = 0
    cdef int r
    if vector_alloc(base.batch_pool, out, oid, type_phys(oid), BATCH_ROWS) < 0:
        return no_memory(base.execution)
    while count < BATCH_ROWS:
        if _beyond(op, oid):
            op.phase = 2
            break
        scalar_copy(out.phys, out.data, count, &op.at.v, 0)
        count += 1
        r = _advance(op, oid)
        if r < 0:
            return STEP_ERROR
        if r == 0:
            op.phase = 2
            break
    if oid == OID_NUMERIC and value_keep(&base.run.pool, &op.at) < 0:
        return no_memory(base.execution)
    base.out.row_count = count
    return STEP_ROWS if count else STEP_DONE


cdef int _unnest(SrfOp* op) noexcept nogil:
    cdef Op* base = &op.base
    cdef uint64_t left = op.total - op.produced
    cdef uint32_t count = <uint32_t>left if left < BATCH_ROWS else BATCH_ROWS
    cdef uint32_t c
    cdef uint32_t i
    cdef uint64_t at
    cdef Vector* out
    if count == 0:
        return STEP_DONE
    for c in range(base.node.expr_count):
        out = &base.out.columns[c]
        if vector_alloc(base.batch_pool, out, base.node.out_types[c], type_phys(base.node.out_types[c]), count) < 0 \
                or vector_nulls(base.batch_pool, out, count) < 0:
            return no_memory(base.execution)
        for i in range(count):
            at = op.produced + i
            if at >= op.element_counts[c] or op.elements[c][at].is_null:
                out.nulls[i] = 1
            else:
                scalar_copy(out.phys, out.data, i, &op.elements[c][at].v, 0)
    base.out.row_count = count
    return STEP_ROWS


cdef int _python(SrfOp* op) noexcept nogil:
    cdef Op* base = &op.base
    cdef uint64_t left = op.rows.count - op.produced
    cdef uint32_t count = <uint32_t>left if left < BATCH_ROWS else BATCH_ROWS
    cdef Vector* columns = base.out.columns
    cdef uint32_t width = base.node.tuples.column_count
    cdef uint32_t c
    if count == 0:
        return STEP_DONE
    if tuple_batch_of(&base.node.tuples, base.batch_pool, op.rows.rows + op.produced, count, width, &base.out) < 0:
        return no_memory(base.execution)
    for c in range(width):
        columns[c] = base.out.columns[c]
    base.out.columns = columns
    return STEP_ROWS


cdef int _start(SrfOp* op) noexcept nogil:
    # Arguments. 0 ready, STEP_DONE (phase 2) = no rows, or yield / error.
    cdef Op* base = &op.base
    cdef const PlanNode* node = base.node
    cdef Execution* x = base.execution
    cdef Vector v
    cdef Vector array
    cdef uint32_t i
    cdef int r
    x.eval.pool = &base.run.pool
    op_name_batch(base)
    x.eval_id = base.eval_id
    x.no_yield += 1
    r = EVAL_OK
    for i in range(node.expr_count):
        r = eval_expr(x, node.exprs[i], one_row(), NULL, 1, &v)
        if r != EVAL_OK:
            break
        vector_value(&v, 0, &op.args[i])
    x.no_yield -= 1
    if r != EVAL_OK:
        return eval_step(r)
    op.phase = 1
    if node.srf == SRF_PYTHON:
        return 0 if srf_rows(x, node, op.args, &base.run.pool, &op.rows) == 0 else STEP_ERROR
    if node.srf == SRF_SERIES:
        for i in range(node.expr_count):
            if op.args[i].is_null:
                op.phase = 2
                return 0
        return _series_start(op)
    op.elements = <Value**>pool_alloc(&base.run.pool, (node.expr_count + 1) * sizeof(Value*))
    op.element_counts = <uint32_t*>pool_alloc(&base.run.pool, (node.expr_count + 1) * sizeof(uint32_t))
    if op.elements == NULL or op.element_counts == NULL:
        return no_memory(x)
    for i in range(node.expr_count):
        op.element_counts[i] = 0
        if op.args[i].is_null:
            continue
        vector_of_value(&op.args[i], &array)
        if array_values(&base.run.pool, node.out_types[i], &array, 0, &op.elements[i], &op.element_counts[i]) < 0:
            return no_memory(x)
        if op.element_counts[i] > op.total:
            op.total = op.element_counts[i]
    return 0


cdef int srf_next(Op* base) noexcept nogil:
    cdef SrfOp* op = <SrfOp*>base
    cdef const PlanNode* node = base.node
    cdef Vector* ordinality
    cdef uint32_t i
    cdef int r
    r = source_pause(base)
    if r != 0:
        return r
    if op.phase == 0:
        r = _start(op)
        if r != 0:
            return r
    if op.phase == 2:
        return STEP_DONE
    pool_reset(base.batch_pool)
    base.out.columns = <Vector*>pool_alloc(base.batch_pool, (node.column_count + 1) * sizeof(Vector))
    if base.out.columns == NULL:
        return no_memory(base.execution)
    if node.srf == SRF_SERIES:
        r = _series(op)
    elif node.srf == SRF_UNNEST:
        r = _unnest(op)
    else:
        r = _python(op)
    if r != STEP_ROWS:
        return r
    if node.flag:
        ordinality = &base.out.columns[node.column_count - 1]
        if vector_alloc(base.batch_pool, ordinality, OID_INT8, PHYS_I64, base.out.row_count) < 0:
            return no_memory(base.execution)
        for i in range(base.out.row_count):
            (<int64_t*>ordinality.data)[i] = <int64_t>(op.produced + i + 1)
    op.produced += base.out.row_count
    base.out.column_count = node.column_count
    base.out.sel_count = base.out.row_count
    base.out.sel = NULL
    return STEP_ROWS


cdef Op* srf_open(Run* run, const PlanNode* node) noexcept nogil:
    cdef Op* base = op_alloc(run, node, sizeof(SrfOp), srf_next)
    cdef SrfOp* op = <SrfOp*>base
    if base == NULL or op_own_pool(base) < 0:
        return NULL
    op.args = <Value*>pool_alloc(&run.pool, (node.expr_count + 3) * sizeof(Value))
    if op.args == NULL:
        no_memory(run.execution)
        return NULL
    return base


operator_register(P_SRF, srf_open)
