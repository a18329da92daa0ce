"""Start of a connection: SSLRequest, GSSENCRequest, CancelRequest, StartupMessage, password, greeting, refusals.

A plain startup (trust, no settings beyond the usual four) is answered without the Python thread; anything else - a
password, options, a hook - goes there as a REQUEST_STARTUP and is answered when it comes back.

With TLS: an SSLRequest is answered 'S' and the handshake follows; a connection whose first byte is a ClientHello speaks
TLS at once (direct TLS). With tls_required (DSQL's rule) a startup in clear is refused, and so is one that does not name
this cluster: by SNI host name, or by `-c amzn-cluster-id=<id>` in the startup options where the name is of no use.

The cancel key of a session is (worker << 20 | slot + 1, secret): whichever worker the CancelRequest reaches finds the
right one, by its word in the shared cancel block.
"""
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdio cimport snprintf
from libc.stdlib cimport free, malloc
from libc.string cimport memchr, memcpy, strcmp, strlen, strncmp

from dsql_core.base.atomic cimport dsql_compare_exchange, dsql_load_relaxed
from dsql_core.base.error cimport dsql_error_clear, dsql_error_detail, dsql_error_set, dsql_error_t
from dsql_core.base.memory cimport Buffer, buffer_append, buffer_append_u8
from dsql_core.execute.session cimport session_new
from dsql_core.shared.channel cimport doorbell_ring
from dsql_core.wire.connection cimport (
    AFTER_STARTUP, COUNTER_COUNT, COUNT_CANCELS, COUNT_CONNECTIONS, COUNT_ERRORS, COUNT_REFUSED, Conn, Loop,
    PHASE_BLOCKED, PHASE_CLOSING, PHASE_COPY_IN, PHASE_PASSWORD, PHASE_PYTHON, PHASE_READY, PHASE_RUN, REQUEST_STARTUP,
    Request, conn_enqueue, conn_fatal, conn_send, conn_unsent, count_up, request_new, request_submit,
)
from dsql_core.wire.posix cimport monotonic_ns
from dsql_core.wire.protocol cimport (
    Reader, message_begin, message_end, put_error, put_parameter_status, put_ready, put_string, put_u32, read_u32,
    take_string, utf8_valid_to,
)
from dsql_core.wire.tls cimport PEEK_NONE, TLS_DIRECT, TLS_HANDSHAKE, tls_begin, tls_host, tls_peek

cdef extern from "<ctype.h>" nogil:
    int isspace(int one)
cdef extern from "<strings.h>" nogil:
    int strncasecmp(const char* a, const char* b, size_t size)

cdef enum:
    CODE_CANCEL = 80877102
    CODE_SSL = 80877103
    CODE_GSS = 80877104
    CLIENT_HELLO = 0x16                # first byte of a TLS handshake record


cdef const char* _parameter(Conn* conn, const char* name) noexcept nogil:
    # Value of a startup parameter, or NULL.
    cdef const char* at = conn.user
    cdef const char* value
    while at[0] != 0:
        value = at + strlen(at) + 1
        if strcmp(at, name) == 0:
            return value
        at = value + strlen(value) + 1
    return NULL


cdef bint _is_utf8_name(const char* name) noexcept nogil:
    return (strcmp(name, "UTF8") == 0 or strcmp(name, "UTF-8") == 0 or strcmp(name, "utf8") == 0
            or strcmp(name, "utf-8") == 0 or strcmp(name, "unicode") == 0 or strcmp(name, "UNICODE") == 0
            or strcmp(name, "'utf-8'") == 0 or strcmp(name, "'UTF8'") == 0)


