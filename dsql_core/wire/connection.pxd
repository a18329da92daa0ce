# Structs of the serving loop: connections, prepared statements, portals, requests to the Python thread, the loop.
from libc.stdint cimport int16_t, int32_t, uint8_t, uint32_t, uint64_t

from dsql_core.base.memory cimport Buffer, Pool
from dsql_core.base.vector cimport Batch, Value
from dsql_core.execute.state cimport Engine, Execution, Session
from dsql_core.shared.channel cimport Channel, Doorbell
from dsql_core.shared.role cimport Role
from dsql_core.wire.normalise cimport Literal, Shape
from dsql_core.wire.plan_cache cimport Plan, PlanCache

cdef enum Phase:
    PHASE_STARTUP = 0        # first packet expected
    PHASE_PASSWORD = 1       # password message expected
    PHASE_READY = 2          # next message
    PHASE_RUN = 3            # an execution is under way: in the run queue
    PHASE_BLOCKED = 4        # it waits until the client has read
    PHASE_PYTHON = 5         # parked: the Python thread owns the session
    PHASE_COMMIT = 6         # parked until the CommitReply
    PHASE_COPY_IN = 7        # CopyData expected
    PHASE_CLOSING = 8        # flush, then close
    PHASE_DEAD = 9           # socket closed; waits for the Python thread or a CommitReply before it is freed

cdef enum After:             # what a finished commit or a finished Python request goes on with
    AFTER_NOTHING = 0
    AFTER_LAST = 1           # implicit commit of the last statement of a Query: its tag, then ReadyForQuery
    AFTER_STATEMENT = 2      # COMMIT inside a Query or by Execute: its tag, then on
    AFTER_SYNC = 3           # ReadyForQuery
    AFTER_RETRY = 4          # the message at the front of the input is handled again, now with a plan
    AFTER_STARTUP = 5        # greeting or refusal
    AFTER_RUN = 6            # a Python statement ran: rows and tag
    AFTER_STEP = 7           # a program that needs the GIL made a step
    AFTER_END = 8            # settings rolled back or kept at the end of a transaction
    AFTER_CLOSE = 9          # the Python side forgot the session
    AFTER_LOGIN = 10         # the ground of the login was looked at again

cdef enum Leave:
    LEAVE_NOT = 0
    LEAVE_OLD = 1            # its lifetime is over: closed without a word
    LEAVE_DRAINED = 2        # the server ends: 57P01

cdef enum RequestKind:
    REQUEST_STARTUP = 1
    REQUEST_PLAN = 2
    REQUEST_RUN = 3
    REQUEST_STEP = 4
    REQUEST_END = 5
    REQUEST_CLOSE = 6
    REQUEST_CHECK = 7
    REQUEST_LOGIN = 8

cdef enum:
    OUT_FLUSH = 65536        # bytes of output after which a running statement sends
    OUT_BLOCK = 1048576      # unsent bytes at which it stops producing
    COUNTER_COUNT = 16

cdef enum:                   # places in the block of counters
    COUNT_CONNECTIONS = 0    # open now
    COUNT_ACCEPTED = 1
    COUNT_REFUSED = 2
    COUNT_STATEMENTS = 3
    COUNT_COMMITS = 4        # with writes
    COUNT_CONFLICTS = 5      # 40001
    COUNT_ERRORS = 6
    COUNT_PLANS = 7          # statements planned by the Python thread
    COUNT_ROWS = 8           # sent
    COUNT_BYTES_IN = 9
    COUNT_BYTES_OUT = 10
    COUNT_CANCELS = 11
    COUNT_CACHE = 12         # plans in the cache
    COUNT_TLS = 13           # handshakes done
    COUNT_TLS_FAILED = 14    # and those that were not

