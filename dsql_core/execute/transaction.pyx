"""Transactions of a session: when they begin, what they see, what they may not exceed, what they send to commit.

The snapshot is pinned at the first statement that needs one and kept to the end; now() is fixed at BEGIN (or at the
implicit begin). Nothing leaves the worker before COMMIT; then one CommitRequest carries the write set and the checks.

Checks (64-bit fingerprints, flags in the three low bits; codec/message):
  row           fp(tree, key)              changed, or locked FOR UPDATE
  row's key     fp(tree ^ 1<<62, key)      inserted, deleted, key columns changed, locked; FOR KEY SHARE validates it
  key share     fp(tree ^ 1<<61, key)      FOR KEY SHARE stamps it, those that change keys validate it
  unique entry  fp(index, key parts)       put or deleted
  catalog       fp(1, big-endian oid)      every table used, when the transaction writes

Invariants
  T1  is_pinned implies txn_state != TXN_IDLE; transaction_end unpins exactly once.
  T2  a transaction without writes, drops, checks or catalog changes commits here and never aborts on data.
  T3  an error ends an implicit transaction at once and makes an explicit one TXN_FAILED.
"""

from libc.stdlib cimport qsort, realloc
from libc.string cimport memcpy, memset
from posix.time cimport CLOCK_MONOTONIC, CLOCK_REALTIME, clock_gettime, timespec

from dsql_core.base.error cimport dsql_error_detail, dsql_error_set
from dsql_core.base.memory cimport buffer_append, buffer_reserve
from dsql_core.codec.message cimport (CHECK_CATALOG, CHECK_MASK, CHECK_VALIDATE, COMMIT_CATALOG, CommitHead, MSG_COMMIT,
                                      OP_DELETE, OP_DROP_TREE, OP_PUT, OpHead, REPLY_COMMITTED, REPLY_FULL, REPLY_OC000,
                                      REPLY_OC001, REPLY_READ_ONLY, REPLY_TOO_OLD, REPLY_UNKNOWN, fingerprint)
from dsql_core.execute.known cimport known_commit, known_refuse
from dsql_core.execute.pending cimport pending_clear
from dsql_core.execute.state cimport TXN_FAILED, TXN_IDLE, TXN_IMPLICIT, TXN_OPEN, TreeWrites, WriteEntry
from dsql_core.execute.writeset cimport writeset_clear
from dsql_core.storage.store cimport snapshot_pin, snapshot_unpin

cdef int64_t PG_EPOCH_US = 946684800000000


cdef int64_t engine_now_us(const Engine* engine) noexcept nogil:
    cdef timespec now
    clock_gettime(CLOCK_REALTIME, &now)
    return <int64_t>now.tv_sec * 1000000 + now.tv_nsec // 1000 - PG_EPOCH_US + engine.clock_offset_us


cdef int64_t monotonic_ns() noexcept nogil:
    cdef timespec now
    clock_gettime(CLOCK_MONOTONIC, &now)
    return <int64_t>now.tv_sec * 1000000000 + now.tv_nsec


cdef void out_of_memory(Session* session) noexcept nogil:
    dsql_error_set(&session.error, "53200", "out of memory")


cdef void transaction_begin(Session* session, int is_explicit, int read_only) noexcept nogil:
    if session.txn_state == TXN_IMPLICIT and is_explicit:
        session.txn_state = TXN_OPEN
        session.is_read_only = read_only or session.default_read_only
        return
    if session.txn_state != TXN_IDLE:
        return
    session.txn_state = TXN_OPEN if is_explicit else TXN_IMPLICIT
    session.is_read_only = read_only or session.default_read_only
    session.transaction += 1
    session.txn_start_us = engine_now_us(session.engine)
    session.statement_us = session.txn_start_us
    session.format.now_us = session.txn_start_us
    session.command = 0
    session.rows_changed = 0
    session.check_count = 0
    session.used_count = 0
    session.catalog_changed = 0
    session.did_ddl = 0
    session.did_dml = 0


