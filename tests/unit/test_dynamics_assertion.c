/* The sign-in with a certificate: what is taken from a text in PEM and what is refused in which
 * words, and that an assertion is what Microsoft Entra wants and was signed with the key. Keys are
 * made here, by OpenSSL itself. */
#include <stdarg.h>
#include <stdio.h>
/* cmocka wants these in front of it. */
#include <setjmp.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "core/fingerprint.h"
#include "remote/dynamics_assertion.h"
#include "remote/json.h"

enum { DAY_S = 24 * 3600 };

static const int64_t begin_s = 1700000000, end_s = begin_s + 100 * DAY_S;
static EVP_PKEY *own_key, *other_key, *short_key, *curve_key;

static int make_keys(void **state)
{
	struct err err;

	(void)state;
	own_key = EVP_RSA_gen(2048);
	other_key = EVP_RSA_gen(2048);
	short_key = EVP_RSA_gen(1024);
	curve_key = EVP_EC_gen("P-256");
	return !own_key || !other_key || !short_key || !curve_key ||
	       fingerprint_start(&err) != ERR_NONE;
}

static int free_keys(void **state)
{
	(void)state;
	EVP_PKEY_free(own_key);
	EVP_PKEY_free(other_key);
	EVP_PKEY_free(short_key);
	EVP_PKEY_free(curve_key);
	return 0;
}

static X509 *make_certificate(EVP_PKEY *key)
{
	X509 *x509 = X509_new();

	assert_non_null(x509);
	assert_non_null(ASN1_TIME_set(X509_getm_notBefore(x509), begin_s));
	assert_non_null(ASN1_TIME_set(X509_getm_notAfter(x509), end_s));
	assert_int_equal(X509_set_pubkey(x509, key), 1);
	assert_true(X509_sign(x509, key, EVP_sha256()) > 0);
	return x509;
}

/* ---- texts ---- */

static void take(BIO *bio, struct buf *out)
{
	char *text;
	long n = BIO_get_mem_data(bio, &text);

	buf_add(out, (struct str){ text, (size_t)n });
	BIO_free(bio);
}

static void add_certificate(EVP_PKEY *key, struct buf *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	X509 *x509 = make_certificate(key);

	assert_int_equal(PEM_write_bio_X509(bio, x509), 1);
	X509_free(x509);
	take(bio, out);
}

/* password NULL: as it is. */
static void add_key(EVP_PKEY *key, const char *password, bool is_old_form, struct buf *out)
{
	const EVP_CIPHER *cipher = password ? EVP_aes_128_cbc() : NULL;
	int n = password ? (int)strlen(password) : 0;
	BIO *bio = BIO_new(BIO_s_mem());

	if (is_old_form)
		assert_int_equal(PEM_write_bio_PrivateKey_traditional(
					 bio, key, cipher, (const unsigned char *)password, n, NULL,
					 NULL),
				 1);
	else
		assert_int_equal(PEM_write_bio_PrivateKey(bio, key, cipher,
							  (const unsigned char *)password, n, NULL,
							  NULL),
				 1);
	take(bio, out);
}

static void accept_text(struct buf *pem)
{
	struct err err;
	struct dynamics_certificate *c = dynamics_certificate_read(buf_cstr(pem), &err);

	if (!c)
		fail_msg("%s", err.text);
	assert_int_equal(dynamics_certificate_end_s(c), end_s);
	dynamics_certificate_free(c);
	buf_clear(pem);
}

static void refuse_text(struct buf *pem, const char *why)
{
	struct err err;

	assert_null(dynamics_certificate_read(buf_cstr(pem), &err));
	assert_int_equal(err.kind, ERR_CONFIG);
	if (strncmp(err.text, "DYNAMICS_CLIENT_CERTIFICATE: ", 29) != 0 || !strstr(err.text, why))
		fail_msg("wanted: %s, said: %s", why, err.text);
	buf_clear(pem);
}

static void texts_in_any_order(void **state)
{
	struct buf pem = { 0 };

	(void)state;
	add_certificate(own_key, &pem);
	add_key(own_key, NULL, false, &pem);
	accept_text(&pem);
	add_key(own_key, NULL, true, &pem);
	add_certificate(own_key, &pem);
	accept_text(&pem);
	buf_text(&pem, "Bag Attributes\n\tlocalKeyID: 01\n");
	add_certificate(other_key, &pem); /* of a chain */
	buf_text(&pem, "subject=CN = example\n\n");
	add_certificate(own_key, &pem);
	add_key(own_key, NULL, false, &pem);
	accept_text(&pem);
	buf_release(&pem);
}