cdef struct Prepared:
    Prepared* next
    uint32_t references      # the connection's and its portals'
    uint8_t kind             # STATEMENT_*
    uint8_t* text            # the statement as received
    uint32_t text_size
    char* name               # "" = unnamed
    Plan* plan               # NULL only while its Parse is under way
    uint32_t declared_count
    uint32_t* declared
    uint32_t literal_count
    Literal* literals        # places in text

cdef struct Portal:
    Portal* next
    char* name
    Prepared* statement
    Plan* plan
    Pool pool                # parameters, formats
    Value* params
    uint32_t param_count     # explicit and lifted
    int16_t* formats         # of result columns
    uint32_t format_count
    uint8_t state            # 0 fresh, 1 suspended, 2 finished
    Execution* execution     # suspended
    Batch* batch
    uint32_t batch_at
    Request* result          # rows of a Python statement, suspended
    size_t result_at

cdef struct Request:         # one errand for the Python thread; made and freed by the loop
    Request* next
    uint8_t kind             # REQUEST_*
    uint8_t failed           # the error is in session.error
    uint8_t fatal            # of a startup: refuse and close
    uint8_t multi            # statement of a Query that holds several
    uint8_t committed        # REQUEST_END: how the transaction ended
    uint8_t cancelled        # CancelRequest arrived meanwhile
    Conn* conn
    Buffer text              # statement; startup: name\0value\0... pairs
    Buffer lifted            # statement with parameters for literals
    Buffer query             # whole Query string when multi
    uint32_t query_at        # of the statement in it
    Literal* literals        # places in text
    uint32_t literal_count
    uint32_t param_max
    uint32_t* declared
    uint32_t declared_count
    Buffer password
    # outcome
    Plan* plan               # one reference; REQUEST_RUN: the plan to run
    Buffer params            # REQUEST_RUN: i32 size (-1 NULL) and text of each
    uint32_t param_count
    Buffer prefix            # finished messages to send first (notices, parameter status)
    Buffer rows              # per row: columns as i32 size (-1 NULL) and text
    uint64_t row_count
    uint32_t column_count
    char[64] tag
    uint8_t has_tag
    int32_t step             # REQUEST_STEP: what execution_step said
    Batch* batch
    uint32_t settings_id
    uint8_t settings_dirty   # settings changed in this transaction: tell the Python thread when it ends
    uint8_t has_settings
    uint64_t login_version   # REQUEST_STARTUP, REQUEST_LOGIN: see Conn; 0 = leave it

cdef struct CopyState:       # a COPY under way (copy.pyx)
    Plan* plan
    Buffer pending           # input not yet parsed: at most a partial row
    Buffer fields            # unescaped values of the row under way
    uint32_t* offsets        # of each field, UINT32_MAX = NULL, UINT32_MAX - 1 = DEFAULT
    uint32_t* sizes
    uint32_t field_count
    uint64_t rows
    uint64_t line
    uint8_t header_seen
    uint8_t done             # end-of-data marker seen
    uint8_t failed           # error reported: swallow the rest up to CopyDone / CopyFail
    Execution* execution     # of the row that yielded

