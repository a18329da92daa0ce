"""Decimal arithmetic of any size on base-10000 digits: add, subtract, multiply, divide, round, square root.

This is the path for values that do not fit the small form of types/numeric; it values exactness over speed.

I1  A NumVar handed out is stripped: its first and last digit are not zero; zero has digit_count 0 and sign positive.
I2  digits point into the pool or an argument; no function writes through an argument's digits.
I3  Rounding is half away from zero, as PostgreSQL's numeric rounds.
"""
from libc.stdint cimport int16_t, int32_t, int64_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from dsql_core.base.memory cimport Pool, pool_alloc
from dsql_core.types.int128 cimport int128, uint128

cdef enum:
    BASE = 10000


cdef inline int16_t* _digits(Pool* pool, int64_t count) noexcept nogil:
    return <int16_t*>pool_alloc(pool, <size_t>(count if count > 0 else 1) * 2)


cdef inline int32_t _pow10(int n) noexcept nogil:
    if n == 0:
        return 1
    if n == 1:
        return 10
    return 100 if n == 2 else 1000


cdef void big_strip(NumVar* a) noexcept nogil:
    while a.digit_count > 0 and a.digits[0] == 0:
        a.digits += 1
        a.weight -= 1
        a.digit_count -= 1
    while a.digit_count > 0 and a.digits[a.digit_count - 1] == 0:
        a.digit_count -= 1
    if a.digit_count == 0:
        a.weight = 0
        a.sign = NUMERIC_POS


cdef int big_compare_abs(const NumVar* a, const NumVar* b) noexcept nogil:
    cdef int32_t i
    cdef int32_t n
    if a.digit_count == 0 or b.digit_count == 0:
        return (a.digit_count > 0) - (b.digit_count > 0)
    if a.weight != b.weight:
        return 1 if a.weight > b.weight else -1
    n = a.digit_count if a.digit_count < b.digit_count else b.digit_count
    for i in range(n):
        if a.digits[i] != b.digits[i]:
            return 1 if a.digits[i] > b.digits[i] else -1
    return (a.digit_count > n) - (b.digit_count > n)


cdef int big_compare(const NumVar* a, const NumVar* b) noexcept nogil:
    if a.sign != b.sign:
        return -1 if a.sign == NUMERIC_NEG else 1
    if a.sign == NUMERIC_NEG:
        return big_compare_abs(b, a)
    return big_compare_abs(a, b)


cdef int _add_abs(const NumVar* a, const NumVar* b, bint subtract, Pool* pool, NumVar* out) noexcept nogil:
    # |a| + |b|, or |a| - |b| when |a| >= |b|.
    cdef int32_t weight = (a.weight if a.weight > b.weight else b.weight) + 1
    cdef int32_t a_low = a.weight - a.digit_count + 1
    cdef int32_t b_low = b.weight - b.digit_count + 1
    cdef int32_t low = a_low if a_low < b_low else b_low
    cdef int32_t count
    cdef int32_t position
    cdef int32_t i
    cdef int32_t value
    cdef int32_t carry = 0
    cdef int16_t* digits
    count = weight - low + 1
    digits = _digits(pool, count)
    if digits == NULL:
        return -1
    for i in range(count - 1, -1, -1):
        position = weight - i
        value = carry
        if position >= a_low and position <= a.weight:
            value += a.digits[a.weight - position]
        if position >= b_low and position <= b.weight:
            if subtract:
                value -= b.digits[b.weight - position]
            else:
                value += b.digits[b.weight - position]
        carry = 0
        if value >= BASE:
            value -= BASE
            carry = 1
        elif value < 0:
            value += BASE
            carry = -1
        digits[i] = <int16_t>value
    out.digits = digits
    out.digit_count = count
    out.weight = weight
    return 0


cdef int _add_signed(const NumVar* a, const NumVar* b, uint16_t b_sign, Pool* pool, NumVar* out) noexcept nogil:
    cdef NumVar result
    cdef int order
    cdef int status
    result.dscale = a.dscale if a.dscale > b.dscale else b.dscale
    if a.sign == b_sign:
        status = _add_abs(a, b, False, pool, &result)
        result.sign = a.sign
    else:
        order = big_compare_abs(a, b)
        if order >= 0:
            status = _add_abs(a, b, True, pool, &result)
            result.sign = a.sign
        else:
            status = _add_abs(b, a, True, pool, &result)
            result.sign = b_sign
    if status < 0:
        return -1
    big_strip(&result)
    out[0] = result
    return 0


