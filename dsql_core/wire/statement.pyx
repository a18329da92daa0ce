"""A statement's life on the loop thread: plan -> parameters -> execution -> rows -> tag -> commit -> reply.

    statement_plan    cache hit: at once; miss: parks the connection with the Python thread, the message is retried
    statement_start   opens the execution, does transaction control, hands Python statements over, opens COPY
    statement_run     steps the execution within the loop's slice; rows go from vectors to the socket
    statement_done    the tag; a Query's last statement commits an implicit transaction before its tag is sent
    statement_error   the error; what follows in the Query is dropped, what follows up to Sync is ignored

Every function leaves the connection in a phase the loop knows how to go on from; nothing here calls the loop.

Invariants
  S1  CommandComplete of an explicit COMMIT, and of the last statement of an implicitly committed Query, is sent after
      the commit's reply and never if it was refused.
  S2  conn.plan, conn.execution and conn.portal belong to the statement under way; statement_clear ends all three.
  S3  An error leaves no implicit transaction open: execute ends it itself, other failures call txn_fail.
"""
from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport malloc
from libc.string cimport memcmp, memcpy, strcmp, strlen

from dsql_core.base.error cimport dsql_error_clear, dsql_error_set
from dsql_core.base.memory cimport Buffer, Pool, buffer_append, pool_copy, pool_reset
from dsql_core.base.vector cimport (
    Batch, OID_BPCHAR, OID_INT4, OID_INT8, OID_JSON, OID_NAME, OID_TEXT, OID_UNKNOWN, OID_VARCHAR, PHYS_I32,
    PHYS_I64, PHYS_VAR, Value,
)
from dsql_core.codec.message cimport REPLY_READ_ONLY
from dsql_core.execute.session cimport (
    CHECKS_ALL, execution_cancel, execution_close, execution_open, execution_row_count, execution_step,
    session_catalog_version, session_check, session_pin, txn_begin, txn_check_step, txn_commit_request, txn_fail,
    txn_finish, txn_has_checks, txn_rollback,
)
from dsql_core.execute.state cimport (
    PROGRAM_BEGIN, PROGRAM_EMPTY, PROGRAM_QUERY, PROGRAM_ROLLBACK, STEP_DONE, STEP_ERROR, STEP_ROWS, STEP_YIELD,
    TXN_FAILED, TXN_IDLE, TXN_IMPLICIT, TXN_OPEN,
)
from dsql_core.shared.channel cimport channel_send
from dsql_core.types.io cimport type_input, type_output, type_receive, type_send
from dsql_core.wire.connection cimport (
    AFTER_LAST, AFTER_NOTHING, AFTER_RETRY, AFTER_RUN, AFTER_STATEMENT, AFTER_STEP, AFTER_SYNC, COUNT_COMMITS,
    COUNT_CONFLICTS, COUNT_ERRORS, COUNT_PLANS, COUNT_ROWS, COUNT_STATEMENTS, Conn, Loop, OUT_BLOCK, OUT_FLUSH,
    PHASE_BLOCKED, PHASE_CLOSING, PHASE_COMMIT, PHASE_COPY_IN, PHASE_READY, PHASE_RUN, Portal, REQUEST_CHECK,
    REQUEST_PLAN, REQUEST_RUN, REQUEST_STEP, Request, conn_enqueue, conn_send, conn_status, conn_unsent, count_up, memory_lend,
    portals_clear, prepared_clear, request_free, request_new, request_submit, statement_clear,
)
from dsql_core.wire.copy_format cimport copy_begin_in, copy_begin_out, copy_end_out, copy_put_rows
from dsql_core.wire.normalise cimport (
    LITERAL_I4, LITERAL_I8, Literal, STATEMENT_BEGIN, STATEMENT_COMMIT, STATEMENT_EMPTY, STATEMENT_ROLLBACK, Shape,
    character_count, literal_text, normalise, shape_lifted_text,
)
from dsql_core.wire.plan_cache cimport (
    PLAN_BY_TEXT, PLAN_COPY_IN, PLAN_COPY_OUT, PLAN_PYTHON, Plan, plan_cache_find, plan_cache_kind, plan_cache_put,
    plan_new, plan_release, plan_retain,
)
from dsql_core.wire.posix cimport monotonic_ns
from dsql_core.wire.protocol cimport (
    put_counted_tag, put_error, put_ready, put_row_description, put_rows, put_simple, put_tag, put_u16, put_u32,
    message_begin, message_end, put_warning, read_u32, store_u32, utf8_check,
)


