"""Operators in general: how they are opened and pulled, how memory of a run lives, when a step yields.

A plan runs as a tree of Op structs pulled from the root, one batch (up to 1,024 rows) at a time. Any pull may answer
STEP_YIELD: nothing is lost, the same call continues later.

Invariants
  O1  a batch an operator handed out is valid until that operator's next call; it may point into its child's batch,
      which the operator then does not pull before it is asked again.
  O2  run memory only grows while the run lives and is freed as a whole; batch pools are reset by their owner only.
  O3  a source produces at least once per step before it yields, so every step makes progress.

Owner of the memory: Run.pool (state), OwnedPool (batches).
"""

from libc.stdlib cimport free, malloc
from libc.string cimport memset

from dsql_core.base.error cimport dsql_error_set
from dsql_core.base.memory cimport pool_alloc, pool_free, pool_init_in, pool_reset
from dsql_core.base.types cimport int16_t, int32_t
from dsql_core.base.vector cimport PHYS_I16, PHYS_I32, PHYS_I64
from dsql_core.execute.expr cimport EVAL_OK, EVAL_YIELD, eval_expr, eval_no_memory
from dsql_core.execute.state cimport OwnedPool, SubRun
from dsql_core.execute.transaction cimport monotonic_ns
from dsql_core.execute.vectors cimport scalar_copy, vector_alloc, vector_nulls

cdef enum:
    OPS_MAX = 64
    KEEP_BYTES = 1 << 18           # a pool larger than this is given back between runs

cdef open_t _open[OPS_MAX]
memset(_open, 0, sizeof(_open))

cdef Batch _one_row
memset(&_one_row, 0, sizeof(Batch))
_one_row.row_count = 1
_one_row.sel_count = 1


cdef Batch* one_row() noexcept nogil:
    return &_one_row


cdef int operator_register(int plan_op, open_t open_function) except -1:
    if plan_op <= 0 or plan_op >= OPS_MAX or _open[plan_op] != NULL:
        raise ValueError(f"operator {plan_op} cannot be registered")
    _open[plan_op] = open_function
    return 0


cdef int no_memory(Execution* x) noexcept nogil:
    eval_no_memory(x)
    return STEP_ERROR


cdef int eval_step(int eval_result) noexcept nogil:
    return STEP_YIELD if eval_result == EVAL_YIELD else STEP_ERROR


cdef Op* op_open(Run* run, const PlanNode* node) noexcept nogil:
    if node.op >= OPS_MAX or _open[node.op] == NULL:
        dsql_error_set(run.execution.eval.error, "XX000", "plan operator %d is not built", <int>node.op)
        return NULL
    return _open[node.op](run, node)


cdef Op* op_alloc(Run* run, const PlanNode* node, size_t size, next_t next) noexcept nogil:
    cdef Op* op = <Op*>pool_alloc(&run.pool, size)
    if op == NULL:
        eval_no_memory(run.execution)
        return NULL
    memset(op, 0, size)
    op.node = node
    op.run = run
    op.execution = run.execution
    op.next = next
    if run.execution.stats != NULL:
        op.stats = &run.execution.stats[node.id]
        op.stats.loops += 1
    return op


cdef int op_own_pool(Op* op) noexcept nogil:
    cdef OwnedPool* owned = op.run.spare
    if owned != NULL:
        op.run.spare = owned.next
    else:
        owned = <OwnedPool*>malloc(sizeof(OwnedPool))
        if owned == NULL:
            return no_memory(op.execution)
        pool_init_in(&owned.pool, &op.execution.budget)
    owned.next = op.run.pools
    op.run.pools = owned
    op.batch_pool = &owned.pool
    return 0


cdef int op_next_counted(Op* op) noexcept nogil:
    cdef int64_t spent
    cdef int r
    if op.execution.timing:
        spent = -monotonic_ns()
        r = op.next(op)
        spent += monotonic_ns()
        op.stats.ns += <uint64_t>spent
        if op.first_ns >= 0:
            op.first_ns += spent
            if r != STEP_YIELD:
                op.stats.first_ns += <uint64_t>op.first_ns
                op.first_ns = -1
    else:
        r = op.next(op)
    if r == STEP_ROWS:
        op.stats.rows += op.out.sel_count
    return r


cdef void run_init(Run* run, Execution* x) noexcept nogil:
    memset(run, 0, sizeof(Run))
    run.execution = x
    pool_init_in(&run.pool, &x.budget)


cdef int run_start(Run* run, const PlanNode* plan) noexcept nogil:
    run_stop(run)
    run.root = op_open(run, plan)
    return 0 if run.root != NULL else -1