cdef int big_add(const NumVar* a, const NumVar* b, Pool* pool, NumVar* out) noexcept nogil:
    return _add_signed(a, b, b.sign, pool, out)


cdef int big_sub(const NumVar* a, const NumVar* b, Pool* pool, NumVar* out) noexcept nogil:
    return _add_signed(a, b, NUMERIC_NEG if b.sign == NUMERIC_POS else NUMERIC_POS, pool, out)


cdef int big_mul(const NumVar* a, const NumVar* b, Pool* pool, NumVar* out) noexcept nogil:
    cdef NumVar result
    cdef int32_t count = a.digit_count + b.digit_count
    cdef int16_t* digits = _digits(pool, count)
    cdef uint64_t* sums = <uint64_t*>pool_alloc(pool, <size_t>(count + 1) * 8)
    cdef uint64_t carry = 0
    cdef uint64_t factor
    cdef int32_t i
    cdef int32_t j
    if digits == NULL or sums == NULL:
        return -1
    # Sums of at most 65536 products below 10^8 stay far below 2^64: one carry pass at the end.
    memset(sums, 0, <size_t>(count + 1) * 8)
    for i in range(a.digit_count):
        factor = <uint64_t>a.digits[i]
        if factor != 0:
            for j in range(b.digit_count):
                sums[i + j + 1] += factor * <uint64_t>b.digits[j]
    for i in range(count - 1, -1, -1):
        carry += sums[i]
        digits[i] = <int16_t>(carry % BASE)
        carry = carry / BASE
    result.digits = digits
    result.digit_count = count
    result.weight = a.weight + b.weight + 1
    result.dscale = a.dscale + b.dscale
    result.sign = NUMERIC_POS if a.sign == b.sign else NUMERIC_NEG
    big_strip(&result)
    out[0] = result
    return 0


cdef int32_t big_div_scale(const NumVar* a, const NumVar* b) noexcept nogil:
    # At least 16 significant digits, at least either argument's scale. The quotient's weight is estimated from the
    # leading digits: one less than the difference unless a's is greater.
    cdef int32_t weight
    cdef int32_t scale
    cdef int32_t a_first = a.digits[0] if a.digit_count > 0 else 0
    cdef int32_t b_first = b.digits[0] if b.digit_count > 0 else 0
    weight = (a.weight if a.digit_count > 0 else 0) - (b.weight if b.digit_count > 0 else 0)
    if a_first <= b_first:
        weight -= 1
    scale = NUMERIC_SIGNIFICANT_MIN - weight * 4
    if scale < a.dscale:
        scale = a.dscale
    if scale < b.dscale:
        scale = b.dscale
    if scale < 0:
        scale = 0
    if scale > NUMERIC_DISPLAY_SCALE_MAX:
        scale = NUMERIC_DISPLAY_SCALE_MAX
    return scale


cdef void _divide_small(const int16_t* a, int32_t count, int32_t divisor, int16_t* quotient) noexcept nogil:
    cdef int32_t rest = 0
    cdef int32_t i
    for i in range(count):
        rest = rest * BASE + a[i]
        quotient[i] = <int16_t>(rest / divisor)
        rest = rest % divisor