# -- plans ------------------------------------------------------------------------------------------------------------

cdef int _ask(Conn* conn, const uint8_t* text, size_t size, const uint32_t* declared, uint32_t count) noexcept nogil:
    # Parks the connection with the Python thread; the message that needs the plan is handled again afterwards.
    cdef Loop* loop = conn.loop
    cdef Shape* shape = &loop.shape
    cdef Request* request = request_new(conn, REQUEST_PLAN)
    cdef size_t literals = shape.literal_count * sizeof(Literal)
    cdef uint32_t i
    if request == NULL:
        dsql_error_set(&conn.session.error, "53200", "out of memory")
        return REFUSED
    buffer_append(&request.text, text + shape.start, shape.end - shape.start)
    shape_lifted_text(shape, text, &request.lifted)
    request.param_max = shape.param_max
    if shape.start != 0 or shape.next < size:
        request.multi = 1
        buffer_append(&request.query, text, size)
    request.query_at = shape.start
    if shape.literal_count != 0:
        request.literals = <Literal*>_copy(shape.literals, literals)
        if request.literals != NULL:
            request.literal_count = shape.literal_count
            for i in range(request.literal_count):
                request.literals[i].at -= shape.start
    if count != 0:
        request.declared = <uint32_t*>_copy(declared, count * sizeof(uint32_t))
        if request.declared != NULL:
            request.declared_count = count
    if request.text.failed or request.lifted.failed or request.query.failed or (
            shape.literal_count != request.literal_count) or count != request.declared_count:
        request_free(loop, request)
        dsql_error_set(&conn.session.error, "53200", "out of memory")
        txn_fail(conn.session)
        return REFUSED
    count_up(loop, COUNT_PLANS, 1)
    request_submit(request, AFTER_RETRY)
    return PARKED


cdef void* _copy(const void* data, size_t size) noexcept nogil:
    cdef void* copy = malloc(size)
    if copy != NULL:
        memcpy(copy, data, size)
    return copy


cdef void _remember(Conn* conn, const uint8_t* text, size_t size, const uint32_t* declared,
                    uint32_t count) noexcept nogil:
    # The plan just made goes into the cache; one that needs the literals goes under the text as written.
    cdef Loop* loop = conn.loop
    cdef Plan* plan = conn.planned
    cdef Plan* marker
    cdef uint32_t start
    if not plan.cacheable or plan.in_cache or loop.shape.key.size > 1048576:
        return
    if plan.by_text and loop.shape.literal_count != 0:
        marker = plan_new()
        if marker == NULL:
            return
        marker.kind = PLAN_BY_TEXT
        marker.catalog_version = plan.catalog_version
        plan_cache_put(&loop.cache, marker, &loop.shape, conn.settings_id, declared, count)
        plan_release(&loop.cache, marker)
        start = loop.shape.start
        if normalise(text, size, start, 0, &loop.shape) < 0:
            return
    plan_cache_put(&loop.cache, plan, &loop.shape, conn.settings_id, declared, count)


