"""extract(field from ...) and date_part(field, ...): one part of a date, time or interval, as numeric or double.

A part is computed as an integer and a scale (seconds: microseconds and 6), so numeric results are exact and doubles
are one division. Infinite values give an infinite year-like part or epoch and NULL for everything cyclic.
"""

from libc.math cimport INFINITY
from libc.stdint cimport INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN

from dsql_core.base.types cimport int32_t, int64_t, uint32_t
from dsql_core.base.vector cimport (OID_DATE, OID_INTERVAL, OID_NUMERIC, OID_TIME, OID_TIMESTAMP, OID_TIMESTAMPTZ,
                                    Interval, Var, Vector)
from dsql_core.execute.kernel cimport KERNEL_NULLS, EvalContext
from dsql_core.execute.kernels.datetime_units cimport *
from dsql_core.execute.kernels.moment cimport TimeTz, interval_at, timetz_at
from dsql_core.execute.kernels.rows cimport int32_at, int64_at, kernel_flags, null_row, row_at, var_at
from dsql_core.types.bignum cimport NUMERIC_NINF, NUMERIC_PINF, NumVar
from dsql_core.types.calendar cimport (US_PER_DAY, US_PER_HOUR, US_PER_MINUTE, US_PER_SECOND, DateTime, date_of, day_of_week,
                                       days_of, floor_div, time_of)
from dsql_core.types.int128 cimport int128
from dsql_core.types.numeric cimport numeric_add, numeric_div, numeric_from_i128, numeric_from_int64, numeric_pack
from dsql_core.types.timezone cimport timezone_offset

cdef enum:
    EPOCH_SECONDS = 946684800      # 1970-01-01 to 2000-01-01
    JULIAN_OFFSET = 2451545        # Julian day of 2000-01-01

    PART_OK = 0
    PART_NULL = 1
    PART_POSITIVE = 2
    PART_NEGATIVE = 3
    PART_JULIAN = 4                # value = day, extra = microseconds of the day
    PART_UNSUPPORTED = -1

cdef struct Part:
    int128 value
    int scale
    int64_t extra


cdef inline int whole(Part* part, int64_t value) noexcept nogil:
    part.value = value
    part.scale = 0
    return PART_OK


cdef inline int scaled(Part* part, int64_t value, int scale) noexcept nogil:
    part.value = value
    part.scale = scale
    return PART_OK


cdef inline int64_t toward_zero_up(int64_t year, int64_t size) noexcept nogil:
    # Number of the century or millennium a year lies in: 1..100 is 1, 0..-99 is -1.
    return (year + size - 1) / size if year > 0 else -((size - 1 - (year - 1)) / size)


cdef int date_field(int unit, const DateTime* at, int64_t day, Part* part) noexcept nogil:
    cdef int year
    if unit == UNIT_DAY:
        return whole(part, at.day)
    if unit == UNIT_MONTH:
        return whole(part, at.month)
    if unit == UNIT_QUARTER:
        return whole(part, (at.month - 1) / 3 + 1)
    if unit == UNIT_WEEK:
        return whole(part, iso_week(day, &year))
    if unit == UNIT_ISOYEAR:
        iso_week(day, &year)
        return whole(part, year if year > 0 else year - 1)
    if unit == UNIT_YEAR:
        return whole(part, at.year if at.year > 0 else at.year - 1)
    if unit == UNIT_DECADE:
        return whole(part, at.year / 10 if at.year >= 0 else -((8 - (at.year - 1)) / 10))
    if unit == UNIT_CENTURY:
        return whole(part, toward_zero_up(at.year, 100))
    if unit == UNIT_MILLENNIUM:
        return whole(part, toward_zero_up(at.year, 1000))
    if unit == UNIT_DOW:
        return whole(part, day_of_week(day))
    if unit == UNIT_ISODOW:
        year = day_of_week(day)
        return whole(part, year if year != 0 else 7)
    if unit == UNIT_DOY:
        return whole(part, day - days_of(at.year, 1, 1) + 1)
    return PART_UNSUPPORTED


cdef int time_field(int unit, const DateTime* at, Part* part) noexcept nogil:
    if unit == UNIT_MICROSECOND:
        return whole(part, at.second * US_PER_SECOND + at.us)
    if unit == UNIT_MILLISECOND:
        return scaled(part, at.second * US_PER_SECOND + at.us, 3)
    if unit == UNIT_SECOND:
        return scaled(part, at.second * US_PER_SECOND + at.us, 6)
    if unit == UNIT_MINUTE:
        return whole(part, at.minute)
    if unit == UNIT_HOUR:
        return whole(part, at.hour)
    return PART_UNSUPPORTED