cdef void _greet(Conn* conn, const Buffer* reports) noexcept nogil:
    # reports: ParameterStatus messages the Python thread made; without them those of a session with default settings.
    cdef Buffer* out = &conn.loop.out
    cdef Loop* loop = conn.loop
    cdef const char* name = _parameter(conn, "application_name")
    cdef size_t begin = message_begin(out, c'R')
    put_u32(out, 0)
    message_end(out, begin)
    put_parameter_status(out, "scram_iterations", "4096")
    if reports != NULL and reports.size != 0:
        buffer_append(out, reports.data, reports.size)
        return
    put_parameter_status(out, "in_hot_standby", "off")
    put_parameter_status(out, "integer_datetimes", "on")
    put_parameter_status(out, "TimeZone", "UTC")
    put_parameter_status(out, "IntervalStyle", "postgres")
    put_parameter_status(out, "is_superuser", "off")
    put_parameter_status(out, "application_name", name if name != NULL else <const char*>b"")
    put_parameter_status(out, "default_transaction_read_only", "off")
    put_parameter_status(out, "DateStyle", "ISO, MDY")
    put_parameter_status(out, "standard_conforming_strings", "on")
    put_parameter_status(out, "session_authorization", _parameter(conn, "user"))
    put_parameter_status(out, "client_encoding", "UTF8")
    put_parameter_status(out, "server_version", loop.server_version)
    put_parameter_status(out, "server_encoding", "UTF8")


cdef void _ready(Conn* conn) noexcept nogil:
    cdef Buffer* out = &conn.loop.out
    cdef size_t begin = message_begin(out, c'K')
    put_u32(out, (conn.loop.worker_id << 20) | (conn.slot + 1))
    put_u32(out, conn.secret)
    message_end(out, begin)
    put_ready(out, c'I')
    conn.greeted = 1
    conn.phase = PHASE_READY


cdef void _refuse(Conn* conn, const char* sqlstate, const char* message) noexcept nogil:
    count_up(conn.loop, COUNT_REFUSED, 1)
    conn_fatal(conn, sqlstate, message)


cdef void _refuse_error(Conn* conn, const dsql_error_t* error) noexcept nogil:
    put_error(&conn.loop.out, "FATAL", error)
    conn.phase = PHASE_CLOSING
    count_up(conn.loop, COUNT_ERRORS, 1)
    count_up(conn.loop, COUNT_REFUSED, 1)


cdef bint _over_limits(Conn* conn) noexcept nogil:
    # Connection count and the token bucket; says so and closes.
    cdef Loop* loop = conn.loop
    if _open_connections(loop) > loop.connections_max:
        _refuse(conn, "53300", "Unable to accept connection, too many open connections.")
        return True
    if loop.rate_per_s != 0 and not _take_token(loop):
        _refuse(conn, "53400", "Unable to accept connection, rate exceeded.")
        return True
    return False


cdef uint64_t _open_connections(const Loop* loop) noexcept nogil:
    # Of all workers. Each counts its own before it asks, so together they never let in too many.
    cdef uint64_t total = 0
    cdef uint32_t i
    if loop.fleet == NULL:
        return loop.counters[COUNT_CONNECTIONS]
    for i in range(loop.fleet_count):
        total += dsql_load_relaxed(&loop.fleet[i * COUNTER_COUNT + COUNT_CONNECTIONS])
    return total


cdef bint _take_token(Loop* loop) noexcept nogil:
    # A token bucket as one word, exact over all workers: the time at which the bucket would be full again. Each connection
    # moves it on by one period; it may be at most burst - 1 periods ahead of now.
    cdef uint64_t period = 1000000000ULL // loop.rate_per_s
    cdef uint64_t now
    cdef uint64_t due
    cdef uint64_t start
    while True:
        due = dsql_load_relaxed(loop.rate_word)
        now = monotonic_ns()
        start = due if due > now else now
        if start - now > period * (loop.rate_burst - 1):
            return False
        if dsql_compare_exchange(loop.rate_word, due, start + period):
            return True


