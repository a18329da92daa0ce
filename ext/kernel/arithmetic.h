/* Arithmetic loops of the fixed-width numbers, and the table they are found in by operator and physical classes.
 *
 * Integers: the result has the wider type; a result that does not fit sets DSQL_BAD_RANGE, a zero divisor
 * DSQL_BAD_ZERO (the row's value is then of no use). Shifts count modulo the width of the left type, as the
 * processor does. Floats: computed as they come; DSQL_BAD_FLOAT asks for a look at rows whose result is infinite or
 * zero, because only then can an overflow or underflow have happened. */
#ifndef DSQL_KERNEL_ARITHMETIC_H
#define DSQL_KERNEL_ARITHMETIC_H
#include <math.h>
#include "kernel/loops.h"

enum { DSQL_ADD = 0, DSQL_SUB, DSQL_MUL, DSQL_DIV, DSQL_MOD, DSQL_AND, DSQL_OR, DSQL_XOR, DSQL_ARITHMETIC_COUNT };

/* Narrow results are exact in int64_t; int64_t itself needs the checked forms. */
#define DSQL_NARROW(OUT, EXPRESSION) { int64_t w = (EXPRESSION); r = (OUT)w; bad |= w != (int64_t)r; }

#define DSQL_INT_COMMON(NAME, OUT, A, B)                                                                       \
    DSQL_LOOP2(dsql_div_##NAME, OUT, A, B,                                                                     \
        if (__builtin_expect(y == 0, 0)) { bad |= DSQL_BAD_ZERO; r = 0; }                                      \
        else if (y == -1) { bad |= __builtin_sub_overflow((OUT)0, (OUT)x, &r); }                               \
        else r = (OUT)(x / y))                                                                                 \
    DSQL_LOOP2(dsql_mod_##NAME, OUT, A, B,                                                                     \
        if (__builtin_expect(y == 0, 0)) { bad |= DSQL_BAD_ZERO; r = 0; }                                      \
        else if (y == -1) r = 0;                                                                               \
        else r = (OUT)(x % y))                                                                                 \
    DSQL_LOOP2(dsql_and_##NAME, OUT, A, B, r = (OUT)(x & y))                                                   \
    DSQL_LOOP2(dsql_or_##NAME, OUT, A, B, r = (OUT)(x | y))                                                    \
    DSQL_LOOP2(dsql_xor_##NAME, OUT, A, B, r = (OUT)(x ^ y))

#define DSQL_INT_NARROW(NAME, OUT, A, B)                                                                       \
    DSQL_LOOP2(dsql_add_##NAME, OUT, A, B, DSQL_NARROW(OUT, (int64_t)x + (int64_t)y))                          \
    DSQL_LOOP2(dsql_sub_##NAME, OUT, A, B, DSQL_NARROW(OUT, (int64_t)x - (int64_t)y))                          \
    DSQL_LOOP2(dsql_mul_##NAME, OUT, A, B, DSQL_NARROW(OUT, (int64_t)x * (int64_t)y))                          \
    DSQL_INT_COMMON(NAME, OUT, A, B)

/* Sign tricks instead of the overflow flag: they vectorise. */
#define DSQL_INT_WIDE(NAME, OUT, A, B)                                                                         \
    DSQL_LOOP2(dsql_add_##NAME, OUT, A, B,                                                                     \
        uint64_t u = (uint64_t)(int64_t)x; uint64_t v = (uint64_t)(int64_t)y; uint64_t w = u + v;              \
        r = (int64_t)w; bad |= (int)(((u ^ w) & (v ^ w)) >> 63))                                               \
    DSQL_LOOP2(dsql_sub_##NAME, OUT, A, B,                                                                     \
        uint64_t u = (uint64_t)(int64_t)x; uint64_t v = (uint64_t)(int64_t)y; uint64_t w = u - v;              \
        r = (int64_t)w; bad |= (int)(((u ^ v) & (u ^ w)) >> 63))                                               \
    DSQL_LOOP2(dsql_mul_##NAME, OUT, A, B, bad |= __builtin_mul_overflow((int64_t)x, (int64_t)y, &r))          \
    DSQL_INT_COMMON(NAME, OUT, A, B)

#define DSQL_FLOAT_ARITHMETIC(NAME, OUT, A, B)                                                                 \
    DSQL_LOOP2(dsql_add_##NAME, OUT, A, B, r = (OUT)((OUT)x + (OUT)y); bad |= (r - r != 0) << 2)               \
    DSQL_LOOP2(dsql_sub_##NAME, OUT, A, B, r = (OUT)((OUT)x - (OUT)y); bad |= (r - r != 0) << 2)               \
    DSQL_LOOP2(dsql_mul_##NAME, OUT, A, B, r = (OUT)((OUT)x * (OUT)y); bad |= ((r - r != 0) | (r == 0)) << 2)  \
    DSQL_LOOP2(dsql_div_##NAME, OUT, A, B, r = (OUT)((OUT)x / (OUT)y);                                         \
        bad |= (((r - r != 0) | (r == 0)) << 2) | ((y == 0) << 1))

DSQL_INT_NARROW(22, int16_t, int16_t, int16_t)
DSQL_INT_NARROW(24, int32_t, int16_t, int32_t)
DSQL_INT_NARROW(42, int32_t, int32_t, int16_t)
DSQL_INT_NARROW(44, int32_t, int32_t, int32_t)
DSQL_INT_WIDE(28, int64_t, int16_t, int64_t)
DSQL_INT_WIDE(82, int64_t, int64_t, int16_t)
DSQL_INT_WIDE(48, int64_t, int32_t, int64_t)
DSQL_INT_WIDE(84, int64_t, int64_t, int32_t)
DSQL_INT_WIDE(88, int64_t, int64_t, int64_t)
DSQL_FLOAT_ARITHMETIC(f44, float, float, float)
DSQL_FLOAT_ARITHMETIC(f48, double, float, double)
DSQL_FLOAT_ARITHMETIC(f84, double, double, float)
DSQL_FLOAT_ARITHMETIC(f88, double, double, double)

DSQL_LOOP2(dsql_shl_2, int16_t, int16_t, int32_t, r = (int16_t)((uint32_t)(int32_t)x << (y & 31)))
DSQL_LOOP2(dsql_shl_4, int32_t, int32_t, int32_t, r = (int32_t)((uint32_t)x << (y & 31)))
DSQL_LOOP2(dsql_shl_8, int64_t, int64_t, int32_t, r = (int64_t)((uint64_t)x << (y & 63)))
DSQL_LOOP2(dsql_shr_2, int16_t, int16_t, int32_t, r = (int16_t)((int32_t)x >> (y & 31)))
DSQL_LOOP2(dsql_shr_4, int32_t, int32_t, int32_t, r = x >> (y & 31))
DSQL_LOOP2(dsql_shr_8, int64_t, int64_t, int32_t, r = x >> (y & 63))

#define DSQL_INT_ROW(NAME) {dsql_add_##NAME, dsql_sub_##NAME, dsql_mul_##NAME, dsql_div_##NAME, dsql_mod_##NAME, \
                            dsql_and_##NAME, dsql_or_##NAME, dsql_xor_##NAME}
#define DSQL_FLOAT_ROW(NAME) {dsql_add_##NAME, dsql_sub_##NAME, dsql_mul_##NAME, dsql_div_##NAME}

static const dsql_loop2_t dsql_arithmetic_table[DSQL_PHYS_COUNT][DSQL_PHYS_COUNT][DSQL_ARITHMETIC_COUNT] = {
    [DSQL_PHYS_I16][DSQL_PHYS_I16] = DSQL_INT_ROW(22),
    [DSQL_PHYS_I16][DSQL_PHYS_I32] = DSQL_INT_ROW(24),
    [DSQL_PHYS_I16][DSQL_PHYS_I64] = DSQL_INT_ROW(28),
    [DSQL_PHYS_I32][DSQL_PHYS_I16] = DSQL_INT_ROW(42),
    [DSQL_PHYS_I32][DSQL_PHYS_I32] = DSQL_INT_ROW(44),
    [DSQL_PHYS_I32][DSQL_PHYS_I64] = DSQL_INT_ROW(48),
    [DSQL_PHYS_I64][DSQL_PHYS_I16] = DSQL_INT_ROW(82),
    [DSQL_PHYS_I64][DSQL_PHYS_I32] = DSQL_INT_ROW(84),
    [DSQL_PHYS_I64][DSQL_PHYS_I64] = DSQL_INT_ROW(88),
    [DSQL_PHYS_F32][DSQL_PHYS_F32] = DSQL_FLOAT_ROW(f44),
    [DSQL_PHYS_F32][DSQL_PHYS_F64] = DSQL_FLOAT_ROW(f48),
    [DSQL_PHYS_F64][DSQL_PHYS_F32] = DSQL_FLOAT_ROW(f84),
    [DSQL_PHYS_F64][DSQL_PHYS_F64] = DSQL_FLOAT_ROW(f88),
};

static const dsql_loop2_t dsql_shift_table[2][DSQL_PHYS_COUNT] = {
    {[DSQL_PHYS_I16] = dsql_shl_2, [DSQL_PHYS_I32] = dsql_shl_4, [DSQL_PHYS_I64] = dsql_shl_8},
    {[DSQL_PHYS_I16] = dsql_shr_2, [DSQL_PHYS_I32] = dsql_shr_4, [DSQL_PHYS_I64] = dsql_shr_8},
};

/* The loop for these classes, NULL when there is none. */
static inline dsql_loop2_t dsql_arithmetic_loop(int op, int phys_a, int phys_b) {
    if (phys_a >= DSQL_PHYS_COUNT || phys_b >= DSQL_PHYS_COUNT) return NULL;
    return dsql_arithmetic_table[phys_a][phys_b][op];
}
static inline dsql_loop2_t dsql_shift_loop(int right, int phys) {
    return phys < DSQL_PHYS_COUNT ? dsql_shift_table[right][phys] : NULL;
}
#endif
