/* Certificates and signed assertions. */
#include "dataverse/certificate.h"

#include <json-c/json.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "dataverse/base64.h"
#include "dataverse/text.h"

#define CLOCK_SKEW 300 /* seconds the two clocks may differ: a choice of the sandbox */
#define PSS_SALT 32

enum { MALFORMED = 50027, NOT_THE_CLIENT = 700021, WRONG_AUDIENCE = 700023 };
enum { OUTSIDE_VALIDITY = 700024, BAD_SIGNATURE = 700027 };

struct certificate {
	int user;
	X509 *x509;
	struct text sha1, sha256; /* thumbprints, as an assertion names them */
};

/* --- certificates --- */

static void thumbprint(const X509 *x509, const EVP_MD *digest, struct text *ret)
{
	unsigned char bytes[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	if (!X509_digest(x509, digest, bytes, &len))
		abort();
	base64url_encode(ret, (const char *)bytes, len);
}

static bool is_rsa(const X509 *x509)
{
	EVP_PKEY *key = X509_get0_pubkey(x509);

	return key && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA;
}

/* Takes the certificate. */
static void add(struct certificates *all, int user, X509 *x509)
{
	struct certificate made = { .user = user, .x509 = x509 };

	thumbprint(x509, EVP_sha1(), &made.sha1);
	thumbprint(x509, EVP_sha256(), &made.sha256);
	all->items = realloc(all->items, (all->count + 1) * sizeof(*all->items));
	if (!all->items)
		abort();
	all->items[all->count++] = made;
}

static bool has(const struct certificates *all, int user, const X509 *x509)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->items[i].user == user && X509_cmp(all->items[i].x509, x509) == 0)
			return true;
	return false;
}

bool certificate_add(struct certificates *all, int user, const char *pem, struct text *error)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *x509 = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

	BIO_free(bio);
	if (!x509 || !is_rsa(x509)) {
		text_puts(error, x509 ? "the key of the certificate is not of the kind RSA"
				      : "pem is not a certificate in PEM");
		X509_free(x509);
		return false;
	}
	if (has(all, user, x509))
		X509_free(x509);
	else
		add(all, user, x509);
	return true;
}

void certificates_free(struct certificates *all)
{
	for (size_t i = 0; i < all->count; i++) {
		X509_free(all->items[i].x509);
		text_free(&all->items[i].sha1);
		text_free(&all->items[i].sha256);
	}
	free(all->items);
	*all = (struct certificates){ 0 };
}

void certificates_json(const struct certificates *all, int user, struct text *out)
{
	bool first = true;

	text_puts(out, "[");
	for (size_t i = 0; i < all->count; i++) {
		if (all->items[i].user != user)
			continue;
		text_printf(out, "%s{\"x5t\":\"%s\",\"x5t#S256\":\"%s\"}", first ? "" : ",",
			    all->items[i].sha1.data, all->items[i].sha256.data);
		first = false;
	}
	text_puts(out, "]");
}

void certificates_save(const struct certificates *all, struct state_writer *w)
{
	state_put_number(w, all->count);
	for (size_t i = 0; i < all->count; i++) {
		unsigned char *der = NULL;
		int len = i2d_X509(all->items[i].x509, &der);

		if (len < 0)
			abort();
		state_put_number(w, (uint64_t)all->items[i].user);
		state_put_bytes(w, (const char *)der, (size_t)len);
		OPENSSL_free(der);
	}
}

bool certificates_restore(struct certificates *all, struct state_reader *r, int user_count)
{
	for (uint64_t count = state_take_number(r, UINT32_MAX); count && !r->broken; count--) {
		int user = (int)state_take_number(r, (uint64_t)user_count - 1);
		size_t len;
		const unsigned char *der = (const unsigned char *)state_take_bytes(r, &len);
		X509 *x509 = r->broken ? NULL : d2i_X509(NULL, &der, (long)len);

		if (!x509 || !is_rsa(x509)) {
			X509_free(x509);
			return state_broken(r);
		}
		add(all, user, x509);
	}
	return !r->broken;
}

