"""Dispatch by type: text and binary formats, order and hash of every type.

The formats themselves live in the family modules (scalar, floats, text, numeric_text, dateparse, datetime_text,
interval, json, array); here is the switch by OID, and what is one line per type: binary formats and order.

I1  A Value handed out has type_oid, phys and is_null set; Var results lie in the pool, or in constant memory.
I2  type_hash agrees with type_compare: values that compare equal hash equal.
I3  A NULL FormatSettings means the defaults: UTC, ISO, MDY, postgres intervals, hex, shortest floats.
"""
from libc.math cimport isnan
from libc.stdint cimport INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN
from libc.string cimport memcmp, memcpy

from dsql_core.base.error cimport dsql_error_set, dsql_error_t
from dsql_core.base.memory cimport Buffer, Pool, buffer_append, buffer_append_u8, pool_copy
from dsql_core.base.types cimport int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from dsql_core.base.vector cimport (
    OID_BOOL, OID_BPCHAR, OID_BYTEA, OID_CHAR, OID_DATE, OID_FLOAT4, OID_FLOAT8, OID_INT2, OID_INT4,
    OID_INT8, OID_INTERVAL, OID_JSON, OID_JSONB, OID_NAME, OID_NUMERIC, OID_REGCLASS,
    OID_REGNAMESPACE, OID_REGPROC, OID_REGROLE, OID_REGTYPE, OID_TEXT, OID_TIME, OID_TIMESTAMP, OID_TIMESTAMPTZ,
    OID_TIMETZ, OID_UNKNOWN, OID_UUID, OID_VARCHAR, OID_VOID, PHYS_B16, PHYS_BOOL, PHYS_F32, PHYS_F64, PHYS_I16,
    PHYS_I32, PHYS_I64, PHYS_VAR, Value, Var, type_phys,
)
from dsql_core.types.array cimport (
    array_apply_typmod, array_compare, array_element_oid, array_hash, array_input, array_output, array_receive,
    array_send,
)
from dsql_core.types.calendar cimport (
    DATE_END, DATE_MIN, US_PER_DAY, US_PER_SECOND, timestamp_is_finite,
    timestamp_is_valid,
)
from dsql_core.types.chars cimport (
    load_be16, load_be32, load_be64, put_be16, put_be32, put_be64, put_i64,
)
from dsql_core.types.dateparse cimport (
    DateContext, date_input, round_us, time_input, timestamp_input, timestamptz_input, timetz_input,
)
from dsql_core.types.datetime_text cimport date_output, time_output, timestamp_output, timestamptz_output, timetz_output
from dsql_core.types.floats cimport float4_input, float4_output, float8_input, float8_output
from dsql_core.types.interval cimport (
    interval_apply_typmod, interval_compare, interval_hash_word, interval_input, interval_output,
)
from dsql_core.types.json cimport json_check, jsonb_compare, jsonb_hash, jsonb_input
from dsql_core.types.numeric cimport numeric_apply_typmod, numeric_compare, numeric_hash
from dsql_core.types.numeric_text cimport numeric_output, numeric_parse, numeric_receive, numeric_send
from dsql_core.types.scalar cimport bool_input, integer_input, oid_input, uuid_input, uuid_output
from dsql_core.types.text cimport (
    bytea_input, bytea_output, char_output, out_of_memory, text_apply_typmod, text_input, trimmed_size, utf8_check,
)

cdef const char* _reg_name(uint32_t oid) noexcept nogil:
    if oid == OID_REGCLASS:
        return b"regclass"
    if oid == OID_REGTYPE:
        return b"regtype"
    if oid == OID_REGPROC:
        return b"regproc"
    if oid == OID_REGNAMESPACE:
        return b"regnamespace"
    if oid == OID_REGROLE:
        return b"regrole"
    return b"oid"


cdef inline void _context(const FormatSettings* format, DateContext* out) noexcept nogil:
    out.zone = format.timezone if format != NULL else NULL
    out.order = format.date_order if format != NULL else 0
    out.now_us = format.now_us if format != NULL else 0


cdef inline void _prepare(uint32_t oid, Value* out) noexcept nogil:
    out.type_oid = oid
    out.phys = type_phys(oid)
    out.is_null = 0


# ------------------------------------------------------------------------------------------------------ text formats

