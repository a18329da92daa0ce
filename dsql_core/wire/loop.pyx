"""The serving loop: one epoll thread that hosts sessions and roles, and never takes the GIL.

A turn:  events -> each ready connection reads, handles messages, writes
         run queue -> each running statement one slice
         completions of the Python thread, commit replies -> their connections go on
         roles, in order, until all are idle
         nothing left: arm the doorbell, look once more, wait

Invariants
  L1  One connection at a time is `current`: window and out are its; its turn ends with the rest of the input and output
      back in the Conn and loop.out empty.
  L2  Sockets are edge-triggered: `readable` stays set until a read came back short, `writable` until a send did.
  L3  The loop sleeps only when the run queue is empty, and completions, replies, cancel word and roles were looked at after
      the doorbell was armed: a producer that saw it unarmed has already been seen.
  L4  A connection that waits for the Python thread or a CommitReply is never freed before that came (PHASE_DEAD).
Memory: loop_free gives back everything; engine, roles, channels and counters belong to whoever made them.
"""
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcpy, memmove, memset, strcpy

from dsql_core.base.atomic cimport dsql_exchange, dsql_load_acquire, dsql_load_relaxed
from dsql_core.base.error cimport dsql_error_set
from dsql_core.base.memory cimport (
    Buffer, Pool, buffer_append, buffer_free, buffer_init, buffer_reserve, pool_free, pool_init,
)
from dsql_core.base.types cimport Slice
from dsql_core.codec.message cimport CommitReply, MSG_REPLY
from dsql_core.execute.session cimport txn_fail, txn_finish
from dsql_core.execute.state cimport TXN_IDLE
from dsql_core.shared.channel cimport (
    Channel, Doorbell, channel_consume, channel_flush, channel_is_empty, channel_peek, doorbell_arm, doorbell_disarm,
    doorbell_ring,
)
from dsql_core.wire.connection cimport (
    AFTER_CLOSE, AFTER_END, AFTER_NOTHING, AFTER_RETRY, AFTER_RUN, AFTER_STARTUP, AFTER_STEP, COUNTER_COUNT, COUNT_ACCEPTED,
    COUNT_BYTES_IN, COUNT_CACHE, COUNT_CONNECTIONS, OUT_BLOCK, PHASE_BLOCKED, PHASE_CLOSING, PHASE_COMMIT, PHASE_COPY_IN,
    PHASE_DEAD, PHASE_PASSWORD, PHASE_PYTHON, PHASE_READY, PHASE_RUN, PHASE_STARTUP, REQUEST_CLOSE, REQUEST_END,
    REQUEST_PLAN, REQUEST_RUN, REQUEST_STARTUP, REQUEST_STEP, Request, conn_dequeue, conn_enqueue, conn_fatal, conn_free,
    conn_new, conn_send, conn_status, conn_unsent, count_up, memory_free, memory_return, request_free, request_new, request_submit, statement_clear,
    take_all,
)
from dsql_core.wire.extended cimport bind_message, close_message, describe_message, execute_message, parse_message
from dsql_core.wire.normalise cimport shape_free, shape_init
from dsql_core.wire.plan_cache cimport plan_cache_free, plan_cache_init, plan_release
from dsql_core.wire.posix cimport (
    EAGAIN, ECONNABORTED, EFD_CLOEXEC, EFD_NONBLOCK, EINTR, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPOLLERR, EPOLLET,
    EPOLLEXCLUSIVE, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLL_CLOEXEC, EPOLL_CTL_ADD, EPOLL_CTL_DEL,
    IPPROTO_TCP, MSG_DONTWAIT, SIG_BLOCK, SOCK_CLOEXEC, SOCK_NONBLOCK, SOL_SOCKET, SO_KEEPALIVE, TCP_NODELAY, accept4,
    close, drain_fd, epoll_create1, epoll_ctl, epoll_event, epoll_wait, errno, eventfd, monotonic_ns, pthread_sigmask,
    recv, ring_fd, setsockopt, sigfillset, sigset_t,
)
from dsql_core.wire.protocol cimport (
    MESSAGE_BYTES_MAX, STARTUP_BYTES_MAX, message_begin, put_fatal, put_ready, read_u32,
)
from dsql_core.wire.simple cimport copy_message, query_message
from dsql_core.wire.startup cimport cancel_session, password_message, startup_answered, startup_packet
from dsql_core.wire.statement cimport (
    commit_reply, statement_error, statement_ran, statement_run, statement_stepped, sync_end,
)