cdef void run_stop(Run* run) noexcept nogil:
    cdef OwnedPool* owned
    run.root = NULL
    if run.pool.bytes_total > KEEP_BYTES:
        pool_free(&run.pool)
    else:
        pool_reset(&run.pool)
    while run.pools != NULL:
        owned = run.pools
        run.pools = owned.next
        if owned.pool.bytes_total > KEEP_BYTES:
            pool_free(&owned.pool)
        else:
            pool_reset(&owned.pool)
        owned.next = run.spare
        run.spare = owned


cdef void run_free(Run* run) noexcept nogil:
    cdef OwnedPool* owned
    run_stop(run)
    pool_free(&run.pool)
    while run.spare != NULL:
        owned = run.spare
        run.spare = owned.next
        pool_free(&owned.pool)
        free(owned)


cdef Run* sub_run(Execution* x, const PlanNode* node) noexcept nogil:
    cdef SubRun* sub = x.sub_runs
    while sub != NULL:
        if sub.node == node:
            return &sub.run
        sub = sub.next
    sub = <SubRun*>malloc(sizeof(SubRun))
    if sub == NULL:
        eval_no_memory(x)
        return NULL
    run_init(&sub.run, x)
    sub.node = node
    sub.next = x.sub_runs
    x.sub_runs = sub
    return &sub.run


cdef void sub_runs_free(Execution* x) noexcept nogil:
    cdef SubRun* sub
    while x.sub_runs != NULL:
        sub = x.sub_runs
        x.sub_runs = sub.next
        run_free(&sub.run)
        free(sub)


cdef int machine_pause(Execution* x) noexcept nogil:
    if x.cancelled:
        dsql_error_set(x.eval.error, "57014", "canceling statement due to user request")
        return STEP_ERROR
    if x.deadline_ns == 0 or x.no_yield:
        return 0
    if monotonic_ns() < x.deadline_ns:
        return 0
    x.yield_count += 1
    return STEP_YIELD


cdef int source_pause(Op* op) noexcept nogil:
    if op.step == op.execution.step:
        return machine_pause(op.execution)
    op.step = op.execution.step
    return 0


cdef uint32_t* batch_selection(const Batch* batch, Pool* pool) noexcept nogil:
    cdef uint32_t* sel
    cdef uint32_t i
    if batch.sel != NULL:
        return batch.sel
    sel = <uint32_t*>pool_alloc(pool, (batch.row_count + 1) * sizeof(uint32_t))
    if sel != NULL:
        for i in range(batch.row_count):
            sel[i] = i
    return sel


cdef int vector_take(Pool* pool, const Vector* v, const uint32_t* idx, uint32_t count, Vector* out) noexcept nogil:
    cdef uint32_t i
    cdef long long* wide
    if v.stride == 0:
        out[0] = v[0]
        return 0
    if vector_alloc(pool, out, v.type_oid, v.phys, count) < 0:
        return -1
    if v.nulls != NULL:
        if vector_nulls(pool, out, count) < 0:
            return -1
        for i in range(count):
            out.nulls[i] = v.nulls[idx[i]]
    if v.phys == PHYS_I64:
        wide = <long long*>out.data
        for i in range(count):
            wide[i] = (<long long*>v.data)[idx[i]]
    else:
        for i in range(count):
            scalar_copy(v.phys, out.data, i, v.data, idx[i])
    return 0


cdef void vector_compact(Vector* v, const uint32_t* sel, uint32_t count) noexcept nogil:
    cdef uint32_t i
    if v.stride == 0:
        return
    for i in range(count):
        scalar_copy(v.phys, v.data, i, v.data, sel[i])
    if v.nulls != NULL:
        for i in range(count):
            v.nulls[i] = v.nulls[sel[i]]


cdef int eval_bigint(Op* op, const Expr* e, int64_t* out) noexcept nogil:
    cdef Vector v
    op.execution.eval.pool = op.batch_pool
    op.execution.no_yield += 1
    cdef int r = eval_expr(op.execution, e, &_one_row, NULL, 1, &v)
    op.execution.no_yield -= 1
    if r != EVAL_OK:
        return -1
    if v.nulls != NULL and v.nulls[0]:
        return 1
    if v.phys == PHYS_I64:
        out[0] = (<int64_t*>v.data)[0]
    elif v.phys == PHYS_I32:
        out[0] = (<int32_t*>v.data)[0]
    elif v.phys == PHYS_I16:
        out[0] = (<int16_t*>v.data)[0]
    else:
        dsql_error_set(op.execution.eval.error, "XX000", "row count of type %u", <unsigned>v.type_oid)
        return -1
    return 0
