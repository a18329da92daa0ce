"""A connection's turn: read, frame messages, hand each to its protocol, keep what is left, write.

A turn begins because the socket is ready, the run queue came round, an errand or a commit is back. It ends when no
whole message is left, something parks the connection (a plan, a commit, a full socket), or its slice of time is over.

Invariants
  T1  one connection at a time is `current`: window and out are its; its turn ends with the rest of the input and output
      back in the Conn and loop.out empty.
  T2  sockets are edge-triggered: `readable` stays set until a read came back short, `writable` until a send did.
  T3  a connection that waits for the Python thread or a CommitReply is never freed before that came (PHASE_DEAD).
  T4  a message that is not finished stays at the front of the input (held_size) and is handled again, not continued.
  T5  no transaction of a session that logged in through a role mapping begins before the mapping was confirmed at the
      newest catalog version.
  T6  a connection that is leaving (lifetime over, server ending) finishes its transaction first; then it goes.
"""
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memmove, strcpy

from dsql_core.base.error cimport dsql_error_set
from dsql_core.base.memory cimport buffer_append, buffer_free, buffer_reserve
from dsql_core.codec.message cimport CommitReply
from dsql_core.execute.session cimport txn_fail, txn_finish
from dsql_core.execute.state cimport TXN_IDLE
from dsql_core.storage.store cimport store_catalog_version
from dsql_core.wire.connection cimport (
    AFTER_CLOSE, AFTER_END, AFTER_LOGIN, AFTER_NOTHING, COUNT_BYTES_IN, COUNT_CONNECTIONS, COUNT_ERRORS, LEAVE_DRAINED,
    OUT_BLOCK,
    PHASE_BLOCKED, PHASE_CLOSING, PHASE_COMMIT, PHASE_COPY_IN, PHASE_DEAD, PHASE_PASSWORD, PHASE_PYTHON, PHASE_READY, PHASE_RUN,
    PHASE_STARTUP, REQUEST_CHECK, REQUEST_CLOSE, REQUEST_END, REQUEST_LOGIN, REQUEST_PLAN, REQUEST_RUN, REQUEST_STARTUP, REQUEST_STEP,
    Request, conn_dequeue, conn_enqueue, conn_fatal, conn_free, conn_send, conn_unsent, count_up, memory_return,
    request_free, request_new, request_submit, statement_clear,
)
from dsql_core.wire.extended cimport bind_message, close_message, describe_message, execute_message, parse_message
from dsql_core.wire.posix cimport EAGAIN, EINTR, MSG_DONTWAIT, close, errno, monotonic_ns, recv
from dsql_core.wire.protocol cimport PASSWORD_BYTES_MAX, STARTUP_BYTES_MAX, put_fatal, read_u32
from dsql_core.wire.simple cimport copy_message, query_message
from dsql_core.wire.startup cimport password_message, startup_answered, startup_begins, startup_packet
from dsql_core.wire.statement cimport (
    commit_reply, statement_error, statement_ran, statement_run, statement_stepped, sync_end,
)
from dsql_core.wire.tls cimport TLS_WAIT, tls_end, tls_recv


# -- closing ----------------------------------------------------------------------------------------------------------

cdef void _gone(Conn* conn) noexcept nogil:
    # The socket is closed and nothing is under way: the Python side forgets it first, then it is freed.
    cdef Request* request
    conn_dequeue(conn)
    conn.phase = PHASE_READY
    statement_clear(conn)
    if conn.has_python:
        request = request_new(conn, REQUEST_CLOSE)
        if request != NULL:
            request_submit(request, AFTER_CLOSE)
            conn.phase = PHASE_DEAD
            conn.waits = 1
            return
    conn_free(conn)