cdef int zone_field(int unit, int64_t offset, Part* part) noexcept nogil:
    # offset: seconds east
    if unit == UNIT_TIMEZONE:
        return whole(part, offset)
    if unit == UNIT_TIMEZONE_HOUR:
        return whole(part, offset / 3600)
    if unit == UNIT_TIMEZONE_MINUTE:
        return whole(part, offset % 3600 / 60)
    return PART_UNSUPPORTED


cdef int infinite_field(int unit, int negative) noexcept nogil:
    if unit == UNIT_YEAR or unit == UNIT_DECADE or unit == UNIT_CENTURY or unit == UNIT_MILLENNIUM or \
            unit == UNIT_JULIAN or unit == UNIT_ISOYEAR or unit == UNIT_EPOCH:
        return PART_NEGATIVE if negative else PART_POSITIVE
    return PART_NULL


cdef int of_timestamp(int unit, int64_t at, EvalContext* ctx, int zoned, Part* part) noexcept nogil:
    cdef DateTime fields
    cdef int64_t local = at, day, offset = 0
    cdef int status
    if at == INT64_MAX or at == INT64_MIN:
        if not zoned and unit >= UNIT_TIMEZONE:
            return PART_UNSUPPORTED
        return infinite_field(unit, at == INT64_MIN)
    if unit == UNIT_EPOCH:
        part.value = at
        part.value += <int64_t>EPOCH_SECONDS * 1000000
        part.scale = 6
        return PART_OK
    if zoned:
        offset = timezone_offset(ctx.format.timezone, at)
        local = at + offset * 1000000
        status = zone_field(unit, offset, part)
        if status == PART_OK:
            return status
    day = floor_div(local, US_PER_DAY)
    if unit == UNIT_JULIAN:
        part.value = day + JULIAN_OFFSET
        part.extra = local - day * US_PER_DAY
        return PART_JULIAN
    time_of(local - day * US_PER_DAY, &fields)
    status = time_field(unit, &fields, part)
    if status == PART_OK:
        return status
    date_of(day, &fields)
    return date_field(unit, &fields, day, part)


cdef int of_date(int unit, int32_t date, Part* part) noexcept nogil:
    cdef DateTime fields
    if unit <= UNIT_HOUR or unit >= UNIT_TIMEZONE:
        return PART_UNSUPPORTED
    if date == INT32_MAX or date == INT32_MIN:
        return infinite_field(unit, date == INT32_MIN)
    if unit == UNIT_JULIAN:
        return whole(part, <int64_t>date + JULIAN_OFFSET)
    if unit == UNIT_EPOCH:
        return whole(part, <int64_t>date * 86400 + EPOCH_SECONDS)
    date_of(date, &fields)
    return date_field(unit, &fields, date, part)


cdef int of_interval(int unit, const Interval* span, Part* part) noexcept nogil:
    cdef DateTime fields
    cdef int64_t us = span.us, year = span.months / 12, month = span.months % 12
    cdef int128 total
    if unit == UNIT_HOUR:
        return whole(part, us / US_PER_HOUR)
    if unit <= UNIT_MINUTE:
        # Sign and all; C division cuts towards zero, as wanted.
        fields.minute = <int32_t>(us % US_PER_HOUR / US_PER_MINUTE)
        fields.second = <int32_t>(us % US_PER_MINUTE / US_PER_SECOND)
        fields.us = <int32_t>(us % US_PER_SECOND)
        return time_field(unit, &fields, part)
    if unit == UNIT_DAY:
        return whole(part, span.days)
    if unit == UNIT_MONTH:
        return whole(part, month)
    if unit == UNIT_QUARTER:
        return whole(part, month / 3 + 1)
    if unit == UNIT_YEAR:
        return whole(part, year)
    if unit == UNIT_DECADE:
        return whole(part, year / 10)
    if unit == UNIT_CENTURY:
        return whole(part, year / 100)
    if unit == UNIT_MILLENNIUM:
        return whole(part, year / 1000)
    if unit == UNIT_EPOCH:
        # A year counts 365.25 days, a month 30.
        total = year * 1461 + month * 120 + <int64_t>span.days * 4
        total = total * <int64_t>21600
        total = total * <int64_t>1000000
        part.value = total + us
        part.scale = 6
        return PART_OK
    return PART_UNSUPPORTED