/* --- assertions --- */

/* header.payload.signature, decoded; signed_len: of what the signature is over. */
struct jwt {
	struct json_object *header, *payload;
	struct text signature;
	size_t signed_len;
};

static struct json_object *decoded_object(const char *bytes, size_t len)
{
	struct text json = { 0 };
	struct json_object *o;

	base64_decode(&json, bytes, len);
	o = json_tokener_parse(json.len ? json.data : "");
	text_free(&json);
	if (json_object_is_type(o, json_type_object))
		return o;
	json_object_put(o);
	return NULL;
}

static void jwt_free(struct jwt *j)
{
	json_object_put(j->header);
	json_object_put(j->payload);
	text_free(&j->signature);
}

static bool jwt_read(const char *assertion, struct jwt *ret)
{
	const char *first = strchr(assertion, '.');
	const char *second = first ? strchr(first + 1, '.') : NULL;

	*ret = (struct jwt){ 0 };
	if (!second || strchr(second + 1, '.'))
		return false;
	ret->signed_len = (size_t)(second - assertion);
	ret->header = decoded_object(assertion, (size_t)(first - assertion));
	ret->payload = decoded_object(first + 1, (size_t)(second - first - 1));
	base64_decode(&ret->signature, second + 1, strlen(second + 1));
	return ret->header && ret->payload && ret->signature.len;
}

/* NULL when it is not there or no text. */
static const char *text_claim(struct json_object *o, const char *name)
{
	struct json_object *value;

	if (!json_object_object_get_ex(o, name, &value) ||
	    !json_object_is_type(value, json_type_string))
		return NULL;
	return json_object_get_string(value);
}

static bool time_claim(struct json_object *o, const char *name, int64_t *ret)
{
	struct json_object *value;

	if (!json_object_object_get_ex(o, name, &value) ||
	    !json_object_is_type(value, json_type_int))
		return false;
	*ret = json_object_get_int64(value);
	return true;
}

static bool same_thumbprint(const char *given, const struct text *own)
{
	struct text plain = { 0 }, again = { 0 };
	bool same;

	base64_decode(&plain, given, strlen(given)); /* padding and the other alphabet do no harm */
	base64url_encode(&again, plain.len ? plain.data : "", plain.len);
	same = again.len == own->len && memcmp(again.data, own->data, own->len) == 0;
	text_free(&plain);
	text_free(&again);
	return same;
}

static const struct certificate *certificate_named(const struct certificates *all, int user,
						   struct json_object *header)
{
	const char *sha256 = text_claim(header, "x5t#S256"), *sha1 = text_claim(header, "x5t");

	for (size_t i = 0; i < all->count; i++) {
		const struct certificate *c = &all->items[i];

		if (c->user != user || (!sha256 && !sha1))
			continue;
		if ((!sha256 || same_thumbprint(sha256, &c->sha256)) &&
		    (!sha1 || same_thumbprint(sha1, &c->sha1)))
			return c;
	}
	return NULL;
}

static bool signature_good(const struct certificate *c, const struct jwt *j, const char *assertion,
			   bool pss)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *key = NULL;
	bool good = context && EVP_DigestVerifyInit(context, &key, EVP_sha256(), NULL,
						    X509_get0_pubkey(c->x509)) == 1;

	if (good && pss)
		good = EVP_PKEY_CTX_set_rsa_padding(key, RSA_PKCS1_PSS_PADDING) == 1 &&
		       EVP_PKEY_CTX_set_rsa_mgf1_md(key, EVP_sha256()) == 1 &&
		       EVP_PKEY_CTX_set_rsa_pss_saltlen(key, PSS_SALT) == 1;
	good = good &&
	       EVP_DigestVerify(context, (const unsigned char *)j->signature.data, j->signature.len,
				(const unsigned char *)assertion, j->signed_len) == 1;
	EVP_MD_CTX_free(context);
	return good;
}

