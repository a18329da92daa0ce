"""Executions: opening, stepping and closing one run of a program.

An execution and its pools are kept by the session when closed and reused by the next, so a point query allocates
nothing from the system.

Invariants
  X1  an execution belongs to one session and holds one reference of its program from open to close.
  X2  after STEP_ERROR the transaction has been failed or rolled back; the execution may only be closed.
  X3  modifying CTEs are run to their end even if nobody read them, after the main plan, as PostgreSQL does.
  X4  a statement that has after plans hands out no row before they have all been run.
  X5  what all pools of an execution hold counts against one budget (Limits.query_memory_max).

Owner of the memory: Execution (malloc) with its runs; Session.free_executions keeps a few for reuse.
"""

from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset, strcmp

from dsql_core.base.error cimport dsql_error_set
from dsql_core.base.memory cimport Pool, buffer_free, buffer_init, pool_alloc, pool_free, pool_init_in, pool_reset
from dsql_core.execute.known cimport known_use
from dsql_core.execute.after cimport after_check, afters_run
from dsql_core.execute.machine cimport no_memory, op_next, run_free, run_init, run_start, run_stop, sub_runs_free
from dsql_core.execute.op_sub cimport cte_fill, subplan_run
from dsql_core.execute.program cimport program_release, program_retain
from dsql_core.execute.state cimport (CteState, NodeStats, PROGRAM_QUERY, STEP_DONE, STEP_ERROR, STEP_ROWS,
                                      SubplanState, TXN_IDLE)
from dsql_core.execute.transaction cimport (engine_now_us, monotonic_ns, out_of_memory, transaction_check,
                                            transaction_fail, transaction_pin, transaction_use_table)
from dsql_core.execute.vectors cimport value_keep

cdef enum:
    SPARES_MAX = 8
    KEEP_BYTES = 1 << 18


cdef Execution* _take(Session* session) noexcept nogil:
    cdef Execution* x = session.free_executions
    if x != NULL:
        session.free_executions = x.next_free
        session.free_count -= 1
        x.next_free = NULL
        return x
    x = <Execution*>malloc(sizeof(Execution))
    if x == NULL:
        return NULL
    memset(x, 0, sizeof(Execution))
    x.session = session
    run_init(&x.run, x)
    run_init(&x.after_run, x)
    pool_init_in(&x.shared_pool, &x.budget)
    buffer_init(&x.scratch)
    x.run_subplan = subplan_run
    return x


cdef void _destroy(Execution* x) noexcept nogil:
    run_free(&x.run)
    run_free(&x.after_run)
    pool_free(&x.shared_pool)
    buffer_free(&x.scratch)
    free(x)


cdef void execution_free_spares(Session* session) noexcept nogil:
    cdef Execution* x
    while session.free_executions != NULL:
        x = session.free_executions
        session.free_executions = x.next_free
        _destroy(x)
    session.free_count = 0


cdef int _copy_params(Execution* x, const Value* params, uint32_t count) noexcept nogil:
    cdef uint32_t slots = x.program.param_slots
    cdef uint32_t i
    x.params = NULL
    if slots == 0:
        return 0
    if count < x.program.param_count and not x.is_check:
        dsql_error_set(&x.session.error, "08P01", "bind message supplies %u parameters, but the statement requires %u",
                       <unsigned>count, <unsigned>x.program.param_count)
        return -1
    x.params = <Value*>pool_alloc(&x.shared_pool, slots * sizeof(Value))
    if x.params == NULL:
        return no_memory(x)
    if count > slots:
        count = slots
    if count:
        memcpy(x.params, params, count * sizeof(Value))
    for i in range(count):
        if value_keep(&x.shared_pool, &x.params[i]) < 0:
            return no_memory(x)
    for i in range(count, slots):
        memset(&x.params[i], 0, sizeof(Value))
        x.params[i].is_null = 1
    return 0


