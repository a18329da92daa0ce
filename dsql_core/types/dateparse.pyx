"""Reading date, time, timetz, timestamp and timestamptz: a quick path for ISO text, the full grammar behind it.

The quick path takes exactly YYYY-MM-DD[( |T)HH:MM[:SS[.fraction]][Z|(+|-)HH[[:]MM]]] with fields in range; anything
else goes to types/datefields, which splits the text into fields and reads them the way PostgreSQL does.

I1  Both paths agree wherever the quick one answers.
I2  A local time becomes an instant with the zone's offset at that local time (timezone_local_offset).
"""
from libc.stdint cimport INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, int32_t, int64_t, uint8_t

from dsql_core.base.error cimport dsql_error_set, dsql_error_t
from dsql_core.types.calendar cimport (
    DATE_END, DATE_MIN, US_PER_DAY, US_PER_SECOND, DateTime, days_in_month, days_of, local_timestamp_from, time_us,
    timestamp_is_valid,
)
from dsql_core.types.chars cimport is_digit, shown
from dsql_core.types.datefields cimport (
    FIELDS_EARLY, FIELDS_EPOCH, FIELDS_LATE, DateFields, parse_datetime, parse_time,
)
from dsql_core.types.timezone cimport timezone_local_offset


cdef inline int _pair(const uint8_t* at) noexcept nogil:
    # Two digits, or -1.
    cdef int tens = at[0] - 48
    cdef int ones = at[1] - 48
    if tens < 0 or tens > 9 or ones < 0 or ones > 9:
        return -1
    return tens * 10 + ones


cdef int _quick_time(const uint8_t** position, const uint8_t* end, DateTime* out) noexcept nogil:
    # HH:MM[:SS[.fraction up to 6]]; 0, -1 = not this form.
    cdef const uint8_t* at = position[0]
    cdef int32_t unit = 100000
    out.second = 0
    out.us = 0
    if end - at < 5 or at[2] != c':':
        return -1
    out.hour = _pair(at)
    out.minute = _pair(at + 3)
    at += 5
    if out.hour < 0 or out.hour > 23 or out.minute < 0 or out.minute > 59:
        return -1
    if end - at >= 3 and at[0] == c':':
        out.second = _pair(at + 1)
        at += 3
        if out.second < 0 or out.second > 59:
            return -1
        if at < end and at[0] == c'.':
            at += 1
            while at < end and is_digit(at[0]):
                if unit == 0:
                    return -1
                out.us += (at[0] - 48) * unit
                unit = unit / 10
                at += 1
    position[0] = at
    return 0


cdef int _quick(const uint8_t* text, size_t size, DateTime* out, int* has_time, int* has_offset,
                int32_t* offset) noexcept nogil:
    # The ISO form; 0, -1 = something else (perhaps an error: the full grammar will say).
    cdef const uint8_t* at = text
    cdef const uint8_t* end = text + size
    cdef int value
    cdef int32_t sign
    has_time[0] = 0
    has_offset[0] = 0
    out.hour = out.minute = out.second = out.us = 0
    if size < 10 or at[4] != c'-' or at[7] != c'-':
        return -1
    value = _pair(at)
    out.year = _pair(at + 2)
    if value < 0 or out.year < 0:
        return -1
    out.year += value * 100
    out.month = _pair(at + 5)
    out.day = _pair(at + 8)
    if out.year < 1 or out.month < 1 or out.month > 12 or out.day < 1 or out.day > days_in_month(out.year, out.month):
        return -1
    at += 10
    if at == end:
        return 0
    if at[0] != c' ' and at[0] != c'T':
        return -1
    at += 1
    if _quick_time(&at, end, out) < 0:
        return -1
    has_time[0] = 1
    if at == end:
        return 0
    has_offset[0] = 1
    offset[0] = 0
    if at[0] == c'Z':
        return 0 if at + 1 == end else -1
    if at[0] != c'+' and at[0] != c'-':
        return -1
    sign = -1 if at[0] == c'-' else 1
    at += 1
    if end - at < 2:
        return -1
    value = _pair(at)
    at += 2
    if value < 0 or value > 15:
        return -1
    offset[0] = value * 3600
    if at < end:
        if at[0] == c':':
            at += 1
        if end - at != 2:
            return -1
        value = _pair(at)
        if value < 0 or value > 59:
            return -1
        offset[0] += value * 60
    offset[0] *= sign
    return 0


cdef int64_t round_us(int64_t us, int32_t typmod) noexcept nogil:
    cdef int64_t unit = 1
    cdef int32_t _i
    if typmod < 0 or typmod >= 6:
        return us
    for _i in range(6 - typmod):
        unit *= 10
    if us >= 0:
        return (us + unit / 2) / unit * unit
    return -((-us + unit / 2) / unit * unit)


