/* Certificates and signed assertions; see dynamics_assertion.h. The only file that sees OpenSSL.
 * Must not know how a token is asked for. */
#include "remote/dynamics_assertion.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/clock.h"
#include "base/guid.h"
#include "base/mem.h"
#include "core/fingerprint.h"

enum {
	BLOCKS_MAX = 16, /* a key and a chain of certificates is much less */
	KEY_BITS_MIN = 2048,
	SALT_BYTES = 32,
	/* An assertion may hold for ten minutes. It begins early and ends late, so that a clock
	 * that is off by minutes does no harm. */
	BEGINS_BEFORE_S = 120,
	ENDS_AFTER_S = 480,
};

struct dynamics_certificate {
	EVP_PKEY *key;
	struct buf thumbprint; /* SHA-256 of the certificate, base64url */
	int64_t begin_s, end_s;
};

static enum err_kind refuse(struct err *err, const char *why)
{
	ERR_clear_error(); /* what OpenSSL keeps for this thread is said in our words */
	return err_set(err, ERR_CONFIG, "DYNAMICS_CLIENT_CERTIFICATE: %s", why);
}

static void add_base64url(struct buf *out, const void *bytes, size_t n)
{
	size_t size = (n + 2) / 3 * 4;
	char *text = mem_alloc(size + 1);

	(void)EVP_EncodeBlock((unsigned char *)text, bytes, (int)n);
	for (size_t i = 0; i < size && text[i] != '='; i++)
		buf_char(out, text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i]);
	free(text);
}

/* ---- reading ---- */

struct reading {
	EVP_PKEY *key;
	X509 *certificates[BLOCKS_MAX];
	size_t count;
};

static enum err_kind take_key(struct reading *r, const unsigned char *der, long n, struct err *err)
{
	if (r->key)
		return refuse(err, "there is more than one private key in it");
	r->key = d2i_AutoPrivateKey(NULL, &der, n);
	if (!r->key)
		return refuse(err, "its private key cannot be read");
	if (!EVP_PKEY_is_a(r->key, "RSA"))
		return refuse(err, "its private key is not of the kind RSA");
	if (EVP_PKEY_get_bits(r->key) < KEY_BITS_MIN)
		return refuse(err, "its private key has less than 2048 bits");
	return ERR_NONE;
}

static enum err_kind take_block(struct reading *r, const char *name, const char *header,
				const unsigned char *der, long n, struct err *err)
{
	if (strcmp(name, PEM_STRING_PKCS8) == 0 || strstr(header, "ENCRYPTED"))
		return refuse(err, "its private key is encrypted: give it without a password");
	if (strcmp(name, PEM_STRING_PKCS8INF) == 0 || strcmp(name, PEM_STRING_RSA) == 0 ||
	    strcmp(name, PEM_STRING_ECPRIVATEKEY) == 0)
		return take_key(r, der, n, err);
	if (strcmp(name, PEM_STRING_X509) != 0)
		return ERR_NONE;
	r->certificates[r->count] = d2i_X509(NULL, &der, n);
	if (!r->certificates[r->count])
		return refuse(err, "its certificate cannot be read");
	r->count++;
	return ERR_NONE;
}

static enum err_kind read_blocks(struct reading *r, const char *pem, struct err *err)
{
	BIO *in = BIO_new_mem_buf(pem, -1);
	enum err_kind kind = in ? ERR_NONE : refuse(err, "it cannot be read");

	for (size_t i = 0; kind == ERR_NONE; i++) {
		char *name = NULL, *header = NULL;
		unsigned char *der = NULL;
		long n = 0;

		if (PEM_read_bio(in, &name, &header, &der, &n) != 1) {
			if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
				kind = refuse(err, "it is not a text in PEM, or a damaged one");
			break;
		}
		kind = i < BLOCKS_MAX ? take_block(r, name, header, der, n, err)
				      : refuse(err, "there is more in it than a certificate");
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_clear_free(der, (size_t)n);
	}
	BIO_free(in);
	return kind;
}

static bool time_of(const ASN1_TIME *at, int64_t *ret_s)
{
	struct tm parts;

	if (ASN1_TIME_to_tm(at, &parts) != 1)
		return false;
	*ret_s = timegm(&parts);
	return true;
}

/* The key goes over to *ret. */
static enum err_kind choose(struct reading *r, struct dynamics_certificate *ret, struct err *err)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	X509 *own = NULL;

	if (!r->count)
		return refuse(err, "there is no certificate in it");
	if (!r->key)
		return refuse(err, "there is no private key in it");
	for (size_t i = 0; !own && i < r->count; i++)
		own = X509_check_private_key(r->certificates[i], r->key) == 1 ? r->certificates[i]
									      : NULL;
	if (!own)
		return refuse(err, "its private key does not belong to its certificate");
	if (X509_digest(own, EVP_sha256(), digest, &n) != 1 ||
	    !time_of(X509_get0_notBefore(own), &ret->begin_s) ||
	    !time_of(X509_get0_notAfter(own), &ret->end_s))
		return refuse(err, "its certificate cannot be read");
	add_base64url(&ret->thumbprint, digest, n);
	ret->key = r->key;
	r->key = NULL;
	return ERR_NONE;
}