cdef int statement_grammar(Conn* conn, const uint8_t* body, size_t size) noexcept nogil:
    cdef Loop* loop = conn.loop
    cdef Shape* shape = &loop.shape
    cdef Request* request
    cdef size_t at = 0
    cdef uint8_t kind
    while at < size:
        if normalise(body, size, at, 1, shape) < 0:
            dsql_error_set(&conn.session.error, "53200", "out of memory")
            return REFUSED
        if shape.kind == STATEMENT_EMPTY:
            break
        at = shape.next
        kind = plan_cache_kind(&loop.cache, shape, conn.settings_id)
        if kind == PLAN_BY_TEXT:
            # Its literals were part of what was parsed.
            if normalise(body, size, shape.start, 0, shape) < 0:
                dsql_error_set(&conn.session.error, "53200", "out of memory")
                return REFUSED
            kind = plan_cache_kind(&loop.cache, shape, conn.settings_id)
        if kind == 0:
            request = request_new(conn, REQUEST_CHECK)
            if request != NULL:
                buffer_append(&request.text, body, size)
                if not request.text.failed:
                    request_submit(request, AFTER_RETRY)
                    return PARKED
                request_free(loop, request)
            dsql_error_set(&conn.session.error, "53200", "out of memory")
            return REFUSED
    return PLANNED


cdef int statement_plan(Conn* conn, const uint8_t* text, size_t size, const uint32_t* declared,
                        uint32_t count) noexcept nogil:
    cdef Loop* loop = conn.loop
    cdef Shape* shape = &loop.shape
    cdef Plan* plan
    cdef uint64_t version = 0
    cdef uint8_t kind = shape.kind
    cdef uint32_t start
    cdef int grammar
    cdef bint control = kind == STATEMENT_BEGIN or kind == STATEMENT_COMMIT or kind == STATEMENT_ROLLBACK
    if conn.session.txn_state == TXN_FAILED and kind != STATEMENT_COMMIT and kind != STATEMENT_ROLLBACK:
        if not conn.checked:                              # 42601 comes before 25P02
            grammar = statement_grammar(conn, text, size)
            if grammar != PLANNED:
                return grammar
        conn.checked = 0
        session_check(conn.session)
        return REFUSED
    if not control:
        if session_pin(conn.session) < 0:
            return REFUSED
        version = session_catalog_version(conn.session)
    if conn.planned != NULL:
        _remember(conn, text, size, declared, count)
        conn.planned.settings_id = conn.settings_id
        conn.plan = conn.planned
        conn.planned = NULL
        return PLANNED
    if not conn.session.did_ddl or control:
        plan = plan_cache_find(&loop.cache, shape, conn.settings_id, declared, count, version)
        if plan != NULL and plan.kind == PLAN_BY_TEXT:
            start = shape.start
            if normalise(text, size, start, 0, shape) < 0:
                dsql_error_set(&conn.session.error, "53200", "out of memory")
                return REFUSED
            plan = plan_cache_find(&loop.cache, shape, conn.settings_id, declared, count, version)
            if plan == NULL and normalise(text, size, start, 1, shape) < 0:
                dsql_error_set(&conn.session.error, "53200", "out of memory")
                return REFUSED
        if plan != NULL:
            plan_retain(plan)
            conn.plan = plan
            return PLANNED
    return _ask(conn, text, size, declared, count)


# -- parameters -------------------------------------------------------------------------------------------------------

cdef int value_read(Conn* conn, uint32_t oid, int is_binary, const uint8_t* data, size_t size, Pool* pool,
                    Value* out) noexcept nogil:
    # One parameter as the client sent it. Text is checked here, so kernels may trust it.
    cdef bint is_text = (oid == OID_TEXT or oid == OID_VARCHAR or oid == OID_UNKNOWN or oid == 0
                         or oid == OID_BPCHAR or oid == OID_JSON or oid == OID_NAME)
    if not is_binary or is_text:
        if utf8_check(data, size, &conn.session.error) < 0:
            return -1
    if is_binary:
        if oid == OID_INT4 and size == 4:
            out.type_oid = oid
            out.phys = PHYS_I32
            out.is_null = 0
            out.v.i32 = <int32_t>read_u32(data)
            return 0
        if oid != OID_UNKNOWN and oid != 0:
            return type_receive(oid, -1, data, size, pool, out, &conn.session.error)
    if oid == OID_TEXT or oid == OID_VARCHAR or oid == OID_UNKNOWN or oid == 0:
        out.type_oid = oid if oid != 0 else OID_TEXT
        out.phys = PHYS_VAR
        out.is_null = 0
        out.v.var.data = pool_copy(pool, data, size)
        out.v.var.size = <uint32_t>size
        out.v.var.reserved = 0
        if out.v.var.data == NULL:
            dsql_error_set(&conn.session.error, "53200", "out of memory")
            return -1
        return 0
    return type_input(oid, -1, data, size, &conn.session.format, pool, out, &conn.session.error)


