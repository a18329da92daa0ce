/* Aborting checks. DSQL_CHECK is always on; DSQL_DEBUG_CHECK only in checks builds.
 * A broken invariant stops the process: continuing could acknowledge what is not durable. */
#ifndef DSQL_CHECK_H
#define DSQL_CHECK_H
#include <stdio.h>
#include <stdlib.h>

static inline void dsql_check_failed(const char *what, const char *file, int line) {
    fprintf(stderr, "%s:%d: broken invariant: %s\n", file, line, what);
    fflush(stderr);
    abort();
}
#define DSQL_CHECK(cond) do { if (__builtin_expect(!(cond), 0)) dsql_check_failed(#cond, __FILE__, __LINE__); } while (0)
#ifdef DSQL_DEBUG
#define DSQL_DEBUG_CHECK(cond) DSQL_CHECK(cond)
#else
#define DSQL_DEBUG_CHECK(cond) ((void)0)
#endif
/* Function form for Cython: dsql_check(cond, "I3: slots sorted"). */
static inline void dsql_check(int cond, const char *what) {
    if (__builtin_expect(!cond, 0)) dsql_check_failed(what, "dsql_core", 0);
}
#endif
