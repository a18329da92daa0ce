"""interval: the four output styles, order and arithmetic. Reading is in types/intervalparse.

I1  Months, days and microseconds never carry into one another, except where a function's purpose is to (justify) or
    a fraction of a larger unit is spread over the smaller ones (mul, div).
I2  Order and hash go by the span: months of 30 days, days of 24 hours.
"""
from libc.math cimport fabs, isinf, isnan, rint
from libc.stdint cimport INT32_MAX, INT32_MIN, int32_t, int64_t, uint8_t, uint64_t

from dsql_core.base.error cimport dsql_error_set, dsql_error_t
from dsql_core.base.memory cimport Buffer, buffer_append_u8, buffer_reserve
from dsql_core.base.vector cimport Interval
from dsql_core.types.calendar cimport US_PER_DAY, US_PER_HOUR, US_PER_MINUTE, US_PER_SECOND
from dsql_core.types.chars cimport put_i64, put_text, write_padded
from dsql_core.types.dateparse cimport round_us
from dsql_core.types.int128 cimport int64_add_overflow, int64_sub_overflow, int128, int128_low
from dsql_core.types.intervalparse cimport interval_parse

cdef enum:
    RANGE_FULL = 0x7FFF
    PRECISION_FULL = 0xFFFF
    BIT_MONTH = 2
    BIT_YEAR = 4
    BIT_DAY = 8
    BIT_HOUR = 1024
    BIT_MINUTE = 2048
    BIT_SECOND = 4096

cdef struct Parts:             # an interval as it is printed; all of the time of one sign
    int32_t years
    int32_t months
    int32_t days
    int64_t hours
    int32_t minutes
    int32_t seconds
    int32_t us


cdef int _out_of_range(dsql_error_t* error) noexcept nogil:
    dsql_error_set(error, b"22008", b"interval out of range")
    return -1


cdef int interval_input(const uint8_t* text, size_t size, int32_t typmod, int style, Interval* out,
                        dsql_error_t* error) noexcept nogil:
    if interval_parse(text, size, typmod, style, out, error) < 0:
        return -1
    return interval_apply_typmod(typmod, out, error)


cdef int interval_apply_typmod(int32_t typmod, Interval* value, dsql_error_t* error) noexcept nogil:
    # Fields below the declared range are cut; the rest keeps its larger fields.
    cdef int fields
    cdef int precision
    cdef int64_t step = 0
    if typmod < 0:
        return 0
    fields = (typmod >> 16) & 0x7FFF
    precision = typmod & 0xFFFF
    if fields != RANGE_FULL:
        if fields == BIT_YEAR:
            value.months = value.months / 12 * 12
        if fields == BIT_YEAR or fields == BIT_MONTH or fields == (BIT_YEAR | BIT_MONTH):
            value.days = 0
            value.us = 0
        elif fields == BIT_DAY:
            value.us = 0
        elif not fields & BIT_SECOND:
            step = US_PER_MINUTE if fields & BIT_MINUTE else US_PER_HOUR
            value.us = value.us / step * step
    if precision != PRECISION_FULL and value.us < 9223372036854000000LL and value.us > -9223372036854000000LL:
        value.us = round_us(value.us, precision)
    return 0


# ------------------------------------------------------------------------------------------------------------ output

cdef inline int64_t _abs(int64_t value) noexcept nogil:
    return -value if value < 0 else value


cdef void _put_number(int64_t value, Buffer* out) noexcept nogil:
    put_i64(out, value)


cdef void _put_padded(int64_t value, Buffer* out) noexcept nogil:
    # Two digits at least, without sign.
    cdef uint8_t* at = buffer_reserve(out, 24)
    if at != NULL:
        out.size = write_padded(at, <uint64_t>_abs(value), 2) - out.data


cdef void _put_seconds(const Parts* p, bint padded, Buffer* out) noexcept nogil:
    # Magnitude of seconds with their fraction.
    cdef uint8_t* at = buffer_reserve(out, 32)
    cdef int64_t us = _abs(p.us)
    cdef int width = 6
    if at == NULL:
        return
    at = write_padded(at, <uint64_t>_abs(p.seconds), 2 if padded else 1)
    if us != 0:
        at[0] = c'.'
        while us % 10 == 0:
            us = us / 10
            width -= 1
        at = write_padded(at + 1, us, width)
    out.size = at - out.data


