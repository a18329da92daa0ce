"""What a session knows of the catalog: the names its statements used, each with the number of changes made to it then.

DSQL caches the catalog per session. A statement that uses something which somebody else changed since this session used
it last is refused once (40001, OC001), whatever it does and whenever its transaction began; the refusal brings the
session up to date. The end of a job counts as its asker's own change (catalog/jobs.py).

guess: oc001_rule
guess: oc001_commit

    names     64-bit numbers of qualified names (catalog/versions.py): relations with all that belongs to them, functions,
              roles, schemas, domains. A name, not an object: what was dropped and made again counts as changed.
    tree 1    name (8 bytes, big-endian) -> u64 changes so far, u64 token of the session that made the last one
    known     this session's hash table: name -> changes when used, stale?

One compare tells a statement that no catalog was published since: session.catalog_seen. Only when one was are all known
names looked up again, in the newest root, and those that others changed marked stale.

Invariants
  N1  a known name that is not stale has, at catalog_seen, been changed by nobody else since it was used.
  N2  a statement runs at a snapshot at which each of its names is as it is in the newest catalog that was looked at.
  N3  a change this session made (its token) never makes a name stale.

Owner of the memory: the session (malloc); freed with it.
"""

from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from dsql_core.base.error cimport dsql_error_set
from dsql_core.base.memory cimport Pool, pool_free, pool_init
from dsql_core.base.types cimport Slice, uint8_t
from dsql_core.execute.state cimport KnownName
from dsql_core.storage.store cimport (
    Snapshot, Store, snapshot_pin, snapshot_unpin, store_catalog_version, tree_get, tree_root,
)

cdef enum:
    VERSION_TREE = 1
    CAPACITY_FIRST = 16


cdef int _changes(Store* store, const Snapshot* snapshot, uint64_t name, uint64_t* changes,
                  uint64_t* author) noexcept nogil:
    # How often a name was changed as of a snapshot, and who did it last; 0, 0 = never. 0, -1 corrupt.
    cdef uint8_t key[8]
    cdef Pool pool
    cdef Slice value
    cdef int i
    cdef int found
    changes[0] = 0
    author[0] = 0
    for i in range(8):
        key[i] = <uint8_t>(name >> (56 - 8 * i))
    pool_init(&pool, 0)
    found = tree_get(store, tree_root(store, snapshot, VERSION_TREE), key, 8, &pool, &value)
    if found == 1 and value.size == 16:
        memcpy(changes, value.data, 8)
        memcpy(author, value.data + 8, 8)
    pool_free(&pool)
    return 0 if found >= 0 else -1


cdef inline KnownName* _place(const Session* session, uint64_t name) noexcept nogil:
    # Of a name: its own, or the empty one it would take. The table is never full.
    cdef uint32_t mask = session.known_capacity - 1
    cdef uint32_t at = <uint32_t>name & mask
    while session.known[at].name != 0 and session.known[at].name != name:
        at = (at + 1) & mask
    return &session.known[at]


cdef int _grow(Session* session) noexcept nogil:
    cdef uint32_t capacity = session.known_capacity
    cdef KnownName* old = session.known
    cdef KnownName* grown
    cdef uint32_t i
    grown = <KnownName*>calloc(capacity * 2 if capacity else CAPACITY_FIRST, sizeof(KnownName))
    if grown == NULL:
        return -1
    session.known = grown
    session.known_capacity = capacity * 2 if capacity else CAPACITY_FIRST
    for i in range(capacity):
        if old[i].name != 0:
            _place(session, old[i].name)[0] = old[i]
    free(old)
    return 0


cdef void _look_again(Session* session) noexcept nogil:
    # A newer catalog is out: which known names did others change? Without a free pin slot the next statement tries again.
    cdef Store* store = session.engine.store
    cdef Snapshot newest
    cdef KnownName* known
    cdef uint64_t changes
    cdef uint64_t author
    cdef uint32_t i
    if snapshot_pin(store, &newest) < 0:
        return
    for i in range(session.known_capacity):
        known = &session.known[i]
        if known.name == 0 or known.is_stale:
            continue
        if _changes(store, &newest, known.name, &changes, &author) < 0 or changes == known.version:
            continue
        if author == session.token:
            known.version = changes
        else:
            known.is_stale = 1
            session.known_stale += 1
    session.catalog_seen = newest.catalog_version
    snapshot_unpin(store, &newest)


cdef inline void _keep_up(Session* session) noexcept nogil:
    cdef uint64_t newest = store_catalog_version(session.engine.store)
    if session.is_pinned and session.snapshot.catalog_version > newest:
        newest = session.snapshot.catalog_version
    if newest != session.catalog_seen:
        _look_again(session)


cdef int _learn(Session* session, uint64_t name) noexcept nogil:
    # A name used for the first time. 0, -1: the transaction's snapshot is older than a change of it, or no memory.
    cdef Store* store = session.engine.store
    cdef Snapshot newest
    cdef KnownName* known
    cdef uint64_t changes
    cdef uint64_t later
    cdef uint64_t author
    if _changes(store, &session.snapshot, name, &changes, &author) < 0:
        dsql_error_set(&session.error, "XX001", "invalid page in the catalog")
        return -1
    if session.snapshot.catalog_version != session.catalog_seen and snapshot_pin(store, &newest) == 0:
        _changes(store, &newest, name, &later, &author)
        snapshot_unpin(store, &newest)
        if later != changes and author != session.token:
            known_refuse(session)
            return -1
        changes = later
    if session.known_count * 2 >= session.known_capacity and _grow(session) < 0:
        dsql_error_set(&session.error, "53200", "out of memory")
        return -1
    known = _place(session, name)
    known.name = name
    known.version = changes
    known.is_stale = 0
    known.transaction = session.transaction
    session.known_count += 1
    return 0


cdef int known_use(Session* session, const uint64_t* names, uint32_t count) noexcept nogil:
    cdef KnownName* known
    cdef uint32_t i
    _keep_up(session)
    for i in range(count):
        known = _place(session, names[i]) if session.known_capacity else NULL
        if known == NULL or known.name == 0:
            if _learn(session, names[i]) < 0:
                return -1
        elif known.is_stale:
            known_refuse(session)
            return -1
        else:
            known.transaction = session.transaction
    return 0


cdef int known_is_stale(Session* session, const uint64_t* names, uint32_t count) noexcept nogil:
    cdef uint32_t i
    _keep_up(session)
    if session.known_stale == 0:
        return 0
    for i in range(count):
        if _place(session, names[i]).is_stale:
            return 1
    return 0


cdef int known_commit(Session* session) noexcept nogil:
    cdef uint32_t i
    _keep_up(session)
    if session.known_stale == 0:
        return 0
    for i in range(session.known_capacity):
        if session.known[i].is_stale and session.known[i].transaction == session.transaction:
            known_refuse(session)
            return -1
    return 0


cdef void known_refuse(Session* session) noexcept nogil:
    dsql_error_set(&session.error, "40001", "schema has been updated by another transaction (OC001)")
    known_forget(session)


cdef void known_forget(Session* session) noexcept nogil:
    if session.known_capacity:
        memset(session.known, 0, session.known_capacity * sizeof(KnownName))
    session.known_count = 0
    session.known_stale = 0
