"""Protocol codec: builders of backend messages, bounded readers of frontend ones, rows from vectors to bytes.

A message is one kind byte, a big-endian u32 length that counts itself, and the body. Builders append to a Buffer and
never fail by themselves: a Buffer that ran out of memory says so once (`failed`), when it is about to be sent.

    T RowDescription  D DataRow  C CommandComplete  Z ReadyForQuery  E ErrorResponse  N NoticeResponse
    1 ParseComplete   2 BindComplete  3 CloseComplete  t ParameterDescription  n NoData  s PortalSuspended
    I EmptyQueryResponse  S ParameterStatus  K BackendKeyData  R Authentication  G CopyIn  H CopyOut  d c Copy

Invariants
  P1  A reader never looks past the end of its message; the caller checks `failed` before it acts on what it read.
  P2  A value's length word is written after its bytes, so no value is measured twice.
Memory: nothing is kept but the hints' bytes; buffers belong to callers.
"""
from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdio cimport snprintf
from libc.string cimport memchr, memcpy, strcmp, strlen

from dsql_core.base.error cimport dsql_error_set, dsql_error_t
from dsql_core.base.memory cimport Buffer, buffer_append, buffer_append_u8, buffer_reserve
from dsql_core.base.vector cimport (
    Batch, Bytes16, OID_BOOL, OID_BPCHAR, OID_DATE, OID_FLOAT4, OID_FLOAT8, OID_INT2, OID_INT4, OID_INT8,
    OID_INTERVAL, OID_NAME, OID_OID, OID_REGCLASS, OID_REGNAMESPACE, OID_REGPROC, OID_REGROLE, OID_REGTYPE,
    OID_TEXT, OID_TIME, OID_TIMESTAMP, OID_TIMESTAMPTZ, OID_TIMETZ, OID_UUID, OID_VARCHAR, OID_VOID, OID_CHAR,
    PHYS_B16, PHYS_BOOL, PHYS_F32, PHYS_F64, PHYS_I16, PHYS_I32, PHYS_I64, Value, Var, Vector,
)
from dsql_core.types.io cimport FormatSettings, type_output, type_send
from dsql_core.wire.plan_cache cimport Plan, PlanColumn


cdef extern from "<fnmatch.h>":
    int fnmatch(const char* pattern, const char* text, int flags) noexcept nogil


cdef enum:
    HINTS_MAX = 128


# -- reading ----------------------------------------------------------------------------------------------------------

cdef uint16_t take_u16(Reader* reader) noexcept nogil:
    if reader.end - reader.at < 2:
        reader.failed = 1
        return 0
    reader.at += 2
    return read_u16(reader.at - 2)


cdef uint32_t take_u32(Reader* reader) noexcept nogil:
    if reader.end - reader.at < 4:
        reader.failed = 1
        return 0
    reader.at += 4
    return read_u32(reader.at - 4)


cdef const uint8_t* take_bytes(Reader* reader, size_t size) noexcept nogil:
    if <size_t>(reader.end - reader.at) < size:
        reader.failed = 1
        return NULL
    reader.at += size
    return reader.at - size


cdef const char* take_string(Reader* reader, size_t* size) noexcept nogil:
    cdef const uint8_t* zero = NULL
    cdef const char* text
    if reader.at < reader.end:
        zero = <const uint8_t*>memchr(reader.at, 0, reader.end - reader.at)
    if zero == NULL:
        reader.failed = 1
        size[0] = 0
        return NULL
    text = <const char*>reader.at
    size[0] = zero - reader.at
    reader.at = zero + 1
    return text


# -- building blocks --------------------------------------------------------------------------------------------------

cdef size_t message_begin(Buffer* out, uint8_t kind) noexcept nogil:
    cdef size_t begin = out.size
    cdef uint8_t* at = buffer_reserve(out, 5)
    if at != NULL:
        at[0] = kind
        out.size += 5
    return begin


cdef void message_end(Buffer* out, size_t begin) noexcept nogil:
    if not out.failed:
        store_u32(out.data + begin + 1, <uint32_t>(out.size - begin - 1))


