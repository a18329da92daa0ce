# 128-bit integers of ext/int128. Keep every intermediate value in a variable of type int128 or uint128: to Cython
# they are wide integers of unknown width, so a temporary it invents itself could be too narrow.
from libc.stdint cimport int64_t, uint64_t

cdef extern from "int128/int128.h" nogil:
    ctypedef long long int128 "dsql_i128_t"
    ctypedef unsigned long long uint128 "dsql_u128_t"
    bint int128_add_overflow "dsql_i128_add_overflow"(int128 a, int128 b, int128* out) noexcept
    bint int128_mul_overflow "dsql_i128_mul_overflow"(int128 a, int128 b, int128* out) noexcept
    bint int64_add_overflow "dsql_i64_add_overflow"(int64_t a, int64_t b, int64_t* out) noexcept
    bint int64_sub_overflow "dsql_i64_sub_overflow"(int64_t a, int64_t b, int64_t* out) noexcept
    bint int64_mul_overflow "dsql_i64_mul_overflow"(int64_t a, int64_t b, int64_t* out) noexcept
    uint64_t mul64_high "dsql_mul64_high"(uint64_t a, uint64_t b) noexcept
    uint64_t int128_low "dsql_i128_low"(int128 a) noexcept
    int64_t int128_high "dsql_i128_high"(int128 a) noexcept
    int128 int128_make "dsql_i128_make"(int64_t high, uint64_t low) noexcept
    const int64_t* pow10_i64 "dsql_pow10"          # 10^0 .. 10^18
    int decimal_digits "dsql_decimal_digits"(uint64_t value) noexcept
