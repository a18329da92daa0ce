"""The serving loop: one epoll thread that hosts sessions and roles, and never takes the GIL.

A turn of the loop:
    events          each ready connection has its turn (turn.pyx)
    run queue       each running statement one slice
    errands back from the Python thread, commit replies: their connections go on
    roles           in order, until all are idle
    drain           what is under way ends, then the loop
    nothing left    arm the doorbell, look once more, wait

Invariants
  L1  the loop sleeps only when the run queue is empty, and completions, replies, cancel word and roles were looked at
      after the doorbell was armed: a producer that saw it unarmed has already been seen.
  L2  out of descriptors, it stops listening until one is free again, instead of being woken for ever.
Memory: loop_free gives back everything; engine, roles, channels and counters belong to whoever made them.
"""
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset, strcpy

from dsql_core.base.atomic cimport dsql_exchange, dsql_load_acquire, dsql_load_relaxed
from dsql_core.base.memory cimport Pool, buffer_free, buffer_init, pool_free, pool_init
from dsql_core.base.types cimport Slice
from dsql_core.codec.message cimport CommitReply, MSG_REPLY
from dsql_core.shared.channel cimport (
    channel_consume, channel_flush, channel_is_empty, channel_peek, doorbell_arm, doorbell_disarm, doorbell_ring,
)
from dsql_core.wire.connection cimport (
    COUNTER_COUNT, COUNT_ACCEPTED, Conn, COUNT_CACHE, COUNT_CONNECTIONS, LEAVE_DRAINED, LEAVE_NOT, LEAVE_OLD,
    PHASE_DEAD, PHASE_PASSWORD, PHASE_READY, PHASE_STARTUP, Request, conn_dequeue, conn_enqueue, conn_free, conn_new, conn_send,
    count_up, memory_free, request_free, take_all,
)
from dsql_core.wire.normalise cimport shape_free, shape_init
from dsql_core.wire.plan_cache cimport plan_cache_free, plan_cache_init
from dsql_core.wire.posix cimport (
    EAGAIN, ECONNABORTED, EFD_CLOEXEC, EFD_NONBLOCK, EINTR, EPOLLERR, EPOLLET,
    EPOLLEXCLUSIVE, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLL_CLOEXEC, EPOLL_CTL_ADD, EPOLL_CTL_DEL,
    IPPROTO_TCP, SIG_BLOCK, SOCK_CLOEXEC, SOCK_NONBLOCK, SOL_SOCKET, SO_KEEPALIVE, TCP_NODELAY, accept4,
    close,
    drain_fd, epoll_create1, epoll_ctl, epoll_event, epoll_wait, errno, eventfd, monotonic_ns, pthread_sigmask,
    setsockopt, sigfillset, sigset_t,
)
from dsql_core.wire.protocol cimport put_fatal
from dsql_core.wire.startup cimport cancel_session
from dsql_core.wire.tls cimport tls_end
from dsql_core.wire.turn cimport turn_advance, turn_close, turn_completed, turn_replied

cdef enum:
    SCRATCH_BYTES = 262144
    EVENTS_MAX = 512
    ACCEPTS_MAX = 16               # per turn: a storm starves no session, and other workers get their share
    SWEEP_NS = 1000000000
    REMIND_NS = 10000000           # while draining
    TRANSACTION_NS = 300000000000  # the longest a transaction may take
    KIND_CONN = 0                  # top bits of epoll data
    KIND_LISTEN = 1
    KIND_BELL = 2
    KIND_ROLE = 3


cdef inline uint64_t _data(uint64_t kind, uint64_t generation, uint64_t number) noexcept nogil:
    return (kind << 60) | (generation << 32) | number


# -- life -------------------------------------------------------------------------------------------------------------

cdef int loop_init(Loop* loop) noexcept nogil:
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
    loop.connections_max = <uint32_t>-1
    loop.message_bytes_max = 1 << 30
    loop.slice_ns = 150000
    loop.startup_ns = 60000000000
    loop.rate_word = &loop.own_rate_word
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
                tls_end(loop.conns[i])
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
    free(loop.host_names)
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


# -- what comes back ---------------------------------------------------------------------------------------------------

cdef int _completions(Loop* loop) noexcept nogil:
    cdef Request* request = take_all(&loop.completions)
    cdef Request* next
    cdef int count = 0
    while request != NULL:
        next = request.next
        turn_completed(loop, request)
        request = next
        count += 1
    return count


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
                turn_replied(loop, &reply)
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
    loop.descriptor_freed = 0