static bool in_force(const X509 *x509, int64_t now_s)
{
	time_t now = (time_t)now_s;

	return X509_cmp_time(X509_get0_notAfter(x509), &now) > 0;
}

static int check_signature(const struct certificates *all, const char *assertion,
			   const struct jwt *j, int user, int64_t now_s, struct text *ret_text)
{
	const char *algorithm = text_claim(j->header, "alg");
	bool pss = algorithm && strcmp(algorithm, "PS256") == 0;
	const struct certificate *c = certificate_named(all, user, j->header);

	if (!pss && (!algorithm || strcmp(algorithm, "RS256") != 0)) {
		text_puts(ret_text,
			  "JWT token is invalid or malformed: its alg is neither PS256 nor RS256.");
		return MALFORMED;
	}
	if (!c) {
		text_puts(
			ret_text,
			"The certificate with identifier used to sign the client assertion is not "
			"registered on application. [Reason - The key was not found.]");
		return BAD_SIGNATURE;
	}
	if (!in_force(c->x509, now_s)) {
		text_printf(
			ret_text,
			"Client assertion contains an invalid signature. [Reason - The key used is "
			"expired., Thumbprint of key used by client: '%s'.]",
			c->sha1.data);
		return BAD_SIGNATURE;
	}
	if (signature_good(c, j, assertion, pss))
		return 0;
	text_printf(
		ret_text,
		"Client assertion contains an invalid signature. [Reason - The provided "
		"signature value did not match the expected signature value., Thumbprint of key "
		"used by client: '%s'.]",
		c->sha1.data);
	return BAD_SIGNATURE;
}

static int check_times(const struct jwt *j, int64_t now_s, struct text *ret_text)
{
	char now[TIME_TEXT], from[TIME_TEXT], until[TIME_TEXT];
	int64_t not_before = 0, expiry;

	time_claim(j->payload, "nbf", &not_before);
	if (!time_claim(j->payload, "exp", &expiry)) {
		text_puts(ret_text, "JWT token is invalid or malformed: it has no exp.");
		return MALFORMED;
	}
	if (not_before - CLOCK_SKEW <= now_s && expiry > now_s - CLOCK_SKEW)
		return 0;
	time_print(now_s, now);
	time_print(not_before, from);
	time_print(expiry, until);
	text_printf(ret_text,
		    "Client assertion is not within its valid time range. Current time: %s, "
		    "assertion valid from %s, expiry time of assertion %s.",
		    now, from, until);
	return OUTSIDE_VALIDITY;
}

static int check_claims(const struct jwt *j, const struct assertion_wanted *wanted,
			struct text *ret_text)
{
	const char *issuer = text_claim(j->payload, "iss"),
		   *subject = text_claim(j->payload, "sub");
	const char *audience = text_claim(j->payload, "aud");

	if (!issuer || !subject || !audience || !text_claim(j->payload, "jti")) {
		text_puts(ret_text,
			  "JWT token is invalid or malformed: it lacks one of aud, iss, sub, jti.");
		return MALFORMED;
	}
	if (strcmp(issuer, subject) != 0 || strcmp(subject, wanted->client_id) != 0) {
		text_puts(
			ret_text,
			"Client assertion application identifier doesn't match 'client_id' parameter.");
		return NOT_THE_CLIENT;
	}
	if (strcmp(audience, wanted->audience) != 0) {
		text_puts(ret_text, "Client assertion audience claim does not match Realm issuer.");
		return WRONG_AUDIENCE;
	}
	return check_times(j, wanted->now_s, ret_text);
}

int assertion_check(const struct certificates *all, const char *assertion,
		    const struct assertion_wanted *wanted, struct text *ret_text)
{
	struct jwt j;
	int code = MALFORMED;

	if (!jwt_read(assertion, &j)) {
		text_puts(ret_text, "JWT token is invalid or malformed.");
	} else {
		code = check_signature(all, assertion, &j, wanted->user, wanted->now_s, ret_text);
		if (!code)
			code = check_claims(&j, wanted, ret_text);
	}
	jwt_free(&j);
	return code;
}