cdef enum:
    SCRATCH_BYTES = 262144
    EVENTS_MAX = 512
    ACCEPTS_MAX = 64               # per turn, so that a storm of connections does not starve sessions
    SWEEP_NS = 1000000000
    STARTUP_NS = 60000000000       # a connection must have said who it is by then
    KIND_CONN = 0                  # top bits of epoll data
    KIND_LISTEN = 1
    KIND_BELL = 2
    KIND_ROLE = 3


cdef inline uint64_t _data(uint64_t kind, uint64_t generation, uint64_t number) noexcept nogil:
    return (kind << 60) | (generation << 32) | number


# -- life -------------------------------------------------------------------------------------------------------------

cdef int loop_init(Loop* loop) noexcept nogil:
    cdef epoll_event event
    memset(loop, 0, sizeof(Loop))
    loop.listen_fd = -1
    loop.own_bell.fd = -1
    loop.python_fd = -1
    loop.epoll_fd = epoll_create1(EPOLL_CLOEXEC)
    loop.own_bell.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)
    loop.own_bell.sleeping = &loop.own_sleeping
    loop.bell = &loop.own_bell
    loop.python_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)
    loop.scratch = <uint8_t*>malloc(SCRATCH_BYTES)
    loop.scratch_size = SCRATCH_BYTES
    loop.spare_pools = <Pool*>calloc(64, sizeof(Pool))
    loop.counters = <uint64_t*>calloc(COUNTER_COUNT, sizeof(uint64_t))
    buffer_init(&loop.out)
    buffer_init(&loop.commit_request)
    buffer_init(&loop.text)
    shape_init(&loop.shape)
    pool_init(&loop.bind_pool, 0)
    loop.connections_max = 10000
    loop.rate_burst = 1000
    loop.slice_ns = 150000
    strcpy(loop.server_version, "16.15")
    if loop.epoll_fd < 0 or loop.own_bell.fd < 0 or loop.python_fd < 0 or loop.scratch == NULL:
        return -1
    if loop.spare_pools == NULL or loop.counters == NULL:
        return -1
    return plan_cache_init(&loop.cache, 4096, 512 << 20)


cdef void loop_free(Loop* loop) noexcept nogil:
    cdef uint32_t i
    cdef Request* request
    cdef Request* next
    # Requests nobody will answer: their connections are freed below.
    for i in range(2):
        request = take_all(&loop.requests if i == 0 else &loop.completions)
        while request != NULL:
            next = request.next
            if request.conn != NULL:
                request.conn.request = NULL
                request.conn.phase = PHASE_DEAD
            request_free(loop, request)
            request = next
    for i in range(loop.slot_count):
        if loop.conns[i] != NULL:
            if loop.conns[i].fd >= 0:
                close(loop.conns[i].fd)
            conn_free(loop.conns[i])
    plan_cache_free(&loop.cache)
    memory_free(loop)
    for i in range(loop.spare_count):
        pool_free(&loop.spare_pools[i])
    free(loop.spare_pools)
    free(loop.conns)
    free(loop.generations)
    free(loop.free_slots)
    free(loop.scratch)
    free(loop.roles)
    free(loop.replies)
    free(loop.peers)
    if not loop.counters_shared:
        free(loop.counters)
    buffer_free(&loop.out)
    buffer_free(&loop.commit_request)
    buffer_free(&loop.text)
    shape_free(&loop.shape)
    pool_free(&loop.bind_pool)
    if loop.epoll_fd >= 0:
        close(loop.epoll_fd)
    if loop.own_bell.fd >= 0:
        close(loop.own_bell.fd)
    if loop.python_fd >= 0:
        close(loop.python_fd)
    loop.epoll_fd = loop.own_bell.fd = loop.python_fd = -1


