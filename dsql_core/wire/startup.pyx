"""Start of a connection: SSLRequest, GSSENCRequest, CancelRequest, StartupMessage, password, greeting, refusals.

A plain startup (trust, no settings beyond the usual four) is answered without the Python thread; anything else - a
password, options, a hook - goes there as a REQUEST_STARTUP and is answered when it comes back.

The cancel key of a session is (worker << 20 | slot + 1, secret): whichever worker the CancelRequest reaches finds the
right one, by its word in the shared cancel block.
"""
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdio cimport snprintf
from libc.stdlib cimport free, malloc
from libc.string cimport memchr, memcpy, strcmp, strlen, strncmp

from dsql_core.base.atomic cimport dsql_compare_exchange
from dsql_core.base.error cimport dsql_error_clear
from dsql_core.base.memory cimport Buffer, buffer_append, buffer_append_u8
from dsql_core.execute.session cimport session_new
from dsql_core.shared.channel cimport doorbell_ring
from dsql_core.wire.connection cimport (
    AFTER_STARTUP, COUNT_CANCELS, COUNT_CONNECTIONS, COUNT_REFUSED, Conn, Loop, PHASE_BLOCKED, PHASE_CLOSING,
    PHASE_COPY_IN, PHASE_PASSWORD, PHASE_PYTHON, PHASE_READY, PHASE_RUN, REQUEST_STARTUP, Request, conn_enqueue,
    conn_fatal, count_up, request_new, request_submit,
)
from dsql_core.wire.posix cimport monotonic_ns
from dsql_core.wire.protocol cimport (
    Reader, message_begin, message_end, put_error, put_parameter_status, put_ready, put_string, put_u32, read_u32,
    take_string, utf8_valid_to,
)

cdef enum:
    CODE_CANCEL = 80877102
    CODE_SSL = 80877103
    CODE_GSS = 80877104


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


cdef bint _over_limits(Conn* conn) noexcept nogil:
    # Connection count and the token bucket; says so and closes.
    cdef Loop* loop = conn.loop
    cdef uint64_t now
    if loop.counters[COUNT_CONNECTIONS] > loop.connections_max:
        _refuse(conn, "53300", "Unable to accept connection, too many open connections.")
        return True
    if loop.rate_per_s != 0:
        now = monotonic_ns()
        loop.rate_tokens += <double>(now - loop.rate_at_ns) * 1e-9 * loop.rate_per_s
        loop.rate_at_ns = now
        if loop.rate_tokens > loop.rate_burst:
            loop.rate_tokens = loop.rate_burst
        if loop.rate_tokens < 1:
            _refuse(conn, "53400", "Unable to accept connection, rate exceeded.")
            return True
        loop.rate_tokens -= 1
    return False


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


cdef void startup_packet(Conn* conn, const uint8_t* packet, size_t size) noexcept nogil:
    cdef Loop* loop = conn.loop
    cdef uint32_t code = read_u32(packet + 4)
    cdef Reader reader
    cdef const char* name
    cdef const char* value
    cdef size_t length
    cdef char[160] message
    cdef size_t begin
    if code == CODE_SSL or code == CODE_GSS:
        # The seam for TLS: answer 'S' here and hand the socket to the handshake.
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
    if _over_limits(conn):
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
        _refuse(conn, "3D000", message)
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