cdef int _divide_long(const int16_t* a, int32_t count, const int16_t* b, int32_t b_count, Pool* pool,
                      int16_t* quotient) noexcept nogil:
    # Schoolbook division (Knuth's algorithm D); quotient gets `count` digits, the first b_count - 1 of them zero.
    cdef int32_t* rest = <int32_t*>pool_alloc(pool, <size_t>(count + 1) * 4)
    cdef int32_t* divisor = <int32_t*>pool_alloc(pool, <size_t>b_count * 4)
    cdef int32_t factor = BASE / (b[0] + 1)
    cdef int32_t carry = 0
    cdef int32_t value
    cdef int32_t guess
    cdef int32_t i
    cdef int32_t j
    cdef int64_t top
    if rest == NULL or divisor == NULL:
        return -1
    for i in range(b_count - 1, -1, -1):
        value = b[i] * factor + carry
        divisor[i] = value % BASE
        carry = value / BASE
    carry = 0
    for i in range(count - 1, -1, -1):
        value = a[i] * factor + carry
        rest[i + 1] = value % BASE
        carry = value / BASE
    rest[0] = carry
    for i in range(b_count - 1):
        quotient[i] = 0
    for i in range(count - b_count + 1):
        top = <int64_t>rest[i] * BASE + rest[i + 1]
        guess = <int32_t>(top / divisor[0])
        if guess >= BASE:
            guess = BASE - 1
        while b_count > 1 and top - <int64_t>guess * divisor[0] < BASE and \
                <int64_t>guess * divisor[1] > (top - <int64_t>guess * divisor[0]) * BASE + rest[i + 2]:
            guess -= 1
        carry = 0
        for j in range(b_count - 1, -1, -1):
            value = rest[i + j + 1] - guess * divisor[j] + carry
            carry = 0
            if value < 0:
                carry = -((-value + BASE - 1) / BASE)
                value -= carry * BASE
            rest[i + j + 1] = value
        rest[i] += carry
        if rest[i] < 0:
            guess -= 1
            carry = 0
            for j in range(b_count - 1, -1, -1):
                value = rest[i + j + 1] + divisor[j] + carry
                carry = 1 if value >= BASE else 0
                rest[i + j + 1] = value - carry * BASE
            rest[i] += carry
        quotient[i + b_count - 1] = <int16_t>guess
    return 0


