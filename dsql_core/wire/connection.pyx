"""Connections: their memory, their output, their prepared statements and portals, their errands to the Python thread.

A connection costs one Conn and one Session while idle; buffers exist only while bytes wait in them (W1).

Invariants
  W1  Buffers of an idle connection are freed; input is read into the loop's scratch and output built in loop.out, and
      only what could not be finished or sent in the connection's turn is copied to the connection.
  W2  A Conn is freed only when neither the Python thread nor the commit path can still name it: a token carries the
      slot's generation, and PHASE_DEAD waits for an outstanding request or reply.
  W3  A Request has one owner at a time: the loop, then (submitted) the Python thread, then (completed) the loop.
Memory: everything here belongs to the loop thread. Names live in the same block as their statement or portal.
"""
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcpy, memmove, memset, strcmp, strlen

from dsql_core.base.atomic cimport (
    dsql_compare_exchange, dsql_exchange, dsql_fence_seq_cst, dsql_load_relaxed, dsql_store_relaxed,
)
from dsql_core.base.memory cimport (
    Buffer, Pool, buffer_append, buffer_free, buffer_init, pool_free, pool_init, pool_reset,
)
from dsql_core.execute.execution cimport execution_free_spares
from dsql_core.execute.session cimport execution_close, session_free
from dsql_core.execute.state cimport Execution, Session, TXN_FAILED, TXN_OPEN
from dsql_core.wire.normalise cimport Literal, Shape
from dsql_core.wire.plan_cache cimport plan_release, plan_retain
from dsql_core.wire.posix cimport EAGAIN, EINTR, MSG_DONTWAIT, MSG_NOSIGNAL, errno, getrandom, ring_fd, send
from dsql_core.wire.protocol cimport put_fatal
from dsql_core.wire.tls cimport TLS_WAIT, tls_end, tls_send


cdef enum:
    SPARES_MAX = 64


cdef Conn* conn_new(Loop* loop, int fd) noexcept nogil:
    cdef Conn* conn
    cdef uint32_t slot
    cdef uint32_t capacity
    cdef Conn** conns
    cdef uint32_t* words
    if loop.free_count != 0:
        loop.free_count -= 1
        slot = loop.free_slots[loop.free_count]
    else:
        if loop.slot_count == loop.slot_capacity:
            capacity = loop.slot_capacity * 2 if loop.slot_capacity else 256
            conns = <Conn**>realloc(loop.conns, capacity * sizeof(Conn*))
            if conns == NULL:
                return NULL
            loop.conns = conns
            words = <uint32_t*>realloc(loop.generations, capacity * sizeof(uint32_t))
            if words == NULL:
                return NULL
            loop.generations = words
            words = <uint32_t*>realloc(loop.free_slots, capacity * sizeof(uint32_t))
            if words == NULL:
                return NULL
            loop.free_slots = words
            loop.slot_capacity = capacity
        slot = loop.slot_count
        loop.generations[slot] = 0
        loop.slot_count += 1
    conn = <Conn*>calloc(1, sizeof(Conn))
    if conn == NULL:
        loop.conns[slot] = NULL
        loop.free_slots[loop.free_count] = slot
        loop.free_count += 1
        return NULL
    loop.generations[slot] += 1
    conn.fd = fd
    conn.slot = slot
    conn.generation = loop.generations[slot] & 0xFFFFFF
    conn.loop = loop
    conn.phase = PHASE_STARTUP
    conn.readable = 1
    conn.writable = 1
    if getrandom(&conn.secret, 4, 0) != 4:
        conn.secret = <uint32_t>(<uint64_t>conn >> 4) * 2654435761U
    buffer_init(&conn.input)
    buffer_init(&conn.output)
    buffer_init(&conn.saved)
    loop.conns[slot] = conn
    loop.open_count += 1
    return conn


cdef void conn_free(Conn* conn) noexcept nogil:
    cdef Loop* loop = conn.loop
    conn_dequeue(conn)
    statement_clear(conn)
    portals_clear(conn)
    prepared_clear(conn)
    if conn.session != NULL:
        session_free(conn.session)
    buffer_free(&conn.input)
    buffer_free(&conn.output)
    buffer_free(&conn.saved)
    tls_end(conn)
    free(conn.user)
    loop.conns[conn.slot] = NULL
    loop.free_slots[loop.free_count] = conn.slot
    loop.free_count += 1
    loop.open_count -= 1
    free(conn)


cdef void conn_fatal(Conn* conn, const char* sqlstate, const char* message) noexcept nogil:
    # Says why and closes once that is sent.
    put_fatal(&conn.loop.out, sqlstate, message)
    conn.phase = PHASE_CLOSING
    count_up(conn.loop, COUNT_ERRORS, 1)


