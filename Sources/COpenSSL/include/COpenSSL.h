// What Swift cannot import of OpenSSL by itself: macros, and the few calls that want a C callback.
#ifndef MARTLET_COPENSSL_H
#define MARTLET_COPENSSL_H

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <string.h>

// MARK: - Contexts

static inline int copenssl_set_min_version(SSL_CTX *ctx, int version) {
    return (int)SSL_CTX_set_min_proto_version(ctx, version);
}

static inline int copenssl_set_max_version(SSL_CTX *ctx, int version) {
    return (int)SSL_CTX_set_max_proto_version(ctx, version);
}

static inline void copenssl_set_modes(SSL_CTX *ctx) {
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    // One read() for a whole record, header and body, instead of two.
    SSL_CTX_set_read_ahead(ctx, 1);
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
}

static inline void copenssl_release_buffers(SSL_CTX *ctx) { SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS); }

static inline void copenssl_client_session_cache(SSL_CTX *ctx) {
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
}

static inline int copenssl_add_chain_certificate(SSL_CTX *ctx, X509 *certificate) {
    return (int)SSL_CTX_add1_chain_cert(ctx, certificate);
}

static inline int copenssl_set_server_name(SSL *ssl, const char *name) {
    return (int)SSL_set_tlsext_host_name(ssl, name);
}

static inline int copenssl_last_error_is_unexpected_eof(unsigned long code) {
#ifdef SSL_R_UNEXPECTED_EOF_WHILE_READING
    return ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
#else
    return 0;
#endif
}

/// Clearing costs a quarter of a microsecond, and there is hardly ever anything to clear.
static inline void copenssl_forget_errors(void) {
    if (ERR_peek_error() != 0) { ERR_clear_error(); }
}

/// OpenSSL would tear itself down while the process exits, under threads that are still at work in it.
static inline int copenssl_keep_at_exit(void) { return OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL); }

static inline int copenssl_error_reason(unsigned long code) { return ERR_GET_REASON(code); }
static inline int copenssl_is_system_error(unsigned long code) { return ERR_SYSTEM_ERROR(code) ? 1 : 0; }
static inline int copenssl_error_library(unsigned long code) { return ERR_GET_LIB(code); }

/// The server's choice: the first of its own protocols that the client offers too. `ours` is in wire form
/// (length-prefixed names) with a leading 32-bit total in host order, and outlives the context.
static inline int copenssl_choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *outlen,
                                       const unsigned char *in, unsigned int inlen, void *ours) {
    (void)ssl;
    unsigned int total;
    memcpy(&total, ours, sizeof total);
    unsigned char *chosen = NULL;
    if (SSL_select_next_proto(&chosen, outlen, (const unsigned char *)ours + sizeof total, total, in, inlen)
        != OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static inline void copenssl_set_alpn_choice(SSL_CTX *ctx, void *ours) {
    SSL_CTX_set_alpn_select_cb(ctx, copenssl_choose_alpn, ours);
}

// MARK: - Keys

typedef struct {
    const unsigned char *passphrase;
    int length;
    int asked;
} copenssl_passphrase;

static inline int copenssl_give_passphrase(char *buffer, int size, int writing, void *context) {
    (void)writing;
    copenssl_passphrase *given = (copenssl_passphrase *)context;
    given->asked = 1;
    if (given->passphrase == NULL || given->length > size) { return -1; }
    memcpy(buffer, given->passphrase, (size_t)given->length);
    return given->length;
}

/// These never prompt: OpenSSL's default callback would read the terminal, even for a public key that says it
/// is encrypted.
static inline EVP_PKEY *copenssl_read_private_key(BIO *bio, copenssl_passphrase *passphrase) {
    return PEM_read_bio_PrivateKey(bio, NULL, copenssl_give_passphrase, passphrase);
}

/// Unencrypted PKCS#8; NULL for anything else, and for bytes behind its end.
static inline EVP_PKEY *copenssl_decode_pkcs8(const unsigned char *der, long count) {
    const unsigned char *next = der;
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &next, count);
    EVP_PKEY *key = info != NULL && next == der + count ? EVP_PKCS82PKEY(info) : NULL;
    PKCS8_PRIV_KEY_INFO_free(info);
    return key;
}

/// A key in its algorithm's own older form: PKCS#1 for RSA, SEC 1 for elliptic curves.
static inline EVP_PKEY *copenssl_decode_private_key(int type, const unsigned char *der, long count) {
    return d2i_PrivateKey(type, NULL, &der, count);
}

static inline EVP_PKEY *copenssl_decode_public_key(const unsigned char *der, long count) {
    return d2i_PUBKEY(NULL, &der, count);
}

static inline X509 *copenssl_read_certificate(BIO *bio) {
    copenssl_passphrase none = {NULL, 0, 0};
    return PEM_read_bio_X509(bio, NULL, copenssl_give_passphrase, &none);
}

static inline int copenssl_pss(EVP_PKEY_CTX *ctx, int salt) {
    if (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) <= 0) { return 0; }
    if (EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) <= 0) { return 0; }
    return EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, salt) > 0;
}

static inline EVP_PKEY *copenssl_generate_rsa(unsigned int bits) { return EVP_RSA_gen(bits); }
static inline EVP_PKEY *copenssl_generate_p256(void) { return EVP_EC_gen("P-256"); }
static inline EVP_PKEY *copenssl_generate_ed25519(void) { return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"); }

static inline long copenssl_bio_bytes(BIO *bio, char **out) { return BIO_get_mem_data(bio, out); }

// MARK: - Certificates

static inline int copenssl_add_extension(X509 *certificate, X509 *issuer, int nid, const char *value) {
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    if (extension == NULL) { return 0; }
    int added = X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    return added;
}

#endif