cdef void put_u16(Buffer* out, uint16_t value) noexcept nogil:
    cdef uint8_t* at = buffer_reserve(out, 2)
    if at != NULL:
        store_u16(at, value)
        out.size += 2


cdef void put_u32(Buffer* out, uint32_t value) noexcept nogil:
    cdef uint8_t* at = buffer_reserve(out, 4)
    if at != NULL:
        store_u32(at, value)
        out.size += 4


cdef void put_string(Buffer* out, const char* text) noexcept nogil:
    buffer_append(out, text, strlen(text) + 1)


cdef void put_simple(Buffer* out, uint8_t kind) noexcept nogil:
    cdef uint8_t* at = buffer_reserve(out, 5)
    if at != NULL:
        at[0] = kind
        store_u32(at + 1, 4)
        out.size += 5


cdef inline void _field(Buffer* out, uint8_t code, const char* text) noexcept nogil:
    if text[0] != 0:
        buffer_append_u8(out, code)
        put_string(out, text)


cdef size_t _whole_characters(const char* text) noexcept nogil:
    # Length without a character that was cut at the end of its field.
    cdef size_t size = strlen(text)
    cdef size_t valid = utf8_valid_to(<const uint8_t*>text, size)
    return valid if size - valid < 4 else size


cdef void _text_field(Buffer* out, uint8_t code, const char* text) noexcept nogil:
    if text[0] != 0:
        buffer_append_u8(out, code)
        buffer_append(out, text, _whole_characters(text))
        buffer_append_u8(out, 0)


# Hints for refusals that bring none: (SQLSTATE, glob of the message, text), set once before the loop runs; empty = off.
cdef list _hints = []            # owns the bytes that _hint_table points into
cdef const char* _hint_table[3 * HINTS_MAX]
cdef int _hint_count = 0


def set_hints(hints):
    """Texts put beside errors without a hint: (sqlstate, pattern, text) of str, first match wins; at most HINTS_MAX."""
    global _hint_count
    if len(hints) > HINTS_MAX:
        raise ValueError(f"more than {HINTS_MAX} hints")
    _hint_count = 0
    _hints[:] = [part.encode() for hint in hints for part in hint]
    for place, raw in enumerate(_hints):
        _hint_table[place] = <const char*><bytes>raw
    _hint_count = len(hints)


cdef const char* _hint_for(const dsql_error_t* error) noexcept nogil:
    # The error's own hint, or the table's first that fits.
    cdef int k
    if error.hint[0] != 0:
        return <const char*>error.hint
    for k in range(_hint_count):
        if strcmp(_hint_table[3 * k], error.sqlstate) == 0 and fnmatch(_hint_table[3 * k + 1], error.message, 0) == 0:
            return _hint_table[3 * k + 2]
    return b""


cdef void put_error(Buffer* out, const char* severity, const dsql_error_t* error) noexcept nogil:
    cdef char[16] number
    cdef size_t begin = message_begin(out, c'E')
    _field(out, c'S', severity)
    _field(out, c'V', severity)
    _field(out, c'C', <const char*>error.sqlstate if error.sqlstate[0] else <const char*>b"XX000")
    buffer_append_u8(out, c'M')
    buffer_append(out, error.message, _whole_characters(error.message))
    buffer_append_u8(out, 0)
    _text_field(out, c'D', error.detail)
    _text_field(out, c'H', _hint_for(error))
    if error.position > 0:
        snprintf(number, 16, b"%d", error.position)
        _field(out, c'P', number)
    _text_field(out, c'W', error.context)
    _text_field(out, c's', error.schema_name)
    _text_field(out, c't', error.table_name)
    _text_field(out, c'c', error.column_name)
    _text_field(out, c'n', error.constraint_name)
    buffer_append_u8(out, 0)
    message_end(out, begin)


cdef void _put_report(Buffer* out, uint8_t kind, const char* severity, const char* sqlstate,
                      const char* message) noexcept nogil:
    cdef size_t begin = message_begin(out, kind)
    _field(out, c'S', severity)
    _field(out, c'V', severity)
    _field(out, c'C', sqlstate)
    _field(out, c'M', message)
    buffer_append_u8(out, 0)
    message_end(out, begin)