cdef int literals_bind(Conn* conn, const Plan* plan, const Literal* literals, const uint8_t* text, Pool* pool,
                       Value* out) noexcept nogil:
    cdef uint32_t i
    cdef uint32_t oid
    cdef uint32_t first = plan.param_count - plan.lifted_count
    cdef const Literal* literal
    cdef Buffer* scratch = &conn.loop.text
    for i in range(plan.lifted_count):
        literal = &literals[i]
        oid = plan.param_oids[first + i]
        if oid == OID_INT4 and literal.kind == LITERAL_I4:
            out[i].type_oid = oid
            out[i].phys = PHYS_I32
            out[i].is_null = 0
            out[i].v.i32 = <int32_t>literal.value
            continue
        if oid == OID_INT8 and literal.kind <= LITERAL_I8:
            out[i].type_oid = oid
            out[i].phys = PHYS_I64
            out[i].is_null = 0
            out[i].v.i64 = literal.value
            continue
        scratch.size = 0
        literal_text(literal, text, scratch)
        if value_read(conn, oid, 0, scratch.data, scratch.size, pool, &out[i]) < 0:
            if conn.session.error.position == 0:
                conn.session.error.position = <int32_t>character_count(text, literal.at) + 1
            return -1
    return 0


# -- start ------------------------------------------------------------------------------------------------------------

cdef void tag_set(Conn* conn, const char* tag, uint64_t count, int counted) noexcept nogil:
    cdef size_t size = strlen(tag)
    if size > 63:
        size = 63
    memcpy(conn.tag, tag, size)
    conn.tag[size] = 0
    conn.tag_count = count
    conn.tag_counted = counted != 0


cdef void _control(Conn* conn, uint32_t kind, const char* tag, int read_only) noexcept nogil:
    # BEGIN, COMMIT, ROLLBACK.
    cdef Loop* loop = conn.loop
    cdef int state = conn.session.txn_state
    cdef int result
    tag_set(conn, tag, 0, 0)
    if kind == PROGRAM_BEGIN:
        if state == TXN_FAILED:
            session_check(conn.session)
            statement_error(conn)
            return
        if state == TXN_OPEN:
            put_warning(&loop.out, "25001", "there is already a transaction in progress")
        else:
            txn_begin(conn.session, 1, read_only)
        statement_done(conn)
        return
    if state == TXN_IDLE or state == TXN_IMPLICIT:
        put_warning(&loop.out, "25P01", "there is no transaction in progress")
    if conn.portal != NULL:
        conn.portal.state = 2
        conn.portal = NULL
    portals_clear(conn)
    if kind == PROGRAM_ROLLBACK:
        txn_rollback(conn.session)
        conn.committed = 0
        tag_set(conn, "ROLLBACK", 0, 0)
        statement_done(conn)
        return
    if state == TXN_FAILED:
        tag_set(conn, "ROLLBACK", 0, 0)
        conn.committed = 0
    result = commit_start(conn, AFTER_STATEMENT)
    if result == 0:
        statement_done(conn)
    elif result < 0:
        statement_error(conn)


cdef void _run_python(Conn* conn, const Value* params, uint32_t count) noexcept nogil:
    # Parameters go over as text, the form every Python statement takes.
    cdef Request* request
    cdef uint32_t i
    cdef size_t begin
    if session_check(conn.session) < 0:
        statement_error(conn)
        return
    request = request_new(conn, REQUEST_RUN)
    if request == NULL:
        dsql_error_set(&conn.session.error, "53200", "out of memory")
        txn_fail(conn.session)
        statement_error(conn)
        return
    request.plan = conn.plan
    plan_retain(conn.plan)
    request.param_count = count
    for i in range(count):
        begin = request.params.size
        put_u32(&request.params, 0xFFFFFFFFU)
        if params[i].is_null:
            continue
        if type_output(&params[i], &conn.session.format, &request.params) < 0 or request.params.failed:
            break
        store_u32(request.params.data + begin, <uint32_t>(request.params.size - begin - 4))
    request_submit(request, AFTER_RUN)


