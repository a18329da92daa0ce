"""numeric to an integer power, by repeated squaring on rounded intermediate results.

I1  Intermediates keep at least eight digits more than the result shows, more for large exponents.
I2  The result's scale gives it at least 16 significant digits, at least the arguments' scales, at most 1000 decimals.
"""
from libc.math cimport fabs, log, log10
from libc.stdint cimport int16_t, int32_t, int64_t, uint32_t

from dsql_core.base.error cimport dsql_error_set, dsql_error_t
from dsql_core.base.memory cimport Pool
from dsql_core.base.vector cimport Var
from dsql_core.types.bignum cimport (
    NUMERIC_DISPLAY_SCALE_MAX, NUMERIC_POS, NUMERIC_SIGNIFICANT_MIN, NUMERIC_WEIGHT_MAX, NumVar, big_div, big_mul,
    big_round,
)
from dsql_core.types.numeric cimport NumericUnpacked, numeric_pack, numeric_unpack
from dsql_core.types.text cimport out_of_memory


cdef double _decimal_weight(const NumVar* base, int32_t exponent) noexcept nogil:
    # log10 of |base| ^ exponent from its first 16 digits; base is not zero.
    cdef double fraction = base.digits[0]
    cdef int64_t position = <int64_t>base.weight * 4
    cdef int32_t i
    for i in range(1, base.digit_count):
        if i * 4 >= 16:
            break
        fraction = fraction * 10000 + base.digits[i]
        position -= 4
    return exponent * (log10(fraction) + <double>position)


cdef int _multiply(const NumVar* a, const NumVar* b, int64_t scale, Pool* pool, NumVar* out) noexcept nogil:
    if scale > a.dscale + b.dscale:
        scale = a.dscale + b.dscale
    if scale < 0:
        scale = 0
    return -1 if big_mul(a, b, pool, out) < 0 or big_round(out, <int32_t>scale, pool, out) < 0 else 0


cdef int numeric_power_int(const Var* base, int32_t exponent, int32_t exponent_scale, Pool* pool, Var* out,
                           dsql_error_t* error) noexcept nogil:
    cdef NumericUnpacked unpacked
    cdef NumVar one
    cdef NumVar result
    cdef NumVar product
    cdef int16_t[1] unit
    cdef uint32_t mask
    cdef double weight = 0
    cdef int64_t scale
    cdef int64_t digits
    cdef bint vanished = False
    numeric_unpack(base, &unpacked)
    unit[0] = 1
    one.digits = &unit[0]
    one.digit_count = 1
    one.weight = 0
    one.dscale = 0
    one.sign = NUMERIC_POS
    if unpacked.var.digit_count > 0:
        weight = _decimal_weight(&unpacked.var, exponent)
        if weight > (NUMERIC_WEIGHT_MAX + 1) * 4.0:
            dsql_error_set(error, b"22003", b"value overflows numeric format")
            return -1
        if weight + 1 < -NUMERIC_DISPLAY_SCALE_MAX:
            one.digit_count = 0
            one.dscale = NUMERIC_DISPLAY_SCALE_MAX
            return numeric_pack(&one, pool, out, error)
    scale = NUMERIC_SIGNIFICANT_MIN - <int64_t>weight
    if scale < unpacked.var.dscale:
        scale = unpacked.var.dscale
    if scale < exponent_scale:
        scale = exponent_scale
    if scale < 0:
        scale = 0
    if scale > NUMERIC_DISPLAY_SCALE_MAX:
        scale = NUMERIC_DISPLAY_SCALE_MAX
    if unpacked.var.digit_count == 0 and exponent != 0:
        if exponent < 0:
            dsql_error_set(error, b"22012", b"division by zero")
            return -1
        unpacked.var.dscale = <int32_t>scale
        return numeric_pack(&unpacked.var, pool, out, error)
    product = unpacked.var
    mask = <uint32_t>exponent if exponent >= 0 else 0 - <uint32_t>exponent
    result = product if mask & 1 else one
    digits = 1 + scale + <int64_t>weight + <int64_t>log(fabs(<double>exponent) + (1 if exponent == 0 else 0)) + 8
    if mask == 2 and exponent > 0:
        # Exact before the one rounding.
        if big_mul(&product, &product, pool, &result) < 0:
            return out_of_memory(error)
        mask = 0
    mask >>= 1
    while mask > 0:
        if _multiply(&product, &product, digits - 2 * <int64_t>product.weight * 4, pool, &product) < 0:
            return out_of_memory(error)
        if mask & 1 and _multiply(&product, &result, digits - (<int64_t>product.weight + result.weight) * 4, pool,
                                  &result) < 0:
            return out_of_memory(error)
        if product.weight > NUMERIC_WEIGHT_MAX or result.weight > NUMERIC_WEIGHT_MAX:
            # The estimate said the result fits, so this is a negative power on its way to zero.
            if exponent > 0:
                dsql_error_set(error, b"22003", b"value overflows numeric format")
                return -1
            vanished = True
            break
        mask >>= 1
    if vanished:
        result.digit_count = 0
        result.dscale = <int32_t>scale
        return numeric_pack(&result, pool, out, error)
    if exponent < 0:
        if big_div(&one, &result, <int32_t>scale, 1, pool, &result) < 0:
            return out_of_memory(error)
    elif big_round(&result, <int32_t>scale, pool, &result) < 0:
        return out_of_memory(error)
    result.dscale = <int32_t>scale
    return numeric_pack(&result, pool, out, error)
