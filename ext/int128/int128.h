/* 128-bit integers for exact decimal and interval arithmetic: the compiler's own type, with checked operations.
 *
 * Cython knows no 128-bit type; code there declares dsql_i128_t as an opaque wide integer and keeps every
 * intermediate result in a variable of that type. Each *_overflow function returns 1 when the result did not fit. */
#ifndef DSQL_INT128_H
#define DSQL_INT128_H
#include <stdint.h>

typedef __int128 dsql_i128_t;
typedef unsigned __int128 dsql_u128_t;

static inline int dsql_i128_add_overflow(dsql_i128_t a, dsql_i128_t b, dsql_i128_t *out) {
    return __builtin_add_overflow(a, b, out);
}
static inline int dsql_i128_mul_overflow(dsql_i128_t a, dsql_i128_t b, dsql_i128_t *out) {
    return __builtin_mul_overflow(a, b, out);
}
static inline int dsql_i64_add_overflow(int64_t a, int64_t b, int64_t *out) { return __builtin_add_overflow(a, b, out); }
static inline int dsql_i64_sub_overflow(int64_t a, int64_t b, int64_t *out) { return __builtin_sub_overflow(a, b, out); }
static inline int dsql_i64_mul_overflow(int64_t a, int64_t b, int64_t *out) { return __builtin_mul_overflow(a, b, out); }

/* High and low half of a 64 x 64 product. */
static inline uint64_t dsql_mul64_high(uint64_t a, uint64_t b) { return (uint64_t)(((dsql_u128_t)a * b) >> 64); }

static inline uint64_t dsql_i128_low(dsql_i128_t a) { return (uint64_t)a; }
static inline int64_t dsql_i128_high(dsql_i128_t a) { return (int64_t)(a >> 64); }
static inline dsql_i128_t dsql_i128_make(int64_t high, uint64_t low) {
    return (dsql_i128_t)(((dsql_u128_t)(uint64_t)high << 64) | low);
}

/* Powers of ten that fit 64 bits, and the number of decimal digits of a value (0 has one). */
static const int64_t dsql_pow10[19] = {
    1LL, 10LL, 100LL, 1000LL, 10000LL, 100000LL, 1000000LL, 10000000LL, 100000000LL, 1000000000LL, 10000000000LL,
    100000000000LL, 1000000000000LL, 10000000000000LL, 100000000000000LL, 1000000000000000LL, 10000000000000000LL,
    100000000000000000LL, 1000000000000000000LL};

static inline int dsql_decimal_digits(uint64_t value) {
    int guess = ((64 - __builtin_clzll(value | 1)) * 1233) >> 12;
    if (guess > 18) return value >= 10000000000000000000ULL ? 20 : 19;
    return guess + (value >= (uint64_t)dsql_pow10[guess] || guess == 0);
}
#endif