cdef void cancel_session(Loop* loop, uint32_t slot_plus_one, uint32_t secret) noexcept nogil:
    cdef Conn* conn
    if slot_plus_one == 0 or slot_plus_one > loop.slot_count:
        return
    conn = loop.conns[slot_plus_one - 1]
    if conn == NULL or conn.secret != secret or not conn.greeted:
        return
    if conn.phase == PHASE_RUN or conn.phase == PHASE_BLOCKED or conn.phase == PHASE_COPY_IN:
        conn.cancelled = 1
        conn_enqueue(conn)
    elif conn.phase == PHASE_PYTHON:
        conn.cancelled = 1
        if conn.request != NULL:
            conn.request.cancelled = 1
    else:
        return
    count_up(loop, COUNT_CANCELS, 1)


cdef void _cancel(Loop* loop, uint32_t pid, uint32_t secret) noexcept nogil:
    cdef uint32_t worker = pid >> 20
    cdef uint32_t slot = pid & 0xFFFFF
    if worker == loop.worker_id:
        cancel_session(loop, slot, secret)
    elif loop.cancel_words != NULL and worker < loop.cancel_count:
        # One word per worker: a second request in the same instant is lost, as a signal may be.
        if dsql_compare_exchange(&loop.cancel_words[worker], 0, (<uint64_t>slot << 32) | secret):
            if worker < loop.peer_count and loop.peers[worker] != NULL:
                doorbell_ring(loop.peers[worker])


cdef void _negotiate(Conn* conn) noexcept nogil:
    # A newer minor version or an unknown protocol option: say what is spoken here.
    cdef Buffer* out = &conn.loop.out
    cdef size_t begin = message_begin(out, c'v')
    cdef size_t count_at
    cdef uint32_t count = 0
    cdef const char* at = conn.user
    put_u32(out, 0)
    count_at = out.size
    put_u32(out, 0)
    while at[0] != 0:
        if strncmp(at, "_pq_.", 5) == 0:
            put_string(out, at)
            count += 1
        at += strlen(at) + 1
        at += strlen(at) + 1
    if not out.failed:
        out.data[count_at + 3] = <uint8_t>count
    message_end(out, begin)


cdef bint _plain(Conn* conn) noexcept nogil:
    # Nothing in the startup parameters that the Python thread must look at.
    cdef const char* at = conn.user
    cdef const char* value
    while at[0] != 0:
        value = at + strlen(at) + 1
        if strcmp(at, "client_encoding") == 0:
            if not _is_utf8_name(value):
                return False
        elif strcmp(at, "user") != 0 and strcmp(at, "database") != 0 and strcmp(at, "application_name") != 0 and (
                strncmp(at, "_pq_.", 5) != 0):
            return False
        at = value + strlen(value) + 1
    return True


cdef void _ask_python(Conn* conn, const uint8_t* password, size_t size) noexcept nogil:
    cdef Request* request = request_new(conn, REQUEST_STARTUP)
    if request == NULL:
        _refuse(conn, "53200", "out of memory")
        return
    buffer_append(&request.text, conn.user, conn.user_size)
    if password != NULL:
        buffer_append(&request.password, password, size + 1)
    request_submit(request, AFTER_STARTUP)


cdef int startup_begins(Conn* conn) noexcept nogil:
    cdef int first
    conn.begun = 1
    if conn.loop.tls_context == NULL:
        return 1
    first = tls_peek(conn)
    if first == PEEK_NONE:
        conn.begun = 0
        conn.readable = 0
        return 0
    if first == CLIENT_HELLO and tls_begin(conn, TLS_DIRECT) < 0:
        conn.hung_up = 1
        return 0
    return 1