cdef int big_div(const NumVar* a, const NumVar* b, int32_t rscale, int round_it, Pool* pool,
                 NumVar* out) noexcept nogil:
    # Integer division of a * 10000^k by b with one digit more than rscale needs; what is cut off below that digit can
    # not change rounding half away from zero.
    cdef NumVar result
    cdef int32_t low                 # position of the last quotient digit: 10000^low
    cdef int32_t count
    cdef int32_t a_low
    cdef int16_t* dividend
    cdef int16_t* quotient
    result.dscale = rscale
    result.sign = NUMERIC_POS if a.sign == b.sign else NUMERIC_NEG
    if a.digit_count == 0:
        result.digit_count = 0
        result.digits = a.digits
        big_strip(&result)
        out[0] = result
        return 0
    low = -((rscale + 3) // 4) - 1 if rscale >= 0 else -1
    # Dividend digits from a.weight down to b_low + low, where b_low is the position of b's last digit.
    a_low = (b.weight - b.digit_count + 1) + low
    count = a.weight - a_low + 1
    if count < b.digit_count:
        # The quotient is smaller than one unit of its last digit.
        result.digit_count = 0
        result.digits = a.digits
        big_strip(&result)
        out[0] = result
        return 0
    dividend = _digits(pool, count)
    quotient = _digits(pool, count)
    if dividend == NULL or quotient == NULL:
        return -1
    if count <= a.digit_count:
        memcpy(dividend, a.digits, <size_t>count * 2)
    else:
        memcpy(dividend, a.digits, <size_t>a.digit_count * 2)
        memset(dividend + a.digit_count, 0, <size_t>(count - a.digit_count) * 2)
    if b.digit_count == 1:
        _divide_small(dividend, count, b.digits[0], quotient)
    elif _divide_long(dividend, count, b.digits, b.digit_count, pool, quotient) < 0:
        return -1
    result.digits = quotient
    result.digit_count = count
    result.weight = low + count - 1
    big_strip(&result)
    if round_it:
        return big_round(&result, rscale, pool, out)
    return big_trunc(&result, rscale, pool, out)


cdef int _cut(const NumVar* a, int32_t rscale, bint round_it, Pool* pool, NumVar* out) noexcept nogil:
    # Keeps decimals down to 10^-rscale. `kept` counts whole digits, `within` decimals of the next one.
    cdef NumVar result = a[0]
    # decimal digits kept, from the first digit's start
    cdef int64_t decimals = <int64_t>(a.weight + 1) * 4 + rscale
    cdef int64_t kept
    cdef int within
    cdef int16_t* digits
    cdef int32_t unit
    cdef int32_t value
    cdef int32_t i
    cdef bint up
    result.dscale = rscale if rscale > 0 else 0
    if a.digit_count == 0 or decimals >= <int64_t>a.digit_count * 4:
        out[0] = result
        return 0
    if decimals < 0:
        result.digit_count = 0
        big_strip(&result)
        out[0] = result
        return 0
    kept = decimals / 4
    within = <int>(decimals % 4)
    digits = _digits(pool, kept + 2)
    if digits == NULL:
        return -1
    digits[0] = 0                                             # room for a carry
    memcpy(digits + 1, a.digits, <size_t>kept * 2)
    value = a.digits[kept]
    unit = _pow10(4 - within) if within > 0 else BASE
    up = round_it and (value % unit) * 2 >= unit
    result.digit_count = <int32_t>kept + 1
    if within > 0:
        digits[kept + 1] = <int16_t>(value - value % unit)
        result.digit_count += 1
        if up:
            digits[kept + 1] += <int16_t>unit
    elif up:
        digits[kept] += 1
    for i in range(result.digit_count - 1, 0, -1):
        if digits[i] < BASE:
            break
        digits[i] -= BASE
        digits[i - 1] += 1
    result.digits = digits
    result.weight = a.weight + 1
    big_strip(&result)
    out[0] = result
    return 0


cdef int big_round(const NumVar* a, int32_t rscale, Pool* pool, NumVar* out) noexcept nogil:
    return _cut(a, rscale, True, pool, out)


cdef int big_trunc(const NumVar* a, int32_t rscale, Pool* pool, NumVar* out) noexcept nogil:
    return _cut(a, rscale, False, pool, out)


cdef int big_from_i128(int128 value, int32_t dscale, Pool* pool, NumVar* out) noexcept nogil:
    # The last digit holds dscale % 4 decimals, filled up with zeros on the right.
    cdef int16_t* digits = _digits(pool, 12)
    cdef uint128 magnitude
    cdef uint128 quotient
    cdef uint32_t base
    cdef int within = dscale % 4
    cdef int32_t at = 12
    if digits == NULL:
        return -1
    out.sign = NUMERIC_POS
    magnitude = <uint128>value
    if value < 0:
        out.sign = NUMERIC_NEG
        magnitude = 0 - magnitude
    if within > 0:
        base = <uint32_t>_pow10(within)
        quotient = magnitude / base
        at -= 1
        digits[at] = <int16_t>(<uint32_t>(magnitude - quotient * base) * <uint32_t>_pow10(4 - within))
        magnitude = quotient
    while magnitude != 0:
        quotient = magnitude / BASE
        at -= 1
        digits[at] = <int16_t>(magnitude - quotient * BASE)
        magnitude = quotient
    out.digits = digits + at
    out.digit_count = 12 - at
    out.dscale = dscale
    out.weight = out.digit_count - 1 - (dscale + 3) // 4
    big_strip(out)
    return 0


cdef int big_sqrt(const NumVar* a, int32_t rscale, Pool* pool, NumVar* out) noexcept nogil:
    # Newton's iteration from above on more digits than asked, doubling nothing: sizes here are small.
    cdef NumVar x
    cdef NumVar next
    cdef NumVar quotient
    cdef NumVar sum
    cdef NumVar half
    cdef int16_t[1] five
    cdef int16_t* digits
    cdef int32_t scale = rscale + 8 if rscale > 0 else 8
    cdef int _i
    if a.digit_count == 0:
        out[0] = a[0]
        out.dscale = rscale
        return 0
    five[0] = 5000
    half.digits = &five[0]
    half.digit_count = 1
    half.weight = -1
    half.dscale = 1
    half.sign = NUMERIC_POS
    # Start at or above the root: 10000^ceil((weight + 1) / 2).
    digits = _digits(pool, 1)
    if digits == NULL:
        return -1
    digits[0] = 1
    x.digits = digits
    x.digit_count = 1
    x.weight = (a.weight + 2) >> 1
    x.dscale = 0
    x.sign = NUMERIC_POS
    if scale < 4 - 4 * x.weight + 8:
        scale = 4 - 4 * x.weight + 8
    for _i in range(100000):
        if big_div(a, &x, scale, 0, pool, &quotient) < 0 or big_add(&x, &quotient, pool, &sum) < 0:
            return -1
        if big_mul(&sum, &half, pool, &next) < 0 or big_trunc(&next, scale, pool, &next) < 0:
            return -1
        if big_compare_abs(&next, &x) >= 0:
            break
        x = next
    # x is floor(root * 10^scale) / 10^scale: exact roots stay exact, others round correctly.
    return big_round(&x, rscale, pool, out)
