"""Window frames: ROWS, RANGE and GROUPS, with offsets and EXCLUDE.

A RANGE offset compares the order column's value with the current row's value plus or minus the offset: integers in 128
bits of care (saturated), floats, numeric, timestamps and dates with an interval. NULLs are peers of each other only.

Invariants
  G3  0 <= start <= end <= count.

Owner of the memory: the window operator.
"""

from libc.stdint cimport INT64_MAX, INT64_MIN
from libc.string cimport memset

from dsql_core.base.error cimport dsql_error_set
from dsql_core.base.types cimport int16_t, int32_t
from dsql_core.base.vector cimport (OID_DATE, OID_NUMERIC, OID_TIME, OID_TIMESTAMP, OID_TIMESTAMPTZ, PHYS_F32, PHYS_F64,
                                    PHYS_I16, PHYS_I32, PHYS_I64, Interval, Var)
from dsql_core.execute.state cimport (FRAME_CURRENT_ROW, FRAME_OFFSET_PRECEDING, FRAME_RANGE, FRAME_ROWS,
                                      FRAME_UNBOUNDED_FOLLOWING, FRAME_UNBOUNDED_PRECEDING)
from dsql_core.types.datetime cimport timestamp_add_interval, timestamptz_add_interval
from dsql_core.types.interval cimport interval_compare
from dsql_core.types.numeric cimport numeric_add, numeric_compare, numeric_from_int64, numeric_sub

cdef int64_t DAY_US = 86400000000


cdef int _is_negative(const Value* v) noexcept nogil:
    cdef Interval zero
    if v.type_oid == OID_NUMERIC:
        return 0                   # judged by numeric_compare below, where a pool is at hand
    if v.type_oid == 1186:
        memset(&zero, 0, sizeof(Interval))
        return interval_compare(&v.v.interval, &zero) < 0
    if v.phys == PHYS_I64:
        return v.v.i64 < 0
    if v.phys == PHYS_I32:
        return v.v.i32 < 0
    if v.phys == PHYS_I16:
        return v.v.i16 < 0
    if v.phys == PHYS_F64:
        return v.v.f64 < 0 or v.v.f64 != v.v.f64
    if v.phys == PHYS_F32:
        return v.v.f32 < 0 or v.v.f32 != v.v.f32
    return 0


cdef int frame_check(Execution* x, const PlanNode* node, const WindowCall* call, const FrameOffsets* offsets) noexcept nogil:
    cdef const Value* value
    cdef Var zero
    cdef int side
    cdef int negative
    for side in range(2):
        value = &offsets.start if side == 0 else &offsets.end
        if (call.start_offset if side == 0 else call.end_offset) == NULL:
            continue
        if value.is_null:
            dsql_error_set(x.eval.error, "22004", "frame %s offset must not be null", "starting" if side == 0 else "ending")
            return -1
        negative = _is_negative(value)
        if value.type_oid == OID_NUMERIC:
            if numeric_from_int64(0, x.eval.pool, &zero, x.eval.error) < 0:
                return -1
            negative = numeric_compare(&value.v.var, &zero) < 0
        if negative:
            if call.mode == FRAME_RANGE:
                dsql_error_set(x.eval.error, "22013", "invalid preceding or following size in window function")
            else:
                dsql_error_set(x.eval.error, "22013", "frame %s offset must not be negative",
                               "starting" if side == 0 else "ending")
            return -1
    return 0


cdef int _compare_shifted(Execution* x, uint32_t oid, uint8_t phys, const void* value, const void* base, const Value* offset,
                          int sign, int* out) noexcept nogil:
    # out := order of value against base + sign * offset. 0, -1.
    cdef int64_t a = 0
    cdef int64_t b = 0
    cdef int64_t off = 0
    cdef double da
    cdef double db
    cdef Var shifted
    if oid == OID_NUMERIC:
        if sign > 0:
            if numeric_add(<const Var*>base, &offset.v.var, x.eval.pool, &shifted, x.eval.error) < 0:
                return -1
        elif numeric_sub(<const Var*>base, &offset.v.var, x.eval.pool, &shifted, x.eval.error) < 0:
            return -1
        out[0] = numeric_compare(<const Var*>value, &shifted)
        return 0
    if phys == PHYS_F64 or phys == PHYS_F32:
        da = (<const double*>value)[0] if phys == PHYS_F64 else (<const float*>value)[0]
        db = (<const double*>base)[0] if phys == PHYS_F64 else (<const float*>base)[0]
        db += sign * (offset.v.f64 if offset.phys == PHYS_F64 else <double>offset.v.f32)
        out[0] = (da > db) - (da < db)
        return 0
    if phys == PHYS_I64:
        a = (<const int64_t*>value)[0]
        b = (<const int64_t*>base)[0]
    elif phys == PHYS_I32:
        a = (<const int32_t*>value)[0]
        b = (<const int32_t*>base)[0]
    elif phys == PHYS_I16:
        a = (<const int16_t*>value)[0]
        b = (<const int16_t*>base)[0]
    if oid == OID_DATE:
        a *= DAY_US
        b *= DAY_US
    if oid == OID_DATE or oid == OID_TIMESTAMP:
        if timestamp_add_interval(b, &offset.v.interval, sign, &b, x.eval.error) < 0:
            return -1
    elif oid == OID_TIMESTAMPTZ:
        if timestamptz_add_interval(b, &offset.v.interval, sign, x.eval.format.timezone, &b, x.eval.error) < 0:
            return -1
    elif oid == OID_TIME:
        b += sign * offset.v.interval.us
    else:
        off = offset.v.i64 if offset.phys == PHYS_I64 else (offset.v.i32 if offset.phys == PHYS_I32 else offset.v.i16)
        if sign > 0:
            b = b + off if b <= INT64_MAX - off else INT64_MAX
        else:
            b = b - off if b >= INT64_MIN + off else INT64_MIN
    out[0] = (a > b) - (a < b)
    return 0