cdef void statement_start(Conn* conn, const Value* params, uint32_t count) noexcept nogil:
    cdef Loop* loop = conn.loop
    cdef Plan* plan = conn.plan
    count_up(loop, COUNT_STATEMENTS, 1)
    conn.rows_sent = 0
    conn.batch = NULL
    conn.batch_at = 0
    conn.cancelled = 0
    if plan.kind == PLAN_PYTHON:
        _run_python(conn, params, count)
        return
    if plan.kind == PLAN_COPY_IN:
        if session_check(conn.session) < 0:
            statement_error(conn)
            return
        if conn.session.is_read_only:
            dsql_error_set(&conn.session.error, "25006", "cannot execute COPY FROM in a read-only transaction")
            txn_fail(conn.session)
            statement_error(conn)
            return
        conn.copy = copy_begin_in(plan, &loop.out)
        if conn.copy == NULL:
            dsql_error_set(&conn.session.error, "53200", "out of memory")
            txn_fail(conn.session)
            statement_error(conn)
            return
        conn.phase = PHASE_COPY_IN
        return
    if plan.program.kind != PROGRAM_QUERY:
        if plan.program.kind == PROGRAM_EMPTY:
            tag_set(conn, plan.program.tag, 0, 0)
            statement_done(conn)
        else:
            _control(conn, plan.program.kind, plan.program.tag, plan.program.begin_read_only)
        return
    memory_lend(conn, plan.program.writes)
    conn.execution = execution_open(conn.session, plan.program, params, count)
    if conn.execution == NULL:
        statement_error(conn)
        return
    if plan.kind == PLAN_COPY_OUT:
        copy_begin_out(plan, &loop.out)
    elif conn.simple and plan.column_count != 0:
        put_row_description(&loop.out, plan, NULL, 0)
    conn.phase = PHASE_RUN
    statement_run(conn)


# -- rows -------------------------------------------------------------------------------------------------------------

cdef void _suspend(Conn* conn) noexcept nogil:
    # Execute's row limit: the portal keeps the execution and its place.
    cdef Portal* portal = conn.portal
    portal.execution = conn.execution
    portal.batch = conn.batch
    portal.batch_at = conn.batch_at
    portal.state = 1
    conn.execution = NULL
    conn.batch = NULL
    conn.portal = NULL
    plan_release(&conn.loop.cache, conn.plan)
    conn.plan = NULL
    put_simple(&conn.loop.out, c's')
    conn.phase = PHASE_READY


cdef int _emit(Conn* conn) noexcept nogil:
    # Rows of conn.batch from batch_at on. 1 = batch finished, 0 = stopped (suspended, blocked or failed).
    cdef Loop* loop = conn.loop
    cdef Batch* batch = conn.batch
    cdef uint32_t stop
    cdef uint32_t chunk
    cdef const int16_t* formats = NULL
    cdef uint32_t format_count = 0
    cdef int failed
    if conn.portal != NULL:
        formats = conn.portal.formats
        format_count = conn.portal.format_count
    while conn.batch_at < batch.sel_count:
        chunk = batch.sel_count - conn.batch_at
        if chunk > 128:
            chunk = 128
        if chunk > conn.rows_left:
            chunk = <uint32_t>conn.rows_left
        stop = conn.batch_at + chunk
        if conn.plan.kind == PLAN_COPY_OUT:
            failed = copy_put_rows(&loop.out, conn.plan, batch, conn.batch_at, stop, &conn.session.format, &loop.text,
                                   conn.rows_sent == 0)
        elif conn.plan.column_count == 0:
            failed = 0
        else:
            failed = put_rows(&loop.out, batch, conn.batch_at, stop, formats, format_count, &conn.session.format)
        if failed < 0:
            dsql_error_set(&conn.session.error, "53200", "out of memory")
            loop.out.failed = 0
            txn_fail(conn.session)
            statement_error(conn)
            return 0
        conn.batch_at = stop
        conn.rows_sent += chunk
        conn.rows_left -= chunk
        count_up(loop, COUNT_ROWS, chunk)
        if conn.rows_left == 0:
            _suspend(conn)
            return 0
        if loop.out.size >= OUT_FLUSH:
            if conn_send(conn, 0) < 0:
                conn.hung_up = 1
                conn.phase = PHASE_CLOSING
                return 0
            if conn_unsent(conn) >= OUT_BLOCK:
                conn.phase = PHASE_BLOCKED
                return 0
    conn.batch = NULL
    conn.batch_at = 0
    return 1


