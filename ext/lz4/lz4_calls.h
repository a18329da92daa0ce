/* LZ4 block calls taken from a shared object that exports them (the `lz4` wheel's extension): no system header, no
 * second copy of the library, no GIL. dsql_lz4_load is called once, at import, before any thread uses the calls. */
#ifndef DSQL_LZ4_CALLS_H
#define DSQL_LZ4_CALLS_H
#include <dlfcn.h>
#include <stddef.h>

typedef struct dsql_lz4_s {
    int (*compress)(const char *src, char *dst, int src_size, int dst_capacity);
    int (*decompress)(const char *src, char *dst, int src_size, int dst_capacity);
    int (*bound)(int size);
} dsql_lz4_t;

/* 0, or -1 when the object or one of its symbols is missing. The object stays loaded for the process's life. */
static inline int dsql_lz4_load(dsql_lz4_t *calls, const char *path) {
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (object == NULL) return -1;
    *(void **)&calls->compress = dlsym(object, "LZ4_compress_default");
    *(void **)&calls->decompress = dlsym(object, "LZ4_decompress_safe");
    *(void **)&calls->bound = dlsym(object, "LZ4_compressBound");
    return calls->compress && calls->decompress && calls->bound ? 0 : -1;
}
#endif
