"""The extended protocol: prepared statements, portals, parameters.

Parse plans the statement (from the cache, or parked with the Python thread and handled again); Bind reads the
parameters into a portal and replans a statement whose catalog version has passed; Execute runs the portal, all of it or
up to a row limit. Sync ends an implicit transaction. An error sets conn.skipping: everything up to Sync is ignored.

Invariants
  E1  A message is not acted on before all of it has been read and found well-formed; nothing is left half-registered.
  E2  A replanned statement keeps the result types it was described with, or is refused: 0A000 cached plan must not
      change result type.
"""
from libc.stdint cimport UINT64_MAX, int16_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from dsql_core.base.error cimport dsql_error_set
from dsql_core.base.memory cimport pool_alloc
from dsql_core.base.vector cimport Value, type_phys
from dsql_core.execute.session cimport (
    session_catalog_version, session_check, session_pin, session_use_names, txn_fail,
)
from dsql_core.execute.state cimport TXN_FAILED
from dsql_core.wire.connection cimport (
    Conn, Loop, Portal, Prepared, portal_add, portal_find, portal_free, portal_new, portal_remove, prepared_add,
    prepared_find, prepared_new, prepared_remove,
)
from dsql_core.wire.normalise cimport STATEMENT_COMMIT, STATEMENT_EMPTY, STATEMENT_ROLLBACK, normalise
from dsql_core.wire.plan_cache cimport PLAN_COPY_IN, PLAN_COPY_OUT, PLAN_PYTHON, Plan, plan_release, plan_retain
from dsql_core.wire.protocol cimport (
    Reader, put_parameter_description, put_row_description, put_simple, put_tag, take_bytes, take_string, take_u16,
    take_u32, utf8_check,
)
from dsql_core.wire.statement cimport (
    PARKED, REFUSED, literals_bind, statement_error, statement_plan, statement_run, statement_start, value_read,
)


cdef int _refuse(Conn* conn) noexcept nogil:
    # session.error is set outside an execution.
    txn_fail(conn.session)
    statement_error(conn)
    return 1


cdef int _malformed(Conn* conn) noexcept nogil:
    dsql_error_set(&conn.session.error, "08P01", "invalid message format")
    return _refuse(conn)


cdef int _no_memory(Conn* conn) noexcept nogil:
    dsql_error_set(&conn.session.error, "53200", "out of memory")
    return _refuse(conn)


# -- Parse ------------------------------------------------------------------------------------------------------------

cdef int parse_message(Conn* conn, const uint8_t* body, size_t size) noexcept nogil:
    cdef Loop* loop = conn.loop
    cdef Reader reader
    cdef size_t name_size
    cdef size_t text_size
    cdef const char* name
    cdef const uint8_t* text
    cdef uint16_t count
    cdef uint32_t i
    cdef uint32_t* declared = NULL
    cdef Prepared* statement
    cdef int planned = 0
    conn.simple = 0
    reader.at = body
    reader.end = body + size
    reader.failed = 0
    name = take_string(&reader, &name_size)
    text = <const uint8_t*>take_string(&reader, &text_size)
    count = take_u16(&reader)
    if reader.failed or <size_t>(reader.end - reader.at) < <size_t>count * 4:
        return _malformed(conn)
    if utf8_check(<const uint8_t*>name, name_size, &conn.session.error) < 0:
        return _refuse(conn)
    if utf8_check(text, text_size, &conn.session.error) < 0:
        return _refuse(conn)
    if normalise(text, text_size, 0, 1, &loop.shape) < 0:
        return _no_memory(conn)
    if loop.shape.next < text_size:
        dsql_error_set(&conn.session.error, "42601", "cannot insert multiple commands into a prepared statement")
        return _refuse(conn)
    if name[0] == 0:
        prepared_remove(conn, name)
    elif prepared_find(conn, name) != NULL:
        dsql_error_set(&conn.session.error, "42P05", "prepared statement \"%s\" already exists", name)
        return _refuse(conn)
    if count != 0:
        declared = <uint32_t*>malloc(count * sizeof(uint32_t))
        if declared == NULL:
            return _no_memory(conn)
        for i in range(count):
            declared[i] = take_u32(&reader)
    if loop.shape.kind != STATEMENT_EMPTY:
        planned = statement_plan(conn, text, text_size, declared, count)
        if planned == PARKED:
            free(declared)
            return 0
        if planned == REFUSED:
            free(declared)
            return _refuse(conn)
    statement = prepared_new(name, text, text_size, declared, count, &loop.shape)
    free(declared)
    if statement == NULL:
        return _no_memory(conn)
    statement.plan = conn.plan
    conn.plan = NULL
    prepared_add(conn, statement)
    put_simple(&loop.out, c'1')
    return 1