cdef int _prepare(Execution* x) noexcept nogil:
    # States of CTEs and subplans.
    cdef Program* program = x.program
    cdef uint32_t i
    x.ctes = NULL
    x.subplans = NULL
    if program.cte_count:
        x.ctes = <CteState*>pool_alloc(&x.shared_pool, program.cte_count * sizeof(CteState))
        if x.ctes == NULL:
            return no_memory(x)
        memset(x.ctes, 0, program.cte_count * sizeof(CteState))
        for i in range(program.cte_count):
            run_init(&x.ctes[i].run, x)
            pool_init_in(&x.ctes[i].pool, &x.budget)
    if program.subplan_count:
        x.subplans = <SubplanState*>pool_alloc(&x.shared_pool, program.subplan_count * sizeof(SubplanState))
        if x.subplans == NULL:
            return no_memory(x)
        memset(x.subplans, 0, program.subplan_count * sizeof(SubplanState))
        for i in range(program.subplan_count):
            run_init(&x.subplans[i].run, x)
            pool_init_in(&x.subplans[i].pool, &x.budget)
            pool_init_in(&x.subplans[i].memo_pool, &x.budget)
    return 0


cdef Execution* execution_begin(Session* session, Program* program, const Value* params, uint32_t count) noexcept nogil:
    return _begin(session, program, params, count, 0)


cdef Execution* execution_begin_check(Session* session, const Pending* group) noexcept nogil:
    cdef Execution* x = _begin(session, group.program, NULL, 0, 1)
    cdef CteState* state
    if x == NULL:
        return NULL
    state = &x.ctes[group.program.afters[group.after].cte]
    x.after_at = group.after
    state.rows = group.rows
    state.window_end = group.rows.count
    return x


cdef Execution* _begin(Session* session, Program* program, const Value* params, uint32_t count, int is_check) noexcept nogil:
    cdef Execution* x
    cdef uint32_t i
    if session.txn_state != TXN_IDLE:
        if transaction_check(session) < 0:
            return NULL
        session.statement_us = engine_now_us(session.engine)
    if transaction_pin(session) < 0:
        return NULL
    if program.writes and session.is_read_only and strcmp(program.tag, "SELECT") != 0:
        dsql_error_set(&session.error, "25006", "cannot execute %s in a read-only transaction", program.tag)
        transaction_fail(session)
        return NULL
    if program.name_count and known_use(session, program.names, program.name_count) < 0:
        transaction_fail(session)
        return NULL
    for i in range(program.table_count):
        if transaction_use_table(session, program.tables[i]) < 0:
            transaction_fail(session)
            return NULL
    x = _take(session)
    if x == NULL:
        out_of_memory(session)
        transaction_fail(session)
        return NULL
    session.command += 1
    session.open_count += 1
    program_retain(program)
    x.program = program
    x.budget.limit = session.engine.limits.query_memory_max
    x.eval.error = &session.error
    x.eval.format = &session.format
    x.eval.statement_us = session.statement_us
    x.eval.transaction_us = session.txn_start_us
    x.eval.random_state = &session.random_state
    x.eval.session = session
    x.row_count = 0
    x.no_yield = 0
    x.cancelled = 0
    x.is_done = 0
    x.timing = 0
    x.counts_changes = 0
    x.after_state = 0
    x.after_at = 0
    x.is_held = 0
    x.is_check = is_check
    x.command = session.command
    x.yield_count = 0
    x.stats = NULL
    x.step = 0
    x.param_epoch = 0
    x.eval_counter = 0
    x.eval_id = 0
    if _copy_params(x, params, count) < 0 or _prepare(x) < 0:
        execution_end(x)
        transaction_fail(session)
        return NULL
    x.eval.params = x.params
    x.eval.param_count = program.param_slots
    return x


cdef void execution_count(Execution* x, int timing) noexcept nogil:
    cdef size_t size = x.program.node_count * sizeof(NodeStats)
    x.timing = timing
    x.stats = <NodeStats*>pool_alloc(&x.shared_pool, size if size else 1)
    if x.stats != NULL:
        memset(x.stats, 0, size)


cdef int _fill_ctes(Execution* x) noexcept nogil:
    # Modifying CTEs that nobody has read. STEP_DONE when all are filled.
    cdef uint32_t i
    cdef int r
    for i in range(x.program.cte_count):
        if x.program.ctes[i].is_modify and x.ctes[i].state != 2:
            r = cte_fill(x, i)
            if r != STEP_DONE:
                return r
    return STEP_DONE