cdef int transaction_pin(Session* session) noexcept nogil:
    if session.txn_state == TXN_IDLE:
        transaction_begin(session, 0, 0)
    if session.is_pinned:
        return 0
    if session.engine.store == NULL or snapshot_pin(session.engine.store, &session.snapshot) < 0:
        dsql_error_set(&session.error, "53300", "too many open transactions")
        transaction_fail(session)
        return -1
    session.is_pinned = 1
    return 0


cdef int _too_old(Session* session) noexcept nogil:      # guess: age_checked
    cdef int64_t age = engine_now_us(session.engine) - session.txn_start_us
    cdef int64_t limit = session.engine.limits.age_max_us
    if age - 1000000 < limit:                          # whole seconds
        return 0
    dsql_error_set(&session.error, "54000", "transaction age limit of %llds exceeded", <long long>(limit // 1000000))
    dsql_error_detail(&session.error, "Current transaction age %llds exceeds %llds", <long long>(age // 1000000),
                      <long long>(limit // 1000000))
    return 1


cdef int transaction_check(Session* session) noexcept nogil:
    if session.txn_state == TXN_IDLE:
        return 0
    if session.txn_state == TXN_FAILED:
        dsql_error_set(&session.error, "25P02",
                       "current transaction is aborted, commands ignored until end of transaction block")
        return -1
    if _too_old(session):
        transaction_fail(session)
        return -1
    return 0


cdef void transaction_end(Session* session) noexcept nogil:
    if session.is_pinned:
        snapshot_unpin(session.engine.store, &session.snapshot)
        session.is_pinned = 0
    writeset_clear(&session.writes)
    if session.pending_count or session.mode_count or session.mode_of_all:
        pending_clear(session)
    session.check_count = 0
    session.used_count = 0
    session.rows_changed = 0
    session.catalog_changed = 0
    session.did_ddl = 0
    session.did_dml = 0
    session.is_read_only = 0
    session.txn_state = TXN_IDLE


cdef void transaction_fail(Session* session) noexcept nogil:
    if session.txn_state == TXN_IMPLICIT:
        transaction_end(session)
    elif session.txn_state == TXN_OPEN:
        session.txn_state = TXN_FAILED


cdef int transaction_add_check(Session* session, uint64_t check) noexcept nogil:
    cdef uint32_t capacity
    cdef uint64_t* grown
    if session.check_count == session.check_capacity:
        capacity = session.check_capacity * 2 if session.check_capacity else 64
        grown = <uint64_t*>realloc(session.checks, capacity * sizeof(uint64_t))
        if grown == NULL:
            out_of_memory(session)
            return -1
        session.checks = grown
        session.check_capacity = capacity
    session.checks[session.check_count] = check
    session.check_count += 1
    return 0


cdef int transaction_add_row_checks(Session* session, tree_id_t tree, const uint8_t* key, size_t size, uint32_t row,
                                    uint32_t key_flags, uint32_t share) noexcept nogil:
    if row and transaction_add_check(session, fingerprint(tree, key, size) | row) < 0:
        return -1
    if key_flags and transaction_add_check(session, fingerprint(tree ^ (<uint64_t>1 << 62), key, size) | key_flags) < 0:
        return -1
    if share and transaction_add_check(session, fingerprint(tree ^ (<uint64_t>1 << 61), key, size) | share) < 0:
        return -1
    return 0


cdef int transaction_use_table(Session* session, oid_t oid) noexcept nogil:
    cdef uint32_t i
    cdef uint32_t capacity
    cdef oid_t* grown
    for i in range(session.used_count):
        if session.used_tables[i] == oid:
            return 0
    if session.used_count == session.used_capacity:
        capacity = session.used_capacity * 2 if session.used_capacity else 16
        grown = <oid_t*>realloc(session.used_tables, capacity * sizeof(oid_t))
        if grown == NULL:
            out_of_memory(session)
            return -1
        session.used_tables = grown
        session.used_capacity = capacity
    session.used_tables[session.used_count] = oid
    session.used_count += 1
    return 0


cdef int transaction_has_writes(const Session* session) noexcept nogil:
    return session.writes.tree_count != 0 or session.check_count != 0 or session.catalog_changed


cdef int _compare_checks(const void* a, const void* b) noexcept nogil:
    cdef uint64_t x = (<const uint64_t*>a)[0]
    cdef uint64_t y = (<const uint64_t*>b)[0]
    return (x > y) - (x < y)


cdef void _deduplicate_checks(Session* session) noexcept nogil:
    # Equal fingerprints become one check with the flags of all.
    cdef uint32_t i
    cdef uint32_t kept = 0
    cdef uint64_t* checks = session.checks
    if session.check_count < 2:
        return
    if session.check_count == 2:
        if checks[0] > checks[1]:
            checks[0], checks[1] = checks[1], checks[0]
    else:
        qsort(checks, session.check_count, sizeof(uint64_t), _compare_checks)
    for i in range(1, session.check_count):
        if (checks[i] ^ checks[kept]) <= CHECK_MASK:
            checks[kept] |= checks[i] & CHECK_MASK
        else:
            kept += 1
            checks[kept] = checks[i]
    session.check_count = kept + 1


cdef int _add_catalog_checks(Session* session) noexcept nogil:
    cdef uint32_t i
    cdef uint32_t j
    cdef uint32_t oid
    cdef uint8_t key[8]
    for i in range(session.used_count):
        oid = session.used_tables[i]
        for j in range(8):
            key[j] = <uint8_t>((<uint64_t>oid) >> (56 - 8 * j))
        if transaction_add_check(session, fingerprint(1, key, 8) | CHECK_VALIDATE | CHECK_CATALOG) < 0:
            return -1
    return 0


cdef uint64_t _mix(uint64_t x) noexcept nogil:
    x = (x ^ (x >> 30)) * <uint64_t>0xBF58476D1CE4E5B9
    x = (x ^ (x >> 27)) * <uint64_t>0x94D049BB133111EB
    return x ^ (x >> 31)


cdef void _make_txn_id(Session* session) noexcept nogil:
    # Unique by (process entropy, counter); the mixing only makes it look random.
    cdef Engine* engine = session.engine
    cdef uint64_t high = _mix(engine.entropy)
    cdef uint64_t low
    engine.txn_counter += 1
    low = _mix(engine.entropy ^ (engine.txn_counter * <uint64_t>0x9E3779B97F4A7C15))
    memcpy(session.txn_id, &high, 8)
    memcpy(session.txn_id + 8, &low, 8)


cdef uint64_t _account(const Session* session) noexcept nogil:
    # Accounted size of the write set (opendsql.limits says of what).
    cdef uint64_t total = 0
    cdef uint32_t i
    cdef WriteEntry* entry
    for i in range(session.writes.tree_count):
        entry = session.writes.trees[i].first[0] if session.writes.trees[i].height else NULL
        while entry != NULL:
            if not (entry.is_deleted and entry.in_snapshot == 0):
                total += entry.cost if entry.cost else entry.key.size + entry.value.size
            entry = entry.next[0]
    return total


cdef int _append_op(Buffer* out, uint8_t kind, uint64_t tree, const WriteEntry* entry) noexcept nogil:
    cdef OpHead head
    cdef uint8_t* at
    memset(&head, 0, sizeof(OpHead))
    head.kind = kind
    head.tree = tree
    if entry != NULL:
        head.key_size = <uint32_t>entry.key.size
        head.value_size = <uint32_t>entry.value.size if kind == OP_PUT else 0
    at = buffer_reserve(out, sizeof(OpHead) + head.key_size + head.value_size)
    if at == NULL:
        return -1
    memcpy(at, &head, sizeof(OpHead))
    if entry != NULL:
        memcpy(at + sizeof(OpHead), entry.key.data, head.key_size)
        if head.value_size:
            memcpy(at + sizeof(OpHead) + head.key_size, entry.value.data, head.value_size)
    out.size += sizeof(OpHead) + head.key_size + head.value_size
    return 0


cdef int _append_ops(Session* session, Buffer* out) noexcept nogil:
    # Returns the number of ops, -1 no memory.
    cdef int count = 0
    cdef uint32_t i
    cdef TreeWrites* changes
    cdef WriteEntry* entry
    for i in range(session.writes.tree_count):
        changes = &session.writes.trees[i]
        if changes.is_dropped:
            if _append_op(out, OP_DROP_TREE, changes.tree, NULL) < 0:
                return -1
            count += 1
        entry = changes.first[0] if changes.height else NULL
        while entry != NULL:
            if not entry.is_deleted:
                if _append_op(out, OP_PUT, changes.tree, entry) < 0:
                    return -1
                count += 1
            elif entry.in_snapshot != 0:
                if _append_op(out, OP_DELETE, changes.tree, entry) < 0:
                    return -1
                count += 1
            entry = entry.next[0]
    return count


cdef int transaction_request(Session* session, Buffer* out) noexcept nogil:
    cdef CommitHead head
    cdef uint64_t bytes_changed
    cdef size_t start
    cdef int ops
    if session.txn_state == TXN_IDLE or session.txn_state == TXN_FAILED:
        transaction_end(session)
        return 0
    if _too_old(session):
        transaction_end(session)
        return -1
    if not transaction_has_writes(session):
        transaction_end(session)
        return 0
    if known_commit(session) < 0:
        transaction_end(session)
        return -1
    bytes_changed = _account(session)
    if bytes_changed > session.engine.limits.bytes_max:
        dsql_error_set(&session.error, "54000", "transaction size limit %llumb exceeded",
                       <unsigned long long>(session.engine.limits.bytes_max >> 20))
        dsql_error_detail(&session.error, "Current transaction size %llumb > %llumb",
                          <unsigned long long>((bytes_changed + 1048575) >> 20),
                          <unsigned long long>(session.engine.limits.bytes_max >> 20))
        transaction_end(session)
        return -1
    if transaction_pin(session) < 0 or _add_catalog_checks(session) < 0:
        transaction_end(session)
        return -1
    _deduplicate_checks(session)
    _make_txn_id(session)
    start = out.size
    memset(&head, 0, sizeof(CommitHead))
    head.kind = MSG_COMMIT
    head.flags = COMMIT_CATALOG if session.catalog_changed else 0
    head.reply_to = session.reply_to
    memcpy(head.txn_id, session.txn_id, 16)
    head.snapshot_ts = session.snapshot.visible_ts
    head.check_count = session.check_count
    buffer_append(out, &head, sizeof(CommitHead))
    buffer_append(out, session.checks, session.check_count * sizeof(uint64_t))
    ops = _append_ops(session, out)
    if ops < 0 or out.failed:
        out_of_memory(session)
        transaction_end(session)
        return -1
    (<CommitHead*>(out.data + start)).size = <uint32_t>(out.size - start)
    (<CommitHead*>(out.data + start)).op_count = <uint32_t>ops
    return 1


cdef int transaction_finish(Session* session, uint16_t status) noexcept nogil:
    transaction_end(session)
    if status == REPLY_COMMITTED:
        return 0
    if status == REPLY_OC000 or status == REPLY_TOO_OLD:
        dsql_error_set(&session.error, "40001", "change conflicts with another transaction (OC000)")
    elif status == REPLY_OC001:
        known_refuse(session)
    elif status == REPLY_READ_ONLY:
        dsql_error_set(&session.error, "58030", "the journal is stopped after a disk failure")
    elif status == REPLY_FULL:
        dsql_error_set(&session.error, "53100", "Current cluster size exceeds cluster size limit.")
    elif status == REPLY_UNKNOWN:
        dsql_error_set(&session.error, "08007", "the outcome of the commit is unknown")
    else:
        dsql_error_set(&session.error, "XX000", "unexpected commit status %d", <int>status)
    return -1
