"""SQL values as JSON text: what to_json, the build functions and the JSON aggregates write."""

from dsql_core.base.memory cimport Buffer, buffer_append, buffer_append_u8, buffer_free, buffer_init
from dsql_core.base.types cimport uint8_t, uint32_t
from dsql_core.base.vector cimport (OID_BOOL, OID_FLOAT4, OID_FLOAT8, OID_INT2, OID_INT4, OID_INT8, OID_JSON, OID_JSONB,
                                    OID_NUMERIC, OID_TEXT, OID_TIMESTAMP, OID_TIMESTAMPTZ, OID_VARCHAR, Value)
from dsql_core.types.array cimport ArrayDimension, ArrayReader, array_dimension, array_element, array_element_oid, array_open
from dsql_core.types.calendar cimport timestamp_is_finite
from dsql_core.types.datetime_text cimport timestamp_output_t, timestamptz_output_t
from dsql_core.types.io cimport FormatSettings, type_output
from dsql_core.types.json cimport json_put_string


cdef inline void put(Buffer* out, const char* text, uint32_t size) noexcept nogil:
    buffer_append(out, text, size)


cdef int put_string_of(const Value* value, const FormatSettings* format, Buffer* out) noexcept nogil:
    cdef Buffer text
    if value.type_oid == OID_TEXT or value.type_oid == OID_VARCHAR:
        json_put_string(value.v.var.data, value.v.var.size, out)
        return 0
    buffer_init(&text)
    if value.type_oid == OID_TIMESTAMP and timestamp_is_finite(value.v.i64):
        timestamp_output_t(value.v.i64, &text)
    elif value.type_oid == OID_TIMESTAMPTZ and timestamp_is_finite(value.v.i64):
        timestamptz_output_t(value.v.i64, format.timezone if format != NULL else NULL, &text)
    else:
        type_output(value, format, &text)
    json_put_string(text.data, text.size, out)
    out.failed |= text.failed
    buffer_free(&text)
    return 0


cdef int put_number(const Value* value, const FormatSettings* format, Buffer* out) noexcept nogil:
    # NaN and the infinities are no JSON numbers: strings.
    cdef size_t start = out.size
    cdef uint8_t last
    type_output(value, format, out)
    if out.failed or out.size == start:
        return 0
    last = out.data[out.size - 1]
    if last < c'0' or last > c'9':
        out.size = start
        return put_string_of(value, format, out)
    return 0


cdef int put_array_level(const Value* array, ArrayReader* reader, uint32_t level, uint32_t* at,
                         const FormatSettings* format, Buffer* out) noexcept nogil:
    cdef ArrayDimension shape
    cdef Value item
    cdef int k
    array_dimension(&array.v.var, level, &shape)
    buffer_append_u8(out, c'[')
    for k in range(shape.length):
        if k:
            buffer_append_u8(out, c',')
        if level + 1 < reader.dimensions:
            put_array_level(array, reader, level + 1, at, format, out)
        else:
            array_element(reader, at[0], &item)
            at[0] += 1
            json_put_value(&item, format, out)
    buffer_append_u8(out, c']')
    return 0


cdef int json_put_value(const Value* value, const FormatSettings* format, Buffer* out) noexcept nogil:
    cdef ArrayReader reader
    cdef uint32_t oid = value.type_oid, at = 0
    if value.is_null:
        put(out, b"null", 4)
    elif oid == OID_BOOL:
        if value.v.b:
            put(out, b"true", 4)
        else:
            put(out, b"false", 5)
    elif oid == OID_INT2 or oid == OID_INT4 or oid == OID_INT8 or oid == OID_FLOAT4 or oid == OID_FLOAT8 or \
            oid == OID_NUMERIC:
        return put_number(value, format, out)
    elif oid == OID_JSON or oid == OID_JSONB:
        put(out, <const char*>value.v.var.data, value.v.var.size)
    elif array_element_oid(oid) != 0:
        array_open(&value.v.var, &reader)
        if reader.dimensions == 0:
            put(out, b"[]", 2)
        else:
            return put_array_level(value, &reader, 0, &at, format, out)
    else:
        return put_string_of(value, format, out)
    return 0


cdef int json_put_key(const Value* value, const FormatSettings* format, Buffer* out) noexcept nogil:
    cdef uint32_t oid = value.type_oid
    if oid == OID_JSON or oid == OID_JSONB or array_element_oid(oid) != 0:
        return -1
    if oid == OID_BOOL:
        if value.v.b:
            put(out, b'"true"', 6)
        else:
            put(out, b'"false"', 7)
        return 0
    return put_string_of(value, format, out)