struct dynamics_certificate *dynamics_certificate_read(const char *pem, struct err *err)
{
	struct dynamics_certificate *c = mem_alloc(sizeof(*c));
	struct reading r = { .count = 0 };
	enum err_kind kind = read_blocks(&r, pem, err);

	if (kind == ERR_NONE)
		kind = choose(&r, c, err);
	for (size_t i = 0; i < r.count; i++)
		X509_free(r.certificates[i]);
	EVP_PKEY_free(r.key);
	ERR_clear_error(); /* the end of the text is an error to OpenSSL, and so is a wrong try */
	if (kind == ERR_NONE)
		return c;
	dynamics_certificate_free(c);
	return NULL;
}

void dynamics_certificate_free(struct dynamics_certificate *c)
{
	if (!c)
		return;
	EVP_PKEY_free(c->key); /* OpenSSL overwrites the numbers of a private key */
	buf_release(&c->thumbprint);
	free(c);
}

/* ---- time ---- */

int64_t dynamics_certificate_end_s(const struct dynamics_certificate *c)
{
	return c->end_s;
}

enum err_kind dynamics_certificate_holds(const struct dynamics_certificate *c, int64_t now_s,
					 struct err *err)
{
	char at[CLOCK_TEXT];

	if (now_s >= c->end_s) {
		clock_print(c->end_s, at);
		return err_set(err, ERR_CONFIG,
			       "DYNAMICS_CLIENT_CERTIFICATE: it expired at %s: make a new one, add "
			       "it to the app registration and set it here",
			       at);
	}
	if (now_s < c->begin_s) {
		clock_print(c->begin_s, at);
		return err_set(err, ERR_CONFIG,
			       "DYNAMICS_CLIENT_CERTIFICATE: it holds from %s only: wait, or set "
			       "this machine's clock right",
			       at);
	}
	return ERR_NONE;
}

/* ---- signing ---- */

static void add_header(const struct dynamics_certificate *c, struct buf *out)
{
	CLEANUP(buf_release) struct buf json = { 0 };

	buf_fmt(&json, "{\"alg\":\"PS256\",\"typ\":\"JWT\",\"x5t#S256\":\"%s\"}",
		buf_cstr(&c->thumbprint));
	add_base64url(out, buf_cstr(&json), json.len);
}

static void add_claims(const char *audience, const char *client_id, int64_t now_s, struct buf *out)
{
	CLEANUP(buf_release) struct buf json = { 0 };
	struct guid number = fingerprint_random_guid();
	char id[GUID_TEXT];

	guid_print(&number, id);
	buf_text(&json, "{\"aud\":");
	buf_json(&json, str_of(audience));
	buf_text(&json, ",\"iss\":");
	buf_json(&json, str_of(client_id));
	buf_text(&json, ",\"sub\":");
	buf_json(&json, str_of(client_id));
	buf_fmt(&json, ",\"jti\":\"%s\",\"nbf\":%lld,\"iat\":%lld,\"exp\":%lld}", id,
		(long long)(now_s - BEGINS_BEFORE_S), (long long)(now_s - BEGINS_BEFORE_S),
		(long long)(now_s + ENDS_AFTER_S));
	add_base64url(out, buf_cstr(&json), json.len);
}

/* RSASSA-PSS with SHA-256 throughout and a salt as long as the digest (RFC 7518, 3.5). */
static bool add_signature(EVP_PKEY *key, struct str text, struct buf *out)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *how = NULL; /* part of context */
	size_t n = (size_t)EVP_PKEY_get_size(key);
	unsigned char *signature = mem_alloc(n);
	bool is_good =
		context && EVP_DigestSignInit(context, &how, EVP_sha256(), NULL, key) == 1 &&
		EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) == 1 &&
		EVP_PKEY_CTX_set_rsa_mgf1_md(how, EVP_sha256()) == 1 &&
		EVP_PKEY_CTX_set_rsa_pss_saltlen(how, SALT_BYTES) == 1 &&
		EVP_DigestSign(context, signature, &n, (const unsigned char *)text.p, text.n) == 1;

	if (is_good) {
		buf_char(out, '.');
		add_base64url(out, signature, n);
	}
	EVP_MD_CTX_free(context);
	free(signature);
	ERR_clear_error();
	return is_good;
}

enum err_kind dynamics_assertion_add(const struct dynamics_certificate *c, const char *audience,
				     const char *client_id, int64_t now_s, struct buf *out,
				     struct err *err)
{
	size_t start = out->len;

	add_header(c, out);
	buf_char(out, '.');
	add_claims(audience, client_id, now_s, out);
	if (!add_signature(c->key, (struct str){ out->data + start, out->len - start }, out))
		return err_set(err, ERR_OURS, "the assertion for the sign-in was not signed");
	return ERR_NONE;
}
