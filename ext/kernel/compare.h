/* Comparison loops of the fixed-width numbers, and the table they are found in by operator and physical classes.
 *
 * Order is PostgreSQL's: NaN equals NaN and is greater than everything else. */
#ifndef DSQL_KERNEL_COMPARE_H
#define DSQL_KERNEL_COMPARE_H
#include "kernel/loops.h"

enum { DSQL_EQ = 0, DSQL_NE, DSQL_LT, DSQL_LE, DSQL_GT, DSQL_GE, DSQL_COMPARE_COUNT };

#define DSQL_F_EQ(x, y) (((x) == (y)) | (((x) != (x)) & ((y) != (y))))
#define DSQL_F_LT(x, y) (((x) < (y)) | (((y) != (y)) & ((x) == (x))))

#define DSQL_COMPARE_INT(NAME, A, B)                                   \
    DSQL_LOOP2(dsql_eq_##NAME, uint8_t, A, B, r = x == y)              \
    DSQL_LOOP2(dsql_ne_##NAME, uint8_t, A, B, r = x != y)              \
    DSQL_LOOP2(dsql_lt_##NAME, uint8_t, A, B, r = x < y)               \
    DSQL_LOOP2(dsql_le_##NAME, uint8_t, A, B, r = x <= y)              \
    DSQL_LOOP2(dsql_gt_##NAME, uint8_t, A, B, r = x > y)               \
    DSQL_LOOP2(dsql_ge_##NAME, uint8_t, A, B, r = x >= y)

#define DSQL_COMPARE_FLOAT(NAME, A, B)                                 \
    DSQL_LOOP2(dsql_eq_##NAME, uint8_t, A, B, r = DSQL_F_EQ(x, y))     \
    DSQL_LOOP2(dsql_ne_##NAME, uint8_t, A, B, r = !DSQL_F_EQ(x, y))    \
    DSQL_LOOP2(dsql_lt_##NAME, uint8_t, A, B, r = DSQL_F_LT(x, y))     \
    DSQL_LOOP2(dsql_le_##NAME, uint8_t, A, B, r = !DSQL_F_LT(y, x))    \
    DSQL_LOOP2(dsql_gt_##NAME, uint8_t, A, B, r = DSQL_F_LT(y, x))     \
    DSQL_LOOP2(dsql_ge_##NAME, uint8_t, A, B, r = !DSQL_F_LT(x, y))

DSQL_COMPARE_INT(bool, uint8_t, uint8_t)
DSQL_COMPARE_INT(22, int16_t, int16_t)
DSQL_COMPARE_INT(24, int16_t, int32_t)
DSQL_COMPARE_INT(28, int16_t, int64_t)
DSQL_COMPARE_INT(42, int32_t, int16_t)
DSQL_COMPARE_INT(44, int32_t, int32_t)
DSQL_COMPARE_INT(48, int32_t, int64_t)
DSQL_COMPARE_INT(82, int64_t, int16_t)
DSQL_COMPARE_INT(84, int64_t, int32_t)
DSQL_COMPARE_INT(88, int64_t, int64_t)
DSQL_COMPARE_FLOAT(f44, float, float)
DSQL_COMPARE_FLOAT(f48, float, double)
DSQL_COMPARE_FLOAT(f84, double, float)
DSQL_COMPARE_FLOAT(f88, double, double)

#define DSQL_COMPARE_ROW(NAME) \
    {dsql_eq_##NAME, dsql_ne_##NAME, dsql_lt_##NAME, dsql_le_##NAME, dsql_gt_##NAME, dsql_ge_##NAME}

static const dsql_loop2_t dsql_compare_table[DSQL_PHYS_COUNT][DSQL_PHYS_COUNT][DSQL_COMPARE_COUNT] = {
    [DSQL_PHYS_BOOL][DSQL_PHYS_BOOL] = DSQL_COMPARE_ROW(bool),
    [DSQL_PHYS_I16][DSQL_PHYS_I16] = DSQL_COMPARE_ROW(22),
    [DSQL_PHYS_I16][DSQL_PHYS_I32] = DSQL_COMPARE_ROW(24),
    [DSQL_PHYS_I16][DSQL_PHYS_I64] = DSQL_COMPARE_ROW(28),
    [DSQL_PHYS_I32][DSQL_PHYS_I16] = DSQL_COMPARE_ROW(42),
    [DSQL_PHYS_I32][DSQL_PHYS_I32] = DSQL_COMPARE_ROW(44),
    [DSQL_PHYS_I32][DSQL_PHYS_I64] = DSQL_COMPARE_ROW(48),
    [DSQL_PHYS_I64][DSQL_PHYS_I16] = DSQL_COMPARE_ROW(82),
    [DSQL_PHYS_I64][DSQL_PHYS_I32] = DSQL_COMPARE_ROW(84),
    [DSQL_PHYS_I64][DSQL_PHYS_I64] = DSQL_COMPARE_ROW(88),
    [DSQL_PHYS_F32][DSQL_PHYS_F32] = DSQL_COMPARE_ROW(f44),
    [DSQL_PHYS_F32][DSQL_PHYS_F64] = DSQL_COMPARE_ROW(f48),
    [DSQL_PHYS_F64][DSQL_PHYS_F32] = DSQL_COMPARE_ROW(f84),
    [DSQL_PHYS_F64][DSQL_PHYS_F64] = DSQL_COMPARE_ROW(f88),
};

/* The loop for these classes, NULL when there is none. */
static inline dsql_loop2_t dsql_compare_loop(int op, int phys_a, int phys_b) {
    if (phys_a >= DSQL_PHYS_COUNT || phys_b >= DSQL_PHYS_COUNT) return NULL;
    return dsql_compare_table[phys_a][phys_b][op];
}
#endif
