# Decimal numbers of any size: sign, base-10000 digits, weight. The slow half of numeric; see numeric for the packed
# form.
from dsql_core.base.memory cimport Pool
from dsql_core.base.types cimport int16_t, int32_t, int64_t, uint16_t
from dsql_core.types.int128 cimport int128

cdef enum:
    NUMERIC_POS = 0x0000
    NUMERIC_NEG = 0x4000
    NUMERIC_NAN = 0xC000
    NUMERIC_PINF = 0xD000
    NUMERIC_NINF = 0xF000

    NUMERIC_DSCALE_MAX = 16383
    NUMERIC_WEIGHT_MAX = 32767
    NUMERIC_DISPLAY_SCALE_MAX = 1000
    NUMERIC_SIGNIFICANT_MIN = 16       # digits a division or root shows at least

# value = (-1)^sign * sum(digits[i] * 10000^(weight - i)); digits may lie in somebody else's memory and are not written.
cdef struct NumVar:
    int32_t digit_count                # 0 = zero
    int32_t weight
    int32_t dscale                     # decimal digits shown after the point
    uint16_t sign
    const int16_t* digits

# All results are stripped of leading and trailing zero digits and live in pool. 0, -1 = no memory.
cdef void big_strip(NumVar* a) noexcept nogil
cdef int big_compare(const NumVar* a, const NumVar* b) noexcept nogil               # finite values
cdef int big_compare_abs(const NumVar* a, const NumVar* b) noexcept nogil
cdef int big_add(const NumVar* a, const NumVar* b, Pool* pool, NumVar* out) noexcept nogil
cdef int big_sub(const NumVar* a, const NumVar* b, Pool* pool, NumVar* out) noexcept nogil
cdef int big_mul(const NumVar* a, const NumVar* b, Pool* pool, NumVar* out) noexcept nogil   # exact; dscale = sum
# Quotient rounded (round_it) or cut to rscale decimals; b is not zero.
cdef int big_div(const NumVar* a, const NumVar* b, int32_t rscale, int round_it, Pool* pool, NumVar* out) noexcept nogil
cdef int32_t big_div_scale(const NumVar* a, const NumVar* b) noexcept nogil         # PostgreSQL's scale of a quotient
# half away from zero; rscale may be < 0
cdef int big_round(const NumVar* a, int32_t rscale, Pool* pool, NumVar* out) noexcept nogil
cdef int big_trunc(const NumVar* a, int32_t rscale, Pool* pool, NumVar* out) noexcept nogil
cdef int big_from_i128(int128 value, int32_t dscale, Pool* pool, NumVar* out) noexcept nogil  # value * 10^-dscale
cdef int big_sqrt(const NumVar* a, int32_t rscale, Pool* pool, NumVar* out) noexcept nogil    # a >= 0, rounded