cdef int _input_time(uint32_t oid, int32_t typmod, const uint8_t* text, size_t size, const FormatSettings* format,
                     Value* out, dsql_error_t* error) noexcept nogil:
    cdef DateContext context
    _context(format, &context)
    if oid == OID_DATE:
        return date_input(text, size, &context, &out.v.i32, error)
    if oid == OID_TIMESTAMP:
        return timestamp_input(text, size, typmod, &context, &out.v.i64, error)
    if oid == OID_TIMESTAMPTZ:
        return timestamptz_input(text, size, typmod, &context, &out.v.i64, error)
    if oid == OID_TIME:
        return time_input(text, size, typmod, &context, &out.v.i64, error)
    if oid == OID_TIMETZ:
        out.v.interval.months = 0
        return timetz_input(text, size, typmod, &context, &out.v.interval.us, &out.v.interval.days, error)
    return interval_input(text, size, typmod, format.interval_style if format != NULL else 0, &out.v.interval, error)


cdef inline bint _is_opaque(uint32_t oid) noexcept nogil:
    # Types only catalogs show (tid, xid, cid, pg_node_tree, aclitem, pg_lsn, inet, statistics ...): kept as their text.
    return (27 <= oid <= 29) or oid == 194 or oid == 650 or oid == 869 or oid == 1033 or oid == 2275 or oid == 2277 or \
        oid == 2970 or oid == 3220 or oid == 3361 or oid == 3402 or oid == 4072 or oid == 5017 or oid == 5038 or \
        oid == 5069


cdef int type_input(uint32_t oid, int32_t typmod, const uint8_t* text, size_t size, const FormatSettings* format,
                    Pool* pool, Value* out, dsql_error_t* error) noexcept nogil:
    cdef int64_t wide
    _prepare(oid, out)
    if oid == OID_INT4:
        if integer_input(text, size, INT32_MIN, INT32_MAX, b"integer", &wide, error) < 0:
            return -1
        out.v.i32 = <int32_t>wide
        return 0
    if oid == OID_INT8:
        return integer_input(text, size, INT64_MIN, INT64_MAX, b"bigint", &out.v.i64, error)
    if oid == OID_TEXT or oid == OID_VARCHAR or oid == OID_BPCHAR or oid == OID_NAME or oid == OID_CHAR or \
            oid == OID_UNKNOWN:
        return text_input(oid, typmod, text, size, pool, &out.v.var, error)
    if oid == OID_NUMERIC:
        if numeric_parse(text, size, pool, &out.v.var, error) < 0:
            return -1
        return numeric_apply_typmod(typmod, &out.v.var, pool, error)
    if oid == OID_BOOL:
        return bool_input(text, size, &out.v.b, error)
    if oid == OID_INT2:
        if integer_input(text, size, -32768, 32767, b"smallint", &wide, error) < 0:
            return -1
        out.v.i16 = <int16_t>wide
        return 0
    if oid == OID_DATE or oid == OID_TIMESTAMP or oid == OID_TIMESTAMPTZ or oid == OID_TIME or oid == OID_TIMETZ or \
            oid == OID_INTERVAL:
        return _input_time(oid, typmod, text, size, format, out, error)
    if oid == OID_UUID:
        return uuid_input(text, size, out.v.b16.b, error)
    if oid == OID_FLOAT8:
        return float8_input(text, size, &out.v.f64, error)
    if oid == OID_FLOAT4:
        return float4_input(text, size, &out.v.f32, error)
    if oid == OID_BYTEA:
        return bytea_input(text, size, pool, &out.v.var, error)
    if oid == OID_JSONB:
        return jsonb_input(text, size, pool, &out.v.var, error)
    if oid == OID_JSON:
        if utf8_check(text, size, error) < 0 or json_check(text, size, error) < 0:
            return -1
        return _copy(text, size, pool, &out.v.var, error)
    if out.phys == PHYS_I64:
        return oid_input(text, size, _reg_name(oid), &out.v.i64, error)
    if oid == OID_VOID:
        return _copy(text, 0, pool, &out.v.var, error)
    if array_element_oid(oid) != 0:
        return array_input(oid, typmod, text, size, format, pool, &out.v.var, error)
    if _is_opaque(oid):
        return text_input(OID_TEXT, -1, text, size, pool, &out.v.var, error)
    dsql_error_set(error, b"0A000", b"cannot read a value of type with OID %u", <unsigned int>oid)
    return -1


