# cython: wraparound=True
"""What Python sees of date arithmetic: one function by operation, arguments and results as text. For tools and tests.

I1  Arguments are read with the types their operation names; the pool lives for one call.
"""
from libc.string cimport memset

from dsql_core.base.error cimport dsql_error_clear, dsql_error_t
from dsql_core.base.memory cimport Buffer, Pool, buffer_free, buffer_init, pool_free, pool_init
from dsql_core.base.vector cimport (
    OID_DATE, OID_INTERVAL, OID_NUMERIC, OID_TIME, OID_TIMESTAMP, OID_TIMESTAMPTZ, OID_TIMETZ, Value, type_phys,
)
from dsql_core.types.datetime cimport (
    Zone, date_to_timestamp, date_to_timestamptz, interval_trunc, timestamp_add_interval, timestamp_age, timestamp_bin,
    timestamp_subtract, timestamp_to_timestamptz, timestamp_trunc, timestamptz_add_interval, timestamptz_age,
    timestamptz_from_epoch, timestamptz_to_timestamp, timestamptz_trunc, zone_named,
)
from dsql_core.types.extract cimport (
    EXTRACT_NULL, Extracted, Unit, extract_date, extract_interval, extract_time, extract_timestamp, extract_timestamptz,
    extract_timetz, extracted_numeric, unit_named,
)
from dsql_core.types.face cimport Format, refusal, settings_of
from dsql_core.types.interval cimport (
    interval_add, interval_div, interval_justify, interval_justify_days, interval_justify_hours, interval_mul,
    interval_neg, interval_sub,
)
from dsql_core.types.io cimport type_input, type_output
from dsql_core.types.timezone cimport TimeZone

# operation -> types of its text arguments; "unit" and "number" are read here.
SIGNATURES = {
    "timestamp + interval": (OID_TIMESTAMP, OID_INTERVAL),
    "timestamp - interval": (OID_TIMESTAMP, OID_INTERVAL),
    "timestamptz + interval": (OID_TIMESTAMPTZ, OID_INTERVAL),
    "timestamptz - interval": (OID_TIMESTAMPTZ, OID_INTERVAL),
    "timestamp - timestamp": (OID_TIMESTAMP, OID_TIMESTAMP),
    "age timestamp": (OID_TIMESTAMP, OID_TIMESTAMP),
    "age timestamptz": (OID_TIMESTAMPTZ, OID_TIMESTAMPTZ),
    "trunc timestamp": ("unit", OID_TIMESTAMP),
    "trunc timestamptz": ("unit", OID_TIMESTAMPTZ),
    "trunc interval": ("unit", OID_INTERVAL),
    "extract timestamp": ("unit", OID_TIMESTAMP),
    "extract timestamptz": ("unit", OID_TIMESTAMPTZ),
    "extract date": ("unit", OID_DATE),
    "extract time": ("unit", OID_TIME),
    "extract timetz": ("unit", OID_TIMETZ),
    "extract interval": ("unit", OID_INTERVAL),
    "interval + interval": (OID_INTERVAL, OID_INTERVAL),
    "interval - interval": (OID_INTERVAL, OID_INTERVAL),
    "interval * number": (OID_INTERVAL, "number"),
    "interval / number": (OID_INTERVAL, "number"),
    "- interval": (OID_INTERVAL,),
    "justify_hours": (OID_INTERVAL,),
    "justify_days": (OID_INTERVAL,),
    "justify_interval": (OID_INTERVAL,),
    "bin": (OID_INTERVAL, OID_TIMESTAMP, OID_TIMESTAMP),
    "timestamp to timestamptz": (OID_TIMESTAMP,),
    "timestamptz to timestamp": (OID_TIMESTAMPTZ,),
    "date to timestamp": (OID_DATE,),
    "date to timestamptz": (OID_DATE,),
    "to_timestamp": ("number",),
}