static void line_ends_do_not_matter(void **state)
{
	struct buf pem = { 0 }, other = { 0 };

	(void)state;
	add_certificate(own_key, &pem);
	add_key(own_key, NULL, false, &pem);
	for (size_t i = 0; i < pem.len; i++)
		buf_text(&other, pem.data[i] == '\n' ? "\r\n" : (char[]){ pem.data[i], '\0' });
	accept_text(&other);
	buf_add(&other, (struct str){ pem.data, pem.len - 1 });
	accept_text(&other);
	buf_release(&pem);
	buf_release(&other);
}

static void wrong_texts_are_told(void **state)
{
	struct buf pem = { 0 };

	(void)state;
	refuse_text(&pem, "there is no certificate in it");
	buf_text(&pem, "a client secret");
	refuse_text(&pem, "there is no certificate in it");
	add_key(own_key, NULL, false, &pem);
	refuse_text(&pem, "there is no certificate in it");
	add_certificate(own_key, &pem);
	refuse_text(&pem, "there is no private key in it");
	add_certificate(own_key, &pem);
	add_key(other_key, NULL, false, &pem);
	refuse_text(&pem, "does not belong to its certificate");
	add_certificate(own_key, &pem);
	add_key(own_key, NULL, false, &pem);
	add_key(other_key, NULL, false, &pem);
	refuse_text(&pem, "more than one private key");
	add_certificate(short_key, &pem);
	add_key(short_key, NULL, false, &pem);
	refuse_text(&pem, "less than 2048 bits");
	add_certificate(curve_key, &pem);
	add_key(curve_key, NULL, false, &pem);
	refuse_text(&pem, "not of the kind RSA");
	add_key(curve_key, NULL, true, &pem);
	refuse_text(&pem, "not of the kind RSA");
	for (int i = 0; i < 17; i++)
		add_certificate(own_key, &pem);
	refuse_text(&pem, "more in it than a certificate");
	buf_release(&pem);
}

static void encrypted_keys_are_told(void **state)
{
	struct buf pem = { 0 };

	(void)state;
	add_certificate(own_key, &pem);
	add_key(own_key, "password", false, &pem);
	refuse_text(&pem, "encrypted");
	add_certificate(own_key, &pem);
	add_key(own_key, "password", true, &pem);
	refuse_text(&pem, "encrypted");
	buf_release(&pem);
}

static void damaged_texts_are_told(void **state)
{
	struct buf pem = { 0 };
	struct err err;

	(void)state;
	add_certificate(own_key, &pem);
	add_key(own_key, NULL, false, &pem);
	for (size_t n = 0; n + 2 < pem.len; n += 7) {
		char *part = strndup(pem.data, n);

		err.kind = ERR_NONE;
		assert_null(dynamics_certificate_read(part, &err));
		assert_int_equal(err.kind, ERR_CONFIG);
		free(part);
	}
	for (size_t at = 30; at < pem.len; at += 13) {
		char before = pem.data[at];
		struct dynamics_certificate *c;

		pem.data[at] = '!';
		err.kind = ERR_NONE;
		c = dynamics_certificate_read(pem.data, &err);
		assert_true(c || err.kind == ERR_CONFIG);
		dynamics_certificate_free(c);
		pem.data[at] = before;
	}
	buf_release(&pem);
}

/* ---- time ---- */

static struct dynamics_certificate *own_certificate(void)
{
	struct buf pem = { 0 };
	struct err err;
	struct dynamics_certificate *c;

	add_certificate(own_key, &pem);
	add_key(own_key, NULL, false, &pem);
	c = dynamics_certificate_read(buf_cstr(&pem), &err);
	assert_non_null(c);
	buf_release(&pem);
	return c;
}

static void it_holds_for_its_time(void **state)
{
	struct dynamics_certificate *c = own_certificate();
	struct err err;

	(void)state;
	assert_int_equal(dynamics_certificate_holds(c, begin_s, &err), ERR_NONE);
	assert_int_equal(dynamics_certificate_holds(c, end_s - 1, &err), ERR_NONE);
	assert_int_equal(dynamics_certificate_holds(c, begin_s - 1, &err), ERR_CONFIG);
	assert_non_null(strstr(err.text, "it holds from 2023-11-14T22:13:20Z only"));
	assert_int_equal(dynamics_certificate_holds(c, end_s, &err), ERR_CONFIG);
	assert_non_null(strstr(err.text, "it expired at 2024-02-22T22:13:20Z"));
	dynamics_certificate_free(c);
}

/* ---- assertions ---- */

static void decode(struct str part, struct buf *out)
{
	CLEANUP(buf_release) struct buf text = { 0 };
	unsigned char bytes[1024];
	int n, padding = 0;

	for (size_t i = 0; i < part.n; i++) {
		assert_false(part.p[i] == '+' || part.p[i] == '/' || part.p[i] == '=');
		buf_char(&text, part.p[i] == '-' ? '+' : part.p[i] == '_' ? '/' : part.p[i]);
	}
	for (; text.len % 4; padding++)
		buf_char(&text, '=');
	assert_true(text.len < sizeof(bytes));
	n = EVP_DecodeBlock(bytes, (unsigned char *)text.data, (int)text.len);
	assert_true(n > padding);
	buf_add(out, (struct str){ (char *)bytes, (size_t)(n - padding) });
}