cdef void _plain_part(int64_t value, const char* unit, bint* empty, bint* before, Buffer* out) noexcept nogil:
    if value == 0:
        return
    if not empty[0]:
        buffer_append_u8(out, c' ')
    if before[0] and value > 0:
        buffer_append_u8(out, c'+')
    _put_number(value, out)
    buffer_append_u8(out, c' ')
    put_text(out, unit)
    if value != 1:
        buffer_append_u8(out, c's')
    before[0] = value < 0
    empty[0] = False


cdef void _put_plain(const Parts* p, Buffer* out) noexcept nogil:
    cdef bint empty = True
    cdef bint before = False
    cdef bint minus
    _plain_part(p.years, b"year", &empty, &before, out)
    _plain_part(p.months, b"mon", &empty, &before, out)
    _plain_part(p.days, b"day", &empty, &before, out)
    if empty or p.hours != 0 or p.minutes != 0 or p.seconds != 0 or p.us != 0:
        minus = p.hours < 0 or p.minutes < 0 or p.seconds < 0 or p.us < 0
        if not empty:
            buffer_append_u8(out, c' ')
        if minus:
            buffer_append_u8(out, c'-')
        elif before:
            buffer_append_u8(out, c'+')
        _put_padded(p.hours, out)
        buffer_append_u8(out, c':')
        _put_padded(p.minutes, out)
        buffer_append_u8(out, c':')
        _put_seconds(p, True, out)


cdef void _verbose_part(int64_t value, const char* unit, bint* empty, bint* before, Buffer* out) noexcept nogil:
    if value == 0:
        return
    if empty[0]:
        before[0] = value < 0
        value = _abs(value)
    elif before[0]:
        value = -value
    buffer_append_u8(out, c' ')
    _put_number(value, out)
    buffer_append_u8(out, c' ')
    put_text(out, unit)
    if value != 1:
        buffer_append_u8(out, c's')
    empty[0] = False


cdef void _put_verbose(const Parts* p, Buffer* out) noexcept nogil:
    cdef bint empty = True
    cdef bint before = False
    buffer_append_u8(out, c'@')
    _verbose_part(p.years, b"year", &empty, &before, out)
    _verbose_part(p.months, b"mon", &empty, &before, out)
    _verbose_part(p.days, b"day", &empty, &before, out)
    _verbose_part(p.hours, b"hour", &empty, &before, out)
    _verbose_part(p.minutes, b"min", &empty, &before, out)
    if p.seconds != 0 or p.us != 0:
        buffer_append_u8(out, c' ')
        if p.seconds < 0 or p.us < 0:
            if empty:
                before = True
            elif not before:
                buffer_append_u8(out, c'-')
        elif before:
            buffer_append_u8(out, c'-')
        _put_seconds(p, False, out)
        put_text(out, b" sec")
        if _abs(p.seconds) != 1 or p.us != 0:
            buffer_append_u8(out, c's')
        empty = False
    if empty:
        put_text(out, b" 0")
    if before:
        put_text(out, b" ago")


cdef void _put_clock(const Parts* p, bint pad_hours, Buffer* out) noexcept nogil:
    if pad_hours:
        _put_padded(p.hours, out)
    else:
        _put_number(_abs(p.hours), out)
    buffer_append_u8(out, c':')
    _put_padded(p.minutes, out)
    buffer_append_u8(out, c':')
    _put_seconds(p, True, out)


cdef void _put_sql(const Parts* p, Buffer* out) noexcept nogil:
    cdef bint clock_negative = p.hours < 0 or p.minutes < 0 or p.seconds < 0 or p.us < 0
    cdef bint clock_positive = p.hours > 0 or p.minutes > 0 or p.seconds > 0 or p.us > 0
    cdef bint negative = p.years < 0 or p.months < 0 or p.days < 0 or clock_negative
    cdef bint positive = p.years > 0 or p.months > 0 or p.days > 0 or clock_positive
    cdef bint year_month = p.years != 0 or p.months != 0
    cdef bint day_time = p.days != 0 or clock_negative or clock_positive
    if not negative and not positive:
        put_text(out, b"0")
    elif (negative and positive) or (year_month and day_time):
        # Not one of the standard's intervals: every field with its sign.
        buffer_append_u8(out, c'-' if p.years < 0 or p.months < 0 else c'+')
        _put_number(_abs(p.years), out)
        buffer_append_u8(out, c'-')
        _put_number(_abs(p.months), out)
        put_text(out, b" -" if p.days < 0 else b" +")
        _put_number(_abs(p.days), out)
        put_text(out, b" -" if clock_negative else b" +")
        _put_clock(p, False, out)
    else:
        if negative:
            buffer_append_u8(out, c'-')
        if year_month:
            _put_number(_abs(p.years), out)
            buffer_append_u8(out, c'-')
            _put_number(_abs(p.months), out)
        else:
            if p.days != 0:
                _put_number(_abs(p.days), out)
                buffer_append_u8(out, c' ')
            _put_clock(p, False, out)


