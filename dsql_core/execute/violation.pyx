"""Constraint violations: message, DETAIL and the fields of ErrorResponse, as PostgreSQL 16 words them.

Values in "Failing row contains" are cut to 64 bytes each (at a character's edge) with "..." behind.
"""

from libc.string cimport memcpy

from dsql_core.base.error cimport dsql_error_detail, dsql_error_set, dsql_error_t
from dsql_core.base.memory cimport Buffer, buffer_append, buffer_append_u8, buffer_free, buffer_init
from dsql_core.types.io cimport type_output

cdef extern from "string.h" nogil:
    size_t strlen(const char* s) noexcept
    size_t strnlen(const char* s, size_t n) noexcept

cdef enum:
    FIELD_BYTES_MAX = 64


cdef void _text(Buffer* out, const char* text) noexcept nogil:
    buffer_append(out, text, strlen(text))


cdef void _field(char* out, const char* text) noexcept nogil:
    cdef size_t size = strnlen(text, 63)
    memcpy(out, text, size)
    out[size] = 0


cdef void _value(Execution* x, Buffer* out, const Value* value, size_t bytes_max) noexcept nogil:
    cdef Value copy
    cdef size_t start = out.size
    if value.is_null:
        _text(out, "null")
        return
    copy = value[0]
    if type_output(&copy, &x.session.format, out) < 0:
        _text(out, "?")
        return
    if bytes_max and out.size - start > bytes_max:
        out.size = start + bytes_max
        while out.size > start and (out.data[out.size] & 0xC0) == 0x80:
            out.size -= 1
        _text(out, "...")


cdef void _where(dsql_error_t* error, const TableInfo* table) noexcept nogil:
    _field(error.schema_name, table.schema)
    _field(error.table_name, table.name)


cdef void _failing_row(Execution* x, const TableInfo* table, const Value* row) noexcept nogil:
    cdef Buffer text
    cdef uint32_t c
    cdef int is_first = 1
    buffer_init(&text)
    for c in range(table.column_count):
        if table.dropped[c]:
            continue
        if not is_first:
            _text(&text, ", ")
        is_first = 0
        _value(x, &text, &row[c], FIELD_BYTES_MAX)
    buffer_append_u8(&text, 0)
    if not text.failed:
        dsql_error_detail(&x.session.error, "Failing row contains (%s).", <const char*>text.data)
    buffer_free(&text)


cdef int violation_not_null(Execution* x, const TableInfo* table, const Value* row, uint32_t column) noexcept nogil:
    dsql_error_set(&x.session.error, "23502",
                   "null value in column \"%s\" of relation \"%s\" violates not-null constraint",
                   table.names[column], table.name)
    _failing_row(x, table, row)
    _where(&x.session.error, table)
    _field(x.session.error.column_name, table.names[column])
    return -1


cdef int violation_check(Execution* x, const TableInfo* table, const Value* row, const char* constraint) noexcept nogil:
    dsql_error_set(&x.session.error, "23514", "new row for relation \"%s\" violates check constraint \"%s\"", table.name,
                   constraint)
    _failing_row(x, table, row)
    _where(&x.session.error, table)
    _field(x.session.error.constraint_name, constraint)
    return -1


cdef int violation_unique(Execution* x, const TableInfo* table, const char* constraint, const char** names,
                          const Value* keys, uint32_t count) noexcept nogil:
    cdef Buffer text
    cdef uint32_t i
    dsql_error_set(&x.session.error, "23505", "duplicate key value violates unique constraint \"%s\"", constraint)
    buffer_init(&text)
    _text(&text, "Key (")
    for i in range(count):
        if i:
            _text(&text, ", ")
        _text(&text, names[i])
    _text(&text, ")=(")
    for i in range(count):
        if i:
            _text(&text, ", ")
        _value(x, &text, &keys[i], 0)
    _text(&text, ") already exists.")
    buffer_append_u8(&text, 0)
    if not text.failed:
        dsql_error_detail(&x.session.error, "%s", <const char*>text.data)
    buffer_free(&text)
    _where(&x.session.error, table)
    _field(x.session.error.constraint_name, constraint)
    return -1