cdef size_t conn_unsent(Conn* conn) noexcept nogil:
    return conn.output.size - conn.output_at


cdef inline ssize_t _write(Conn* conn, const uint8_t* data, size_t size) noexcept nogil:
    # What the socket takes now: all of it, or less and `writable` is cleared; -1 = connection lost.
    cdef size_t at = 0
    cdef ssize_t sent
    while at < size:
        if conn.tls == NULL:
            sent = send(conn.fd, data + at, size - at, MSG_DONTWAIT | MSG_NOSIGNAL)
            if sent < 0:
                if errno == EINTR:
                    continue
                if errno != EAGAIN:
                    return -1
                conn.writable = 0
                break
        else:
            sent = tls_send(conn, data + at, size - at)
            if sent < 0:
                if sent != TLS_WAIT:
                    return -1
                break
        at += <size_t>sent
    count_up(conn.loop, COUNT_BYTES_OUT, at)
    return <ssize_t>at


cdef int conn_send(Conn* conn, int hold) noexcept nogil:
    # hold: keep everything for later (a reply is under way and one packet is better than two).
    cdef Loop* loop = conn.loop
    cdef Buffer* out = &loop.out
    cdef ssize_t sent
    cdef size_t at = 0
    if out.failed or conn.output.failed:
        return -1
    if hold and conn_unsent(conn) + out.size < OUT_FLUSH:
        if out.size:
            buffer_append(&conn.output, out.data, out.size)
        out.size = 0
        return -1 if conn.output.failed else 0
    if conn_unsent(conn) != 0 and conn.writable:
        sent = _write(conn, conn.output.data + conn.output_at, conn_unsent(conn))
        if sent < 0:
            return -1
        conn.output_at += <uint32_t>sent
    if conn_unsent(conn) == 0:
        if conn.output.capacity != 0:
            buffer_free(&conn.output)
        conn.output_at = 0
        if out.size != 0 and conn.writable:
            sent = _write(conn, out.data, out.size)
            if sent < 0:
                return -1
            at = <size_t>sent
    if at < out.size:
        if conn.output_at > 65536 and conn.output_at > conn.output.size // 2:
            memmove(conn.output.data, conn.output.data + conn.output_at, conn_unsent(conn))
            conn.output.size -= conn.output_at
            conn.output_at = 0
        buffer_append(&conn.output, out.data + at, out.size - at)
    out.size = 0
    if out.capacity > 4 * OUT_BLOCK:
        buffer_free(out)
    return -1 if conn.output.failed else 0


cdef void conn_enqueue(Conn* conn) noexcept nogil:
    cdef Loop* loop = conn.loop
    if conn.queued:
        return
    conn.queued = 1
    conn.run_next = NULL
    conn.run_previous = loop.run_tail
    if loop.run_tail != NULL:
        loop.run_tail.run_next = conn
    else:
        loop.run_head = conn
    loop.run_tail = conn


cdef void conn_dequeue(Conn* conn) noexcept nogil:
    cdef Loop* loop = conn.loop
    if not conn.queued:
        return
    conn.queued = 0
    if conn.run_previous != NULL:
        conn.run_previous.run_next = conn.run_next
    else:
        loop.run_head = conn.run_next
    if conn.run_next != NULL:
        conn.run_next.run_previous = conn.run_previous
    else:
        loop.run_tail = conn.run_previous
    conn.run_next = NULL
    conn.run_previous = NULL


cdef void memory_lend(Conn* conn, int writes) noexcept nogil:
    cdef Loop* loop = conn.loop
    cdef Execution* execution
    cdef size_t limit
    if conn.session.free_executions == NULL and loop.spare_executions != NULL:
        execution = loop.spare_executions
        loop.spare_executions = execution.next_free
        loop.execution_count -= 1
        execution.session = conn.session
        execution.next_free = NULL
        conn.session.free_executions = execution
        conn.session.free_count = 1
    if writes and conn.session.writes.pool.head == NULL and loop.spare_count != 0:
        limit = conn.session.writes.pool.bytes_limit
        loop.spare_count -= 1
        conn.session.writes.pool = loop.spare_pools[loop.spare_count]
        conn.session.writes.pool.bytes_limit = limit


