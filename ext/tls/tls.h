/* TLS by the libssl that is there at run time: no OpenSSL header at build time, no second copy in the wheel, no GIL.
 *
 * dsql_tls_load fills the table once, before any thread uses it: from the libssl this process already holds (Python's own
 * `ssl` module), else from the loader's path; OpenSSL 3 before 1.1.1. The library stays for the process's life.
 *
 *   context   one per server: certificate, key, TLS 1.2 and 1.3, no renegotiation, no compression, no tickets, no cache
 *   session   one per connection, over a non-blocking socket; whoever makes it frees it; the socket stays the caller's
 *
 * A session's calls answer like recv and send, with a word for each thing to wait for:
 *   > 0 bytes   0 the peer has said all   DSQL_TLS_READ / DSQL_TLS_WRITE wait for the socket   DSQL_TLS_FAILED it is over
 * A write that must wait is repeated with at least the same bytes, from wherever they lie by then. */
#ifndef DSQL_TLS_H
#define DSQL_TLS_H
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

enum { DSQL_TLS_READ = -1, DSQL_TLS_WRITE = -2, DSQL_TLS_FAILED = -3 };

#define DSQL_TLS_CALLS(X)                                                                                                    \
    X(const void *, TLS_server_method, (void))                                                                               \
    X(void *, SSL_CTX_new, (const void *method))                                                                             \
    X(void, SSL_CTX_free, (void *context))                                                                                   \
    X(long, SSL_CTX_ctrl, (void *context, int command, long number, void *pointer))                                          \
    X(unsigned long, SSL_CTX_set_options, (void *context, unsigned long options))                                            \
    X(int, SSL_CTX_set_num_tickets, (void *context, size_t count))                                                           \
    X(int, SSL_CTX_set_ciphersuites, (void *context, const char *names))                                                     \
    X(void, SSL_CTX_set_default_passwd_cb, (void *context, int (*ask)(char *, int, int, void *)))                            \
    X(int, SSL_CTX_use_certificate_chain_file, (void *context, const char *path))                                            \
    X(int, SSL_CTX_use_PrivateKey_file, (void *context, const char *path, int type))                                         \
    X(int, SSL_CTX_check_private_key, (const void *context))                                                                 \
    X(void, SSL_CTX_set_alpn_select_cb, (void *context, dsql_tls_select_t *select, void *argument))                          \
    X(void *, SSL_new, (void *context))                                                                                      \
    X(void, SSL_free, (void *session))                                                                                       \
    X(int, SSL_set_fd, (void *session, int fd))                                                                              \
    X(void, SSL_set_accept_state, (void *session))                                                                           \
    X(int, SSL_do_handshake, (void *session))                                                                                \
    X(int, SSL_read, (void *session, void *buffer, int size))                                                                \
    X(int, SSL_write, (void *session, const void *buffer, int size))                                                         \
    X(int, SSL_shutdown, (void *session))                                                                                    \
    X(int, SSL_get_error, (const void *session, int result))                                                                 \
    X(const char *, SSL_get_servername, (const void *session, int type))                                                     \
    X(void, SSL_get0_alpn_selected, (const void *session, const unsigned char **name, unsigned int *size))                   \
    X(void, ERR_clear_error, (void))                                                                                         \
    X(unsigned long, ERR_peek_error, (void))                                                                                 \
    X(void, ERR_error_string_n, (unsigned long error, char *text, size_t size))

typedef int dsql_tls_select_t(void *session, const unsigned char **chosen, unsigned char *chosen_size, const unsigned char *offer,
                              unsigned int size, void *argument);

typedef struct dsql_tls_s {
#define X(result, name, arguments) result(*name) arguments;
    DSQL_TLS_CALLS(X)
#undef X
} dsql_tls_t;

/* 0, or -1 when there is no libssl or it is too old. */
static inline int dsql_tls_load(dsql_tls_t *tls) {
    static const char *const names[] = {"libssl.so.3", "libssl.so.1.1"};
    static const char *const symbols[] = {
#define X(result, name, arguments) #name,
        DSQL_TLS_CALLS(X)
#undef X
    };
    enum { COUNT = sizeof symbols / sizeof symbols[0] };
    for (int held = 1; held >= 0; held--)
        for (int i = 0; i < 2; i++) {
            void *library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL | (held ? RTLD_NOLOAD : 0));
            int found = 0;
            if (library == NULL) continue;
            for (; found < COUNT; found++) {
                void *symbol = dlsym(library, symbols[found]);
                if (symbol == NULL) break;
                memcpy((char *)tls + (size_t)found * sizeof symbol, &symbol, sizeof symbol);
            }
            if (found == COUNT) return 0;
        }
    return -1;
}

/* Protocol `postgresql` (PostgreSQL 17's name); an offer without it ends the handshake (no_application_protocol). */
static inline int dsql_tls_select(void *session, const unsigned char **chosen, unsigned char *chosen_size,
                                  const unsigned char *offer, unsigned int size, void *argument) {
    unsigned int at = 0;
    (void)session, (void)argument;
    while (at < size && offer[at] <= size - at - 1) {
        if (offer[at] == 10 && memcmp(offer + at + 1, "postgresql", 10) == 0) {
            *chosen = offer + at + 1;
            *chosen_size = 10;
            return 0; /* SSL_TLSEXT_ERR_OK */
        }
        at += offer[at] + 1u;
    }
    return 2; /* SSL_TLSEXT_ERR_ALERT_FATAL */
}

