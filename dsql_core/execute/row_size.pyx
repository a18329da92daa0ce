"""How large a row may be: each value and all of them together, as stored, that is after compression.

The check costs nothing for rows below the bound of a column: only a larger image comes here. Character types and json
are compressed (LZ4) when a value is at least Limits.compressed_from bytes; bytea is not.

    a value     54000 datatype limit greater than <n> bytes not supported for <type>     json speaks of jsonb
    the row     54000 maximum row size exceeded                                          guess: row_bytes_raw for the image
"""

from libc.stdlib cimport free, malloc

from dsql_core.base.error cimport dsql_error_set
from dsql_core.base.vector cimport OID_BYTEA, OID_JSON, OID_JSONB, OID_VARCHAR
from dsql_core.codec.compress cimport compress_block
from dsql_core.execute.state cimport Limits


cdef size_t stored_bytes(const uint8_t* data, size_t size) noexcept nogil:
    cdef uint8_t* target
    cdef size_t stored
    if size == 0 or size >= <size_t>1 << 31:
        return size
    target = <uint8_t*>malloc(size)
    if target == NULL:
        return size
    stored = compress_block(data, size, target, size)
    free(target)
    return stored if 0 < stored < size else size


cdef const char* _type_name(uint32_t type_oid) noexcept nogil:
    # guess: datatype_limit_name
    if type_oid == OID_BYTEA:
        return "bytea"
    if type_oid == OID_JSON or type_oid == OID_JSONB:
        return "jsonb"
    return "varchar" if type_oid == OID_VARCHAR else "text"


cdef int row_size_check(Execution* x, const RowLayout* layout, const Value* row, size_t image_size) noexcept nogil:
    cdef const Limits* limits = &x.session.engine.limits
    cdef size_t total = 0
    cdef size_t size
    cdef uint32_t c
    if image_size > limits.row_raw_max:
        dsql_error_set(&x.session.error, "54000", "maximum row size exceeded")
        return -1
    for c in range(layout.column_count):
        size = value_bytes(&row[c])
        if layout.phys[c] == PHYS_VAR and size >= limits.compressed_from and layout.type_oids[c] != OID_BYTEA:
            size = stored_bytes(row[c].v.var.data, size)
        if size > limits.column_bytes_max:
            dsql_error_set(&x.session.error, "54000", "datatype limit greater than %u bytes not supported for %s",
                           limits.column_bytes_max, _type_name(layout.type_oids[c]))
            return -1
        total += size
    if total > limits.row_bytes_max:
        dsql_error_set(&x.session.error, "54000", "maximum row size exceeded")
        return -1
    return 0
