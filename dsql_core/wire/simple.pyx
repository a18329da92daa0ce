"""The simple protocol: one Query message, any number of statements, one implicit transaction around them.

A Query stays at the front of the input until its last statement has begun; conn.query_at says how far it has come, so
whatever parks the connection (a plan, a Python statement, a commit, the loop's slice) goes on by handling it again.

Grammar comes before execution, for the whole text: a syntax error in the third of three statements means that none has
run. A cached shape was parsed once, so it is right; unless every statement of a Query has one, the Python thread parses
the text before the first begins. One statement alone needs none of this: its plan is its check (but in an aborted
transaction, where nothing is planned).

COPY FROM STDIN: each row is a run of the plan's one-row INSERT with the fields as parameters; limits, checks and errors
are those of INSERT. After an error the rest of the data is swallowed, as PostgreSQL does.
"""
from libc.stdint cimport UINT64_MAX, uint8_t, uint32_t
from libc.string cimport memchr, memmove

from dsql_core.base.error cimport dsql_error_set
from dsql_core.base.memory cimport buffer_append, buffer_free, pool_alloc, pool_reset
from dsql_core.base.vector cimport Batch, Value, type_phys
from dsql_core.execute.session cimport (
    CHECKS_COPY, execution_close, execution_open, execution_step, txn_check_step, txn_fail,
)
from dsql_core.execute.state cimport Execution, STEP_DONE, STEP_ERROR
from dsql_core.wire.connection cimport (
    Conn, CopyState, Loop, PHASE_COPY_IN, PHASE_READY, memory_lend, portal_remove, prepared_remove,
)
from dsql_core.wire.copy_format cimport COPY_BAD, COPY_END, COPY_MORE, COPY_NULL, copy_next_row
from dsql_core.wire.normalise cimport STATEMENT_EMPTY, normalise
from dsql_core.wire.plan_cache cimport COPY_BINARY, PLAN_COPY_IN
from dsql_core.wire.protocol cimport put_simple, utf8_check
from dsql_core.wire.statement cimport (
    PARKED, PLANNED, REFUSED, literals_bind, query_end, statement_done, statement_error, statement_grammar,
    statement_plan, statement_start, tag_set, value_read,
)


cdef int query_message(Conn* conn, const uint8_t* body, size_t size) noexcept nogil:
    cdef Loop* loop = conn.loop
    cdef const uint8_t* zero
    cdef Value* params
    cdef uint32_t count
    cdef int planned
    zero = <const uint8_t*>memchr(body, 0, size) if size else NULL
    conn.simple = 1
    if zero == NULL:
        dsql_error_set(&conn.session.error, "08P01", "invalid message format")
        txn_fail(conn.session)
        statement_error(conn)
        return 1
    size = zero - body
    if conn.query_count == 0:
        prepared_remove(conn, "")
        portal_remove(conn, "")
        if utf8_check(body, size, &conn.session.error) < 0:
            txn_fail(conn.session)
            statement_error(conn)
            return 1
    while True:
        if normalise(body, size, conn.query_at, 1, &loop.shape) < 0:
            dsql_error_set(&conn.session.error, "53200", "out of memory")
            txn_fail(conn.session)
            statement_error(conn)
            return 1
        if loop.shape.kind == STATEMENT_EMPTY:
            if conn.query_count == 0:
                put_simple(&loop.out, c'I')
            query_end(conn)
            return 1
        if loop.shape.next < size and conn.query_count == 0 and not conn.checked:
            planned = statement_grammar(conn, body, size)
            if planned == PLANNED:
                conn.checked = 1
                continue
        else:
            planned = statement_plan(conn, body, size, NULL, 0)
        if planned == PARKED:
            return 0
        if planned == REFUSED:
            txn_fail(conn.session)
            statement_error(conn)
            return 1
        count = conn.plan.param_count if conn.plan.kind != PLAN_COPY_IN else 0
        if count != conn.plan.lifted_count:
            dsql_error_set(&conn.session.error, "42P02", "there is no parameter $%u", 1)
            txn_fail(conn.session)
            statement_error(conn)
            return 1
        pool_reset(&loop.bind_pool)
        params = <Value*>pool_alloc(&loop.bind_pool, (count + 1) * sizeof(Value))
        if params == NULL:
            dsql_error_set(&conn.session.error, "53200", "out of memory")
        if params == NULL or literals_bind(conn, conn.plan, loop.shape.literals, body, &loop.bind_pool, params) < 0:
            txn_fail(conn.session)
            statement_error(conn)
            return 1
        conn.query_at = loop.shape.next
        conn.query_count += 1
        conn.is_last = loop.shape.next >= size
        conn.rows_left = UINT64_MAX
        statement_start(conn, params, count)
        if conn.phase == PHASE_COPY_IN and not conn.is_last and body != conn.saved.data:
            # The data to come would queue up behind this message: keep the rest of the Query elsewhere.
            buffer_append(&conn.saved, body, size + 1)
            return 1
        if conn.phase != PHASE_READY:
            # The last statement no longer needs its text.
            return 1 if conn.is_last else 0
        if conn.query_count == 0:
            return 1