cdef int _copy(const uint8_t* data, size_t size, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil:
    out.data = pool_copy(pool, data, size)
    out.size = <uint32_t>size
    out.reserved = 0
    return 0 if out.data != NULL else out_of_memory(error)


cdef int type_output(const Value* value, const FormatSettings* format, Buffer* out) noexcept nogil:
    cdef uint32_t oid = value.type_oid
    cdef int style = format.date_style if format != NULL else 0
    cdef int order = format.date_order if format != NULL else 0
    if oid == OID_INT4:
        put_i64(out, value.v.i32)
    elif oid == OID_INT8:
        put_i64(out, value.v.i64)
    elif oid == OID_TEXT or oid == OID_VARCHAR or oid == OID_BPCHAR or oid == OID_NAME or oid == OID_JSON or \
            oid == OID_JSONB or oid == OID_UNKNOWN:
        buffer_append(out, value.v.var.data, value.v.var.size)
    elif oid == OID_NUMERIC:
        numeric_output(&value.v.var, out)
    elif oid == OID_BOOL:
        buffer_append_u8(out, c't' if value.v.b else c'f')
    elif oid == OID_INT2:
        put_i64(out, value.v.i16)
    elif oid == OID_DATE:
        date_output(value.v.i32, style, order, out)
    elif oid == OID_TIMESTAMP:
        timestamp_output(value.v.i64, style, order, out)
    elif oid == OID_TIMESTAMPTZ:
        timestamptz_output(value.v.i64, format.timezone if format != NULL else NULL, style, order, out)
    elif oid == OID_UUID:
        uuid_output(value.v.b16.b, out)
    elif oid == OID_FLOAT8:
        float8_output(value.v.f64, format.extra_float_digits if format != NULL else 1, out)
    elif oid == OID_FLOAT4:
        float4_output(value.v.f32, format.extra_float_digits if format != NULL else 1, out)
    elif oid == OID_BYTEA:
        bytea_output(value.v.var.data, value.v.var.size, format.bytea_escape if format != NULL else 0, out)
    elif oid == OID_TIME:
        time_output(value.v.i64, out)
    elif oid == OID_TIMETZ:
        timetz_output(value.v.interval.us, value.v.interval.days, out)
    elif oid == OID_INTERVAL:
        interval_output(&value.v.interval, format.interval_style if format != NULL else 0, out)
    elif oid == OID_CHAR:
        char_output(&value.v.var, out)
    elif value.phys == PHYS_I64:
        put_i64(out, value.v.i64)
    elif array_element_oid(oid) != 0:
        array_output(oid, &value.v.var, format, out)
    elif _is_opaque(oid):
        buffer_append(out, value.v.var.data, value.v.var.size)
    elif oid != OID_VOID:
        return -1
    return -1 if out.failed else 0


# ---------------------------------------------------------------------------------------------------- binary formats

cdef int _wrong_size(size_t size, size_t wanted, dsql_error_t* error) noexcept nogil:
    if size < wanted:
        dsql_error_set(error, b"08P01", b"insufficient data left in message")
    else:
        dsql_error_set(error, b"22P03", b"incorrect binary data format")
    return -1


cdef int type_receive(uint32_t oid, int32_t typmod, const uint8_t* data, size_t size, Pool* pool, Value* out,
                      dsql_error_t* error) noexcept nogil:
    cdef uint32_t word
    cdef uint64_t wide
    cdef size_t wanted
    _prepare(oid, out)
    if out.phys == PHYS_VAR:
        return _receive_var(oid, typmod, data, size, pool, &out.v.var, error)
    if out.phys == PHYS_BOOL:
        wanted = 1
    elif out.phys == PHYS_I16:
        wanted = 2
    elif out.phys == PHYS_I32 or out.phys == PHYS_F32:
        wanted = 4
    elif out.phys == PHYS_B16:
        wanted = 12 if oid == OID_TIMETZ else 16
    else:
        wanted = 8
        if oid != OID_INT8 and oid != OID_TIME and oid != OID_TIMESTAMP and oid != OID_TIMESTAMPTZ and \
                oid != OID_FLOAT8:
            wanted = 4                                       # oid and reg*
    if size != wanted:
        return _wrong_size(size, wanted, error)
    if oid == OID_BOOL:
        out.v.b = data[0] != 0
    elif oid == OID_INT2:
        out.v.i16 = <int16_t>load_be16(data)
    elif oid == OID_FLOAT4:
        word = load_be32(data)
        memcpy(&out.v.f32, &word, 4)
    elif oid == OID_FLOAT8:
        wide = load_be64(data)
        memcpy(&out.v.f64, &wide, 8)
    elif oid == OID_UUID:
        memcpy(out.v.b16.b, data, 16)
    elif oid == OID_INT4:
        out.v.i32 = <int32_t>load_be32(data)
    elif oid == OID_INT8:
        out.v.i64 = <int64_t>load_be64(data)
    elif wanted == 4 and out.phys == PHYS_I64:
        out.v.i64 = load_be32(data)
    else:
        return _receive_time(oid, typmod, data, out, error)
    return 0


cdef int _receive_time(uint32_t oid, int32_t typmod, const uint8_t* data, Value* out,
                       dsql_error_t* error) noexcept nogil:
    cdef int64_t us
    if oid == OID_DATE:
        out.v.i32 = <int32_t>load_be32(data)
        if out.v.i32 != INT32_MAX and out.v.i32 != INT32_MIN and (out.v.i32 < DATE_MIN or out.v.i32 >= DATE_END):
            dsql_error_set(error, b"22008", b"date out of range")
            return -1
        return 0
    us = <int64_t>load_be64(data)
    if oid == OID_TIMESTAMP or oid == OID_TIMESTAMPTZ:
        if timestamp_is_finite(us):
            us = round_us(us, typmod)
            if not timestamp_is_valid(us):
                dsql_error_set(error, b"22008", b"timestamp out of range")
                return -1
        out.v.i64 = us
        return 0
    if oid == OID_INTERVAL:
        out.v.interval.us = us
        out.v.interval.days = <int32_t>load_be32(data + 8)
        out.v.interval.months = <int32_t>load_be32(data + 12)
        return interval_apply_typmod(typmod, &out.v.interval, error)
    if us < 0 or us > US_PER_DAY:
        dsql_error_set(error, b"22008", b"time out of range")
        return -1
    if oid == OID_TIME:
        out.v.i64 = round_us(us, typmod)
        return 0
    out.v.interval.us = round_us(us, typmod)
    out.v.interval.days = <int32_t>load_be32(data + 8)
    out.v.interval.months = 0
    if out.v.interval.days <= -57600 or out.v.interval.days >= 57600:
        dsql_error_set(error, b"22009", b"time zone displacement out of range")
        return -1
    return 0


cdef int _receive_var(uint32_t oid, int32_t typmod, const uint8_t* data, size_t size, Pool* pool, Var* out,
                      dsql_error_t* error) noexcept nogil:
    if oid == OID_NUMERIC:
        if numeric_receive(data, size, pool, out, error) < 0:
            return -1
        return numeric_apply_typmod(typmod, out, pool, error)
    if oid == OID_BYTEA or oid == OID_VOID:
        return _copy(data, size, pool, out, error)
    if oid == OID_CHAR:
        if size != 1:
            return _wrong_size(size, 1, error)
        if _copy(data, 1, pool, out, error) < 0:
            return -1
        if data[0] == 0:
            out.size = 0
        return 0
    if oid == OID_TEXT or oid == OID_VARCHAR or oid == OID_BPCHAR or oid == OID_NAME or oid == OID_UNKNOWN:
        return text_input(oid, typmod, data, size, pool, out, error)
    if oid == OID_JSON:
        if utf8_check(data, size, error) < 0 or json_check(data, size, error) < 0:
            return -1
        return _copy(data, size, pool, out, error)
    if oid == OID_JSONB:
        if size < 1:
            return _wrong_size(size, 1, error)
        if data[0] != 1:
            dsql_error_set(error, b"XX000", b"unsupported jsonb version number %d", <int>data[0])
            return -1
        return jsonb_input(data + 1, size - 1, pool, out, error)
    if array_element_oid(oid) != 0:
        return array_receive(oid, typmod, data, size, pool, out, error)
    if _is_opaque(oid):
        return text_input(OID_TEXT, -1, data, size, pool, out, error)
    dsql_error_set(error, b"0A000", b"cannot read a value of type with OID %u", <unsigned int>oid)
    return -1


cdef int type_send(const Value* value, Buffer* out) noexcept nogil:
    cdef uint32_t oid = value.type_oid
    cdef uint32_t word
    cdef uint64_t wide
    if oid == OID_INT4 or oid == OID_DATE:
        put_be32(out, <uint32_t>value.v.i32)
    elif oid == OID_INT8 or oid == OID_TIMESTAMP or oid == OID_TIMESTAMPTZ or oid == OID_TIME:
        put_be64(out, <uint64_t>value.v.i64)
    elif oid == OID_NUMERIC:
        numeric_send(&value.v.var, out)
    elif oid == OID_BOOL:
        buffer_append_u8(out, 1 if value.v.b else 0)
    elif oid == OID_INT2:
        put_be16(out, <uint16_t>value.v.i16)
    elif oid == OID_FLOAT8:
        memcpy(&wide, &value.v.f64, 8)
        put_be64(out, wide)
    elif oid == OID_FLOAT4:
        memcpy(&word, &value.v.f32, 4)
        put_be32(out, word)
    elif oid == OID_UUID:
        buffer_append(out, value.v.b16.b, 16)
    elif oid == OID_INTERVAL or oid == OID_TIMETZ:
        put_be64(out, <uint64_t>value.v.interval.us)
        put_be32(out, <uint32_t>value.v.interval.days)
        if oid == OID_INTERVAL:
            put_be32(out, <uint32_t>value.v.interval.months)
    elif oid == OID_JSONB:
        buffer_append_u8(out, 1)
        buffer_append(out, value.v.var.data, value.v.var.size)
    elif oid == OID_CHAR:
        buffer_append_u8(out, value.v.var.data[0] if value.v.var.size > 0 else 0)
    elif value.phys == PHYS_I64:
        put_be32(out, <uint32_t>value.v.i64)
    elif array_element_oid(oid) != 0:
        array_send(oid, &value.v.var, out)
    else:
        buffer_append(out, value.v.var.data, value.v.var.size)
    return -1 if out.failed else 0


# ---------------------------------------------------------------------------------------------------- order and hash

cdef inline int _compare_float(double a, double b) noexcept nogil:
    # NaN equals itself and is greater than everything else.
    if isnan(a):
        return 0 if isnan(b) else 1
    if isnan(b):
        return -1
    return (a > b) - (a < b)


cdef inline int _compare_bytes(const uint8_t* a, size_t a_size, const uint8_t* b, size_t b_size) noexcept nogil:
    cdef int order = memcmp(a, b, a_size if a_size < b_size else b_size)
    if order != 0:
        return 1 if order > 0 else -1
    return (a_size > b_size) - (a_size < b_size)


cdef int _compare_var(const Value* a, const Value* b) noexcept nogil:
    cdef uint32_t oid = a.type_oid
    if oid == OID_TEXT or oid == OID_VARCHAR or oid == OID_NAME or oid == OID_BYTEA:
        return _compare_bytes(a.v.var.data, a.v.var.size, b.v.var.data, b.v.var.size)
    if oid == OID_NUMERIC:
        return numeric_compare(&a.v.var, &b.v.var)
    if oid == OID_BPCHAR:
        return _compare_bytes(a.v.var.data, trimmed_size(a.v.var.data, a.v.var.size),
                              b.v.var.data, trimmed_size(b.v.var.data, b.v.var.size))
    if oid == OID_JSONB:
        return jsonb_compare(&a.v.var, &b.v.var)
    if array_element_oid(oid) != 0:
        return array_compare(oid, &a.v.var, &b.v.var)
    return _compare_bytes(a.v.var.data, a.v.var.size, b.v.var.data, b.v.var.size)


cdef int type_compare(const Value* a, const Value* b) noexcept nogil:
    cdef int order
    cdef int64_t a_utc
    cdef int64_t b_utc
    if a.phys == PHYS_I32:
        return (a.v.i32 > b.v.i32) - (a.v.i32 < b.v.i32)
    if a.phys == PHYS_I64:
        return (a.v.i64 > b.v.i64) - (a.v.i64 < b.v.i64)
    if a.phys == PHYS_VAR:
        return _compare_var(a, b)
    if a.phys == PHYS_BOOL:
        return (a.v.b > b.v.b) - (a.v.b < b.v.b)
    if a.phys == PHYS_I16:
        return (a.v.i16 > b.v.i16) - (a.v.i16 < b.v.i16)
    if a.phys == PHYS_F64:
        return _compare_float(a.v.f64, b.v.f64)
    if a.phys == PHYS_F32:
        return _compare_float(a.v.f32, b.v.f32)
    if a.type_oid == OID_INTERVAL:
        return interval_compare(&a.v.interval, &b.v.interval)
    if a.type_oid == OID_TIMETZ:
        # By instant, then by zone.
        a_utc = a.v.interval.us + a.v.interval.days * US_PER_SECOND
        b_utc = b.v.interval.us + b.v.interval.days * US_PER_SECOND
        if a_utc != b_utc:
            return 1 if a_utc > b_utc else -1
        return (a.v.interval.days > b.v.interval.days) - (a.v.interval.days < b.v.interval.days)
    order = memcmp(a.v.b16.b, b.v.b16.b, 16)
    return (order > 0) - (order < 0)


cdef inline uint64_t _mix(uint64_t h) noexcept nogil:
    h = (h ^ (h >> 32)) * 0x9FB21C651E98DF25ULL
    h = (h ^ (h >> 29)) * 0xD6E8FEB86659FD93ULL
    return h ^ (h >> 32)


cdef uint64_t _hash_bytes(const uint8_t* data, size_t size) noexcept nogil:
    cdef uint64_t h = 0x9E3779B97F4A7C15ULL ^ (size * 0xBF58476D1CE4E5B9ULL)
    cdef uint64_t word
    while size >= 8:
        memcpy(&word, data, 8)
        h = (h ^ word) * 0x9FB21C651E98DF25ULL
        h ^= h >> 32
        data += 8
        size -= 8
    word = 0
    memcpy(&word, data, size)
    return _mix(h ^ word)


cdef uint64_t type_hash(const Value* value) noexcept nogil:
    cdef uint64_t word = 0
    cdef double number
    if value.phys == PHYS_I32:
        return _mix(<uint64_t><int64_t>value.v.i32 + 0x9E3779B97F4A7C15ULL)
    if value.phys == PHYS_I64:
        return _mix(<uint64_t>value.v.i64 + 0x9E3779B97F4A7C15ULL)
    if value.phys == PHYS_I16:
        return _mix(<uint64_t><int64_t>value.v.i16 + 0x9E3779B97F4A7C15ULL)
    if value.phys == PHYS_BOOL:
        return _mix(value.v.b + 0x9E3779B97F4A7C15ULL)
    if value.phys == PHYS_VAR:
        if value.type_oid == OID_TEXT or value.type_oid == OID_VARCHAR:
            return _hash_bytes(value.v.var.data, value.v.var.size)
        if value.type_oid == OID_NUMERIC:
            return numeric_hash(&value.v.var)
        if value.type_oid == OID_BPCHAR:
            return _hash_bytes(value.v.var.data, trimmed_size(value.v.var.data, value.v.var.size))
        if array_element_oid(value.type_oid) != 0:
            return array_hash(value.type_oid, &value.v.var)
        if value.type_oid == OID_JSONB:
            return jsonb_hash(&value.v.var)
        return _hash_bytes(value.v.var.data, value.v.var.size)
    if value.phys == PHYS_F64 or value.phys == PHYS_F32:
        number = value.v.f64 if value.phys == PHYS_F64 else <double>value.v.f32
        if number == 0 or isnan(number):
            return _mix(<uint64_t>isnan(number) + 1)
        memcpy(&word, &number, 8)
        return _mix(word)
    if value.type_oid == OID_INTERVAL:
        return _mix(interval_hash_word(&value.v.interval))
    if value.type_oid == OID_TIMETZ:
        return _mix(<uint64_t>value.v.interval.us * 31 + <uint64_t><int64_t>value.v.interval.days)
    return _hash_bytes(value.v.b16.b, 16)


cdef int type_apply_typmod(int32_t typmod, int is_explicit, Value* value, Pool* pool,
                           dsql_error_t* error) noexcept nogil:
    cdef uint32_t oid = value.type_oid
    if typmod < 0 or value.is_null:
        return 0
    if oid == OID_VARCHAR or oid == OID_BPCHAR:
        return text_apply_typmod(oid, typmod, is_explicit, &value.v.var, pool, error)
    if oid == OID_NUMERIC:
        return numeric_apply_typmod(typmod, &value.v.var, pool, error)
    if oid == OID_TIMESTAMP or oid == OID_TIMESTAMPTZ or oid == OID_TIME:
        if timestamp_is_finite(value.v.i64):
            value.v.i64 = round_us(value.v.i64, typmod)
    elif oid == OID_TIMETZ:
        value.v.interval.us = round_us(value.v.interval.us, typmod)
    elif oid == OID_INTERVAL:
        return interval_apply_typmod(typmod, &value.v.interval, error)
    elif array_element_oid(oid) != 0:
        return array_apply_typmod(oid, typmod, is_explicit, &value.v.var, pool, error)
    return 0