cdef int _out_of_range(const char* type_name, const uint8_t* text, size_t size, dsql_error_t* error) noexcept nogil:
    dsql_error_set(error, b"22008", b"%s out of range: \"%.*s\"", type_name, shown(size), text)
    return -1


cdef int date_input(const uint8_t* text, size_t size, const DateContext* context, int32_t* out,
                    dsql_error_t* error) noexcept nogil:
    cdef DateFields fields
    cdef DateTime t
    cdef int64_t days
    cdef int32_t offset
    cdef int has_time
    cdef int has_offset
    if size == 10 and _quick(text, size, &t, &has_time, &has_offset, &offset) == 0:
        out[0] = <int32_t>days_of(t.year, t.month, t.day)
        return 0
    if parse_datetime(text, size, context, b"date", &fields, error) < 0:
        return -1
    if fields.kind == FIELDS_LATE:
        out[0] = INT32_MAX
        return 0
    if fields.kind == FIELDS_EARLY:
        out[0] = INT32_MIN
        return 0
    if fields.kind == FIELDS_EPOCH:
        out[0] = -10957
        return 0
    if fields.at.year < -4714 or fields.at.year > 5874898:
        return _out_of_range(b"date", text, size, error)
    days = days_of(fields.at.year, fields.at.month, fields.at.day)
    if days < DATE_MIN or days >= DATE_END:
        return _out_of_range(b"date", text, size, error)
    out[0] = <int32_t>days
    return 0


cdef int time_input(const uint8_t* text, size_t size, int32_t typmod, const DateContext* context, int64_t* out,
                    dsql_error_t* error) noexcept nogil:
    cdef DateFields fields
    cdef const uint8_t* at = text
    cdef DateTime t
    if size >= 5 and _quick_time(&at, text + size, &t) == 0 and at == text + size:
        out[0] = round_us(time_us(&t), typmod)
        return 0
    if parse_time(text, size, context, b"time", &fields, error) < 0:
        return -1
    out[0] = round_us(time_us(&fields.at), typmod)
    return 0


cdef int timetz_input(const uint8_t* text, size_t size, int32_t typmod, const DateContext* context, int64_t* us,
                      int32_t* west, dsql_error_t* error) noexcept nogil:
    cdef DateFields fields
    if parse_time(text, size, context, b"time with time zone", &fields, error) < 0:
        return -1
    us[0] = round_us(time_us(&fields.at), typmod)
    west[0] = -fields.offset
    return 0


cdef int _finish(const DateFields* fields, const DateContext* context, const char* type_name, bint with_zone,
                 const uint8_t* text, size_t size, int32_t typmod, int64_t* out, dsql_error_t* error) noexcept nogil:
    cdef int64_t result
    if fields.kind == FIELDS_LATE:
        out[0] = INT64_MAX
        return 0
    if fields.kind == FIELDS_EARLY:
        out[0] = INT64_MIN
        return 0
    if fields.kind == FIELDS_EPOCH:
        out[0] = -10957 * US_PER_DAY
        return 0
    if local_timestamp_from(&fields.at, &result) < 0:
        return _out_of_range(type_name, text, size, error)
    if with_zone:
        result -= (fields.offset if fields.has_offset else timezone_local_offset(context.zone, result)) * US_PER_SECOND
    result = round_us(result, typmod)
    if not timestamp_is_valid(result):
        return _out_of_range(type_name, text, size, error)
    out[0] = result
    return 0


cdef int timestamp_input(const uint8_t* text, size_t size, int32_t typmod, const DateContext* context, int64_t* out,
                         dsql_error_t* error) noexcept nogil:
    cdef DateFields fields
    cdef DateTime t
    cdef int has_time
    cdef int has_offset
    cdef int32_t offset
    if _quick(text, size, &t, &has_time, &has_offset, &offset) == 0:
        out[0] = round_us(days_of(t.year, t.month, t.day) * US_PER_DAY + time_us(&t), typmod)
        return 0
    if parse_datetime(text, size, context, b"timestamp", &fields, error) < 0:
        return -1
    return _finish(&fields, context, b"timestamp", False, text, size, typmod, out, error)


cdef int timestamptz_input(const uint8_t* text, size_t size, int32_t typmod, const DateContext* context, int64_t* out,
                           dsql_error_t* error) noexcept nogil:
    cdef DateFields fields
    cdef DateTime t
    cdef int64_t local
    cdef int has_time
    cdef int has_offset
    cdef int32_t offset
    if _quick(text, size, &t, &has_time, &has_offset, &offset) == 0:
        local = days_of(t.year, t.month, t.day) * US_PER_DAY + time_us(&t)
        if not has_offset:
            offset = timezone_local_offset(context.zone, local)
        out[0] = round_us(local - offset * US_PER_SECOND, typmod)
        return 0
    if parse_datetime(text, size, context, b"timestamp with time zone", &fields, error) < 0:
        return -1
    return _finish(&fields, context, b"timestamp", True, text, size, typmod, out, error)