cdef struct Conn:
    int fd
    uint32_t slot
    uint32_t generation      # of the slot; part of the reply token and of the cancel key
    uint32_t secret
    uint8_t phase            # Phase
    uint8_t after            # After
    uint8_t readable         # the socket may hold more
    uint8_t writable         # the last send took everything
    uint8_t eof
    uint8_t queued           # in the run queue
    uint8_t skipping         # an extended message failed: ignore everything up to Sync
    uint8_t cancelled        # CancelRequest arrived
    uint8_t simple           # the statement under way came by Query
    uint8_t has_python       # the Python thread keeps an object for it
    uint8_t settings_dirty
    uint8_t greeted
    uint8_t flush_asked
    uint8_t hung_up
    uint8_t begun            # its first byte has been looked at
    uint8_t tls_state        # TlsState
    uint8_t leaving          # Leave: goes as soon as it is between transactions
    uint32_t settings_id
    uint64_t login_version   # catalog version the login was last confirmed at; 0 = it does not depend on the catalog
    Session* session
    Loop* loop
    void* tls                # session of libssl; NULL = in clear
    Buffer input             # unread bytes; the message under way stays at the front
    Buffer output            # unsent bytes
    uint32_t output_at
    uint32_t query_at        # Query under way: next statement
    uint32_t query_count     # statements begun so far
    uint8_t is_last          # the statement under way is the Query's last
    uint8_t committed        # how the last transaction ended
    uint8_t waits            # PHASE_DEAD: 1 for the Python thread, 2 for a CommitReply
    uint8_t checking         # deferred checks before the commit are under way; `after` is for when it is done
    uint8_t checked          # the grammar of every statement of the Query under way is known to be right
    Buffer saved             # rest of a Query that holds a COPY FROM STDIN before its last statement
    size_t held_size         # bytes of the message at the front of the input that is not finished; 0 = none
    Conn* run_next
    Conn* run_previous
    # statement under way
    Plan* plan               # reference
    Execution* execution
    Portal* portal           # NULL = by Query
    Batch* batch
    uint32_t batch_at
    uint64_t rows_sent
    uint64_t rows_left       # of Execute's limit; UINT64_MAX = none
    char[64] tag             # held back until the commit is known
    uint64_t tag_count
    uint8_t tag_counted
    Request* request         # under way, or finished and not yet used
    Plan* planned            # reference: what the finished request planned, for the retry
    CopyState* copy
    Prepared* prepared       # named and unnamed statements
    Portal* portals
    uint64_t accepted_ns
    void* python             # PyObject*: owned by the Python thread
    char* user               # startup parameters: name\0value\0 ... \0 (malloc)
    size_t user_size

cdef struct Loop:
    int epoll_fd
    int listen_fd
    int stop_requested
    int accept_paused        # no descriptors left: try again when one is closed
    int descriptor_freed
    Doorbell* bell
    Doorbell own_bell
    uint64_t own_sleeping
    Engine* engine
    uint32_t worker_id
    # connections
    Conn** conns
    uint32_t* generations
    uint32_t slot_capacity
    uint32_t slot_count
    uint32_t* free_slots
    uint32_t free_count
    uint32_t open_count
    Conn* run_head
    Conn* run_tail
    Conn* current            # whose turn it is: `window` and `out` are its
    # scratch
    uint8_t* scratch         # socket input
    size_t scratch_size
    const uint8_t* window    # unread input of the current connection
    size_t window_size
    size_t window_at
    int window_is_input      # the window is conn.input
    Buffer out               # output of the current connection's turn
    Buffer commit_request
    Buffer text              # for formatting
    Shape shape
    Pool bind_pool
    Pool* spare_pools
    uint32_t spare_count
    Execution* spare_executions   # lent to whichever session runs; an idle one keeps none
    uint32_t execution_count
    PlanCache cache
    # Python thread
    uint64_t requests        # stack head (atomic Request*)
    uint64_t completions     # stack head (atomic Request*)
    int python_fd
    uint64_t python_sleeping
    # commit path
    Role** roles
    uint32_t role_count
    Channel* commits
    Channel** replies
    uint32_t reply_count
    # shared words
    uint64_t* counters
    uint8_t counters_shared
    uint64_t* cancel_words   # one per worker: token of a session to cancel there
    uint32_t cancel_count
    Doorbell** peers         # doorbells of the other workers, by worker id
    uint32_t peer_count
    # configuration
    uint32_t connections_max
    uint32_t message_bytes_max
    uint32_t rate_per_s      # 0 = off
    uint32_t rate_burst
    uint64_t* rate_word      # when the next connection is due at the sustained rate (ns, monotonic): one for all workers
    uint64_t own_rate_word
    uint64_t* fleet          # counters of every worker, COUNTER_COUNT each; NULL = only this one counts
    uint32_t fleet_count
    uint64_t lifetime_ns     # 0 = off
    uint64_t ahead_ns        # added to the clock that lifetimes are measured by
    uint64_t drain_ns        # drain: time for what is under way, 0 = not asked for
    uint64_t drain_until_ns  # 0 = not begun
    uint64_t remind_at_ns
    uint64_t startup_ns      # a connection must have said who it is by then
    uint64_t slice_ns
    uint8_t password_required
    uint8_t startup_in_python
    void* tls_calls          # dsql_tls_t of the TlsContext
    void* tls_context        # NULL = TLS is not offered
    uint8_t tls_required     # DSQL's rule: no startup in clear, and the cluster named by SNI or amzn-cluster-id
    char* host_names         # of this cluster: name\0name\0 ... \0 (malloc), lower case
    char[32] cluster_id
    uint64_t sweep_at_ns
    uint64_t sweep_count
    char[64] database
    char[128] server_version

