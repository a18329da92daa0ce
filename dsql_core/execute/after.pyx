"""After plans: checks and follow-up writes of foreign keys, at the end of the statement that changed the rows.

Modifying nodes note each row they changed in a CTE without a plan. When the statement's own plan and its modifying CTEs
are done, rounds begin: a round is a window of newly noted rows per such CTE, and every after plan whose window is not
empty runs once over it. A follow-up write notes its rows too: they are the next round's windows. Rounds end when nothing
new was noted, so cascades of any depth and in circles come to an end with the rows they change.

Invariants
  A1  each after plan runs as a command of its own: it sees every write before it, its own not.
  A2  a noted row is seen exactly once by each after plan of its CTE, or kept as pending where the check is deferred.

Owner of the memory: CteState.pool (noted rows), Execution.after_run (the plan under way).
"""

from libc.string cimport strlen, memcpy

from dsql_core.base.memory cimport pool_alloc
from dsql_core.base.types cimport uint8_t, uint32_t
from dsql_core.base.vector cimport PHYS_VAR, OID_BYTEA, Vector
from dsql_core.execute.hashtable cimport rows_add
from dsql_core.execute.machine cimport no_memory, op_next, run_start, run_stop
from dsql_core.execute.pending cimport pending_add, pending_defers
from dsql_core.execute.state cimport (AfterInfo, CteInfo, CteState, Program, STEP_DONE, STEP_ERROR, STEP_ROWS, Session,
                                      TableInfo)
from dsql_core.execute.tuples cimport tuple_store
from dsql_core.execute.vectors cimport vector_of_value


cdef int after_note(Op* op, int32_t cte, const Value* old, const Value* row, Slice key) noexcept nogil:
    cdef Execution* x = op.execution
    cdef const CteInfo* info = &x.program.ctes[cte]
    cdef const TableInfo* table = op.node.table
    cdef CteState* state = &x.ctes[cte]
    cdef Vector* columns = <Vector*>pool_alloc(op.batch_pool, (info.tuples.column_count + 1) * sizeof(Vector))
    cdef Value key_value
    cdef uint8_t* tuple
    cdef uint32_t i
    cdef uint32_t column
    if columns == NULL:
        return no_memory(x)
    for i in range(info.tuples.column_count):
        if info.events[i] < 0:
            key_value.is_null = 0
            key_value.type_oid = OID_BYTEA
            key_value.phys = PHYS_VAR
            key_value.v.var.data = key.data
            key_value.v.var.size = <uint32_t>key.size
            key_value.v.var.reserved = 0
            vector_of_value(&key_value, &columns[i])
            continue
        column = <uint32_t>info.events[i] >> 1
        vector_of_value(&row[column] if info.events[i] & 1 else &old[column], &columns[i])
        columns[i].type_oid = table.layout.type_oids[column]
        columns[i].phys = table.layout.phys[column]
    tuple = tuple_store(&info.tuples, &state.pool, columns, 0)
    if tuple == NULL or rows_add(&state.rows, &state.pool, tuple) < 0:
        return no_memory(x)
    return 0


cdef void _tell_context(Execution* x, const char* text) noexcept nogil:
    cdef size_t size = strlen(text)
    if size >= sizeof(x.session.error.context):
        size = sizeof(x.session.error.context) - 1
    memcpy(x.session.error.context, text, size)
    x.session.error.context[size] = 0


cdef int _next_round(Execution* x) noexcept nogil:
    # Windows move on to what was noted since. Whether there is anything.
    cdef CteState* state
    cdef uint32_t i
    cdef int found = 0
    for i in range(x.program.cte_count):
        if x.program.ctes[i].plan != NULL:
            continue
        state = &x.ctes[i]
        state.window_start = state.window_end
        state.window_end = state.rows.count
        if state.window_end > state.window_start:
            found = 1
    x.after_at = 0
    return found


cdef int _put_off(Execution* x, const AfterInfo* after) noexcept nogil:
    # The window goes to the pending checks if the check is not to be made now. 1, 0, -1.
    cdef Session* session = x.session
    cdef CteState* state = &x.ctes[after.cte]
    cdef int until_copy = 0
    if not after.is_deferrable or not pending_defers(session, after.constraint, after.is_deferred):
        if not session.holds_checks or not after.waits_for_copy:
            return 0
        until_copy = 1
    if pending_add(session, x.program, x.after_at, &x.program.ctes[after.cte].tuples,
                   state.rows.rows + state.window_start, state.window_end - state.window_start, until_copy) < 0:
        return -1
    return 1


cdef int afters_run(Execution* x) noexcept nogil:
    cdef Program* program = x.program
    cdef const AfterInfo* after
    cdef int r
    if x.after_state == 0:
        x.after_state = 1
        x.after_at = program.after_count
    while True:
        if x.after_run.root != NULL:
            r = op_next(x.after_run.root)
            if r == STEP_ROWS:
                continue
            if r != STEP_DONE:
                if r == STEP_ERROR and program.afters[x.after_at].context != NULL and x.session.error.is_set:
                    _tell_context(x, program.afters[x.after_at].context)
                return r
            run_stop(&x.after_run)
            x.after_at += 1
        if x.after_at >= program.after_count:
            if not _next_round(x):
                return STEP_DONE
            continue
        after = &program.afters[x.after_at]
        if x.ctes[after.cte].window_end == x.ctes[after.cte].window_start:
            x.after_at += 1
            continue
        r = _put_off(x, after)
        if r < 0:
            return STEP_ERROR
        if r == 1:
            x.after_at += 1
            continue
        x.session.command += 1
        x.command = x.session.command
        if run_start(&x.after_run, after.plan) < 0:
            return STEP_ERROR


cdef int after_check(Execution* x) noexcept nogil:
    cdef int r
    if x.after_run.root == NULL and run_start(&x.after_run, x.program.afters[x.after_at].plan) < 0:
        return STEP_ERROR
    while True:
        r = op_next(x.after_run.root)
        if r != STEP_ROWS:
            return r