cdef void turn_close(Conn* conn) noexcept nogil:
    cdef Loop* loop = conn.loop
    if conn.fd >= 0:
        tls_end(conn)
        close(conn.fd)
        conn.fd = -1
        count_up(loop, COUNT_CONNECTIONS, <uint64_t>-1)
        loop.descriptor_freed = 1
    conn_dequeue(conn)
    if conn.phase == PHASE_PYTHON:
        if conn.request != NULL:
            conn.request.cancelled = 1
        conn.waits = 1
        conn.phase = PHASE_DEAD
    elif conn.phase == PHASE_COMMIT:
        conn.waits = 2
        conn.phase = PHASE_DEAD
    elif conn.phase != PHASE_DEAD:
        _gone(conn)


# -- input ------------------------------------------------------------------------------------------------------------

cdef int _read(Conn* conn, size_t wanted) noexcept nogil:
    # More input into the window. 1 some, 0 none now, -1 connection lost, -2 the client has said all.
    # wanted: bytes of the message under way.
    cdef Loop* loop = conn.loop
    cdef size_t rest = loop.window_size - loop.window_at
    cdef size_t room
    cdef uint8_t* place
    cdef ssize_t got
    if rest == 0:
        place = loop.scratch
        room = loop.scratch_size
    else:
        # A partial message: it and what follows go to the connection's own buffer.
        if loop.window_is_input:
            if loop.window_at != 0:
                memmove(conn.input.data, conn.input.data + loop.window_at, rest)
                conn.input.size = rest
        else:
            conn.input.size = 0
            buffer_append(&conn.input, loop.window + loop.window_at, rest)
        loop.window_is_input = 1
        loop.window_at = 0
        room = wanted - rest if wanted > rest + 16384 else 16384
        place = buffer_reserve(&conn.input, room)
        if place == NULL:
            return -1
        loop.window = conn.input.data
        loop.window_size = rest
    if conn.tls == NULL:
        while True:
            got = recv(conn.fd, place, room, MSG_DONTWAIT)
            if got >= 0 or errno != EINTR:
                break
        if got < 0:
            conn.readable = 0
            return 0 if errno == EAGAIN else -1
        if <size_t>got < room and not conn.eof:
            conn.readable = 0
    else:
        got = tls_recv(conn, place, room)
        if got < 0:
            return 0 if got == TLS_WAIT else -1
    if got == 0:
        conn.eof = 1
        conn.readable = 0
        return -2
    count_up(loop, COUNT_BYTES_IN, <uint64_t>got)
    if rest == 0:
        if loop.window_is_input and conn.input.capacity != 0:
            buffer_free(&conn.input)
        loop.window = loop.scratch
        loop.window_is_input = 0
        loop.window_at = 0
        loop.window_size = <size_t>got
    else:
        conn.input.size += <size_t>got
        loop.window_size = conn.input.size
    return 1


cdef bint _is_small(uint8_t kind) noexcept nogil:
    return (kind == c'S' or kind == c'H' or kind == c'X' or kind == c'E' or kind == c'D' or kind == c'C'
            or kind == c'c')


cdef int _dispatch(Conn* conn, uint8_t kind, const uint8_t* body, size_t size) noexcept nogil:
    # 1 = message done, 0 = kept at the front.
    if conn.phase == PHASE_COPY_IN and kind != c'X':
        copy_message(conn, kind, body, size)
        return 1
    if kind == c'X':
        conn.phase = PHASE_CLOSING
        return 1
    if kind == c'S':
        sync_end(conn)
        return 1
    if conn.skipping:
        return 1
    if kind == c'Q':
        return query_message(conn, body, size)
    if kind == c'P':
        return parse_message(conn, body, size)
    if kind == c'B':
        return bind_message(conn, body, size)
    if kind == c'E':
        return execute_message(conn, body, size)
    if kind == c'D':
        return describe_message(conn, body, size)
    if kind == c'C':
        return close_message(conn, body, size)
    if kind == c'H' or kind == c'd' or kind == c'c' or kind == c'f':
        return 1                 # output is sent at the end of the turn; COPY data of a COPY that failed
    if kind == c'F':
        dsql_error_set(&conn.session.error, "0A000", "unsupported frontend message: FunctionCall")
        txn_fail(conn.session)
        conn.simple = 1
        statement_error(conn)
        return 1
    _bad_kind(conn, kind)
    return 1


