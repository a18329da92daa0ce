/* The innermost loops of kernels with two arguments, one template for all.
 *
 * DSQL_LOOP2 makes a function that computes r from x and y for every selected row. Four shapes, so that the compiler
 * vectorises the first two: dense with dense, dense with a constant right side, dense with a constant left side, and
 * the general one (selection vector, any strides). Strides are 0 (constant) or 1. The result of the function is the
 * OR of the flags the body put into `bad`; the caller turns them into an error after the loop. */
#ifndef DSQL_KERNEL_LOOPS_H
#define DSQL_KERNEL_LOOPS_H
#include <stddef.h>
#include <stdint.h>

typedef int (*dsql_loop2_t)(void *out, const void *a, uint32_t sa, const void *b, uint32_t sb,
                            const uint32_t *sel, uint32_t count);

/* Numbers of PHYS_* in dsql_core/base/vector.pxd. */
enum { DSQL_PHYS_BOOL = 1, DSQL_PHYS_I16, DSQL_PHYS_I32, DSQL_PHYS_I64, DSQL_PHYS_F32, DSQL_PHYS_F64, DSQL_PHYS_COUNT };

enum { DSQL_BAD_RANGE = 1, DSQL_BAD_ZERO = 2, DSQL_BAD_FLOAT = 4 };

#define DSQL_LOOP2(NAME, OUT, A, B, ...)                                                                       \
    __attribute__((optimize("O3")))                                                                            \
    static int NAME(void *out_, const void *a_, uint32_t sa, const void *b_, uint32_t sb,                      \
                    const uint32_t *sel, uint32_t count) {                                                     \
        OUT *restrict out = (OUT *)out_;                                                                       \
        const A *a = (const A *)a_;                                                                            \
        const B *b = (const B *)b_;                                                                            \
        int bad = 0;                                                                                           \
        if (count == 0) return 0;                                                                              \
        if (sel == NULL && sa && sb) {                                                                         \
            for (uint32_t i = 0; i < count; i++) { const A x = a[i]; const B y = b[i]; OUT r; __VA_ARGS__; out[i] = r; } \
        } else if (sel == NULL && sa) {                                                                        \
            const B y = b[0];                                                                                  \
            for (uint32_t i = 0; i < count; i++) { const A x = a[i]; OUT r; __VA_ARGS__; out[i] = r; }         \
        } else if (sel == NULL && sb) {                                                                        \
            const A x = a[0];                                                                                  \
            for (uint32_t i = 0; i < count; i++) { const B y = b[i]; OUT r; __VA_ARGS__; out[i] = r; }         \
        } else {                                                                                               \
            for (uint32_t k = 0; k < count; k++) {                                                             \
                const uint32_t i = sel ? sel[k] : k;                                                           \
                const A x = a[(size_t)i * sa]; const B y = b[(size_t)i * sb];                                  \
                OUT r; __VA_ARGS__; out[i] = r;                                                                \
            }                                                                                                  \
        }                                                                                                      \
        return bad;                                                                                            \
    }
#endif