cdef void _start_tls(Conn* conn) noexcept nogil:
    # 'S' must be on its way before the handshake; what came in clear behind the request is no part of it (CVE-2021-23222).
    cdef dsql_error_t error
    if conn.loop.window_at != conn.loop.window_size:
        dsql_error_clear(&error)
        dsql_error_set(&error, "08P01", "received unencrypted data after SSL request")
        dsql_error_detail(&error, "This could be either a client-software bug or evidence of an attempted "
                          "man-in-the-middle attack.")
        _refuse_error(conn, &error)
        return
    buffer_append_u8(&conn.loop.out, c'S')
    if conn_send(conn, 0) < 0 or conn_unsent(conn) != 0 or tls_begin(conn, TLS_HANDSHAKE) < 0:
        conn.hung_up = 1
        conn.phase = PHASE_CLOSING


cdef bint _is_host_of(const char* names, const char* host) noexcept nogil:
    # Host names are compared without case and without a last dot.
    cdef size_t size = strlen(host)
    if size != 0 and host[size - 1] == c'.':
        size -= 1
    while names != NULL and names[0] != 0:
        if strlen(names) == size and strncasecmp(names, host, size) == 0:
            return True
        names += strlen(names) + 1
    return False


cdef const char* _cluster_option(const char* options, size_t* size) noexcept nogil:
    # Value of amzn-cluster-id in the startup options (PostgreSQL takes '-' for '_' in names), or NULL; the last one counts.
    cdef const char* found = NULL
    cdef const char* at = options
    cdef size_t length
    cdef size_t skip
    while at != NULL and at[0] != 0:
        while isspace(at[0]):
            at += 1
        length = 0
        while at[length] != 0 and not isspace(at[length]):
            length += 1
        skip = 2 if strncmp(at, "-c", 2) == 0 or strncmp(at, "--", 2) == 0 else 0
        if length - skip >= 16 and strncmp(at + skip, "amzn", 4) == 0 and strncmp(at + skip + 5, "cluster", 7) == 0 and (
                strncmp(at + skip + 13, "id=", 3) == 0) and _is_dash(at[skip + 4]) and _is_dash(at[skip + 12]):
            found = at + skip + 16
            size[0] = length - skip - 16
        at += length
    return found


cdef bint _is_dash(char one) noexcept nogil:
    return one == c'-' or one == c'_'


cdef bint _names_another_cluster(Conn* conn) noexcept nogil:
    # Says so and closes. The option counts where the host name is not one of this cluster's (private link, loopback).
    cdef Loop* loop = conn.loop
    cdef const char* host = tls_host(conn)
    cdef dsql_error_t error
    cdef size_t size = 0
    cdef const char* cluster = _cluster_option(_parameter(conn, "options"), &size)
    if cluster != NULL:
        if size == strlen(loop.cluster_id) and strncmp(cluster, loop.cluster_id, size) == 0:
            return False
    elif host != NULL and _is_host_of(loop.host_names, host):
        return False
    elif host == NULL:
        # guess: sni_missing
        _refuse(conn, "08006", "unable to accept connection, sni was not received")
        return True
    # guess: sni_other_cluster
    dsql_error_clear(&error)
    dsql_error_set(&error, "08006", "unable to accept connection, access denied")
    if cluster != NULL:
        snprintf(error.hint, sizeof(error.hint), "Cluster %.*s is not served at this endpoint.",
                 <int>(size if size < 100 else 100), cluster)
    else:
        snprintf(error.hint, sizeof(error.hint), "Host %.255s is not an endpoint of this cluster.", host)
    _refuse_error(conn, &error)
    return True