cdef void _bad_kind(Conn* conn, uint8_t kind) noexcept nogil:
    cdef char[64] text
    cdef int n = kind
    cdef int at = 30
    strcpy(text, "invalid frontend message type ")
    if n >= 100:
        text[at] = <char>(48 + n // 100)
        at += 1
    if n >= 10:
        text[at] = <char>(48 + n // 10 % 10)
        at += 1
    text[at] = <char>(48 + n % 10)
    text[at + 1] = 0
    conn_fatal(conn, "08P01", text)


cdef int _message(Conn* conn) noexcept nogil:
    # Handles one message of the window. 1 handled, 0 there is no whole one.
    cdef Loop* loop = conn.loop
    cdef const uint8_t* at = loop.window + loop.window_at
    cdef size_t rest = loop.window_size - loop.window_at
    cdef uint32_t length
    cdef uint8_t kind
    cdef int done
    if conn.phase == PHASE_STARTUP:
        if rest < 4:
            return 0
        length = read_u32(at)
        if length < 8 or length > STARTUP_BYTES_MAX:
            conn_fatal(conn, "08P01", "invalid length of startup packet")
            return 1
        if rest < length:
            return 0
        loop.window_at += length
        startup_packet(conn, at, length)
        return 1
    if rest < 5:
        return 0
    kind = at[0]
    length = read_u32(at + 1)
    if loop.message_bytes_max < length < 0x80000000U and not _is_small(kind):
        conn.phase = PHASE_CLOSING         # as the service does: what was answered goes out, and no error
        count_up(loop, COUNT_ERRORS, 1)
        return 1
    if length < 4 or length >= 0x80000000U or (length > 10000 and _is_small(kind)):
        conn_fatal(conn, "08P01", "invalid message length")
        return 1
    if conn.phase == PHASE_PASSWORD and length > PASSWORD_BYTES_MAX:
        conn_fatal(conn, "08P01", "invalid message length")
        return 1
    if rest < <size_t>length + 1:
        return 0
    if conn.phase == PHASE_PASSWORD:
        loop.window_at += length + 1
        if kind != c'p':
            conn_fatal(conn, "08P01", "expected password response, got message type")
        else:
            password_message(conn, at + 5, length - 4)
        return 1
    conn.held_size = 0
    done = _dispatch(conn, kind, at + 5, length - 4)
    if done:
        loop.window_at += length + 1
    else:
        conn.held_size = <size_t>length + 1
    return 1


cdef size_t _wanted(Conn* conn) noexcept nogil:
    # Bytes of the message that has begun to arrive.
    cdef Loop* loop = conn.loop
    cdef size_t rest = loop.window_size - loop.window_at
    if conn.phase == PHASE_STARTUP or rest < 5:
        return 0
    return <size_t>read_u32(loop.window + loop.window_at + 1) + 1


# -- a connection's turn ----------------------------------------------------------------------------------------------

cdef void _open_turn(Conn* conn) noexcept nogil:
    cdef Loop* loop = conn.loop
    loop.current = conn
    loop.out.size = 0
    loop.out.failed = 0
    loop.window = conn.input.data
    loop.window_size = conn.input.size
    loop.window_at = 0
    loop.window_is_input = 1


cdef void _leave(Conn* conn) noexcept nogil:
    # T6: between transactions, with no Query half done; a farewell not in one packet with an answer (libpq would take it for
    # a notice): the loop comes back to those who could not go yet.
    if conn.session.txn_state != TXN_IDLE or conn.query_count != 0 or conn.saved.size != 0:
        return
    if conn.leaving == LEAVE_DRAINED:
        if conn.loop.out.size != 0:
            return
        put_fatal(&conn.loop.out, "57P01", "terminating connection due to administrator command")
    conn.phase = PHASE_CLOSING


cdef void _close_turn(Conn* conn) noexcept nogil:
    # L1: rest of input and output back into the connection; closes it when it is done.
    cdef Loop* loop = conn.loop
    cdef size_t rest = loop.window_size - loop.window_at
    cdef bint lost = conn.hung_up != 0
    if loop.window_is_input:
        if rest == 0:
            if conn.input.capacity != 0:
                buffer_free(&conn.input)
        elif loop.window_at != 0:
            memmove(conn.input.data, conn.input.data + loop.window_at, rest)
            conn.input.size = rest
    elif rest != 0:
        conn.input.size = 0
        buffer_append(&conn.input, loop.window + loop.window_at, rest)
        if conn.input.failed:
            lost = True
    loop.current = NULL
    if conn.leaving and conn.phase == PHASE_READY:
        _leave(conn)
    if not lost and (loop.out.size != 0 or (conn_unsent(conn) != 0 and conn.writable)):
        if conn_send(conn, conn.phase == PHASE_COMMIT) < 0:
            lost = True
    loop.out.size = 0
    if loop.out.failed:
        lost = True
        loop.out.failed = 0
    if conn.phase == PHASE_READY and conn.session.txn_state == TXN_IDLE:
        memory_return(conn)
    if lost or (conn.phase == PHASE_CLOSING and conn_unsent(conn) == 0):
        turn_close(conn)


cdef bint _end_settings(Conn* conn) noexcept nogil:
    # A transaction that changed settings is over: the Python thread keeps or reverts them before the next statement.
    cdef Request* request
    if not conn.settings_dirty or conn.session.txn_state != TXN_IDLE:
        return False
    request = request_new(conn, REQUEST_END)
    if request == NULL:
        return False
    request.committed = conn.committed
    conn.settings_dirty = 0
    request_submit(request, AFTER_END)
    return True


cdef bint _ask_login(Conn* conn) noexcept nogil:
    # T5: the session came in by a mapping and the catalog has changed since that was last looked at.
    cdef Request* request
    if conn.session.txn_state != TXN_IDLE or (
            store_catalog_version(conn.loop.engine.store) == conn.login_version):
        return False
    request = request_new(conn, REQUEST_LOGIN)
    if request == NULL:
        conn_fatal(conn, "53200", "out of memory")
        return True
    request_submit(request, AFTER_LOGIN)
    return True


cdef void _work(Conn* conn) noexcept nogil:
    # Messages, until none is left, something parks the connection, or its slice is over.
    cdef Loop* loop = conn.loop
    cdef uint64_t deadline = 0
    cdef int handled = 0
    cdef int got
    while True:
        if conn.phase > PHASE_READY and conn.phase != PHASE_COPY_IN:
            return
        if conn_unsent(conn) >= OUT_BLOCK:
            # The client does not read. Only a send that came back short makes EPOLLOUT bring us back (T2): try one first.
            if conn.writable and conn_send(conn, 0) < 0:
                conn.hung_up = 1
                return
            if conn_unsent(conn) >= OUT_BLOCK:
                return
        if conn.phase == PHASE_READY:
            if conn.settings_dirty and _end_settings(conn):
                return
            if conn.login_version != 0 and _ask_login(conn):
                return
            if conn.saved.size != 0:
                conn.held_size = 0
                query_message(conn, conn.saved.data, conn.saved.size)
                if conn.query_count == 0:
                    buffer_free(&conn.saved)
                continue
        if not _message(conn):
            if not conn.readable:
                return
            if not conn.begun and not startup_begins(conn):
                return
            got = _read(conn, _wanted(conn))
            if got < 0:
                conn.phase = PHASE_CLOSING            # after an orderly end what was answered still goes out
                conn.hung_up = got == -1
                return
            if got == 0:
                return
            continue
        handled += 1
        if handled & 7 == 0:
            if deadline == 0:
                deadline = monotonic_ns() + loop.slice_ns
            elif monotonic_ns() > deadline and (loop.window_at < loop.window_size or conn.readable):
                if conn.phase == PHASE_READY or conn.phase == PHASE_COPY_IN:
                    conn_enqueue(conn)
                return
            if loop.out.size >= OUT_BLOCK and conn_send(conn, 0) < 0:
                conn.hung_up = 1
                return


cdef void turn_advance(Conn* conn, int from_queue) noexcept nogil:
    _open_turn(conn)
    if conn.phase == PHASE_BLOCKED:
        if conn.writable and conn_send(conn, 0) < 0:
            conn.hung_up = 1
        elif conn.cancelled or conn_unsent(conn) < OUT_BLOCK // 2:
            statement_run(conn)
    elif conn.phase == PHASE_RUN and from_queue:
        statement_run(conn)
    if not conn.hung_up:
        _work(conn)
    _close_turn(conn)


cdef void turn_completed(Loop* loop, Request* request) noexcept nogil:
    # An errand is back from the Python thread.
    cdef Conn* conn = request.conn
    cdef uint8_t kind = request.kind
    conn.request = NULL
    if request.login_version != 0:
        conn.login_version = request.login_version
    if request.has_settings:
        conn.settings_id = request.settings_id
        conn.settings_dirty |= request.settings_dirty
    if kind == REQUEST_CLOSE:
        request_free(loop, request)
        conn_free(conn)
        return
    if conn.phase == PHASE_DEAD:
        request_free(loop, request)
        _gone(conn)
        return
    _open_turn(conn)
    conn.phase = PHASE_READY
    conn.after = AFTER_NOTHING
    if conn.cancelled and not request.failed and (
            kind == REQUEST_PLAN or kind == REQUEST_RUN or kind == REQUEST_CHECK):
        conn.cancelled = 0
        dsql_error_set(&conn.session.error, "57014", "canceling statement due to user request")
        request.failed = 1
    if kind == REQUEST_STARTUP:
        startup_answered(conn, request)
    elif kind == REQUEST_PLAN:
        if request.failed:
            txn_fail(conn.session)
            statement_error(conn)
        else:
            conn.planned = request.plan
            request.plan = NULL
    elif kind == REQUEST_CHECK:
        if request.failed:
            txn_fail(conn.session)
            statement_error(conn)
        else:
            conn.checked = 1
    elif kind == REQUEST_RUN:
        statement_ran(conn, request)
    elif kind == REQUEST_STEP:
        statement_stepped(conn, request)
    elif kind == REQUEST_LOGIN:
        if request.failed:
            startup_answered(conn, request)
    elif kind == REQUEST_END:
        if request.prefix.size:
            buffer_append(&loop.out, request.prefix.data, request.prefix.size)
    request_free(loop, request)
    _work(conn)
    _close_turn(conn)


cdef void turn_replied(Loop* loop, const CommitReply* reply) noexcept nogil:
    cdef uint32_t slot = <uint32_t>(reply.reply_to & 0xFFFFFF)
    cdef uint32_t generation = <uint32_t>((reply.reply_to >> 24) & 0xFFFFFF)
    cdef Conn* conn
    if slot >= loop.slot_count:
        return
    conn = loop.conns[slot]
    if conn == NULL or conn.generation != generation:
        return
    if conn.phase == PHASE_DEAD and conn.waits == 2:
        txn_finish(conn.session, reply.status)
        conn.waits = 0
        _gone(conn)
        return
    if conn.phase != PHASE_COMMIT:
        return
    _open_turn(conn)
    commit_reply(conn, reply.status, reply.commit_ts)
    _work(conn)
    _close_turn(conn)