cdef void _iso_part(int64_t value, uint8_t unit, Buffer* out) noexcept nogil:
    if value != 0:
        _put_number(value, out)
        buffer_append_u8(out, unit)


cdef void _put_iso(const Parts* p, Buffer* out) noexcept nogil:
    if p.years == 0 and p.months == 0 and p.days == 0 and p.hours == 0 and p.minutes == 0 and p.seconds == 0 and \
            p.us == 0:
        put_text(out, b"PT0S")
        return
    buffer_append_u8(out, c'P')
    _iso_part(p.years, c'Y', out)
    _iso_part(p.months, c'M', out)
    _iso_part(p.days, c'D', out)
    if p.hours != 0 or p.minutes != 0 or p.seconds != 0 or p.us != 0:
        buffer_append_u8(out, c'T')
    _iso_part(p.hours, c'H', out)
    _iso_part(p.minutes, c'M', out)
    if p.seconds != 0 or p.us != 0:
        if p.seconds < 0 or p.us < 0:
            buffer_append_u8(out, c'-')
        _put_seconds(p, False, out)
        buffer_append_u8(out, c'S')


cdef void interval_output(const Interval* value, int style, Buffer* out) noexcept nogil:
    cdef Parts p
    cdef int64_t us = value.us
    p.years = value.months / 12
    p.months = value.months % 12
    p.days = value.days
    p.hours = us / US_PER_HOUR
    us -= p.hours * US_PER_HOUR
    p.minutes = <int32_t>(us / US_PER_MINUTE)
    us -= p.minutes * US_PER_MINUTE
    p.seconds = <int32_t>(us / US_PER_SECOND)
    p.us = <int32_t>(us - p.seconds * US_PER_SECOND)
    if style == 1:
        _put_verbose(&p, out)
    elif style == 2:
        _put_sql(&p, out)
    elif style == 3:
        _put_iso(&p, out)
    else:
        _put_plain(&p, out)


# ------------------------------------------------------------------------------------------------- order, arithmetic

cdef int interval_compare(const Interval* a, const Interval* b) noexcept nogil:
    cdef int128 x = interval_span(a)
    cdef int128 y = interval_span(b)
    return (x > y) - (x < y)


cdef uint64_t interval_hash_word(const Interval* value) noexcept nogil:
    return int128_low(interval_span(value))


cdef inline int _set32(int64_t value, int32_t* out) noexcept nogil:
    out[0] = <int32_t>value
    return 0 if value >= INT32_MIN and value <= INT32_MAX else -1


cdef int interval_add(const Interval* a, const Interval* b, Interval* out, dsql_error_t* error) noexcept nogil:
    cdef Interval result
    if _set32(<int64_t>a.months + b.months, &result.months) < 0 or _set32(<int64_t>a.days + b.days,
                                                                          &result.days) < 0 or \
            int64_add_overflow(a.us, b.us, &result.us):
        return _out_of_range(error)
    out[0] = result
    return 0


cdef int interval_sub(const Interval* a, const Interval* b, Interval* out, dsql_error_t* error) noexcept nogil:
    cdef Interval result
    if _set32(<int64_t>a.months - b.months, &result.months) < 0 or _set32(<int64_t>a.days - b.days,
                                                                          &result.days) < 0 or \
            int64_sub_overflow(a.us, b.us, &result.us):
        return _out_of_range(error)
    out[0] = result
    return 0


cdef int interval_neg(const Interval* a, Interval* out, dsql_error_t* error) noexcept nogil:
    cdef Interval zero
    zero.months = 0
    zero.days = 0
    zero.us = 0
    return interval_sub(&zero, a, out, error)