cdef void loop_wake(Loop* loop) noexcept nogil:
    doorbell_ring(loop.bell)


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


cdef void _close(Conn* conn) noexcept nogil:
    cdef Loop* loop = conn.loop
    if conn.fd >= 0:
        close(conn.fd)
        conn.fd = -1
        count_up(loop, COUNT_CONNECTIONS, <uint64_t>-1)
        if loop.accept_paused:
            _listen(loop)
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
    # More input into the window. 1 some, 0 none now, -1 connection lost, -2 the client has said all. wanted: bytes the message under way needs.
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
    while True:
        got = recv(conn.fd, place, room, MSG_DONTWAIT)
        if got >= 0 or errno != EINTR:
            break
    if got < 0:
        conn.readable = 0
        return 0 if errno == EAGAIN else -1
    if got == 0:
        conn.eof = 1
        conn.readable = 0
        return -2
    if <size_t>got < room and not conn.eof:
        conn.readable = 0
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
    return (kind == c'S' or kind == c'H' or kind == c'X' or kind == c'E' or kind == c'D' or kind == c'C' or kind == c'c')


cdef int _dispatch(Conn* conn, uint8_t kind, const uint8_t* body, size_t size) noexcept nogil:
    # 1 = message done, 0 = kept at the front.
    cdef Loop* loop = conn.loop
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
    if length < 4 or length > MESSAGE_BYTES_MAX or (length > 10000 and _is_small(kind)):
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
        _close(conn)


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
            return                                    # the client does not read: EPOLLOUT brings us back
        if conn.phase == PHASE_READY:
            if conn.settings_dirty and _end_settings(conn):
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


cdef void _advance(Conn* conn, int from_queue) noexcept nogil:
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


cdef void _completed(Loop* loop, Request* request) noexcept nogil:
    # An errand is back from the Python thread.
    cdef Conn* conn = request.conn
    cdef uint8_t kind = request.kind
    conn.request = NULL
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
    if conn.cancelled and kind != REQUEST_STARTUP and kind != REQUEST_END and kind != REQUEST_STEP and not request.failed:
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
    elif kind == REQUEST_RUN:
        statement_ran(conn, request)
    elif kind == REQUEST_STEP:
        statement_stepped(conn, request)
    elif kind == REQUEST_END:
        if request.prefix.size:
            buffer_append(&loop.out, request.prefix.data, request.prefix.size)
    request_free(loop, request)
    _work(conn)
    _close_turn(conn)


cdef int _completions(Loop* loop) noexcept nogil:
    cdef Request* request = take_all(&loop.completions)
    cdef Request* next
    cdef int count = 0
    while request != NULL:
        next = request.next
        _completed(loop, request)
        request = next
        count += 1
    return count


cdef void _replied(Loop* loop, const CommitReply* reply) noexcept nogil:
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


cdef int _replies(Loop* loop) noexcept nogil:
    cdef uint32_t i
    cdef Slice message
    cdef CommitReply reply
    cdef int count = 0
    for i in range(loop.reply_count):
        while channel_peek(loop.replies[i], &message) == 1:
            if message.size >= sizeof(CommitReply):
                memcpy(&reply, message.data, sizeof(CommitReply))
            else:
                reply.kind = 0
            channel_consume(loop.replies[i])
            count += 1
            if reply.kind == MSG_REPLY:
                _replied(loop, &reply)
    return count


cdef int _roles(Loop* loop) noexcept nogil:
    # One round over the roles; the sum of their events, -1 = fatal.
    cdef uint32_t i
    cdef int total = 0
    cdef int events
    for i in range(loop.role_count):
        events = loop.roles[i].step(loop.roles[i].state)
        if events < 0:
            return -1
        total += events
    return total


# -- listening --------------------------------------------------------------------------------------------------------

cdef void _listen(Loop* loop) noexcept nogil:
    cdef epoll_event event
    if loop.listen_fd < 0:
        return
    event.events = EPOLLIN | EPOLLEXCLUSIVE
    event.data.u64 = _data(KIND_LISTEN, 0, 0)
    epoll_ctl(loop.epoll_fd, EPOLL_CTL_ADD, loop.listen_fd, &event)
    loop.accept_paused = 0


