"""AT TIME ZONE, and making dates and times from numbers.

A zone is an abbreviation ("EST": a fixed offset), a name ("Europe/Berlin", "UTC+3") or an interval east of UTC.
"""

from dsql_core.base.error cimport dsql_error_set
from dsql_core.base.memory cimport Buffer, buffer_append_u8, buffer_free, buffer_init
from dsql_core.base.types cimport int32_t, int64_t, uint32_t
from dsql_core.base.vector cimport OID_INTERVAL, Interval, Vector
from dsql_core.execute.kernel cimport KERNEL_VOLATILE, EvalContext
from dsql_core.execute.kernels.moment cimport TimeTz, interval_at, store_interval, store_timetz, timetz_at
from dsql_core.execute.kernels.rows cimport double_at, int32_at, int64_at, kernel, kernel_flags, row_at, var_at
from dsql_core.types.calendar cimport US_PER_SECOND, timestamp_is_finite
from dsql_core.types.datetime cimport (Zone, make_date, make_time, make_timestamp, timestamp_to_timestamptz,
                                       timestamptz_from_epoch, timestamptz_to_timestamp, timetz_at_offset,
                                       zone_argument, zone_by_name, zone_named, zone_offset_at)
from dsql_core.types.interval cimport interval_make, interval_output


cdef int zone_of_interval(EvalContext* ctx, const Interval* span, Zone* out) noexcept nogil:
    cdef Buffer text
    if span.months != 0 or span.days != 0:
        buffer_init(&text)
        interval_output(span, ctx.format.interval_style, &text)
        buffer_append_u8(&text, 0)
        if not text.failed:
            dsql_error_set(ctx.error, "22023", 'interval time zone "%s" must not include months or days', text.data)
        buffer_free(&text)
        return -1
    out.is_fixed = 1
    out.named = NULL
    out.offset = <int32_t>(span.us / US_PER_SECOND)
    return 0


cdef inline int zone_at(EvalContext* ctx, const Vector* v, uint32_t i, Zone* out) noexcept nogil:
    if v.type_oid == OID_INTERVAL:
        return zone_of_interval(ctx, interval_at(v, i), out)
    return zone_argument(var_at(v, i).data, var_at(v, i).size, out, ctx.error)


cdef int zone_timestamptz(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                          uint32_t count) noexcept nogil:
    # timezone(zone, timestamptz) -> timestamp
    cdef Zone zone
    cdef int64_t at
    cdef int found = 0
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        at = int64_at(args[1], i)
        if timestamp_is_finite(at):
            if (not found or args[0].stride != 0) and zone_at(ctx, args[0], i, &zone) < 0:
                return -1
            found = 1
        if timestamptz_to_timestamp(at, &zone, <int64_t*>out.data + i, ctx.error) < 0:
            return -1
    return 0


cdef int zone_timestamp(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                        uint32_t count) noexcept nogil:
    # timezone(zone, timestamp) -> timestamptz
    cdef Zone zone
    cdef int64_t at
    cdef int found = 0
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        at = int64_at(args[1], i)
        if timestamp_is_finite(at):
            if (not found or args[0].stride != 0) and zone_at(ctx, args[0], i, &zone) < 0:
                return -1
            found = 1
        if timestamp_to_timestamptz(at, &zone, <int64_t*>out.data + i, ctx.error) < 0:
            return -1
    return 0


cdef int zone_timetz(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                     uint32_t count) noexcept nogil:
    # timezone(zone, timetz): the same moment of the day there; named zones as of now.
    cdef Zone zone
    cdef TimeTz time
    cdef int32_t west
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if (k == 0 or args[0].stride != 0) and zone_at(ctx, args[0], i, &zone) < 0:
            return -1
        time = timetz_at(args[1], i)
        west = -zone_offset_at(&zone, ctx.transaction_us)
        timetz_at_offset(time.us, time.west, west, &time.us)
        time.west = west
        store_timetz(out, i, &time)
    return 0


# --- making ----------------------------------------------------------------------------------------------------------

cdef int date_from_fields(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                          uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if make_date(int32_at(args[0], i), int32_at(args[1], i), int32_at(args[2], i), <int32_t*>out.data + i,
                     ctx.error) < 0:
            return -1
    return 0


cdef int time_from_fields(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                          uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if make_time(int32_at(args[0], i), int32_at(args[1], i), double_at(args[2], i), <int64_t*>out.data + i,
                     ctx.error) < 0:
            return -1
    return 0


cdef inline int timestamp_of_fields(EvalContext* ctx, Vector** args, uint32_t i, int64_t* out) noexcept nogil:
    return make_timestamp(int32_at(args[0], i), int32_at(args[1], i), int32_at(args[2], i), int32_at(args[3], i),
                          int32_at(args[4], i), double_at(args[5], i), out, ctx.error)


cdef int timestamp_from_fields(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                               uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if timestamp_of_fields(ctx, args, i, <int64_t*>out.data + i) < 0:
            return -1
    return 0


cdef int timestamptz_from_fields(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                                 uint32_t count) noexcept nogil:
    cdef Zone zone = zone_named(ctx.format.timezone)
    cdef int64_t local
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if timestamp_of_fields(ctx, args, i, &local) < 0:
            return -1
        if n > 6 and zone_by_name(var_at(args[6], i).data, var_at(args[6], i).size, &zone, ctx.error) < 0:
            return -1
        if timestamp_to_timestamptz(local, &zone, <int64_t*>out.data + i, ctx.error) < 0:
            return -1
    return 0


cdef int make_interval(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                       uint32_t count) noexcept nogil:
    cdef Interval span
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if interval_make(int32_at(args[0], i), int32_at(args[1], i), int32_at(args[2], i), int32_at(args[3], i),
                         int32_at(args[4], i), int32_at(args[5], i), double_at(args[6], i), &span, ctx.error) < 0:
            return -1
        store_interval(out, i, &span)
    return 0


cdef int epoch_timestamptz(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                           uint32_t count) noexcept nogil:
    # to_timestamp(seconds since 1970)
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if timestamptz_from_epoch(double_at(args[0], i), <int64_t*>out.data + i, ctx.error) < 0:
            return -1
    return 0


cdef int _register() except -1:
    kernel(b"timestamptz_zone", zone_timestamptz)
    kernel(b"timestamptz_izone", zone_timestamptz)
    kernel(b"timestamp_zone", zone_timestamp)
    kernel(b"timestamp_izone", zone_timestamp)
    kernel_flags(b"timetz_zone", zone_timetz, KERNEL_VOLATILE)      # named zones: as of now
    kernel(b"timetz_izone", zone_timetz)
    kernel(b"make_date", date_from_fields)
    kernel(b"make_time", time_from_fields)
    kernel(b"make_timestamp", timestamp_from_fields)
    kernel(b"make_timestamptz", timestamptz_from_fields)
    kernel(b"make_timestamptz_at_timezone", timestamptz_from_fields)
    kernel(b"make_interval", make_interval)
    kernel(b"float8_timestamptz", epoch_timestamptz)
    return 0


_register()