# -- Bind -------------------------------------------------------------------------------------------------------------

cdef uint32_t _explicit(const Plan* plan) noexcept nogil:
    # Parameters that Bind must bring; those of COPY FROM are filled by its rows.
    return plan.param_count - plan.lifted_count if plan.kind != PLAN_COPY_IN else 0


cdef int _same_columns(const Plan* a, const Plan* b) noexcept nogil:
    cdef uint32_t i
    if a.column_count != b.column_count:
        return 0
    for i in range(a.column_count):
        if a.columns[i].type_oid != b.columns[i].type_oid or a.columns[i].typmod != b.columns[i].typmod:
            return 0
    return 1


cdef int _fresh_plan(Conn* conn, Prepared* statement) noexcept nogil:
    # Makes sure statement.plan fits the catalog the transaction sees. 0, PARKED, REFUSED.
    cdef Loop* loop = conn.loop
    cdef Plan* plan = statement.plan
    cdef int planned
    if plan.version_free:
        return 0
    if session_pin(conn.session) < 0:
        return REFUSED
    if conn.planned == NULL and not conn.session.did_ddl and (
            plan.catalog_version == session_catalog_version(conn.session)) and plan.settings_id == conn.settings_id:
        return 0
    if conn.planned == NULL and plan.kind == PLAN_PYTHON and not plan.cacheable:
        return 0            # a Python statement looks at the catalog when it runs
    if normalise(statement.text, statement.text_size, 0, 1, &loop.shape) < 0:
        dsql_error_set(&conn.session.error, "53200", "out of memory")
        return REFUSED
    planned = statement_plan(conn, statement.text, statement.text_size, statement.declared, statement.declared_count)
    if planned != 0:
        return planned
    plan = conn.plan
    conn.plan = NULL
    if plan.program != NULL and session_use_names(conn.session, plan.program) < 0:
        plan_release(&loop.cache, plan)
        return REFUSED
    if plan != statement.plan and not _same_columns(plan, statement.plan):
        plan_release(&loop.cache, plan)
        dsql_error_set(&conn.session.error, "0A000", "cached plan must not change result type")
        return REFUSED
    plan_release(&loop.cache, statement.plan)
    statement.plan = plan
    return 0


cdef int _read_params(Conn* conn, Portal* portal, Reader* reader, uint32_t explicit, const uint8_t* formats,
                      uint16_t format_count) noexcept nogil:
    cdef uint32_t i
    cdef uint32_t length
    cdef const uint8_t* data
    cdef int binary = 0
    for i in range(explicit):
        if format_count != 0:
            data = formats + 2 * (0 if format_count == 1 else i)
            binary = data[0] != 0 or data[1] != 0
        length = take_u32(reader)
        if reader.failed:
            break
        if length == 0xFFFFFFFFU:
            memset(&portal.params[i], 0, sizeof(Value))
            portal.params[i].type_oid = portal.plan.param_oids[i]
            portal.params[i].phys = type_phys(portal.params[i].type_oid)
            portal.params[i].is_null = 1
            continue
        data = take_bytes(reader, length)
        if reader.failed:
            break
        if value_read(conn, portal.plan.param_oids[i], binary, data, length, &portal.pool, &portal.params[i]) < 0:
            return -1
    if reader.failed:
        dsql_error_set(&conn.session.error, "08P01", "insufficient data left in message")
        return -1
    return 0