cdef int _range_edge(Execution* x, const Partition* p, const Value* offset, int preceding, int is_end, int64_t row,
                     int64_t* out) noexcept nogil:
    # Edge of a RANGE frame with offset: by binary search over the (sorted) order column. 0, -1.
    cdef const PlanNode* node = p.node
    cdef uint32_t key = node.partition_count
    cdef uint32_t column = node.param_index[key]
    cdef uint32_t offset_in = node.tuples.offset[column]
    cdef int descending = node.sort_keys[key].is_desc
    cdef int sign = -1 if preceding != descending else 1
    cdef int64_t low = 0
    cdef int64_t high = p.count
    cdef int64_t middle
    cdef int c
    cdef int after
    if p.rows[row][8 + column]:
        out[0] = p.peer_end[row] if is_end else p.peer_start[row]
        return 0
    while low < high:
        middle = (low + high) // 2
        if p.rows[middle][8 + column]:
            # NULLs lie at one end of the partition.
            after = not node.sort_keys[key].nulls_first
        else:
            if _compare_shifted(x, node.tuples.type_oids[column], node.tuples.phys[column], p.rows[middle] + offset_in,
                                p.rows[row] + offset_in, offset, sign, &c) < 0:
                return -1
            if descending:
                c = -c
            after = c > 0 if is_end else c >= 0
        if after:
            high = middle
        else:
            low = middle + 1
    out[0] = low
    return 0


cdef int64_t _group_edge(const Partition* p, int64_t number, int is_end) noexcept nogil:
    # First row of (or behind) the peer group of that number.
    cdef int64_t low = 0
    cdef int64_t high = p.count
    cdef int64_t middle
    while low < high:
        middle = (low + high) // 2
        if p.group[middle] > number if is_end else p.group[middle] >= number:
            high = middle
        else:
            low = middle + 1
    return low


cdef int64_t _clamp(int64_t at, int64_t count) noexcept nogil:
    return 0 if at < 0 else (count if at > count else at)


cdef int _edge(Execution* x, const Partition* p, const WindowCall* call, uint8_t bound, const Value* offset, int is_end,
               int64_t row, int64_t* out) noexcept nogil:
    cdef int preceding = bound == FRAME_OFFSET_PRECEDING
    cdef int64_t n
    if bound == FRAME_UNBOUNDED_PRECEDING:
        out[0] = 0
    elif bound == FRAME_UNBOUNDED_FOLLOWING:
        out[0] = p.count
    elif bound == FRAME_CURRENT_ROW:
        if call.mode == FRAME_ROWS:
            out[0] = row + is_end
        else:
            out[0] = p.peer_end[row] if is_end else p.peer_start[row]
    elif call.mode == FRAME_RANGE:
        return _range_edge(x, p, offset, preceding, is_end, row, out)
    else:
        n = offset.v.i64 if offset.phys == PHYS_I64 else offset.v.i32
        if n > p.count:
            n = p.count + 1
        if call.mode == FRAME_ROWS:
            out[0] = _clamp((row - n if preceding else row + n) + is_end, p.count)
        else:
            out[0] = _group_edge(p, p.group[row] - n if preceding else p.group[row] + n, is_end)
    return 0


cdef int frame_bounds(Execution* x, const Partition* p, const WindowCall* call, const FrameOffsets* offsets, int64_t row,
                      int64_t* start, int64_t* end) noexcept nogil:
    if _edge(x, p, call, call.start, &offsets.start, 0, row, start) < 0 \
            or _edge(x, p, call, call.end, &offsets.end, 1, row, end) < 0:
        return -1
    if end[0] < start[0]:
        end[0] = start[0]
    return 0


cdef int frame_excludes(const Partition* p, const WindowCall* call, int64_t row, int64_t k) noexcept nogil:
    if call.exclude == 0:
        return 0
    if call.exclude == 1:
        return k == row
    if k < p.peer_start[row] or k >= p.peer_end[row]:
        return 0
    return call.exclude == 2 or k != row
