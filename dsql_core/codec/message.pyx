"""Messages of the commit path: soundness checks for receivers, and Python forms for tests and slow paths.

The layouts are in message.pxd. A receiver checks a request once, where it enters the commit worker; behind that point
records are trusted within one process chain and checked again when they come back from a file.
"""
from libc.string cimport memcpy, memset

from dsql_core.base.memory cimport Buffer, buffer_append, buffer_free, buffer_init
from dsql_core.base.types cimport uint8_t, uint16_t, uint32_t, uint64_t


cdef int _ops_are_sound(const uint8_t* ops, size_t size, uint32_t op_count) noexcept nogil:
    cdef size_t at = 0
    cdef uint32_t _
    cdef const OpHead* op
    for _ in range(op_count):
        if size - at < sizeof(OpHead):
            return 0
        op = <const OpHead*>(ops + at)
        at += sizeof(OpHead)
        if op.kind < OP_PUT or op.kind > OP_DROP_TREE or op.key_size > OP_KEY_SIZE_MAX:
            return 0
        if size - at < <size_t>op.key_size + <size_t>op.value_size:
            return 0
        at += <size_t>op.key_size + <size_t>op.value_size
    return at == size


cdef int commit_request_is_sound(const uint8_t* message, size_t size) noexcept nogil:
    cdef const CommitHead* head = <const CommitHead*>message
    cdef size_t checks
    if size < sizeof(CommitHead) or size > REQUEST_SIZE_MAX or head.size != size or head.kind != MSG_COMMIT:
        return 0
    checks = <size_t>head.check_count * 8
    if checks > size - sizeof(CommitHead):
        return 0
    return _ops_are_sound(message + sizeof(CommitHead) + checks, size - sizeof(CommitHead) - checks, head.op_count)


cdef int record_is_sound(const uint8_t* message, size_t size) noexcept nogil:
    cdef const CommitHead* head = <const CommitHead*>message
    if size < sizeof(CommitHead) or head.size != size or head.kind != MSG_RECORD or head.check_count != 0:
        return 0
    return _ops_are_sound(message + sizeof(CommitHead), size - sizeof(CommitHead), head.op_count)


cdef void commit_reply_fill(CommitReply* reply, const CommitHead* head, uint16_t status,
                            uint64_t commit_ts) noexcept nogil:
    reply.size = sizeof(CommitReply)
    reply.kind = MSG_REPLY
    reply.status = status
    reply.reply_to = head.reply_to
    memcpy(reply.txn_id, head.txn_id, 16)
    reply.commit_ts = commit_ts


# -- Python forms --------------------------------------------------------------------------------------------------

KIND_COMMIT, KIND_RECORD, KIND_DURABLE, KIND_REPLY, KIND_STOP = MSG_COMMIT, MSG_RECORD, MSG_DURABLE, MSG_REPLY, MSG_STOP
FLAG_CATALOG = COMMIT_CATALOG
VALIDATE, STAMP, CATALOG = CHECK_VALIDATE, CHECK_STAMP, CHECK_CATALOG
PUT, DELETE, DROP_TREE = OP_PUT, OP_DELETE, OP_DROP_TREE
COMMITTED, OC000, OC001, TOO_OLD = REPLY_COMMITTED, REPLY_OC000, REPLY_OC001, REPLY_TOO_OLD
READ_ONLY, FULL, UNKNOWN, MALFORMED = REPLY_READ_ONLY, REPLY_FULL, REPLY_UNKNOWN, REPLY_MALFORMED


def fingerprint_of(uint64_t tree, bytes key) -> int:
    """64-bit fingerprint of (tree, key); the three lowest bits are zero, for VALIDATE, STAMP and CATALOG."""
    return fingerprint(tree, <const uint8_t*><char*>key, len(key))


def _encode(uint16_t kind, uint16_t flags, uint64_t reply_to, bytes txn_id, uint64_t ts, checks, ops) -> bytes:
    cdef Buffer out
    cdef CommitHead head
    cdef OpHead op
    cdef uint64_t check
    memset(&head, 0, sizeof(head))
    head.kind = kind
    head.flags = flags
    head.reply_to = reply_to
    memcpy(head.txn_id, <char*>txn_id, 16)
    head.snapshot_ts = ts
    head.check_count = len(checks)
    head.op_count = len(ops)
    buffer_init(&out)
    try:
        buffer_append(&out, &head, sizeof(head))
        for item in checks:
            check = item
            buffer_append(&out, &check, 8)
        for op_kind, tree, key, value in ops:
            memset(&op, 0, sizeof(op))
            op.kind = op_kind
            op.tree = tree
            op.key_size = len(key)
            op.value_size = len(value)
            buffer_append(&out, &op, sizeof(op))
            buffer_append(&out, <char*>key, len(key))
            buffer_append(&out, <char*>value, len(value))
        if out.failed:
            raise MemoryError
        (<uint32_t*>out.data)[0] = <uint32_t>out.size
        return out.data[:out.size]
    finally:
        buffer_free(&out)