cdef void statement_run(Conn* conn) noexcept nogil:
    cdef Loop* loop = conn.loop
    cdef uint64_t deadline = monotonic_ns() + loop.slice_ns
    cdef int64_t left = <int64_t>loop.slice_ns
    cdef Batch* batch = NULL
    cdef Request* request
    cdef int step
    if conn.checking:
        _commit_checked(conn)
        return
    conn.phase = PHASE_RUN
    while True:
        if conn.batch != NULL and not _emit(conn):
            return
        if conn.cancelled:
            execution_cancel(conn.execution)
        if conn.plan.program.needs_gil:
            # Its functions are Python: the step is made on the Python thread, the rows come back here.
            request = request_new(conn, REQUEST_STEP)
            if request != NULL:
                request_submit(request, AFTER_STEP)
                return
        step = execution_step(conn.execution, left, &batch)
        if step == STEP_ROWS:
            conn.batch = batch
            conn.batch_at = 0
        elif step == STEP_DONE:
            _finish(conn)
            return
        elif step == STEP_ERROR:
            statement_error(conn)
            return
        else:
            conn_enqueue(conn)
            return
        left = <int64_t>(deadline - monotonic_ns())
        if left <= 0:
            if conn.batch != NULL and not _emit(conn):
                return
            conn_enqueue(conn)
            return


cdef void statement_stepped(Conn* conn, Request* request) noexcept nogil:
    conn.phase = PHASE_RUN
    if request.step == STEP_ROWS:
        conn.batch = request.batch
        conn.batch_at = 0
        statement_run(conn)
    elif request.step == STEP_DONE:
        _finish(conn)
    elif request.step == STEP_ERROR:
        statement_error(conn)
    else:
        statement_run(conn)


cdef void _finish(Conn* conn) noexcept nogil:
    cdef const char* tag = conn.plan.program.tag
    cdef uint64_t count = conn.rows_sent
    if conn.plan.program.writes or conn.plan.column_count == 0:
        count = execution_row_count(conn.execution)
    if conn.plan.kind == PLAN_COPY_OUT:
        copy_end_out(conn.plan, &conn.loop.out, conn.rows_sent == 0)
        tag = "COPY"
        count = conn.rows_sent
    tag_set(conn, tag, count, 1)
    execution_close(conn.execution)
    conn.execution = NULL
    statement_done(conn)