cdef void _accept(Loop* loop) noexcept nogil:
    cdef epoll_event event
    cdef Conn* conn
    cdef int fd
    cdef int one = 1
    cdef int _count
    for _count in range(ACCEPTS_MAX):
        fd = accept4(loop.listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)
        if fd < 0:
            if errno == EINTR or errno == ECONNABORTED:
                continue
            if errno != EAGAIN:
                # No descriptor for it, or the supervisor has ended the listening: stop until one is free, or a second has
                # passed, or the pending one wakes us for ever.
                epoll_ctl(loop.epoll_fd, EPOLL_CTL_DEL, loop.listen_fd, &event)
                loop.accept_paused = 1
            return
        # Far beyond the limit there is not even a reason: those above it get theirs after the startup packet.
        if loop.open_count >= <uint64_t>loop.connections_max + 1024:
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
            turn_close(conn)


cdef void _sweep(Loop* loop, uint64_t now) noexcept nogil:
    # Once a second: connections past their lifetime, and those that never said who they are.
    cdef uint32_t i
    cdef Conn* conn
    loop.sweep_at_ns = now + SWEEP_NS
    now += loop.ahead_ns
    _count_plans(loop)
    if loop.accept_paused:
        _listen(loop)
    loop.sweep_count += 1
    if loop.lifetime_ns == 0 and loop.startup_ns > 8000000000ULL and loop.sweep_count % 8:
        return
    for i in range(loop.slot_count):
        conn = loop.conns[i]
        if conn == NULL or conn.fd < 0:
            continue
        if conn.phase <= PHASE_PASSWORD:
            if now - conn.accepted_ns > loop.startup_ns:
                turn_close(conn)
        elif loop.lifetime_ns != 0 and now - conn.accepted_ns > loop.lifetime_ns:
            # A transaction begun in time may still use its five minutes.
            if now - conn.accepted_ns > loop.lifetime_ns + TRANSACTION_NS:
                turn_close(conn)
            else:
                if conn.leaving == LEAVE_NOT:
                    conn.leaving = LEAVE_OLD
                if conn.phase == PHASE_READY:
                    conn_enqueue(conn)


cdef void _drain(Loop* loop) noexcept nogil:
    # No new connections; those there leave as soon as they are between transactions.
    cdef epoll_event event
    cdef uint32_t i
    cdef Conn* conn
    loop.drain_until_ns = monotonic_ns() + loop.drain_ns
    if loop.listen_fd >= 0:
        epoll_ctl(loop.epoll_fd, EPOLL_CTL_DEL, loop.listen_fd, &event)
        loop.listen_fd = -1
    for i in range(loop.slot_count):
        conn = loop.conns[i]
        if conn == NULL or conn.fd < 0:
            continue
        if conn.phase <= PHASE_PASSWORD:
            turn_close(conn)
        else:
            conn.leaving = LEAVE_DRAINED


cdef void _remind(Loop* loop, uint64_t now) noexcept nogil:
    # While draining: those that are leaving have a turn, now and then.
    cdef uint32_t i
    loop.remind_at_ns = now + REMIND_NS
    for i in range(loop.slot_count):
        if loop.conns[i] != NULL and loop.conns[i].phase == PHASE_READY:
            conn_enqueue(loop.conns[i])


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
        turn_close(conn)
        return
    if event.events & EPOLLIN:
        conn.readable = 1
    if event.events & EPOLLRDHUP:
        conn.readable = 1
        conn.eof = 1                              # read to the end even after a short read
    if event.events & EPOLLOUT:
        conn.writable = 1
    turn_advance(conn, 0)


cdef int _idle_again(Loop* loop) noexcept nogil:
    # L3: after arming. 1 = nothing arrived meanwhile.
    cdef uint32_t i
    if dsql_load_acquire(&loop.completions) != 0 or loop.stop_requested or (
            loop.drain_ns != 0 and (loop.drain_until_ns == 0 or loop.open_count == 0)):
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
        turn_advance(conn, 1)


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
    while not loop.stop_requested:
        timeout = 0
        if not busy and loop.run_head == NULL:
            doorbell_arm(loop.bell)
            timeout = 1000 if loop.drain_ns == 0 else REMIND_NS // 1000000
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
        if loop.accept_paused and loop.descriptor_freed:
            _listen(loop)
        if loop.commits != NULL:
            channel_flush(loop.commits)
        if loop.cancel_words != NULL and dsql_load_relaxed(&loop.cancel_words[loop.worker_id]) != 0:
            word = dsql_exchange(&loop.cancel_words[loop.worker_id], 0)
            cancel_session(loop, <uint32_t>(word >> 32), <uint32_t>word)
        now = monotonic_ns()
        if now >= loop.sweep_at_ns:
            _sweep(loop, now)
        if loop.drain_ns != 0:
            if loop.drain_until_ns == 0:
                _drain(loop)
            elif loop.open_count == 0 or now >= loop.drain_until_ns:
                break
            if now >= loop.remind_at_ns:
                _remind(loop, now)
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
        tls_end(conn)
        close(conn.fd)
        conn.fd = -1
        count_up(loop, COUNT_CONNECTIONS, <uint64_t>-1)
    return 0