cdef void startup_packet(Conn* conn, const uint8_t* packet, size_t size) noexcept nogil:
    cdef Loop* loop = conn.loop
    cdef uint32_t code = read_u32(packet + 4)
    cdef Reader reader
    cdef const char* name
    cdef const char* value
    cdef size_t length
    cdef char[160] message
    cdef size_t begin
    if (code == CODE_SSL or code == CODE_GSS) and conn.tls == NULL:
        if code == CODE_SSL and loop.tls_context != NULL:
            _start_tls(conn)
        else:
            buffer_append_u8(&loop.out, c'N')
        return
    if code == CODE_CANCEL:
        if size == 16:
            _cancel(loop, read_u32(packet + 8), read_u32(packet + 12))
        conn.phase = PHASE_CLOSING
        return
    if code >> 16 != 3:
        snprintf(message, 160, "unsupported frontend protocol %u.%u: server supports 3.0 to 3.0", code >> 16,
                 code & 0xFFFF)
        _refuse(conn, "0A000", message)
        return
    # name \0 value \0 ... \0
    reader.at = packet + 8
    reader.end = packet + size
    reader.failed = 0
    while True:
        name = take_string(&reader, &length)
        if reader.failed or length == 0:
            break
        value = take_string(&reader, &length)
        if reader.failed:
            break
    if reader.failed or reader.at != reader.end:
        _refuse(conn, "08P01", "invalid startup packet layout: expected terminator as last byte")
        return
    if loop.tls_required and conn.tls == NULL:
        # guess: tls_mandatory
        _refuse(conn, "08006", "unable to accept connection, SSL is mandatory. AWS Authentication is required.")
        return
    free(conn.user)
    conn.user_size = size - 8
    conn.user = <char*>malloc(size - 8 + 1)
    if conn.user == NULL:
        _refuse(conn, "53200", "out of memory")
        return
    memcpy(conn.user, packet + 8, size - 8)
    conn.user[size - 8] = 0
    if utf8_bad_parameters(conn):
        _refuse(conn, "22021", "invalid byte sequence for encoding \"UTF8\" in the startup packet")
        return
    if loop.tls_required and _names_another_cluster(conn):
        return
    if _over_limits(conn):
        return
    if (code & 0xFFFF) != 0:
        _negotiate(conn)
    name = _parameter(conn, "user")
    if name == NULL or name[0] == 0:
        _refuse(conn, "28000", "no PostgreSQL user name specified in startup packet")
        return
    value = _parameter(conn, "database")
    if value == NULL or value[0] == 0:
        value = name
    if loop.database[0] != 0 and strcmp(value, loop.database) != 0:
        snprintf(message, 160, "database \"%.100s\" does not exist", value)
        _refuse(conn, "3D000", message)  # guess: login
        return
    conn.session = session_new(loop.engine)
    if conn.session == NULL:
        _refuse(conn, "53200", "out of memory")
        return
    if loop.password_required:
        begin = message_begin(&loop.out, c'R')
        put_u32(&loop.out, 3)
        message_end(&loop.out, begin)
        conn.phase = PHASE_PASSWORD
        return
    if loop.startup_in_python or not _plain(conn):
        _ask_python(conn, NULL, 0)
        return
    _greet(conn, NULL)
    _ready(conn)


cdef bint utf8_bad_parameters(Conn* conn) noexcept nogil:
    cdef const char* at = conn.user
    while at[0] != 0:
        if utf8_valid_to(<const uint8_t*>at, strlen(at)) != strlen(at):
            return True
        at += strlen(at) + 1
        if utf8_valid_to(<const uint8_t*>at, strlen(at)) != strlen(at):
            return True
        at += strlen(at) + 1
    return False


cdef void password_message(Conn* conn, const uint8_t* body, size_t size) noexcept nogil:
    cdef const uint8_t* zero = <const uint8_t*>memchr(body, 0, size) if size else NULL
    if zero == NULL or zero != body + size - 1:
        _refuse(conn, "08P01", "invalid password packet size")
        return
    if zero == body:
        _refuse(conn, "28P01", "empty password returned by client")
        return
    _ask_python(conn, body, zero - body)


cdef void startup_answered(Conn* conn, Request* request) noexcept nogil:
    cdef Buffer* out = &conn.loop.out
    if request.failed:
        put_error(out, "FATAL", &conn.session.error)
        dsql_error_clear(&conn.session.error)
        count_up(conn.loop, COUNT_REFUSED, 1)
        conn.phase = PHASE_CLOSING
        return
    _greet(conn, &request.prefix)
    _ready(conn)