# -- connections ----------------------------------------------------------------------------------------------------
cdef Conn* conn_new(Loop* loop, int fd) noexcept nogil
cdef void conn_free(Conn* conn) noexcept nogil                     # the socket is closed already
cdef void conn_fatal(Conn* conn, const char* sqlstate, const char* message) noexcept nogil
cdef int conn_send(Conn* conn, int hold) noexcept nogil            # loop.out and what waits; 0, -1 = connection lost
cdef size_t conn_unsent(Conn* conn) noexcept nogil
cdef void conn_enqueue(Conn* conn) noexcept nogil
cdef void conn_dequeue(Conn* conn) noexcept nogil
# Working memory of executions and write sets goes round: an idle session gives its own back, a statement takes some.
cdef void memory_lend(Conn* conn, int writes) noexcept nogil
cdef void memory_return(Conn* conn) noexcept nogil
cdef void memory_free(Loop* loop) noexcept nogil
cdef uint8_t conn_status(Conn* conn) noexcept nogil                # of ReadyForQuery
cdef void count_up(Loop* loop, uint32_t which, uint64_t by) noexcept nogil

# -- statements and portals -------------------------------------------------------------------------------------------
cdef Prepared* prepared_find(Conn* conn, const char* name) noexcept nogil
cdef Prepared* prepared_new(const char* name, const uint8_t* text, size_t size, const uint32_t* declared,
                            uint32_t declared_count, const Shape* shape) noexcept nogil
cdef void prepared_add(Conn* conn, Prepared* statement) noexcept nogil
cdef void prepared_release(Loop* loop, Prepared* statement) noexcept nogil
cdef void prepared_remove(Conn* conn, const char* name) noexcept nogil
cdef void prepared_clear(Conn* conn) noexcept nogil
cdef Portal* portal_find(Conn* conn, const char* name) noexcept nogil
cdef Portal* portal_new(Conn* conn, const char* name, Prepared* statement, Plan* plan) noexcept nogil
cdef void portal_add(Conn* conn, Portal* portal) noexcept nogil
cdef void portal_free(Loop* loop, Portal* portal) noexcept nogil
cdef void portal_remove(Conn* conn, const char* name) noexcept nogil
cdef void portals_clear(Conn* conn) noexcept nogil                 # end of transaction
cdef void copy_free(Loop* loop, CopyState* copy) noexcept nogil
cdef void statement_clear(Conn* conn) noexcept nogil               # gives up plan, execution, request under way

# -- requests ----------------------------------------------------------------------------------------------------
cdef Request* request_new(Conn* conn, uint8_t kind) noexcept nogil
cdef void request_free(Loop* loop, Request* request) noexcept nogil
cdef void request_submit(Request* request, uint8_t after) noexcept nogil   # parks the connection
cdef Request* take_all(uint64_t* head) noexcept nogil              # oldest first
cdef void push_one(uint64_t* head, Request* request) noexcept nogil
