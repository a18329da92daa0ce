/* CRC32C (Castagnoli, reflected polynomial 0x82f63b78): the checksum of pages, metas and journal frames.
 *
 * dsql_crc32c(crc, p, n) continues a running checksum; start with 0. The value is the finished one (inverted at both
 * ends), so crc(a ++ b) == dsql_crc32c(dsql_crc32c(0, a), b). "123456789" gives 0xe3069283.
 *
 * x86-64 with SSE4.2 uses the instruction, everything else a table built at first use. The choice is made per call:
 * one load of a word the compiler keeps for us. No allocation, no locks; two threads that build the table at the same
 * time write the same bytes. */
#ifndef DSQL_CRC32C_H
#define DSQL_CRC32C_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static uint32_t dsql_crc32c_table[8][256];
static volatile int dsql_crc32c_table_ready;

static inline void dsql_crc32c_build(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++) c = (c & 1) ? (c >> 1) ^ 0x82f63b78u : c >> 1;
        dsql_crc32c_table[0][i] = c;
    }
    for (int t = 1; t < 8; t++)
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t before = dsql_crc32c_table[t - 1][i];
            dsql_crc32c_table[t][i] = (before >> 8) ^ dsql_crc32c_table[0][before & 0xff];
        }
    __atomic_store_n(&dsql_crc32c_table_ready, 1, __ATOMIC_RELEASE);
}

/* The portable form, eight bytes a step. Always compiled: the tests compare it with the instruction. */
static inline uint32_t dsql_crc32c_portable(uint32_t crc, const void *data, size_t size) {
    const uint8_t *p = (const uint8_t *)data;
    if (!__atomic_load_n(&dsql_crc32c_table_ready, __ATOMIC_ACQUIRE)) dsql_crc32c_build();
    crc = ~crc;
    while (size >= 8) {
        uint32_t lo = crc ^ ((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24);
        crc = dsql_crc32c_table[7][lo & 0xff] ^ dsql_crc32c_table[6][(lo >> 8) & 0xff]
            ^ dsql_crc32c_table[5][(lo >> 16) & 0xff] ^ dsql_crc32c_table[4][lo >> 24]
            ^ dsql_crc32c_table[3][p[4]] ^ dsql_crc32c_table[2][p[5]]
            ^ dsql_crc32c_table[1][p[6]] ^ dsql_crc32c_table[0][p[7]];
        p += 8; size -= 8;
    }
    while (size--) crc = (crc >> 8) ^ dsql_crc32c_table[0][(crc ^ *p++) & 0xff];
    return ~crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2")))
static inline uint32_t dsql_crc32c_sse42(uint32_t crc, const void *data, size_t size) {
    const uint8_t *p = (const uint8_t *)data;
    uint64_t c = (uint32_t)~crc;
    while (size >= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        c = __builtin_ia32_crc32di(c, word);
        p += 8; size -= 8;
    }
    while (size--) c = __builtin_ia32_crc32qi((uint32_t)c, *p++);
    return ~(uint32_t)c;
}
#endif

static inline uint32_t dsql_crc32c(uint32_t crc, const void *data, size_t size) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) return dsql_crc32c_sse42(crc, data, size);
#endif
    return dsql_crc32c_portable(crc, data, size);
}
#endif