static struct json_object *decode_object(struct str part)
{
	CLEANUP(buf_release) struct buf text = { 0 };
	struct json_object *o;

	decode(part, &text);
	o = json_tokener_parse(buf_cstr(&text));
	assert_true(json_object_is_type(o, json_type_object));
	return o;
}

static void assert_text(struct json_object *o, const char *name, const char *wanted)
{
	struct str text = { 0 };

	assert_true(json_get_string(o, name, &text));
	assert_true(str_equal(text, str_of(wanted)));
}

static void assert_number(struct json_object *o, const char *name, int64_t wanted)
{
	int64_t number = 0;

	assert_true(json_get_int64(o, name, &number));
	assert_int_equal(number, wanted);
}

static void assert_thumbprint(struct json_object *header)
{
	CLEANUP(buf_release) struct buf told = { 0 };
	unsigned char digest[32];
	X509 *x509 = make_certificate(own_key);
	struct str text = { 0 };

	assert_int_equal(X509_digest(x509, EVP_sha256(), digest, NULL), 1);
	assert_true(json_get_string(header, "x5t#S256", &text));
	assert_int_equal(text.n, 43);
	decode(text, &told);
	assert_int_equal(told.len, sizeof(digest));
	assert_memory_equal(told.data, digest, sizeof(digest));
	X509_free(x509);
}

static void assert_signature(struct str signed_text, struct str part)
{
	CLEANUP(buf_release) struct buf signature = { 0 };
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *how;

	decode(part, &signature);
	assert_int_equal(EVP_DigestVerifyInit(context, &how, EVP_sha256(), NULL, own_key), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(how, 32), 1);
	assert_int_equal(EVP_DigestVerify(context, (unsigned char *)signature.data, signature.len,
					  (const unsigned char *)signed_text.p, signed_text.n),
			 1);
	EVP_MD_CTX_free(context);
}

static void add_assertion(const struct dynamics_certificate *c, struct buf *out)
{
	struct err err;

	assert_int_equal(dynamics_assertion_add(c, "https://login.example.org/t/oauth2/v2.0/token",
						"client \"1\"", begin_s, out, &err),
			 ERR_NONE);
}

static void an_assertion_has_its_parts(void **state)
{
	struct dynamics_certificate *c = own_certificate();
	struct buf text = { 0 };
	struct json_object *header, *claims;
	struct str rest, parts[2], all;

	(void)state;
	buf_text(&text, "before=");
	add_assertion(c, &text);
	rest = (struct str){ text.data + 7, text.len - 7 };
	all = rest;
	parts[0] = str_cut(&rest, '.');
	parts[1] = str_cut(&rest, '.');
	header = decode_object(parts[0]);
	claims = decode_object(parts[1]);
	assert_text(header, "alg", "PS256");
	assert_text(header, "typ", "JWT");
	assert_thumbprint(header);
	assert_text(claims, "aud", "https://login.example.org/t/oauth2/v2.0/token");
	assert_text(claims, "iss", "client \"1\"");
	assert_text(claims, "sub", "client \"1\"");
	assert_number(claims, "nbf", begin_s - 120);
	assert_number(claims, "iat", begin_s - 120);
	assert_number(claims, "exp", begin_s + 480);
	assert_signature((struct str){ all.p, parts[0].n + 1 + parts[1].n }, rest);
	json_object_put(header);
	json_object_put(claims);
	dynamics_certificate_free(c);
	buf_release(&text);
}

static void every_assertion_is_another(void **state)
{
	struct dynamics_certificate *c = own_certificate();
	struct str ids[2];
	struct json_object *claims[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct buf text = { 0 };
		struct str rest;

		add_assertion(c, &text);
		rest = buf_str(&text);
		(void)str_cut(&rest, '.');
		claims[i] = decode_object(str_cut(&rest, '.'));
		assert_true(json_get_string(claims[i], "jti", &ids[i]));
		buf_release(&text);
	}
	assert_int_equal(ids[0].n, 36);
	assert_false(str_equal(ids[0], ids[1]));
	json_object_put(claims[0]);
	json_object_put(claims[1]);
	dynamics_certificate_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_in_any_order),
		cmocka_unit_test(line_ends_do_not_matter),
		cmocka_unit_test(wrong_texts_are_told),
		cmocka_unit_test(encrypted_keys_are_told),
		cmocka_unit_test(damaged_texts_are_told),
		cmocka_unit_test(it_holds_for_its_time),
		cmocka_unit_test(an_assertion_has_its_parts),
		cmocka_unit_test(every_assertion_is_another),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