cdef void statement_ran(Conn* conn, Request* request) noexcept nogil:
    # A Python statement is back: its messages, its rows (text; converted where binary was asked for), its tag.
    cdef Loop* loop = conn.loop
    cdef Buffer* out = &loop.out
    cdef const uint8_t* at
    cdef const uint8_t* end
    cdef size_t begin
    cdef size_t mark
    cdef uint32_t column
    cdef uint32_t size
    cdef int16_t format
    cdef Portal* portal = conn.portal
    cdef Value value
    if request.failed:
        txn_fail(conn.session)
        if request.prefix.size:
            buffer_append(out, request.prefix.data, request.prefix.size)
        statement_error(conn)
        return
    if request.prefix.size:
        buffer_append(out, request.prefix.data, request.prefix.size)
    at = request.rows.data
    end = at + request.rows.size
    pool_reset(&loop.bind_pool)
    while request.row_count != 0:
        request.row_count -= 1
        begin = message_begin(out, c'D')
        put_u16(out, <uint16_t>request.column_count)
        for column in range(request.column_count):
            if end - at < 4:
                break
            size = read_u32(at)
            at += 4
            if size == 0xFFFFFFFFU:
                put_u32(out, size)
                continue
            format = 0
            if portal != NULL and portal.format_count != 0:
                format = portal.formats[0 if portal.format_count == 1 else column]
            if format == 0 or column >= conn.plan.column_count:
                put_u32(out, size)
                buffer_append(out, at, size)
            else:
                mark = out.size
                put_u32(out, 0)
                if type_input(conn.plan.columns[column].type_oid, -1, at, size, &conn.session.format, &loop.bind_pool,
                              &value, &conn.session.error) < 0 or type_send(&value, out) < 0:
                    out.size = begin
                    txn_fail(conn.session)
                    statement_error(conn)
                    return
                store_u32(out.data + mark, <uint32_t>(out.size - mark - 4))
            at += size
        message_end(out, begin)
        conn.rows_sent += 1
    if strcmp(request.tag, "DEALLOCATE ALL") == 0:
        prepared_clear(conn)
    tag_set(conn, request.tag, conn.rows_sent, strcmp(request.tag, "SELECT") == 0)
    statement_done(conn)


# -- end --------------------------------------------------------------------------------------------------------------

cdef void held_drop(Conn* conn) noexcept nogil:
    conn.loop.window_at += conn.held_size
    conn.held_size = 0


cdef void query_end(Conn* conn) noexcept nogil:
    held_drop(conn)
    conn.query_at = 0
    conn.query_count = 0
    conn.is_last = 0
    conn.checked = 0
    conn.cancelled = 0
    conn.phase = PHASE_READY
    put_ready(&conn.loop.out, conn_status(conn))


cdef void _reply(Conn* conn) noexcept nogil:
    # The tag goes out; a Query goes on or ends.
    if conn.tag_counted:
        put_counted_tag(&conn.loop.out, conn.tag, conn.tag_count)
    else:
        put_tag(&conn.loop.out, conn.tag)
    conn.phase = PHASE_READY
    if conn.simple and conn.is_last:
        query_end(conn)


cdef void statement_done(Conn* conn) noexcept nogil:
    cdef int result
    if conn.portal != NULL:
        conn.portal.state = 2
    statement_clear(conn)
    if conn.simple and conn.is_last and conn.session.txn_state == TXN_IMPLICIT:
        result = commit_start(conn, AFTER_LAST)
        if result > 0:
            return
        if result < 0:
            statement_error(conn)
            return
    _reply(conn)


cdef void statement_error(Conn* conn) noexcept nogil:
    cdef Loop* loop = conn.loop
    count_up(loop, COUNT_ERRORS, 1)
    if memcmp(conn.session.error.sqlstate, <const char*>"40001", 5) == 0:
        count_up(loop, COUNT_CONFLICTS, 1)
    if not conn.session.error.is_set:
        dsql_error_set(&conn.session.error, "XX000", "statement failed without an error")
    put_error(&loop.out, "ERROR", &conn.session.error)
    dsql_error_clear(&conn.session.error)
    conn.cancelled = 0                # a cancel is for the statement it met
    if conn.session.txn_state == TXN_IMPLICIT:
        txn_fail(conn.session)
    if conn.portal != NULL:
        conn.portal.state = 2
    statement_clear(conn)
    if conn.session.txn_state == TXN_IDLE:
        conn.committed = 0
        portals_clear(conn)
    if conn.simple:
        query_end(conn)
    else:
        held_drop(conn)
        conn.skipping = 1
        conn.phase = PHASE_READY


# -- commit -----------------------------------------------------------------------------------------------------------

cdef int commit_start(Conn* conn, uint8_t after) noexcept nogil:
    portals_clear(conn)
    if txn_has_checks(conn.session) and conn.session.txn_state != TXN_FAILED:
        return _check(conn, after)
    return _commit(conn, after)