cdef int bind_message(Conn* conn, const uint8_t* body, size_t size) noexcept nogil:
    cdef Reader reader
    cdef size_t length
    cdef const char* portal_name
    cdef const char* name
    cdef const uint8_t* formats
    cdef uint16_t format_count
    cdef uint16_t count
    cdef uint16_t result_count
    cdef uint32_t explicit = 0
    cdef uint32_t i
    cdef Prepared* statement
    cdef Portal* portal
    cdef Plan* plan
    cdef int result
    conn.simple = 0
    reader.at = body
    reader.end = body + size
    reader.failed = 0
    portal_name = take_string(&reader, &length)
    name = take_string(&reader, &length)
    format_count = take_u16(&reader)
    formats = take_bytes(&reader, <size_t>format_count * 2)
    count = take_u16(&reader)
    if reader.failed:
        return _malformed(conn)
    statement = prepared_find(conn, name)
    if statement == NULL:
        if name[0] == 0:
            dsql_error_set(&conn.session.error, "26000", "unnamed prepared statement does not exist")
        else:
            dsql_error_set(&conn.session.error, "26000", "prepared statement \"%s\" does not exist", name)
        return _refuse(conn)
    if statement.plan != NULL:
        if conn.session.txn_state == TXN_FAILED and statement.kind != STATEMENT_COMMIT and (
                statement.kind != STATEMENT_ROLLBACK):
            session_check(conn.session)
            return _refuse(conn)
        explicit = _explicit(statement.plan)
    if format_count > 1 and format_count != count:
        dsql_error_set(&conn.session.error, "08P01", "bind message has %d parameter formats but %d parameters",
                       <int>format_count, <int>count)
        return _refuse(conn)
    if count != explicit:
        dsql_error_set(&conn.session.error, "08P01",
                       "bind message supplies %d parameters, but prepared statement \"%s\" requires %d", <int>count,
                       name, <int>explicit)
        return _refuse(conn)
    if portal_name[0] == 0:
        portal_remove(conn, portal_name)
    elif portal_find(conn, portal_name) != NULL:
        dsql_error_set(&conn.session.error, "42P03", "cursor \"%s\" already exists", portal_name)
        return _refuse(conn)
    if statement.plan == NULL:                     # an empty statement
        plan = NULL
    else:
        result = _fresh_plan(conn, statement)
        if result == PARKED:
            return 0
        if result == REFUSED:
            return _refuse(conn)
        plan = statement.plan
        if _explicit(plan) != explicit:
            dsql_error_set(&conn.session.error, "0A000", "cached plan must not change result type")
            return _refuse(conn)
    portal = portal_new(conn, portal_name, statement, plan)
    if portal == NULL:
        return _no_memory(conn)
    if plan != NULL:
        portal.param_count = plan.param_count if plan.kind != PLAN_COPY_IN else 0
        portal.params = <Value*>pool_alloc(&portal.pool, (plan.param_count + 1) * sizeof(Value))
        if portal.params == NULL:
            portal_free(conn.loop, portal)
            return _no_memory(conn)
        if _read_params(conn, portal, &reader, explicit, formats, format_count) < 0:
            portal_free(conn.loop, portal)
            return _refuse(conn)
        if literals_bind(conn, plan, statement.literals, statement.text, &portal.pool, portal.params + explicit) < 0:
            portal_free(conn.loop, portal)
            return _refuse(conn)
    result_count = take_u16(&reader)
    if not reader.failed and result_count != 0:
        portal.formats = <int16_t*>pool_alloc(&portal.pool, result_count * sizeof(int16_t))
        if portal.formats == NULL:
            portal_free(conn.loop, portal)
            return _no_memory(conn)
        for i in range(result_count):
            portal.formats[i] = <int16_t>take_u16(&reader)
            if portal.formats[i] != 0 and portal.formats[i] != 1 and not reader.failed:
                dsql_error_set(&conn.session.error, "22023", "unsupported format code: %d", <int>portal.formats[i])
                portal_free(conn.loop, portal)
                return _refuse(conn)
        portal.format_count = result_count
    if reader.failed:
        portal_free(conn.loop, portal)
        return _malformed(conn)
    if plan != NULL and result_count > 1 and result_count != plan.column_count:
        dsql_error_set(&conn.session.error, "08P01", "bind message has %d result formats but query has %d columns",
                       <int>result_count, <int>plan.column_count)
        portal_free(conn.loop, portal)
        return _refuse(conn)
    portal_add(conn, portal)
    put_simple(&conn.loop.out, c'2')
    return 1


# -- Describe, Close --------------------------------------------------------------------------------------------------