cdef void memory_return(Conn* conn) noexcept nogil:
    # Only between transactions, and only while the loop owns the session.
    cdef Loop* loop = conn.loop
    cdef Execution* execution
    cdef Pool* pool = &conn.session.writes.pool
    cdef size_t limit = pool.bytes_limit
    while conn.session.free_executions != NULL:
        if loop.execution_count >= SPARES_MAX:
            execution_free_spares(conn.session)
            break
        execution = conn.session.free_executions
        conn.session.free_executions = execution.next_free
        conn.session.free_count -= 1
        execution.next_free = loop.spare_executions
        loop.spare_executions = execution
        loop.execution_count += 1
    if pool.head != NULL:
        if loop.spare_count < SPARES_MAX and pool.head.next == NULL and pool.head.capacity <= 65536:
            pool_reset(pool)
            loop.spare_pools[loop.spare_count] = pool[0]
            loop.spare_pools[loop.spare_count].bytes_limit = 0
            loop.spare_count += 1
            pool_init(pool, limit)
        else:
            pool_free(pool)


cdef void memory_free(Loop* loop) noexcept nogil:
    cdef Session nobody
    memset(&nobody, 0, sizeof(Session))
    nobody.free_executions = loop.spare_executions
    loop.spare_executions = NULL
    execution_free_spares(&nobody)


cdef uint8_t conn_status(Conn* conn) noexcept nogil:
    if conn.session.txn_state == TXN_OPEN:
        return c'T'
    if conn.session.txn_state == TXN_FAILED:
        return c'E'
    return c'I'


cdef void count_up(Loop* loop, uint32_t which, uint64_t by) noexcept nogil:
    # Written by this loop alone, read by anyone: plain add, relaxed store.
    dsql_store_relaxed(&loop.counters[which], loop.counters[which] + by)


# -- prepared statements ----------------------------------------------------------------------------------------------

cdef Prepared* prepared_find(Conn* conn, const char* name) noexcept nogil:
    cdef Prepared* statement = conn.prepared
    while statement != NULL:
        if strcmp(statement.name, name) == 0:
            return statement
        statement = statement.next
    return NULL


cdef Prepared* prepared_new(const char* name, const uint8_t* text, size_t size, const uint32_t* declared,
                            uint32_t declared_count, const Shape* shape) noexcept nogil:
    # One block: struct, literals, declared types, name, text.
    cdef size_t name_size = strlen(name) + 1
    cdef size_t literals = shape.literal_count * sizeof(Literal)
    cdef size_t types = declared_count * sizeof(uint32_t)
    cdef uint8_t* at = <uint8_t*>malloc(sizeof(Prepared) + literals + types + name_size + size + 1)
    cdef Prepared* statement = <Prepared*>at
    if at == NULL:
        return NULL
    statement.next = NULL
    statement.references = 1
    statement.kind = shape.kind
    statement.plan = NULL
    at += sizeof(Prepared)
    statement.literals = <Literal*>at
    statement.literal_count = shape.literal_count
    if literals:
        memcpy(at, shape.literals, literals)
    at += literals
    statement.declared = <uint32_t*>at
    statement.declared_count = declared_count
    if types:
        memcpy(at, declared, types)
    at += types
    statement.name = <char*>at
    memcpy(at, name, name_size)
    at += name_size
    statement.text = at
    statement.text_size = <uint32_t>size
    memcpy(at, text, size)
    at[size] = 0
    return statement


cdef void prepared_add(Conn* conn, Prepared* statement) noexcept nogil:
    # Newest first: the one just parsed is the one to be bound.
    statement.next = conn.prepared
    conn.prepared = statement


cdef void prepared_release(Loop* loop, Prepared* statement) noexcept nogil:
    statement.references -= 1
    if statement.references == 0:
        plan_release(&loop.cache, statement.plan)
        free(statement)


cdef void prepared_remove(Conn* conn, const char* name) noexcept nogil:
    cdef Prepared** place = &conn.prepared
    cdef Prepared* statement
    while place[0] != NULL:
        statement = place[0]
        if strcmp(statement.name, name) == 0:
            place[0] = statement.next
            prepared_release(conn.loop, statement)
            return
        place = &statement.next


cdef void prepared_clear(Conn* conn) noexcept nogil:
    cdef Prepared* statement
    while conn.prepared != NULL:
        statement = conn.prepared
        conn.prepared = statement.next
        prepared_release(conn.loop, statement)


# -- portals ----------------------------------------------------------------------------------------------------------

cdef Portal* portal_find(Conn* conn, const char* name) noexcept nogil:
    cdef Portal* portal = conn.portals
    while portal != NULL:
        if strcmp(portal.name, name) == 0:
            return portal
        portal = portal.next
    return NULL


