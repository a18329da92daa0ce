# Transactions: begin, snapshot, limits, the commit request, the end. Face: session.pxd, which calls these.
from dsql_core.base.memory cimport Buffer
from dsql_core.base.types cimport int64_t, oid_t, tree_id_t, uint8_t, uint16_t, uint32_t, uint64_t
from dsql_core.execute.state cimport Engine, Session

cdef int64_t engine_now_us(const Engine* engine) noexcept nogil        # microseconds since 2000-01-01 UTC
cdef int64_t monotonic_ns() noexcept nogil

cdef void transaction_begin(Session* session, int is_explicit, int read_only) noexcept nogil
cdef int transaction_pin(Session* session) noexcept nogil
cdef int transaction_check(Session* session) noexcept nogil
cdef void transaction_end(Session* session) noexcept nogil             # forgets everything, -> TXN_IDLE
cdef void transaction_fail(Session* session) noexcept nogil
cdef int transaction_request(Session* session, Buffer* out) noexcept nogil
cdef int transaction_finish(Session* session, uint16_t status) noexcept nogil

cdef int transaction_add_check(Session* session, uint64_t check) noexcept nogil       # 0, -1 no memory (error set)
cdef int transaction_use_table(Session* session, oid_t oid) noexcept nogil
cdef int transaction_has_writes(const Session* session) noexcept nogil
# FOR UPDATE style triple: R, K, S with the given flags (0 = leave out).
cdef int transaction_add_row_checks(Session* session, tree_id_t tree, const uint8_t* key, size_t size, uint32_t row,
                                    uint32_t key_flags, uint32_t share) noexcept nogil
cdef void out_of_memory(Session* session) noexcept nogil               # 53200