cdef void put_fatal(Buffer* out, const char* sqlstate, const char* message) noexcept nogil:
    _put_report(out, c'E', b"FATAL", sqlstate, message)


cdef void put_warning(Buffer* out, const char* sqlstate, const char* message) noexcept nogil:
    _put_report(out, c'N', b"WARNING", sqlstate, message)


cdef void put_ready(Buffer* out, uint8_t status) noexcept nogil:
    cdef uint8_t* at = buffer_reserve(out, 6)
    if at != NULL:
        at[0] = c'Z'
        store_u32(at + 1, 5)
        at[5] = status
        out.size += 6


cdef void put_parameter_status(Buffer* out, const char* name, const char* value) noexcept nogil:
    cdef size_t begin = message_begin(out, c'S')
    put_string(out, name)
    put_string(out, value)
    message_end(out, begin)


cdef void put_tag(Buffer* out, const char* tag) noexcept nogil:
    cdef size_t begin = message_begin(out, c'C')
    put_string(out, tag)
    message_end(out, begin)


cdef void put_counted_tag(Buffer* out, const char* tag, uint64_t count) noexcept nogil:
    cdef uint8_t[24] number
    cdef size_t begin = message_begin(out, c'C')
    buffer_append(out, tag, strlen(tag))
    if strcmp(tag, b"INSERT") == 0:
        buffer_append(out, <const void*><const char*>b" 0", 2)
    elif not (strcmp(tag, b"SELECT") == 0 or strcmp(tag, b"UPDATE") == 0 or strcmp(tag, b"DELETE") == 0
              or strcmp(tag, b"COPY") == 0 or strcmp(tag, b"MERGE") == 0 or strcmp(tag, b"FETCH") == 0):
        buffer_append_u8(out, 0)
        message_end(out, begin)
        return
    buffer_append_u8(out, c' ')
    buffer_append(out, number, put_decimal(number, <int64_t>count))
    buffer_append_u8(out, 0)
    message_end(out, begin)


# -- descriptions -----------------------------------------------------------------------------------------------------

cdef int16_t type_length(uint32_t oid) noexcept nogil:
    if oid == OID_INT4 or oid == OID_FLOAT4 or oid == OID_DATE or oid == OID_OID or oid == OID_REGCLASS:
        return 4
    if oid == OID_INT8 or oid == OID_FLOAT8 or oid == OID_TIMESTAMP or oid == OID_TIMESTAMPTZ or oid == OID_TIME:
        return 8
    if oid == OID_BOOL or oid == OID_CHAR:
        return 1
    if oid == OID_INT2:
        return 2
    if oid == OID_UUID or oid == OID_INTERVAL:
        return 16
    if oid == OID_TIMETZ:
        return 12
    if oid == OID_NAME:
        return 64
    if (oid == OID_REGPROC or oid == OID_REGTYPE or oid == OID_REGNAMESPACE or oid == OID_REGROLE or oid == OID_VOID
            or oid == 28 or oid == 29 or oid == 2202 or oid == 2203 or oid == 2204):
        return 4
    return -1


cdef void put_row_description(Buffer* out, const Plan* plan, const int16_t* formats,
                              uint32_t format_count) noexcept nogil:
    cdef size_t begin = message_begin(out, c'T')
    cdef uint32_t i
    cdef const PlanColumn* column
    cdef uint8_t* at
    put_u16(out, <uint16_t>plan.column_count)
    for i in range(plan.column_count):
        column = &plan.columns[i]
        at = buffer_reserve(out, column.name_size + 19)
        if at == NULL:
            return
        memcpy(at, column.name, column.name_size)
        at += column.name_size
        at[0] = 0
        store_u32(at + 1, column.table_oid)
        store_u16(at + 5, <uint16_t>column.attnum)
        store_u32(at + 7, column.type_oid)
        store_u16(at + 11, <uint16_t>type_length(column.type_oid))
        store_u32(at + 13, <uint32_t>column.typmod)
        if format_count == 0:
            store_u16(at + 17, 0)
        else:
            store_u16(at + 17, <uint16_t>formats[0 if format_count == 1 else i])
        out.size += column.name_size + 19
    message_end(out, begin)


