package pkcs7

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"testing"
	"time"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/oid"
	"golang.org/x/crypto/cryptobyte"
)

// tst returns a TSTInfo over data. more comes after genTime.
func tst(version byte, hash alg.Hash, data []byte, genTime string, more ...[]byte) []byte {
	h := hash.New()
	h.Write(data)
	fields := [][]byte{
		{2, 1, version}, ber.Append(nil, ber.OID, false, []byte{0x2a, 3}),
		ber.Append(nil, ber.Sequence, true, hash.Identifier().DER(), ber.Append(nil, ber.OctetString, false, h.Sum(nil))),
		{2, 1, 7}, ber.Append(nil, ber.GeneralizedTime, false, []byte(genTime)),
	}
	return ber.Append(nil, ber.Sequence, true, append(fields, more...)...)
}

func TestTokens(t *testing.T) {
	t.Parallel()
	authority := newKey(t, "p256")
	tsa := SigningKey{Key: authority, Certificate: newCert(t, authority, "tsa", func(c *x509.Certificate) { c.ExtraExtensions = timeStampingExtension() })}
	mail := newSigner(t, "p256")
	msg := sign(t, text, nil, mail)
	sig := signersOf(t, msg, nil)[0].Signature()
	token := func(content []byte, typ oid.OID, keys ...SigningKey) []byte {
		return sign(t, string(content), &SignOptions{ContentType: typ.X509(), Size: int64(len(content))}, keys...)
	}
	good := func(at string) []byte { return token(tst(1, alg.SHA256, sig, at), oid.TSTInfo, tsa) }
	extension := func(critical bool) []byte {
		fields := [][]byte{ber.Append(nil, ber.OID, false, []byte{0x2a, 3})}
		if critical {
			fields = append(fields, []byte{1, 1, 0xff})
		}
		return ber.Append(nil, ber.Context(1), true, ber.Append(nil, ber.Sequence, true, append(fields, []byte{4, 0})...))
	}
	for name, c := range map[string]struct {
		tokens [][]byte
		want   error
		at     string
	}{
		"one":            {[][]byte{good("20260102030405Z")}, nil, "2026-01-02T03:04:05Z"},
		"the earliest":   {[][]byte{good("20260102030405Z"), good("20250102030405Z")}, nil, "2025-01-02T03:04:05Z"},
		"one of two bad": {[][]byte{good("20260102030405Z"), {0x30, 0}}, nil, "2026-01-02T03:04:05Z"},
		"all fields": {[][]byte{token(tst(1, alg.SHA512, sig, "20260102030405.5Z", []byte{0x30, 3, 2, 1, 1}, []byte{1, 1, 0xff}, []byte{2, 1, 9},
			[]byte{0xa0, 2, 0x82, 0}, extension(false)), oid.TSTInfo, tsa)}, nil, "2026-01-02T03:04:06.5Z"},
		"the earliest with its accuracy": {[][]byte{good("20260102030405Z"),
			token(tst(1, alg.SHA256, sig, "20260102030404Z", []byte{0x30, 11, 2, 1, 2, 0x80, 2, 1, 0xf4, 0x81, 2, 0, 250}), oid.TSTInfo, tsa)}, nil, "2026-01-02T03:04:05Z"},
		"accuracy": {[][]byte{token(tst(1, alg.SHA256, sig, "20260102030404Z", []byte{0x30, 11, 2, 1, 2, 0x80, 2, 1, 0xf4, 0x81, 2, 0, 250}), oid.TSTInfo, tsa)},
			nil, "2026-01-02T03:04:06.50025Z"},
		"negative accuracy":     {[][]byte{token(tst(1, alg.SHA256, sig, "20260102030405Z", []byte{0x30, 3, 2, 1, 0xff}), oid.TSTInfo, tsa)}, ErrSyntax, ""},
		"endless accuracy":      {[][]byte{token(tst(1, alg.SHA256, sig, "20260102030405Z", []byte{0x30, 7, 2, 5, 1, 0, 0, 0, 0}), oid.TSTInfo, tsa)}, ErrSyntax, ""},
		"accuracy of 1000 ms":   {[][]byte{token(tst(1, alg.SHA256, sig, "20260102030405Z", []byte{0x30, 4, 0x80, 2, 3, 0xe8}), oid.TSTInfo, tsa)}, ErrSyntax, ""},
		"critical extension":    {[][]byte{token(tst(1, alg.SHA256, sig, "20260102030405Z", extension(true)), oid.TSTInfo, tsa)}, ErrSyntax, ""},
		"version 2":             {[][]byte{token(tst(2, alg.SHA256, sig, "20260102030405Z"), oid.TSTInfo, tsa)}, ErrSyntax, ""},
		"local time":            {[][]byte{token(tst(1, alg.SHA256, sig, "20260102030405"), oid.TSTInfo, tsa)}, ErrSyntax, ""},
		"of other data":         {[][]byte{token(tst(1, alg.SHA256, []byte(text), "20260102030405Z"), oid.TSTInfo, tsa)}, ErrDigest, ""},
		"by SHA-1":              {[][]byte{token(tst(1, alg.SHA1, sig, "20260102030405Z"), oid.TSTInfo, tsa)}, ErrWeak, ""},
		"two signers":           {[][]byte{token(tst(1, alg.SHA256, sig, "20260102030405Z"), oid.TSTInfo, tsa, mail)}, ErrNoSigner, ""},
		"by a mail certificate": {[][]byte{token(tst(1, alg.SHA256, sig, "20260102030405Z"), oid.TSTInfo, mail)}, ErrSignature, ""},
		"as data":               {[][]byte{token(tst(1, alg.SHA256, sig, "20260102030405Z"), oid.Data, tsa)}, ErrUnsupported, ""},
		"no signing certificate": {[][]byte{(&crafted{key: tsa, typ: oid.TSTInfo, content: string(tst(1, alg.SHA256, sig, "20260102030405Z")),
			attrs: without(oid.AttrSigningCertificateV2)}).message(t)}, ErrSyntax, ""},
		"signing certificate": {[][]byte{(&crafted{key: tsa, typ: oid.TSTInfo, content: string(tst(1, alg.SHA256, sig, "20260102030405Z"))}).message(t)}, nil, "2026-01-02T03:04:05Z"},
		"by an unknown digest": {[][]byte{token(bytes.Replace(tst(1, alg.SHA256, sig, "20260102030405Z"), alg.SHA256.Identifier().DER(),
			alg.Identifier{OID: oid.SHA256[:len(oid.SHA256)-1] + "\x7f"}.DER(), 1), oid.TSTInfo, tsa)}, ErrUnsupported, ""},
		"too long":               {[][]byte{token(append(tst(1, alg.SHA256, sig, "20260102030405Z"), make([]byte, maxTSTInfo)...), oid.TSTInfo, tsa)}, ErrLimit, ""},
		"garbage":                {[][]byte{{0x04, 0}}, ErrSyntax, ""},
		"no token":               {nil, ErrNoTimestamp, ""},
		"untrusted authority":    {[][]byte{token(tst(1, alg.SHA256, sig, "20260102030405Z"), oid.TSTInfo, newSigner(t, "ed25519"))}, errUntrusted, ""},
		"signature of the token": {[][]byte{flipLast(good("20260102030405Z"))}, ErrSignature, ""},
	} {
		t.Run(name, func(t *testing.T) {
			stamped := msg
			for _, token := range c.tokens {
				var out bytes.Buffer
				attr := Attribute{Type: oid.AttrTimestampToken.X509(), Values: [][]byte{token}}
				if err := AddUnsigned(&out, bytes.NewReader(stamped), 0, attr); err != nil {
					t.Fatal(name, err)
				}
				stamped = out.Bytes()
			}
			s := signersOf(t, stamped, nil)[0]
			at, err := s.VerifyTimestamps(context.Background(), func(_ context.Context, cert *x509.Certificate, at time.Time, _ [][]byte) error {
				if cert.Equal(tsa.Certificate) || cert.Equal(mail.Certificate) {
					return nil
				}
				return errUntrusted
			})
			if !errors.Is(err, c.want) || c.at != "" && at.Format(time.RFC3339Nano) != c.at || c.at == "" && !at.IsZero() {
				t.Errorf("%s: %v, %v", name, at, err)
			}
			// Whatever is in there, the signature itself holds.
			if err := s.CheckSignature(mail.Certificate); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

// flipLast changes the signature value, which comes last.
func flipLast(b []byte) []byte {
	b = bytes.Clone(b)
	b[len(b)-1] ^= 1
	return b
}

// TestTokenIsNoMail presents a token as a message (RFC 3161 signed data is of
// another type, which Verify leaves to the caller of SignedReader).
func TestTokenIsNoMail(t *testing.T) {
	t.Parallel()
	msg := sign(t, text, &SignOptions{ContentType: oid.TSTInfo.X509()}, newSigner(t, "p256"))
	r := readSigned(t, msg, nil)
	if !r.ContentType().Equal(oid.TSTInfo.X509()) || r.version != 3 {
		t.Errorf("%v, version %d", r.ContentType(), r.version)
	}
}

// TestTimestampResponses answers a request in other ways than openssl does.
func TestTimestampResponses(t *testing.T) {
	t.Parallel()
	authority := newKey(t, "p256")
	tsa := SigningKey{Key: authority, Certificate: newCert(t, authority, "tsa", func(c *x509.Certificate) { c.ExtraExtensions = timeStampingExtension() })}
	s := signersOf(t, sign(t, text, nil, newSigner(t, "ed25519")), nil)[0]
	request := s.TimestampRequest()
	asked, ok := parseTimestampRequest(request)
	if !ok {
		t.Fatal("request")
	}
	var b cryptobyte.Builder
	b.AddASN1BigInt(asked.nonce)
	nonce := b.BytesOrPanic()
	token := func(h alg.Hash, more ...[]byte) []byte {
		return sign(t, string(tst(1, h, s.signature, "20260102030405Z", more...)), &SignOptions{ContentType: oid.TSTInfo.X509()}, tsa)
	}
	response := func(status byte, more ...[]byte) []byte {
		return ber.Append(nil, ber.Sequence, true, append([][]byte{{0x30, 3, 2, 1, status}}, more...)...)
	}
	n := 0
	for name, c := range map[string]struct {
		request, response []byte
		want              error
	}{
		"granted":                   {request, response(0, token(alg.SHA256, nonce)), nil},
		"granted with changes":      {request, response(1, token(alg.SHA256, nonce)), nil},
		"rejected":                  {request, response(2), ErrNoTimestamp},
		"rejected, and yet a token": {request, response(2, token(alg.SHA256, nonce)), ErrNoTimestamp},
		"granted nothing":           {request, response(0), ErrSyntax},
		"two tokens":                {request, response(0, token(alg.SHA256, nonce), token(alg.SHA256, nonce)), ErrSyntax},
		"no nonce":                  {request, response(0, token(alg.SHA256)), ErrNoTimestamp},
		"another nonce":             {request, response(0, token(alg.SHA256, []byte{2, 1, 5})), ErrNoTimestamp},
		"another digest":            {request, response(0, token(alg.SHA512, nonce)), ErrNoTimestamp},
		"garbage":                   {request, []byte{0x30, 0}, ErrSyntax},
		"garbage asked":             {[]byte{0x30, 0}, response(0, token(alg.SHA256, nonce)), ErrSyntax},
	} {
		t.Run(name, func(t *testing.T) {
			attr, err := s.Timestamp(c.request, c.response)
			if !errors.Is(err, c.want) || (err == nil) != (len(attr.Values) == 1) {
				t.Errorf("%s: %v, not %v", name, err, c.want)
			}
			n++
		})
	}
	if n != 11 {
		t.Errorf("%d responses", n)
	}
}
