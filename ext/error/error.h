/* The error slot: how compiled code without the GIL reports a failure to a client.
 *
 * One slot per session. The first error wins until the slot is cleared; texts are cut at their field's size.
 * position is 1-based in characters of the statement, 0 = none. */
#ifndef DSQL_ERROR_H
#define DSQL_ERROR_H
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef struct dsql_error_s {
    int32_t is_set;
    int32_t position;
    char sqlstate[8];
    char message[1024];
    char detail[1024];
    char hint[512];
    char context[512];
    char schema_name[64], table_name[64], column_name[64], constraint_name[64];
} dsql_error_t;

static inline void dsql_error_clear(dsql_error_t *e) {
    e->is_set = 0; e->position = 0; e->sqlstate[0] = 0; e->message[0] = 0; e->detail[0] = 0; e->hint[0] = 0;
    e->context[0] = 0;
    e->schema_name[0] = e->table_name[0] = e->column_name[0] = e->constraint_name[0] = 0;
}

__attribute__((format(printf, 3, 4)))
static inline void dsql_error_set(dsql_error_t *e, const char *sqlstate, const char *fmt, ...) {
    va_list ap;
    if (e == NULL || e->is_set) return;
    dsql_error_clear(e);
    e->is_set = 1;
    memcpy(e->sqlstate, sqlstate, 5); e->sqlstate[5] = 0;
    va_start(ap, fmt); vsnprintf(e->message, sizeof e->message, fmt, ap); va_end(ap);
}

__attribute__((format(printf, 2, 3)))
static inline void dsql_error_detail(dsql_error_t *e, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt); vsnprintf(e->detail, sizeof e->detail, fmt, ap); va_end(ap);
}
#endif