cdef int _spread(const Interval* a, double months, double days, double us, Interval* out,
                 dsql_error_t* error) noexcept nogil:
    # Result of scaling: whole months and days stay, fractions of months go to days, of days to microseconds, after
    # rounding fractions to microseconds to shed the error of the binary division.
    cdef double month_rest_days
    cdef double second_rest
    cdef int64_t whole
    if isnan(months) or isnan(days) or isnan(us) or months > 2147483647.0 or months < -2147483648.0 or \
            days > 2147483647.0 or days < -2147483648.0:
        return _out_of_range(error)
    out.months = <int32_t>months
    out.days = <int32_t>days
    month_rest_days = (months - out.months) * 30.0
    month_rest_days = rint(month_rest_days * 1000000.0) / 1000000.0
    second_rest = (days - out.days + month_rest_days - <double><int64_t>month_rest_days) * 86400.0
    second_rest = rint(second_rest * 1000000.0) / 1000000.0
    # Rounding may have made a whole day of the rest.
    if fabs(second_rest) >= 86400.0:
        whole = <int64_t>(second_rest / 86400.0)
        if _set32(out.days + whole, &out.days) < 0:
            return _out_of_range(error)
        second_rest -= whole * 86400.0
    if _set32(out.days + <int64_t>month_rest_days, &out.days) < 0:
        return _out_of_range(error)
    us = rint(us + second_rest * 1000000.0)
    if us >= 9223372036854775808.0 or us < -9223372036854775808.0:
        return _out_of_range(error)
    out.us = <int64_t>us
    return 0


cdef int interval_mul(const Interval* a, double factor, Interval* out, dsql_error_t* error) noexcept nogil:
    return _spread(a, a.months * factor, a.days * factor, a.us * factor, out, error)


cdef int interval_div(const Interval* a, double divisor, Interval* out, dsql_error_t* error) noexcept nogil:
    if divisor == 0:
        dsql_error_set(error, b"22012", b"division by zero")
        return -1
    return _spread(a, a.months / divisor, a.days / divisor, a.us / divisor, out, error)


cdef int interval_justify_hours(const Interval* a, Interval* out, dsql_error_t* error) noexcept nogil:
    cdef Interval result = a[0]
    cdef int64_t whole = result.us / US_PER_DAY
    result.us -= whole * US_PER_DAY
    if _set32(result.days + whole, &result.days) < 0:
        return _out_of_range(error)
    if result.days > 0 and result.us < 0:
        result.us += US_PER_DAY
        result.days -= 1
    elif result.days < 0 and result.us > 0:
        result.us -= US_PER_DAY
        result.days += 1
    out[0] = result
    return 0


cdef int interval_justify_days(const Interval* a, Interval* out, dsql_error_t* error) noexcept nogil:
    cdef Interval result = a[0]
    cdef int64_t whole = result.days / 30
    result.days -= <int32_t>(whole * 30)
    if _set32(result.months + whole, &result.months) < 0:
        return _out_of_range(error)
    if result.months > 0 and result.days < 0:
        result.days += 30
        result.months -= 1
    elif result.months < 0 and result.days > 0:
        result.days -= 30
        result.months += 1
    out[0] = result
    return 0


cdef int interval_justify(const Interval* a, Interval* out, dsql_error_t* error) noexcept nogil:
    cdef Interval result = a[0]
    cdef int64_t days = result.days
    cdef int64_t months = result.months
    cdef int64_t whole = result.us / US_PER_DAY
    result.us -= whole * US_PER_DAY
    days += whole
    whole = days / 30
    days -= whole * 30
    months += whole
    if months > 0 and (days < 0 or (days == 0 and result.us < 0)):
        days += 30
        months -= 1
    elif months < 0 and (days > 0 or (days == 0 and result.us > 0)):
        days -= 30
        months += 1
    if days > 0 and result.us < 0:
        result.us += US_PER_DAY
        days -= 1
    elif days < 0 and result.us > 0:
        result.us -= US_PER_DAY
        days += 1
    if _set32(days, &result.days) < 0 or _set32(months, &result.months) < 0:
        return _out_of_range(error)
    out[0] = result
    return 0


cdef int interval_make(int32_t years, int32_t months, int32_t weeks, int32_t days, int32_t hours, int32_t minutes,
                       double seconds, Interval* out, dsql_error_t* error) noexcept nogil:
    cdef double us
    if isinf(seconds) or isnan(seconds):
        return _out_of_range(error)
    us = rint(seconds * 1000000.0)
    if _set32(<int64_t>years * 12 + months, &out.months) < 0 or _set32(<int64_t>weeks * 7 + days, &out.days) < 0 or \
            us >= 9223372036854775808.0 or us < -9223372036854775808.0:
        return _out_of_range(error)
    out.us = hours * US_PER_HOUR + minutes * US_PER_MINUTE
    if int64_add_overflow(out.us, <int64_t>us, &out.us):
        return _out_of_range(error)
    return 0