cdef int describe_message(Conn* conn, const uint8_t* body, size_t size) noexcept nogil:
    cdef Loop* loop = conn.loop
    cdef Reader reader
    cdef size_t length
    cdef const char* name
    cdef Prepared* statement
    cdef Portal* portal = NULL
    cdef Plan* plan
    conn.simple = 0
    reader.at = body + 1
    reader.end = body + size
    reader.failed = size < 2
    name = take_string(&reader, &length)
    if reader.failed:
        return _malformed(conn)
    if body[0] == c'S':
        statement = prepared_find(conn, name)
        if statement == NULL:
            if name[0] == 0:
                dsql_error_set(&conn.session.error, "26000", "unnamed prepared statement does not exist")
            else:
                dsql_error_set(&conn.session.error, "26000", "prepared statement \"%s\" does not exist", name)
            return _refuse(conn)
        plan = statement.plan
    elif body[0] == c'P':
        portal = portal_find(conn, name)
        if portal == NULL:
            dsql_error_set(&conn.session.error, "34000", "portal \"%s\" does not exist", name)
            return _refuse(conn)
        plan = portal.plan
    else:
        dsql_error_set(&conn.session.error, "08P01", "invalid DESCRIBE message subtype %d", <int>body[0])
        return _refuse(conn)
    if conn.session.txn_state == TXN_FAILED and plan != NULL and plan.column_count != 0:
        session_check(conn.session)
        return _refuse(conn)
    if body[0] == c'S':
        if plan == NULL:
            put_parameter_description(&loop.out, NULL, 0)
        else:
            put_parameter_description(&loop.out, plan, _explicit(plan))
    if plan == NULL or plan.column_count == 0 or plan.kind == PLAN_COPY_OUT or plan.kind == PLAN_COPY_IN:
        put_simple(&loop.out, c'n')
    elif portal != NULL:
        put_row_description(&loop.out, plan, portal.formats, portal.format_count)
    else:
        put_row_description(&loop.out, plan, NULL, 0)
    return 1


cdef int close_message(Conn* conn, const uint8_t* body, size_t size) noexcept nogil:
    cdef Reader reader
    cdef size_t length
    cdef const char* name
    conn.simple = 0
    reader.at = body + 1
    reader.end = body + size
    reader.failed = size < 2
    name = take_string(&reader, &length)
    if reader.failed:
        return _malformed(conn)
    if body[0] == c'S':
        prepared_remove(conn, name)
    elif body[0] == c'P':
        portal_remove(conn, name)
    else:
        dsql_error_set(&conn.session.error, "08P01", "invalid CLOSE message subtype %d", <int>body[0])
        return _refuse(conn)
    put_simple(&conn.loop.out, c'3')
    return 1


# -- Execute ----------------------------------------------------------------------------------------------------------

cdef int execute_message(Conn* conn, const uint8_t* body, size_t size) noexcept nogil:
    cdef Loop* loop = conn.loop
    cdef Reader reader
    cdef size_t length
    cdef const char* name
    cdef uint32_t limit
    cdef Portal* portal
    conn.simple = 0
    reader.at = body
    reader.end = body + size
    reader.failed = 0
    name = take_string(&reader, &length)
    limit = take_u32(&reader)
    if reader.failed:
        return _malformed(conn)
    portal = portal_find(conn, name)
    if portal == NULL:
        dsql_error_set(&conn.session.error, "34000", "portal \"%s\" does not exist", name)
        return _refuse(conn)
    if portal.plan == NULL:
        put_simple(&loop.out, c'I')
        return 1
    if conn.session.txn_state == TXN_FAILED and portal.statement.kind != STATEMENT_COMMIT and (
            portal.statement.kind != STATEMENT_ROLLBACK):
        session_check(conn.session)
        return _refuse(conn)
    if portal.state == 2:
        if portal.plan.column_count == 0 or (portal.plan.program != NULL and portal.plan.program.writes):
            dsql_error_set(&conn.session.error, "55000", "portal \"%s\" cannot be run", name)
            return _refuse(conn)
        put_tag(&loop.out, "SELECT 0")
        return 1
    conn.portal = portal
    conn.plan = portal.plan
    plan_retain(portal.plan)
    conn.rows_left = <uint64_t>limit if 0 < limit < 0x80000000U else UINT64_MAX
    if portal.state == 1:
        conn.execution = portal.execution
        conn.batch = portal.batch
        conn.batch_at = portal.batch_at
        portal.execution = NULL
        portal.batch = NULL
        portal.state = 0
        conn.rows_sent = 0
        conn.cancelled = 0
        statement_run(conn)
        return 1
    statement_start(conn, portal.params, portal.param_count)
    return 1