# -- COPY IN ----------------------------------------------------------------------------------------------------------

cdef void _copy_failed(Conn* conn) noexcept nogil:
    # session.error is set. What the client still sends is ignored in the ready phase.
    txn_fail(conn.session)
    statement_error(conn)


cdef int _insert_row(Conn* conn) noexcept nogil:
    cdef Loop* loop = conn.loop
    cdef CopyState* state = conn.copy
    cdef Value* params
    cdef Execution* execution
    cdef Batch* batch
    cdef uint32_t i
    cdef int step
    cdef int binary = state.plan.copy.format == COPY_BINARY
    pool_reset(&loop.bind_pool)
    params = <Value*>pool_alloc(&loop.bind_pool, (state.field_count + 1) * sizeof(Value))
    if params == NULL or state.fields.failed:
        dsql_error_set(&conn.session.error, "53200", "out of memory")
        return -1
    for i in range(state.field_count):
        if state.offsets[i] == COPY_NULL:
            params[i].type_oid = state.plan.param_oids[i]
            params[i].phys = type_phys(params[i].type_oid)
            params[i].is_null = 1
        elif value_read(conn, state.plan.param_oids[i], binary, state.fields.data + state.offsets[i], state.sizes[i],
                        &loop.bind_pool, &params[i]) < 0:
            return -1
    memory_lend(conn, 1)
    conn.session.holds_checks = 1
    execution = execution_open(conn.session, state.plan.program, params, state.field_count)
    if execution == NULL:
        conn.session.holds_checks = 0
        return -1
    while True:
        step = execution_step(execution, 0, &batch)
        if step == STEP_DONE or step == STEP_ERROR:
            break
    execution_close(execution)
    conn.session.holds_checks = 0
    state.rows += 1
    return 0 if step == STEP_DONE else -1


cdef int _copy_parse(Conn* conn, int final) noexcept nogil:
    # Inserts every whole row that has arrived. 0, -1 error set.
    cdef CopyState* state = conn.copy
    cdef size_t at = 0
    cdef int found
    if state.pending.failed:
        dsql_error_set(&conn.session.error, "53200", "out of memory")
        return -1
    while not state.done:
        found = copy_next_row(state, &at, final, &conn.session.error)
        if found == COPY_BAD:
            return -1
        if found == COPY_MORE:
            break
        if found == COPY_END:
            state.done = 1
            break
        if _insert_row(conn) < 0:
            return -1
    if state.done:
        at = state.pending.size
    if at != 0:
        memmove(state.pending.data, state.pending.data + at, state.pending.size - at)
        state.pending.size -= at
        if state.pending.size == 0:
            buffer_free(&state.pending)
    return 0


cdef void copy_message(Conn* conn, uint8_t kind, const uint8_t* body, size_t size) noexcept nogil:
    cdef CopyState* state = conn.copy
    if kind == c'd':
        if conn.cancelled:
            dsql_error_set(&conn.session.error, "57014", "canceling statement due to user request")
            _copy_failed(conn)
            return
        if state.done or size == 0:
            return
        buffer_append(&state.pending, body, size)
        if _copy_parse(conn, 0) < 0:
            _copy_failed(conn)
    elif kind == c'c':
        if _copy_parse(conn, 1) < 0 or txn_check_step(conn.session, CHECKS_COPY, 0) == STEP_ERROR:
            _copy_failed(conn)
            return
        tag_set(conn, "COPY", state.rows, 1)
        conn.phase = PHASE_READY
        statement_done(conn)
    elif kind == c'f':
        dsql_error_set(&conn.session.error, "57014", "COPY from stdin failed: %.900s",
                       <const char*>body if size and memchr(body, 0, size) != NULL else <const char*>b"")
        _copy_failed(conn)
    elif kind == c'H' or kind == c'S':
        pass
    else:
        dsql_error_set(&conn.session.error, "08P01", "unexpected message type 0x%02X during COPY from stdin", <int>kind)
        _copy_failed(conn)