cdef int _finish(Execution* x) noexcept nogil:
    # The main plan is done: modifying CTEs must be, too.
    cdef int r = _fill_ctes(x)
    if r == STEP_DONE:
        x.is_done = 1
    return r


cdef int _step_with_afters(Execution* x, Batch** out) noexcept nogil:
    # X4: the main plan up to its first batch (its writes are all done then), the modifying CTEs, the after plans.
    cdef uint32_t command = x.command
    cdef int r
    if not x.is_held and x.is_done != 2:
        r = op_next(x.run.root)
        if r == STEP_ROWS:
            x.is_held = 1
        elif r == STEP_DONE:
            x.is_done = 2
        else:
            return r
    if x.after_state == 0:
        r = _fill_ctes(x)
        if r != STEP_DONE:
            return r
        x.main_command = command
    r = afters_run(x)
    if r != STEP_DONE:
        return r
    x.command = x.main_command        # what is still to be read of the main plan belongs to its own command
    x.after_state = 2
    if not x.is_held:
        x.is_done = 1
        return STEP_DONE
    return _hand_out(x, out)


cdef int _hand_out(Execution* x, Batch** out) noexcept nogil:
    out[0] = &x.run.root.out
    if not x.counts_changes:
        x.row_count += x.run.root.out.sel_count
    return STEP_ROWS


cdef int _step(Execution* x, Batch** out) noexcept nogil:
    cdef int r
    if x.is_check:
        return after_check(x)
    if x.run.root == NULL and run_start(&x.run, x.program.plan) < 0:
        return STEP_ERROR
    if x.program.after_count and x.after_state != 2:
        return _step_with_afters(x, out)
    if x.is_done == 2:
        return _finish(x)
    r = op_next(x.run.root)
    if r == STEP_ROWS:
        return _hand_out(x, out)
    if r == STEP_DONE:
        x.is_done = 2
        return _finish(x)
    return r


cdef int execution_run(Execution* x, int64_t budget_ns, Batch** out) noexcept nogil:
    cdef int r
    out[0] = NULL
    if x.is_done == 1:
        return STEP_DONE
    if x.program.kind != PROGRAM_QUERY or x.program.plan == NULL:
        x.is_done = 1
        return STEP_DONE
    x.step += 1
    if x.cancelled:
        dsql_error_set(&x.session.error, "57014", "canceling statement due to user request")
        r = STEP_ERROR
    else:
        x.deadline_ns = monotonic_ns() + budget_ns if budget_ns else 0
        r = _step(x, out)
    if r == STEP_ERROR:
        if not x.session.error.is_set:
            dsql_error_set(&x.session.error, "XX000", "the statement failed without a reason")
        x.is_done = 1
        transaction_fail(x.session)
    return r


cdef inline void _empty_pool(Pool* pool) noexcept nogil:
    if pool.bytes_total > KEEP_BYTES:
        pool_free(pool)
    else:
        pool_reset(pool)


cdef void execution_end(Execution* x) noexcept nogil:
    cdef Session* session = x.session
    cdef Program* program = x.program
    cdef uint32_t i
    if x.ctes != NULL:
        for i in range(program.cte_count):
            run_free(&x.ctes[i].run)
            run_free(&x.ctes[i].step_run)
            pool_free(&x.ctes[i].work_pools[0])
            pool_free(&x.ctes[i].work_pools[1])
            pool_free(&x.ctes[i].pool)
    if x.subplans != NULL:
        for i in range(program.subplan_count):
            run_free(&x.subplans[i].run)
            pool_free(&x.subplans[i].pool)
            pool_free(&x.subplans[i].memo_pool)
    x.ctes = NULL
    x.subplans = NULL
    x.program = NULL
    sub_runs_free(x)
    run_stop(&x.run)
    run_stop(&x.after_run)
    _empty_pool(&x.shared_pool)
    if x.scratch.capacity > KEEP_BYTES:
        buffer_free(&x.scratch)
    program_release(program)
    session.open_count -= 1
    if session.free_count >= SPARES_MAX:
        _destroy(x)
        return
    x.next_free = session.free_executions
    session.free_executions = x
    session.free_count += 1
