"""extract(field from ...) and date_part(field, ...): one part of a date, time or interval, as numeric or double."""

from dsql_core.base.types cimport int64_t, uint32_t
from dsql_core.base.vector cimport (OID_DATE, OID_INTERVAL, OID_NUMERIC, OID_TIME, OID_TIMESTAMP, OID_TIMESTAMPTZ, Var,
                                    Vector)
from dsql_core.execute.kernel cimport KERNEL_NULLS, EvalContext
from dsql_core.execute.kernels.moment cimport TimeTz, interval_at, timetz_at
from dsql_core.execute.kernels.rows cimport int32_at, int64_at, kernel_flags, null_row, row_at, var_at
from dsql_core.types.datetime cimport date_to_timestamp
from dsql_core.types.extract cimport (EXTRACT_NULL, Extracted, Unit, extract_date, extract_interval, extract_time,
                                      extract_timestamp, extract_timestamptz, extract_timetz, extracted_double,
                                      extracted_numeric, unit_named)


cdef int part_of(EvalContext* ctx, const Unit* unit, const Vector* v, uint32_t i, int from_timestamp,
                 Extracted* part) noexcept nogil:
    cdef TimeTz time
    cdef int64_t at
    if v.type_oid == OID_TIMESTAMP:
        return extract_timestamp(unit, int64_at(v, i), part, ctx.error)
    if v.type_oid == OID_TIMESTAMPTZ:
        return extract_timestamptz(unit, int64_at(v, i), ctx.format.timezone, part, ctx.error)
    if v.type_oid == OID_DATE:
        if not from_timestamp:
            return extract_date(unit, int32_at(v, i), part, ctx.error)
        # date_part of a date is that of its midnight.
        if date_to_timestamp(int32_at(v, i), &at, ctx.error) < 0:
            return -1
        return extract_timestamp(unit, at, part, ctx.error)
    if v.type_oid == OID_INTERVAL:
        return extract_interval(unit, interval_at(v, i), part, ctx.error)
    if v.type_oid == OID_TIME:
        return extract_time(unit, int64_at(v, i), part, ctx.error)
    time = timetz_at(v, i)
    return extract_timetz(unit, time.us, time.west, part, ctx.error)


cdef int parts(EvalContext* ctx, Vector* out, Vector** args, const uint32_t* sel, uint32_t count,
               int from_timestamp) noexcept nogil:
    cdef Extracted part
    cdef Unit unit
    cdef uint32_t k, i
    unit.name = NULL
    for k in range(count):
        i = row_at(sel, k)
        if null_row(out, args, 2, i):
            continue
        # The field is nearly always a constant.
        if unit.name == NULL or args[0].stride != 0:
            unit = unit_named(var_at(args[0], i).data, var_at(args[0], i).size)
        if part_of(ctx, &unit, args[1], i, from_timestamp, &part) < 0:
            return -1
        if part.kind == EXTRACT_NULL:
            out.nulls[i] = 1
        elif out.type_oid != OID_NUMERIC:
            (<double*>out.data)[i] = extracted_double(&part)
        elif extracted_numeric(&part, ctx.pool, <Var*>out.data + i, ctx.error) < 0:
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