cdef int part_of(EvalContext* ctx, int unit, const Vector* v, uint32_t i, int from_timestamp, Part* part) noexcept nogil:
    cdef DateTime fields
    cdef TimeTz time
    cdef int status
    if unit == UNIT_UNKNOWN:
        return PART_UNSUPPORTED
    if v.type_oid == OID_TIMESTAMP or v.type_oid == OID_TIMESTAMPTZ:
        return of_timestamp(unit, int64_at(v, i), ctx, v.type_oid == OID_TIMESTAMPTZ, part)
    if v.type_oid == OID_DATE:
        if not from_timestamp:
            return of_date(unit, int32_at(v, i), part)
        # date_part of a date is that of its midnight.
        if int32_at(v, i) == INT32_MAX:
            return of_timestamp(unit, INT64_MAX, ctx, 0, part)
        if int32_at(v, i) == INT32_MIN:
            return of_timestamp(unit, INT64_MIN, ctx, 0, part)
        return of_timestamp(unit, int32_at(v, i) * US_PER_DAY, ctx, 0, part)
    if v.type_oid == OID_INTERVAL:
        return of_interval(unit, interval_at(v, i), part)
    if v.type_oid == OID_TIME:
        time.us = int64_at(v, i)
        time.west = 0
    else:
        time = timetz_at(v, i)
        status = zone_field(unit, -<int64_t>time.west, part)
        if status == PART_OK:
            return status
    if unit == UNIT_EPOCH:
        return scaled(part, time.us + <int64_t>time.west * 1000000, 6)
    time_of(time.us, &fields)
    return time_field(unit, &fields, part)


cdef int put_infinity(EvalContext* ctx, int negative, Vector* out, uint32_t i) noexcept nogil:
    cdef NumVar number
    if out.type_oid != OID_NUMERIC:
        (<double*>out.data)[i] = -INFINITY if negative else INFINITY
        return 0
    number.digit_count = 0
    number.weight = 0
    number.dscale = 0
    number.digits = NULL
    number.sign = NUMERIC_NINF if negative else NUMERIC_PINF
    return numeric_pack(&number, ctx.pool, <Var*>out.data + i, ctx.error)


cdef int put_part(EvalContext* ctx, int status, const Part* part, Vector* out, uint32_t i) noexcept nogil:
    cdef Var day, rest, length
    cdef double divisor
    cdef int64_t narrow
    if status == PART_POSITIVE or status == PART_NEGATIVE:
        return put_infinity(ctx, status == PART_NEGATIVE, out, i)
    narrow = <int64_t>part.value
    if status == PART_JULIAN:
        if out.type_oid != OID_NUMERIC:
            (<double*>out.data)[i] = <double>narrow + <double>part.extra / 86400000000.0
            return 0
        if numeric_from_int64(narrow, ctx.pool, &day, ctx.error) < 0 or \
                numeric_from_int64(part.extra, ctx.pool, &rest, ctx.error) < 0 or \
                numeric_from_int64(US_PER_DAY, ctx.pool, &length, ctx.error) < 0 or \
                numeric_div(&rest, &length, ctx.pool, &rest, ctx.error) < 0:
            return -1
        return numeric_add(&day, &rest, ctx.pool, <Var*>out.data + i, ctx.error)
    if out.type_oid == OID_NUMERIC:
        return numeric_from_i128(part.value, part.scale, ctx.pool, <Var*>out.data + i, ctx.error)
    divisor = 1000000.0 if part.scale == 6 else 1000.0 if part.scale == 3 else 1.0
    (<double*>out.data)[i] = <double>part.value / divisor
    return 0


cdef int parts(EvalContext* ctx, Vector* out, Vector** args, const uint32_t* sel, uint32_t count,
               int from_timestamp) noexcept nogil:
    cdef Part part
    cdef uint32_t k, i
    cdef int unit = UNIT_UNKNOWN, status
    for k in range(count):
        i = row_at(sel, k)
        if null_row(out, args, 2, i):
            continue
        # The field is nearly always a constant.
        if k == 0 or unit == UNIT_UNKNOWN or args[0].stride != 0:
            unit = unit_of(var_at(args[0], i))
        status = part_of(ctx, unit, args[1], i, from_timestamp, &part)
        if status == PART_UNSUPPORTED:
            return unit_error(ctx, var_at(args[0], i), unit,
                              OID_TIMESTAMP if from_timestamp and args[1].type_oid == OID_DATE else args[1].type_oid)
        if status == PART_NULL:
            out.nulls[i] = 1
        elif put_part(ctx, status, &part, out, i) < 0:
            return -1
    return 0


cdef int extract(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                 uint32_t count) noexcept nogil:
    return parts(ctx, out, args, sel, count, 0)


cdef int date_part(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                   uint32_t count) noexcept nogil:
    return parts(ctx, out, args, sel, count, 1)


kernel_flags(b"extract", extract, KERNEL_NULLS)
kernel_flags(b"date_part", date_part, KERNEL_NULLS)