cdef int _check(Conn* conn, uint8_t after) noexcept nogil:
    # Deferred checks come before the commit request, a slice of the loop's time at a go. As commit_start.
    cdef int step
    if conn.checking and conn.cancelled and conn.session.checking != NULL:
        execution_cancel(conn.session.checking)
    step = txn_check_step(conn.session, CHECKS_ALL, <int64_t>conn.loop.slice_ns)
    conn.checking = step == STEP_YIELD
    if step == STEP_DONE:
        return _commit(conn, after)
    if step == STEP_ERROR:
        txn_rollback(conn.session)
        return -1
    conn.phase = PHASE_RUN
    conn.after = after
    conn_enqueue(conn)
    return 1


cdef void _commit_checked(Conn* conn) noexcept nogil:
    cdef uint8_t after = conn.after
    cdef int result = _check(conn, after)
    if result > 0:
        return
    conn.after = AFTER_NOTHING
    conn.phase = PHASE_READY
    _committed(conn, after, result)


cdef int _commit(Conn* conn, uint8_t after) noexcept nogil:
    cdef Loop* loop = conn.loop
    cdef int result
    conn.session.reply_to = (<uint64_t>loop.worker_id << 48) | (<uint64_t>conn.generation << 24) | conn.slot
    loop.commit_request.size = 0
    if conn.session.txn_state != TXN_FAILED:
        conn.committed = 1
    result = txn_commit_request(conn.session, &loop.commit_request)
    if result <= 0:
        return result
    if loop.commits == NULL:
        if loop.engine.commit == NULL:
            result = txn_finish(conn.session, REPLY_READ_ONLY)
        else:
            result = txn_finish(conn.session, <uint16_t>loop.engine.commit(loop.engine.commit_context,
                                                                           &loop.commit_request))
        if result == 0:
            count_up(loop, COUNT_COMMITS, 1)
        return result
    if channel_send(loop.commits, loop.commit_request.data, loop.commit_request.size) < 0:
        txn_rollback(conn.session)
        dsql_error_set(&conn.session.error, "53200", "out of memory")
        return -1
    conn.phase = PHASE_COMMIT
    conn.after = after
    return 1


cdef void commit_reply(Conn* conn, uint16_t status, uint64_t commit_ts) noexcept nogil:
    cdef uint8_t after = conn.after
    cdef int result
    conn.session.commit_ts = commit_ts
    conn.after = AFTER_NOTHING
    conn.phase = PHASE_READY
    result = txn_finish(conn.session, status)
    if result == 0:
        count_up(conn.loop, COUNT_COMMITS, 1)
    _committed(conn, after, result)


cdef void _committed(Conn* conn, uint8_t after, int result) noexcept nogil:
    # What waited for the commit goes on.
    if after == AFTER_SYNC:
        if result < 0:
            _sync_refused(conn)
        put_ready(&conn.loop.out, conn_status(conn))
    elif result < 0:
        statement_error(conn)
    else:
        if after == AFTER_STATEMENT:
            statement_clear(conn)
        _reply(conn)


cdef void _sync_refused(Conn* conn) noexcept nogil:
    count_up(conn.loop, COUNT_ERRORS, 1)
    if memcmp(conn.session.error.sqlstate, <const char*>"40001", 5) == 0:
        count_up(conn.loop, COUNT_CONFLICTS, 1)
    put_error(&conn.loop.out, "ERROR", &conn.session.error)
    dsql_error_clear(&conn.session.error)
    conn.committed = 0


cdef void sync_end(Conn* conn) noexcept nogil:
    cdef int result
    conn.skipping = 0
    conn.cancelled = 0
    if conn.session.txn_state == TXN_IMPLICIT:
        result = commit_start(conn, AFTER_SYNC)
        if result > 0:
            return
        if result < 0:
            _sync_refused(conn)
    conn.phase = PHASE_READY
    put_ready(&conn.loop.out, conn_status(conn))