def encode_commit(uint64_t snapshot_ts, checks, ops, *, uint64_t reply_to=0, bytes txn_id=bytes(16), uint16_t flags=0):
    """A CommitRequest. checks: fingerprints with their flags; ops: (kind, tree, key, value)."""
    if len(txn_id) != 16:
        raise ValueError("txn_id has 16 bytes")
    return _encode(MSG_COMMIT, flags, reply_to, txn_id, snapshot_ts, checks, ops)


def encode_record(uint64_t commit_ts, ops, *, uint64_t reply_to=0, bytes txn_id=bytes(16), uint16_t flags=0):
    """A Record, as the adjudicator forwards it."""
    if len(txn_id) != 16:
        raise ValueError("txn_id has 16 bytes")
    return _encode(MSG_RECORD, flags, reply_to, txn_id, commit_ts, [], ops)


def decode_record(bytes message) -> dict:
    """The fields of a Record: commit_ts, flags, reply_to, txn_id, ops."""
    cdef const uint8_t* data = <const uint8_t*><char*>message
    cdef const CommitHead* head = <const CommitHead*>data
    cdef const OpHead* op
    cdef size_t at = sizeof(CommitHead)
    if not record_is_sound(data, len(message)):
        raise ValueError("not a sound record")
    ops = []
    for _ in range(head.op_count):
        op = <const OpHead*>(data + at)
        at += sizeof(OpHead)
        key = data[at:at + op.key_size]
        value = data[at + op.key_size:at + op.key_size + op.value_size]
        at += op.key_size + op.value_size
        ops.append((op.kind, op.tree, key, value))
    return {
        "commit_ts": head.snapshot_ts,
        "flags": head.flags,
        "reply_to": head.reply_to,
        "txn_id": <bytes>head.txn_id[:16],
        "ops": ops,
    }


def split_records(bytes payload) -> list[bytes]:
    """The records of a frame's payload."""
    cdef size_t at = 0
    cdef size_t size
    cdef size_t total = len(payload)
    cdef const uint8_t* data = <const uint8_t*><char*>payload
    records = []
    while at < total:
        if total - at < sizeof(CommitHead):
            raise ValueError("a record is cut short")
        size = (<const uint32_t*>(data + at))[0]
        if size < sizeof(CommitHead) or size > total - at:
            raise ValueError("a record's size leaves the payload")
        records.append(<bytes>data[at:at + size])
        at += size
    return records


def decode_message(bytes message) -> dict:
    """Any message of the path except a request: {"kind": ..., fields}."""
    cdef const uint8_t* data = <const uint8_t*><char*>message
    cdef uint16_t kind = message_kind(data, len(message))
    cdef const CommitReply* reply = <const CommitReply*>data
    cdef const Durable* durable = <const Durable*>data
    if kind == MSG_RECORD:
        return {"kind": KIND_RECORD, **decode_record(message)}
    if kind == MSG_REPLY and len(message) == sizeof(CommitReply):
        return {"kind": KIND_REPLY, "status": reply.status, "reply_to": reply.reply_to,
                "txn_id": <bytes>reply.txn_id[:16], "commit_ts": reply.commit_ts}
    if kind == MSG_DURABLE and len(message) == sizeof(Durable):
        return {"kind": KIND_DURABLE, "seq": durable.seq, "last_ts": durable.last_ts}
    if kind == MSG_STOP and len(message) == sizeof(Stop):
        return {"kind": KIND_STOP, "status": (<const Stop*>data).status}
    raise ValueError(f"not a message of the commit path: kind {kind}, {len(message)} bytes")


def encode_durable(uint64_t seq, uint64_t last_ts) -> bytes:
    """A Durable message."""
    cdef Durable durable
    durable.size = sizeof(Durable)
    durable.kind = MSG_DURABLE
    durable.zero = 0
    durable.seq = seq
    durable.last_ts = last_ts
    return (<const char*>&durable)[:sizeof(Durable)]