cdef void put_parameter_description(Buffer* out, const Plan* plan, uint32_t count) noexcept nogil:
    cdef size_t begin = message_begin(out, c't')
    cdef uint32_t i
    put_u16(out, <uint16_t>count)
    for i in range(count):
        put_u32(out, plan.param_oids[i])
    message_end(out, begin)


# -- rows -------------------------------------------------------------------------------------------------------------

cdef const char* DIGIT_PAIRS = (
    b"00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354"
    b"555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899"
)


cdef size_t put_decimal(uint8_t* at, int64_t value) noexcept nogil:
    cdef uint8_t[20] digits
    cdef int i = 20
    cdef uint64_t rest
    cdef uint64_t pair
    cdef size_t size = 0
    if value < 0:
        at[0] = c'-'
        size = 1
        rest = 0 - <uint64_t>value
    else:
        rest = <uint64_t>value
    while rest >= 100:
        pair = rest % 100
        rest = rest // 100
        i -= 2
        memcpy(&digits[i], DIGIT_PAIRS + pair * 2, 2)
    if rest >= 10:
        i -= 2
        memcpy(&digits[i], DIGIT_PAIRS + rest * 2, 2)
    else:
        i -= 1
        digits[i] = <uint8_t>(48 + rest)
    memcpy(at + size, &digits[i], 20 - i)
    return size + (20 - i)


cdef void value_load(const Vector* vector, uint32_t row, Value* value) noexcept nogil:
    cdef size_t i = <size_t>row * vector.stride
    value.type_oid = vector.type_oid
    value.phys = vector.phys
    value.is_null = vector.nulls != NULL and vector.nulls[i] != 0
    if vector.phys == PHYS_BOOL:
        value.v.b = (<uint8_t*>vector.data)[i]
    elif vector.phys == PHYS_I16:
        value.v.i16 = (<int16_t*>vector.data)[i]
    elif vector.phys == PHYS_I32:
        value.v.i32 = (<int32_t*>vector.data)[i]
    elif vector.phys == PHYS_I64:
        value.v.i64 = (<int64_t*>vector.data)[i]
    elif vector.phys == PHYS_F32:
        value.v.f32 = (<float*>vector.data)[i]
    elif vector.phys == PHYS_F64:
        value.v.f64 = (<double*>vector.data)[i]
    elif vector.phys == PHYS_B16:
        value.v.b16 = (<Bytes16*>vector.data)[i]
    else:
        value.v.var = (<Var*>vector.data)[i]


cdef int _put_value(Buffer* out, const Vector* vector, uint32_t row, int16_t format,
                    const FormatSettings* settings) noexcept nogil:
    cdef uint8_t* at
    cdef size_t begin
    cdef size_t size
    cdef size_t i = <size_t>row * vector.stride
    cdef uint32_t oid = vector.type_oid
    cdef Value value
    cdef Var* var
    cdef uint64_t wide
    if vector.nulls != NULL and vector.nulls[i]:
        put_u32(out, 0xFFFFFFFFU)
        return 0
    if oid == OID_INT4:
        at = buffer_reserve(out, 24)
        if at == NULL:
            return -1
        if format == 0:
            size = put_decimal(at + 4, (<int32_t*>vector.data)[i])
        else:
            size = 4
            store_u32(at + 4, <uint32_t>(<int32_t*>vector.data)[i])
        store_u32(at, <uint32_t>size)
        out.size += 4 + size
        return 0
    if oid == OID_INT8:
        at = buffer_reserve(out, 28)
        if at == NULL:
            return -1
        if format == 0:
            size = put_decimal(at + 4, (<int64_t*>vector.data)[i])
        else:
            size = 8
            wide = <uint64_t>(<int64_t*>vector.data)[i]
            store_u32(at + 4, <uint32_t>(wide >> 32))
            store_u32(at + 8, <uint32_t>wide)
        store_u32(at, <uint32_t>size)
        out.size += 4 + size
        return 0
    if oid == OID_TEXT or oid == OID_VARCHAR or oid == OID_BPCHAR:
        var = &(<Var*>vector.data)[i]
        at = buffer_reserve(out, 4 + <size_t>var.size)
        if at == NULL:
            return -1
        store_u32(at, var.size)
        memcpy(at + 4, var.data, var.size)
        out.size += 4 + <size_t>var.size
        return 0
    begin = out.size
    put_u32(out, 0)
    value_load(vector, row, &value)
    if format == 0:
        if type_output(&value, settings, out) < 0:
            return -1
    elif type_send(&value, out) < 0:
        return -1
    if out.failed:
        return -1
    store_u32(out.data + begin, <uint32_t>(out.size - begin - 4))
    return 0