cdef Portal* portal_new(Conn* conn, const char* name, Prepared* statement, Plan* plan) noexcept nogil:
    cdef Loop* loop = conn.loop
    cdef size_t name_size = strlen(name) + 1
    cdef Portal* portal = <Portal*>calloc(1, sizeof(Portal) + name_size)
    if portal == NULL:
        return NULL
    portal.name = <char*>portal + sizeof(Portal)
    memcpy(portal.name, name, name_size)
    portal.statement = statement
    statement.references += 1
    portal.plan = plan
    if plan != NULL:
        plan_retain(plan)
    if loop.spare_count != 0:
        loop.spare_count -= 1
        portal.pool = loop.spare_pools[loop.spare_count]
    else:
        pool_init(&portal.pool, 0)
    return portal


cdef void portal_add(Conn* conn, Portal* portal) noexcept nogil:
    portal.next = conn.portals
    conn.portals = portal


cdef void portal_free(Loop* loop, Portal* portal) noexcept nogil:
    if portal.execution != NULL:
        execution_close(portal.execution)
    if portal.result != NULL:
        request_free(loop, portal.result)
    plan_release(&loop.cache, portal.plan)
    prepared_release(loop, portal.statement)
    if loop.spare_count < SPARES_MAX and portal.pool.head != NULL and portal.pool.head.capacity <= 65536:
        pool_reset(&portal.pool)
        loop.spare_pools[loop.spare_count] = portal.pool
        loop.spare_count += 1
    else:
        pool_free(&portal.pool)
    free(portal)


cdef void portal_remove(Conn* conn, const char* name) noexcept nogil:
    cdef Portal** place = &conn.portals
    cdef Portal* portal
    while place[0] != NULL:
        portal = place[0]
        if strcmp(portal.name, name) == 0:
            place[0] = portal.next
            portal_free(conn.loop, portal)
            return
        place = &portal.next


cdef void portals_clear(Conn* conn) noexcept nogil:
    cdef Portal* portal
    while conn.portals != NULL:
        portal = conn.portals
        conn.portals = portal.next
        portal_free(conn.loop, portal)


cdef void statement_clear(Conn* conn) noexcept nogil:
    if conn.execution != NULL:
        execution_close(conn.execution)
        conn.execution = NULL
    conn.batch = NULL
    conn.batch_at = 0
    conn.portal = NULL
    if conn.plan != NULL:
        plan_release(&conn.loop.cache, conn.plan)
        conn.plan = NULL
    if conn.planned != NULL:
        plan_release(&conn.loop.cache, conn.planned)
        conn.planned = NULL
    if conn.request != NULL and conn.phase != PHASE_PYTHON:
        request_free(conn.loop, conn.request)
        conn.request = NULL
    if conn.copy != NULL:
        copy_free(conn.loop, conn.copy)
        conn.copy = NULL


cdef void copy_free(Loop* loop, CopyState* copy) noexcept nogil:
    if copy.execution != NULL:
        execution_close(copy.execution)
    plan_release(&loop.cache, copy.plan)
    buffer_free(&copy.pending)
    buffer_free(&copy.fields)
    free(copy.offsets)
    free(copy.sizes)
    free(copy)


# -- requests ----------------------------------------------------------------------------------------------------

cdef Request* request_new(Conn* conn, uint8_t kind) noexcept nogil:
    cdef Request* request = <Request*>calloc(1, sizeof(Request))
    if request != NULL:
        request.kind = kind
        request.conn = conn
    return request


cdef void request_free(Loop* loop, Request* request) noexcept nogil:
    plan_release(&loop.cache, request.plan)
    buffer_free(&request.text)
    buffer_free(&request.lifted)
    buffer_free(&request.query)
    buffer_free(&request.password)
    buffer_free(&request.params)
    buffer_free(&request.prefix)
    buffer_free(&request.rows)
    free(request.literals)
    free(request.declared)
    free(request)


cdef void push_one(uint64_t* head, Request* request) noexcept nogil:
    cdef uint64_t old
    while True:
        old = dsql_load_relaxed(head)
        request.next = <Request*>old
        if dsql_compare_exchange(head, old, <uint64_t>request):
            return


cdef Request* take_all(uint64_t* head) noexcept nogil:
    cdef Request* request
    cdef Request* reversed = NULL
    cdef Request* next
    if dsql_load_relaxed(head) == 0:
        return NULL
    request = <Request*>dsql_exchange(head, 0)
    while request != NULL:
        next = request.next
        request.next = reversed
        reversed = request
        request = next
    return reversed


cdef void request_submit(Request* request, uint8_t after) noexcept nogil:
    cdef Conn* conn = request.conn
    cdef Loop* loop = conn.loop
    conn.request = request
    conn.phase = PHASE_PYTHON
    conn.after = after
    conn.has_python = 1
    push_one(&loop.requests, request)
    dsql_fence_seq_cst()
    if dsql_exchange(&loop.python_sleeping, 0) != 0:
        ring_fd(loop.python_fd)
