// Package libcrypto calls the CMS functions of OpenSSL's libcrypto in-process,
// as the measure that benchmarks are held against.
package libcrypto

/*
#cgo LDFLAGS: -lcrypto
#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

static X509 *parse_cert(const unsigned char *p, long n) { return d2i_X509(NULL, &p, n); }
static EVP_PKEY *parse_key(const unsigned char *p, long n) { return d2i_AutoPrivateKey(NULL, &p, n); }

static long out(CMS_ContentInfo *cms, unsigned char **p) {
	BIO *b = BIO_new(BIO_s_mem());
	char *data;
	long n;
	if (i2d_CMS_bio(b, cms) != 1) { BIO_free(b); return -1; }
	n = BIO_get_mem_data(b, &data);
	*p = malloc(n);
	memcpy(*p, data, n);
	BIO_free(b);
	return n;
}

static long cms_sign(X509 *cert, EVP_PKEY *key, const void *in, int n, unsigned char **p) {
	BIO *b = BIO_new_mem_buf(in, n);
	CMS_ContentInfo *cms = CMS_sign(cert, key, NULL, b, CMS_BINARY);
	long r = cms ? out(cms, p) : -1;
	CMS_ContentInfo_free(cms);
	BIO_free(b);
	return r;
}

static long cms_encrypt(X509 *cert, const char *cipher, const void *in, int n, unsigned char **p) {
	STACK_OF(X509) *certs = sk_X509_new_null();
	BIO *b = BIO_new_mem_buf(in, n);
	CMS_ContentInfo *cms;
	long r;
	sk_X509_push(certs, cert);
	cms = CMS_encrypt(certs, b, EVP_get_cipherbyname(cipher), CMS_BINARY);
	r = cms ? out(cms, p) : -1;
	CMS_ContentInfo_free(cms);
	sk_X509_free(certs);
	BIO_free(b);
	return r;
}

static long cms_read(X509 *cert, EVP_PKEY *key, const void *in, int n) {
	BIO *b = BIO_new_mem_buf(in, n), *o = BIO_new(BIO_s_mem());
	CMS_ContentInfo *cms = d2i_CMS_bio(b, NULL);
	char *data;
	long r = -1;
	int ok = 0;
	if (cms && key) ok = CMS_decrypt(cms, key, cert, NULL, o, CMS_BINARY);
	else if (cms) ok = CMS_verify(cms, NULL, NULL, NULL, o, CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY);
	if (ok == 1) r = BIO_get_mem_data(o, &data);
	CMS_ContentInfo_free(cms);
	BIO_free(b);
	BIO_free(o);
	ERR_clear_error();
	return r;
}
*/
import "C"

import (
	"errors"
	"unsafe"
)

// An Identity is a certificate with its key as libcrypto holds them.
type Identity struct {
	cert *C.X509
	key  *C.EVP_PKEY
}

// ErrFailed is every failure of libcrypto.
const ErrFailed = failure("libcrypto failed")

type failure string

func (f failure) Error() string { return string(f) }

// New reads a certificate and a PKCS #8 key, both DER. It is never freed.
func New(cert, key []byte) (*Identity, error) {
	id := &Identity{
		cert: C.parse_cert((*C.uchar)(unsafe.Pointer(&cert[0])), C.long(len(cert))),
		key:  C.parse_key((*C.uchar)(unsafe.Pointer(&key[0])), C.long(len(key))),
	}
	if id.cert == nil || id.key == nil {
		return nil, errors.Join(ErrFailed, errors.New("certificate or key"))
	}
	return id, nil
}

// Sign returns a SignedData with the content.
func (id *Identity) Sign(content []byte) ([]byte, error) {
	var p *C.uchar
	return take(C.cms_sign(id.cert, id.key, unsafe.Pointer(&content[0]), C.int(len(content)), &p), &p)
}

// Encrypt returns an EnvelopedData or AuthEnvelopedData.
func (id *Identity) Encrypt(cipher string, content []byte) ([]byte, error) {
	name := C.CString(cipher)
	defer C.free(unsafe.Pointer(name))
	var p *C.uchar
	return take(C.cms_encrypt(id.cert, name, unsafe.Pointer(&content[0]), C.int(len(content)), &p), &p)
}

// Verify checks the signatures of a SignedData, no certificates, and returns
// the length of its content.
func Verify(cms []byte) (int, error) {
	return length(C.cms_read(nil, nil, unsafe.Pointer(&cms[0]), C.int(len(cms))))
}

// Decrypt decrypts and returns the length of the content.
func (id *Identity) Decrypt(cms []byte) (int, error) {
	return length(C.cms_read(id.cert, id.key, unsafe.Pointer(&cms[0]), C.int(len(cms))))
}

func take(n C.long, p **C.uchar) ([]byte, error) {
	if n < 0 {
		return nil, ErrFailed
	}
	b := C.GoBytes(unsafe.Pointer(*p), C.int(n))
	C.free(unsafe.Pointer(*p))
	return b, nil
}

func length(n C.long) (int, error) {
	if n < 0 {
		return 0, ErrFailed
	}
	return int(n), nil
}