/* A key under a passphrase is an error, not a question on the terminal. */
static inline int dsql_tls_no_passphrase(char *text, int size, int writing, void *argument) {
    (void)text, (void)size, (void)writing, (void)argument;
    return 0;
}

/* A server's context, or NULL with the reason in `why`. The files are PEM; the first may hold a chain, leaf first. */
static inline void *dsql_tls_context(const dsql_tls_t *tls, const char *certificate, const char *key, char *why, size_t size) {
    enum { MODE = 33, READ_AHEAD = 41, CACHE = 44, MIN_VERSION = 123, TLS_1_2 = 0x0303, PEM = 1 };
    enum { PARTIAL_WRITE = 1, MOVING_BUFFER = 2, RELEASE_BUFFERS = 16 };
    const unsigned long options = 1ul << 7 /* a peer may end without saying so */ | 1ul << 14 /* no tickets */ |
                                  1ul << 17 /* no compression */ | 1ul << 22 /* our cipher order */ | 1ul << 30 /* no renegotiation */;
    void *context;
    tls->ERR_clear_error();
    context = tls->SSL_CTX_new(tls->TLS_server_method());
    if (context != NULL) tls->SSL_CTX_set_default_passwd_cb(context, dsql_tls_no_passphrase);
    if (context != NULL && tls->SSL_CTX_ctrl(context, MIN_VERSION, TLS_1_2, NULL) == 1 &&
        tls->SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256") == 1 &&
        tls->SSL_CTX_use_certificate_chain_file(context, certificate) == 1 &&
        tls->SSL_CTX_use_PrivateKey_file(context, key, PEM) == 1 && tls->SSL_CTX_check_private_key(context) == 1) {
        tls->SSL_CTX_set_options(context, options);
        tls->SSL_CTX_ctrl(context, MODE, PARTIAL_WRITE | MOVING_BUFFER | RELEASE_BUFFERS, NULL);
        tls->SSL_CTX_ctrl(context, READ_AHEAD, 1, NULL);
        tls->SSL_CTX_ctrl(context, CACHE, 0, NULL);
        tls->SSL_CTX_set_num_tickets(context, 0);
        tls->SSL_CTX_set_alpn_select_cb(context, dsql_tls_select, NULL);
        return context;
    }
    tls->ERR_error_string_n(tls->ERR_peek_error(), why, size);
    if (context != NULL) tls->SSL_CTX_free(context);
    tls->ERR_clear_error();
    return NULL;
}

static inline void dsql_tls_context_free(const dsql_tls_t *tls, void *context) { tls->SSL_CTX_free(context); }

/* A session that expects a ClientHello on the socket, or NULL when there is no memory. */
static inline void *dsql_tls_session(const dsql_tls_t *tls, void *context, int fd) {
    void *session;
    tls->ERR_clear_error();
    session = tls->SSL_new(context);
    if (session == NULL) return NULL;
    if (tls->SSL_set_fd(session, fd) != 1) {
        tls->SSL_free(session);
        return NULL;
    }
    tls->SSL_set_accept_state(session);
    return session;
}

static inline ssize_t dsql_tls_outcome(const dsql_tls_t *tls, void *session, int result) {
    switch (tls->SSL_get_error(session, result)) {
    case 2: return DSQL_TLS_READ;
    case 3: return DSQL_TLS_WRITE;
    case 6: return 0;                                                   /* close_notify */
    case 5: return result == 0 ? 0 : DSQL_TLS_FAILED;                   /* OpenSSL 1.1: the peer ended without it */
    default: return DSQL_TLS_FAILED;
    }
}

/* > 0 = done. */
static inline ssize_t dsql_tls_handshake(const dsql_tls_t *tls, void *session) {
    int result;
    tls->ERR_clear_error();
    result = tls->SSL_do_handshake(session);
    return result == 1 ? 1 : dsql_tls_outcome(tls, session, result);
}

static inline ssize_t dsql_tls_read(const dsql_tls_t *tls, void *session, void *buffer, size_t size) {
    int result;
    tls->ERR_clear_error();
    result = tls->SSL_read(session, buffer, size > INT32_MAX ? INT32_MAX : (int)size);
    return result > 0 ? result : dsql_tls_outcome(tls, session, result);
}

static inline ssize_t dsql_tls_write(const dsql_tls_t *tls, void *session, const void *buffer, size_t size) {
    int result;
    tls->ERR_clear_error();
    result = tls->SSL_write(session, buffer, size > INT32_MAX ? INT32_MAX : (int)size);
    return result > 0 ? result : dsql_tls_outcome(tls, session, result);
}

/* Says goodbye when the socket takes it at once and nothing has failed, and frees the session. */
static inline void dsql_tls_end(const dsql_tls_t *tls, void *session, int say_goodbye) {
    tls->ERR_clear_error();
    if (say_goodbye) tls->SSL_shutdown(session);
    tls->SSL_free(session);
    tls->ERR_clear_error();
}

/* The host name the client asked for (SNI), or NULL; lives as long as the session. */
static inline const char *dsql_tls_host(const dsql_tls_t *tls, const void *session) { return tls->SSL_get_servername(session, 0); }

static inline int dsql_tls_has_protocol(const dsql_tls_t *tls, const void *session) {
    const unsigned char *name = NULL;
    unsigned int size = 0;
    tls->SSL_get0_alpn_selected(session, &name, &size);
    return size != 0;
}
#endif