def temporal(op: str, *texts: str, format: Format | None = None) -> str | None:
    """Result of a date operation (see SIGNATURES) on values given as text; None where PostgreSQL answers NULL."""
    cdef Pool pool
    cdef Buffer out
    cdef Value[3] v
    cdef Value result
    cdef Extracted extracted
    cdef dsql_error_t error
    cdef const TimeZone* zone = settings_of(format).timezone if format is not None else NULL
    cdef Zone session = zone_named(zone)
    cdef Unit unit = unit_named(NULL, 0)
    cdef double number = 0
    cdef bytes data
    cdef int status = -2
    cdef int i = 0
    kept = []
    pool_init(&pool, 0)
    buffer_init(&out)
    dsql_error_clear(&error)
    memset(&result, 0, sizeof(result))
    extracted.kind = -1
    try:
        for kind, text in zip(SIGNATURES[op], texts, strict=True):
            data = text.encode()
            kept.append(data)
            if kind == "unit":
                unit = unit_named(data, len(data))
            elif kind == "number":
                number = float(text)
            else:
                if type_input(kind, -1, data, len(data), settings_of(format), &pool, &v[i], &error) < 0:
                    raise refusal(&error)
                i += 1
        result.type_oid = OID_TIMESTAMPTZ if "timestamptz" in op.partition(" to ")[2] or "timestamptz" in op or \
            op == "to_timestamp" else OID_TIMESTAMP
        if op in ("timestamp + interval", "timestamp - interval"):
            status = timestamp_add_interval(v[0].v.i64, &v[1].v.interval, 1 if "+" in op else -1, &result.v.i64, &error)
        elif op in ("timestamptz + interval", "timestamptz - interval"):
            status = timestamptz_add_interval(v[0].v.i64, &v[1].v.interval, 1 if "+" in op else -1, zone,
                                              &result.v.i64, &error)
        elif op == "trunc timestamp":
            status = timestamp_trunc(&unit, v[0].v.i64, &result.v.i64, &error)
        elif op == "trunc timestamptz":
            status = timestamptz_trunc(&unit, v[0].v.i64, &session, &result.v.i64, &error)
        elif op == "bin":
            status = timestamp_bin(&v[0].v.interval, v[1].v.i64, v[2].v.i64, &result.v.i64, &error)
        elif op == "timestamp to timestamptz":
            status = timestamp_to_timestamptz(v[0].v.i64, &session, &result.v.i64, &error)
        elif op == "timestamptz to timestamp":
            result.type_oid = OID_TIMESTAMP
            status = timestamptz_to_timestamp(v[0].v.i64, &session, &result.v.i64, &error)
        elif op == "date to timestamp":
            status = date_to_timestamp(v[0].v.i32, &result.v.i64, &error)
        elif op == "date to timestamptz":
            status = date_to_timestamptz(v[0].v.i32, zone, &result.v.i64, &error)
        elif op == "to_timestamp":
            status = timestamptz_from_epoch(number, &result.v.i64, &error)
        elif op.startswith("extract"):
            if op == "extract timestamp":
                status = extract_timestamp(&unit, v[0].v.i64, &extracted, &error)
            elif op == "extract timestamptz":
                status = extract_timestamptz(&unit, v[0].v.i64, zone, &extracted, &error)
            elif op == "extract date":
                status = extract_date(&unit, v[0].v.i32, &extracted, &error)
            elif op == "extract time":
                status = extract_time(&unit, v[0].v.i64, &extracted, &error)
            elif op == "extract timetz":
                status = extract_timetz(&unit, v[0].v.interval.us, v[0].v.interval.days, &extracted, &error)
            else:
                status = extract_interval(&unit, &v[0].v.interval, &extracted, &error)
            if status == 0 and extracted.kind == EXTRACT_NULL:
                return None
            result.type_oid = OID_NUMERIC
            if status == 0:
                status = extracted_numeric(&extracted, &pool, &result.v.var, &error)
        else:
            result.type_oid = OID_INTERVAL
            if op == "timestamp - timestamp":
                status = timestamp_subtract(v[0].v.i64, v[1].v.i64, &result.v.interval, &error)
            elif op == "age timestamp":
                status = timestamp_age(v[0].v.i64, v[1].v.i64, &result.v.interval, &error)
            elif op == "age timestamptz":
                status = timestamptz_age(v[0].v.i64, v[1].v.i64, zone, &result.v.interval, &error)
            elif op == "trunc interval":
                status = interval_trunc(&unit, &v[0].v.interval, &result.v.interval, &error)
            elif op == "interval + interval":
                status = interval_add(&v[0].v.interval, &v[1].v.interval, &result.v.interval, &error)
            elif op == "interval - interval":
                status = interval_sub(&v[0].v.interval, &v[1].v.interval, &result.v.interval, &error)
            elif op == "interval * number":
                status = interval_mul(&v[0].v.interval, number, &result.v.interval, &error)
            elif op == "interval / number":
                status = interval_div(&v[0].v.interval, number, &result.v.interval, &error)
            elif op == "- interval":
                status = interval_neg(&v[0].v.interval, &result.v.interval, &error)
            elif op == "justify_hours":
                status = interval_justify_hours(&v[0].v.interval, &result.v.interval, &error)
            elif op == "justify_days":
                status = interval_justify_days(&v[0].v.interval, &result.v.interval, &error)
            elif op == "justify_interval":
                status = interval_justify(&v[0].v.interval, &result.v.interval, &error)
        if status < 0:
            raise refusal(&error)
        result.phys = type_phys(result.type_oid)
        type_output(&result, settings_of(format), &out)
        return out.data[:out.size].decode() if out.size else ""
    finally:
        buffer_free(&out)
        pool_free(&pool)