cdef void _accept(Loop* loop) noexcept nogil:
    cdef epoll_event event
    cdef Conn* conn
    cdef int fd
    cdef int one = 1
    cdef int count
    for count in range(ACCEPTS_MAX):
        fd = accept4(loop.listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)
        if fd < 0:
            if errno == EINTR or errno == ECONNABORTED:
                continue
            if errno == EMFILE or errno == ENFILE or errno == ENOBUFS or errno == ENOMEM:
                # No descriptor for it: stop listening until one is free, or the pending one wakes us for ever.
                epoll_ctl(loop.epoll_fd, EPOLL_CTL_DEL, loop.listen_fd, &event)
                loop.accept_paused = 1
            return
        # Far beyond the limit there is not even a reason: those above it get theirs after the startup packet.
        if loop.open_count >= loop.connections_max + 1024:
            close(fd)
            continue
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(int))
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(int))
        conn = conn_new(loop, fd)
        if conn == NULL:
            close(fd)
            continue
        conn.accepted_ns = monotonic_ns()
        count_up(loop, COUNT_CONNECTIONS, 1)
        count_up(loop, COUNT_ACCEPTED, 1)
        event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET
        event.data.u64 = _data(KIND_CONN, conn.generation, conn.slot)
        if epoll_ctl(loop.epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0:
            _close(conn)


cdef void _sweep(Loop* loop, uint64_t now) noexcept nogil:
    # Once a second: connections past their lifetime, and those that never said who they are.
    cdef uint32_t i
    cdef Conn* conn
    loop.sweep_at_ns = now + SWEEP_NS
    _count_plans(loop)
    if loop.accept_paused:
        _listen(loop)
    loop.sweep_count += 1
    if loop.lifetime_ns == 0 and loop.sweep_count % 8:
        return
    for i in range(loop.slot_count):
        conn = loop.conns[i]
        if conn == NULL or conn.fd < 0:
            continue
        if conn.phase <= PHASE_PASSWORD:
            if now - conn.accepted_ns > STARTUP_NS:
                _close(conn)
        elif loop.lifetime_ns != 0 and now - conn.accepted_ns > loop.lifetime_ns:
            # A transaction begun in time may still use its five minutes.
            if (conn.phase == PHASE_READY and conn.session.txn_state == TXN_IDLE) or (
                    now - conn.accepted_ns > loop.lifetime_ns + 300000000000ULL):
                _close(conn)


cdef void _count_plans(Loop* loop) noexcept nogil:
    loop.counters[COUNT_CACHE] = loop.cache.count


# -- the loop ---------------------------------------------------------------------------------------------------------

cdef void _event(Loop* loop, const epoll_event* event) noexcept nogil:
    cdef uint64_t kind = event.data.u64 >> 60
    cdef uint32_t slot
    cdef Conn* conn
    if kind == KIND_LISTEN:
        _accept(loop)
        return
    if kind != KIND_CONN:
        return                                    # the bell is disarmed below; roles are stepped every turn
    slot = <uint32_t>event.data.u64
    if slot >= loop.slot_count:
        return
    conn = loop.conns[slot]
    if conn == NULL or conn.generation != <uint32_t>((event.data.u64 >> 32) & 0xFFFFFF) or conn.fd < 0:
        return
    if event.events & (EPOLLERR | EPOLLHUP):
        _close(conn)
        return
    if event.events & EPOLLIN:
        conn.readable = 1
    if event.events & EPOLLRDHUP:
        conn.readable = 1
        conn.eof = 1                              # read to the end even after a short read
    if event.events & EPOLLOUT:
        conn.writable = 1
    _advance(conn, 0)


cdef int _idle_again(Loop* loop) noexcept nogil:
    # L3: after arming. 1 = nothing arrived meanwhile.
    cdef uint32_t i
    if dsql_load_acquire(&loop.completions) != 0 or loop.stop_requested:
        return 0
    if loop.cancel_words != NULL and dsql_load_relaxed(&loop.cancel_words[loop.worker_id]) != 0:
        return 0
    for i in range(loop.reply_count):
        if not channel_is_empty(loop.replies[i]):
            return 0
    return 1


cdef void _run_queue(Loop* loop) noexcept nogil:
    # One slice for each that is queued now; those that queue up again wait for the next turn.
    cdef Conn* conn = loop.run_head
    cdef uint32_t count = 0
    while conn != NULL:
        count += 1
        conn = conn.run_next
    while count != 0 and loop.run_head != NULL:
        count -= 1
        conn = loop.run_head
        conn_dequeue(conn)
        _advance(conn, 1)


cdef int loop_run(Loop* loop) noexcept nogil:
    cdef epoll_event[EVENTS_MAX] events
    cdef epoll_event event
    cdef sigset_t signals
    cdef int count
    cdef int i
    cdef int timeout
    cdef int busy = 1
    cdef int work
    cdef uint64_t now
    cdef uint64_t word
    sigfillset(&signals)
    pthread_sigmask(SIG_BLOCK, &signals, NULL)      # signals are the main thread's
    _listen(loop)
    event.events = EPOLLIN
    event.data.u64 = _data(KIND_BELL, 0, 0)
    epoll_ctl(loop.epoll_fd, EPOLL_CTL_ADD, loop.bell.fd, &event)
    for i in range(<int>loop.role_count):
        if loop.roles[i].event_fd >= 0:
            event.data.u64 = _data(KIND_ROLE, 0, <uint64_t>i)
            epoll_ctl(loop.epoll_fd, EPOLL_CTL_ADD, loop.roles[i].event_fd, &event)
    loop.sweep_at_ns = monotonic_ns() + SWEEP_NS
    loop.rate_at_ns = monotonic_ns()
    loop.rate_tokens = loop.rate_burst
    while not loop.stop_requested:
        timeout = 0
        if not busy and loop.run_head == NULL:
            doorbell_arm(loop.bell)
            timeout = 1000
            work = _roles(loop)
            if work < 0:
                return -1
            if work > 0 or not _idle_again(loop):
                timeout = 0
        count = epoll_wait(loop.epoll_fd, events, EVENTS_MAX, timeout)
        doorbell_disarm(loop.bell)
        busy = 0
        for i in range(count):
            if events[i].data.u64 >> 60 == KIND_BELL:
                drain_fd(loop.bell.fd)
            else:
                _event(loop, &events[i])
        if count > 0:
            busy = 1
        if loop.run_head != NULL:
            _run_queue(loop)
            busy = 1
        # Replies and completions make commits, commits make work for the roles: round until all is quiet.
        while True:
            work = _completions(loop) + _replies(loop)
            i = _roles(loop)
            if i < 0:
                return -1
            if work + i == 0:
                break
            busy = 1
            if loop.run_head != NULL:
                break                              # running statements and sockets want their turn
        if loop.commits != NULL:
            channel_flush(loop.commits)
        if loop.cancel_words != NULL and dsql_load_relaxed(&loop.cancel_words[loop.worker_id]) != 0:
            word = dsql_exchange(&loop.cancel_words[loop.worker_id], 0)
            cancel_session(loop, <uint32_t>(word >> 32), <uint32_t>word)
        now = monotonic_ns()
        if now >= loop.sweep_at_ns:
            _sweep(loop, now)
    return _shut(loop)


cdef int _shut(Loop* loop) noexcept nogil:
    # Tells every client why, as far as its socket takes it at once, and closes.
    cdef uint32_t i
    cdef Conn* conn
    for i in range(loop.slot_count):
        conn = loop.conns[i]
        if conn == NULL or conn.fd < 0:
            continue
        if conn.phase != PHASE_STARTUP and conn.phase != PHASE_PASSWORD:
            loop.out.size = 0
            loop.out.failed = 0
            put_fatal(&loop.out, "57P01", "terminating connection due to administrator command")
            conn_send(conn, 0)
            loop.out.size = 0
        close(conn.fd)
        conn.fd = -1
        count_up(loop, COUNT_CONNECTIONS, <uint64_t>-1)
    return 0
