"""The accumulator of sum and avg over numerics.

Values in the small form are added into one 128-bit total at the greatest scale seen so far; anything that does not
fit (large forms, totals beyond 2^100, far apart scales) goes to a spill kept as an ordinary numeric.

I1  total * 10^-dscale + spill is the exact sum of the finite values; |total| < 2^100 after every slow step.
I2  The spill's bytes live in the pool handed to the calls; the caller uses one pool for the life of a sum.
"""
from libc.string cimport memcpy

from dsql_core.base.error cimport dsql_error_t
from dsql_core.base.memory cimport Pool, pool_alloc
from dsql_core.base.types cimport int32_t, uint8_t
from dsql_core.base.vector cimport Var
from dsql_core.types.bignum cimport NUMERIC_NAN, NUMERIC_NEG, NUMERIC_NINF, NUMERIC_PINF
from dsql_core.types.int128 cimport int128, int128_add_overflow, int128_mul_overflow, pow10_i64
from dsql_core.types.numeric cimport (
    NUMERIC_SMALL_SCALE_MAX, NUMERIC_SMALL_SIZE, NumericUnpacked, numeric_add, numeric_div, numeric_from_i128,
    numeric_from_int64, numeric_is_small, numeric_mantissa, numeric_set_special, numeric_special, numeric_unpack,
)
from dsql_core.types.text cimport out_of_memory


cdef int numeric_sum_add_i128(NumericSum* sum, int128 mantissa, int dscale, Pool* pool,
                              dsql_error_t* error) noexcept nogil:
    # Adds mantissa * 10^-dscale without counting it. Totals beyond 2^100 move into the spill.
    cdef int128 limit = 1
    cdef int128 scaled
    cdef Var part
    limit = limit << 100
    if dscale != sum.dscale:
        if dscale > sum.dscale and dscale <= NUMERIC_SMALL_SCALE_MAX:
            if int128_mul_overflow(sum.total, pow10_i64[dscale - sum.dscale],
                                   &scaled) or scaled > limit or scaled < -limit:
                if numeric_from_i128(sum.total, sum.dscale, pool, &part, error) < 0:
                    return -1
                if _spill(sum, &part, pool, error) < 0:
                    return -1
                scaled = 0
            sum.total = scaled
            sum.dscale = dscale
        elif dscale < sum.dscale and not int128_mul_overflow(mantissa, pow10_i64[sum.dscale - dscale], &scaled):
            mantissa = scaled
        else:
            if numeric_from_i128(mantissa, dscale, pool, &part, error) < 0:
                return -1
            return _spill(sum, &part, pool, error)
    if not int128_add_overflow(sum.total, mantissa, &scaled) and scaled < limit and scaled > -limit:
        sum.total = scaled
        return 0
    if numeric_from_i128(mantissa, sum.dscale, pool, &part, error) < 0 or _spill(sum, &part, pool, error) < 0:
        return -1
    if numeric_from_i128(sum.total, sum.dscale, pool, &part, error) < 0 or _spill(sum, &part, pool, error) < 0:
        return -1
    sum.total = 0
    return 0


cdef int _spill(NumericSum* sum, const Var* value, Pool* pool, dsql_error_t* error) noexcept nogil:
    if not sum.has_spill:
        sum.spill = value[0]
        sum.has_spill = 1
        if value.size == NUMERIC_SMALL_SIZE or numeric_special(value) == 0:
            # The argument may lie in memory that does not outlive this call.
            sum.spill.data = <const uint8_t*>pool_alloc(pool, value.size)
            if sum.spill.data == NULL:
                return out_of_memory(error)
            memcpy(<void*>sum.spill.data, value.data, value.size)
        return 0
    return numeric_add(&sum.spill, value, pool, &sum.spill, error)


cdef bint _as_i128(const Var* value, int128* mantissa, int* dscale) noexcept nogil:
    # A large form of up to 28 decimal digits as mantissa and scale: sums of such columns need no memory per row.
    cdef NumericUnpacked v
    cdef int128 wide = 0
    cdef int shift
    cdef int32_t i
    numeric_unpack(value, &v)
    if v.var.dscale > NUMERIC_SMALL_SCALE_MAX or (v.var.weight + 1) * 4 + v.var.dscale > 28:
        return False
    for i in range(v.var.digit_count):
        wide = wide * 10000
        wide = wide + v.var.digits[i]
    shift = 4 * (v.var.weight - v.var.digit_count + 1) + v.var.dscale
    while shift > 0:
        wide = wide * 10
        shift -= 1
    while shift < 0:
        wide = wide / 10
        shift += 1
    mantissa[0] = wide
    if v.var.sign == NUMERIC_NEG:
        mantissa[0] = -wide
    dscale[0] = v.var.dscale
    return True


cdef int numeric_sum_add_slow(NumericSum* sum, const Var* value, Pool* pool, dsql_error_t* error) noexcept nogil:
    cdef int128 wide
    cdef int special
    cdef int dscale
    if numeric_is_small(value):
        sum.count += 1
        wide = numeric_mantissa(value)
        return numeric_sum_add_i128(sum, wide, value.data[8], pool, error)
    special = numeric_special(value)
    if special == 0:
        sum.count += 1
        if _as_i128(value, &wide, &dscale):
            return numeric_sum_add_i128(sum, wide, dscale, pool, error)
        return _spill(sum, value, pool, error)
    if special == NUMERIC_NAN:
        sum.nan_count += 1
    elif special == NUMERIC_PINF:
        sum.pinf_count += 1
    else:
        sum.ninf_count += 1
    return 0


cdef int numeric_sum_merge(NumericSum* sum, const NumericSum* other, Pool* pool, dsql_error_t* error) noexcept nogil:
    sum.count += other.count
    sum.nan_count += other.nan_count
    sum.pinf_count += other.pinf_count
    sum.ninf_count += other.ninf_count
    if other.has_spill and _spill(sum, &other.spill, pool, error) < 0:
        return -1
    return numeric_sum_add_i128(sum, other.total, other.dscale, pool, error)


cdef int numeric_sum_total(const NumericSum* sum, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil:
    if sum.nan_count > 0 or (sum.pinf_count > 0 and sum.ninf_count > 0):
        return numeric_set_special(NUMERIC_NAN, out)
    if sum.pinf_count > 0:
        return numeric_set_special(NUMERIC_PINF, out)
    if sum.ninf_count > 0:
        return numeric_set_special(NUMERIC_NINF, out)
    if numeric_from_i128(sum.total, sum.dscale, pool, out, error) < 0:
        return -1
    if sum.has_spill:
        return numeric_add(out, &sum.spill, pool, out, error)
    return 0


cdef int numeric_sum_average(const NumericSum* sum, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil:
    # Of at least one value (the caller answers NULL for none).
    cdef Var count
    if numeric_sum_total(sum, pool, out, error) < 0:
        return -1
    if numeric_special(out) != 0:
        return 0
    if numeric_from_int64(sum.count, pool, &count, error) < 0:
        return -1
    return numeric_div(out, &count, pool, out, error)