cdef int put_rows(Buffer* out, const Batch* batch, uint32_t start, uint32_t stop, const int16_t* formats,
                  uint32_t format_count, const FormatSettings* settings) noexcept nogil:
    cdef uint32_t row
    cdef uint32_t column
    cdef uint32_t i
    cdef size_t begin
    cdef int16_t format = 0
    for row in range(start, stop):
        i = row if batch.sel == NULL else batch.sel[row]
        begin = message_begin(out, c'D')
        put_u16(out, <uint16_t>batch.column_count)
        for column in range(batch.column_count):
            if format_count != 0:
                format = formats[0 if format_count == 1 else column]
            if _put_value(out, &batch.columns[column], i, format, settings) < 0:
                return -1
        message_end(out, begin)
    return 0 if not out.failed else -1


# -- UTF-8 ------------------------------------------------------------------------------------------------------------

cdef size_t utf8_valid_to(const uint8_t* text, size_t size) noexcept nogil:
    cdef size_t at = 0
    cdef uint64_t word
    cdef uint8_t c
    cdef size_t more
    cdef uint8_t low
    cdef uint8_t high
    cdef size_t i
    while at < size:
        # Eight ASCII bytes at a time: no high bit anywhere and no zero byte.
        while at + 8 <= size:
            memcpy(&word, text + at, 8)
            if (word & 0x8080808080808080ULL) or ((word - 0x0101010101010101ULL) & ~word & 0x8080808080808080ULL):
                break
            at += 8
        if at >= size:
            break
        c = text[at]
        if c == 0:
            return at
        if c < 0x80:
            at += 1
            continue
        low = 0x80
        high = 0xBF
        if 0xC2 <= c <= 0xDF:
            more = 1
        elif 0xE0 <= c <= 0xEF:
            more = 2
            if c == 0xE0:
                low = 0xA0
            elif c == 0xED:
                high = 0x9F
        elif 0xF0 <= c <= 0xF4:
            more = 3
            if c == 0xF0:
                low = 0x90
            elif c == 0xF4:
                high = 0x8F
        else:
            return at
        if at + more >= size:
            return at
        if text[at + 1] < low or text[at + 1] > high:
            return at
        for i in range(2, more + 1):
            if text[at + i] & 0xC0 != 0x80:
                return at
        at += more + 1
    return size


cdef int utf8_check(const uint8_t* text, size_t size, dsql_error_t* error) noexcept nogil:
    cdef size_t bad = utf8_valid_to(text, size)
    cdef size_t expected = 1
    cdef size_t i
    cdef char[64] shown
    cdef int at = 0
    if bad == size:
        return 0
    if text[bad] >= 0xF8:
        expected = 1
    elif text[bad] >= 0xF0:
        expected = 4
    elif text[bad] >= 0xE0:
        expected = 3
    elif text[bad] >= 0xC0:
        expected = 2
    if expected > size - bad:
        expected = size - bad
    for i in range(expected):
        at += snprintf(shown + at, 64 - at, b" 0x%02x" if i else b"0x%02x", <int>text[bad + i])
    dsql_error_set(error, b"22021", b"invalid byte sequence for encoding \"UTF8\": %s", &shown[0])
    return -1
