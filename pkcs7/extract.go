package pkcs7

import (
	"context"
	"crypto/hmac"
	"crypto/subtle"
	"crypto/x509"
	"fmt"
	"hash"
	"io"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/spool"
	"github.com/gosmime/gosmime/internal/stream"
	"golang.org/x/crypto/cryptobyte"
)

// Extract reads a DigestedData, EncryptedData or AuthenticatedData from src
// and writes its content to dst once it was found to be whole: a digest, the
// padding or a MAC is right. A digest proves nothing against who can change the
// message, and a MAC nothing against the other recipients.
//
// It fails with [ErrDigest] if the digest is wrong and with [ErrDecrypt] if
// a key or what depends on it is. With RequireAuthenticated only an
// AuthenticatedData is read. keys is asked for the recipients of an
// AuthenticatedData, and with none for the key of an EncryptedData; it may be
// nil for a DigestedData.
func Extract(ctx context.Context, dst io.Writer, src io.Reader, keys KeyFunc, opts *DecryptOptions) (*Extracted, error) {
	if opts == nil {
		opts = &DecryptOptions{}
	}
	x := &extraction{p: newParser(src, opts.Limits), opts: *opts, keys: keys}
	x.ctx, x.budget, x.anyLen = ctx, x.p.budget, true
	x.spool = spool.New(x.budget, opts.Limits.Dir)
	defer x.spool.Close()
	if err := x.read(); err != nil {
		return nil, err
	}
	if _, err := x.spool.WriteTo(dst); err != nil {
		return nil, err
	}
	return &x.Extracted, nil
}

// Extracted says what [Extract] read.
type Extracted struct {
	Type        x509.OID // of the message, such as id-digestedData
	ContentType x509.OID // of the content
	Weak        error    // nil, or an error that wraps ErrWeak
}

type extraction struct {
	Extracted
	unwrapper
	p     *parser
	opts  DecryptOptions
	keys  KeyFunc
	spool *spool.Spool
}

func (x *extraction) read() error {
	outer, err := x.p.contentInfoOf(oid.DigestedData, oid.EncryptedData, oid.AuthenticatedData)
	if err != nil {
		return err
	}
	x.Type = outer.X509()
	if err := x.p.enter(ber.Sequence, "content"); err != nil {
		return err
	}
	if _, err := x.p.version("version"); err != nil {
		return err
	}
	var verdict error
	switch outer {
	case oid.DigestedData:
		verdict, err = x.digested()
	case oid.EncryptedData:
		verdict, err = x.encrypted()
	default:
		verdict, err = x.authenticated()
	}
	if err != nil {
		return err
	}
	if err := x.p.leave("content"); err != nil {
		return err
	}
	if err := x.p.endContentInfo(); err != nil {
		return err
	}
	return verdict
}

// weak notes what is below the floor, or refuses it.
func (x *extraction) weak(what fmt.Stringer) error {
	err := fmt.Errorf("%w: %v", ErrWeak, what)
	if !x.opts.InsecureHistoric {
		return err
	}
	x.Weak = err
	return nil
}

// digested reads
//
//	DigestedData ::= SEQUENCE {
//	    version CMSVersion,
//	    digestAlgorithm DigestAlgorithmIdentifier,
//	    encapContentInfo EncapsulatedContentInfo,
//	    digest Digest }
func (x *extraction) digested() (verdict, err error) {
	if x.opts.RequireAuthenticated {
		return nil, fmt.Errorf("%w: DigestedData", ErrUnauthenticated)
	}
	h, err := x.digestAlgorithm("DigestedData.digestAlgorithm")
	if err != nil {
		return nil, err
	}
	digest := h.New()
	if _, err := x.encapsulated(digest); err != nil {
		return nil, err
	}
	want, err := x.p.octets(ber.OctetString, maxTag, "DigestedData.digest")
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare(digest.Sum(nil), want) != 1 {
		verdict = ErrDigest
	}
	return verdict, nil
}

func (x *extraction) digestAlgorithm(field string) (alg.Hash, error) {
	id, err := x.p.algorithm(field)
	if err != nil {
		return 0, err
	}
	h, err := alg.HashOf(id)
	if err != nil {
		return 0, fmt.Errorf("%w: digest algorithm %s", ErrUnsupported, id.OID)
	}
	if h.Weak() {
		err = x.weak(h)
	}
	return h, err
}

// encapsulated reads the content into the spool and into w.
//
//	EncapsulatedContentInfo ::= SEQUENCE {
//	    eContentType ContentType,
//	    eContent [0] EXPLICIT OCTET STRING OPTIONAL }
func (x *extraction) encapsulated(w io.Writer) (oid.OID, error) {
	const field = "encapContentInfo"
	if err := x.p.enter(ber.Sequence, field); err != nil {
		return "", err
	}
	contentType, err := x.p.oid(field + ".eContentType")
	if err != nil {
		return "", err
	}
	x.ContentType = contentType.X509()
	if err := x.p.enter(ber.Context(0), field+".eContent"); err != nil {
		return "", err
	}
	content, err := x.p.String(ber.OctetString)
	if err != nil {
		return "", x.p.wrap(err, field+".eContent")
	}
	err = x.eachChunk(content, func(chunk []byte) error {
		_, _ = w.Write(chunk) // a hash
		return x.store(chunk)
	})
	if err != nil {
		return "", err
	}
	if err := x.p.leave(field + ".eContent"); err != nil {
		return "", err
	}
	return contentType, x.p.leave(field)
}

func (x *extraction) store(b []byte) error {
	_, err := x.spool.Write(b)
	return spoolError(err)
}

func (x *extraction) eachChunk(src io.Reader, do func([]byte) error) error {
	var in stream.Chunker
	in.Reset(src, false)
	defer in.Close()
	for last := false; !last; {
		var chunk []byte
		var err error
		if chunk, last, err = in.Next(); err != nil {
			return wrapError(err, "content")
		}
		if err := do(chunk); err != nil {
			return err
		}
		if err := x.ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// encrypted reads
//
//	EncryptedData ::= SEQUENCE {
//	    version CMSVersion,
//	    encryptedContentInfo EncryptedContentInfo,
//	    unprotectedAttrs [1] IMPLICIT UnprotectedAttributes OPTIONAL }
func (x *extraction) encrypted() (verdict, err error) {
	info, err := readEncryptedContentInfo(x.p)
	if err != nil {
		return nil, err
	}
	x.ContentType = info.contentType.X509()
	switch {
	case info.content.TagLen > 0:
		return nil, x.p.fail("contentEncryptionAlgorithm", "cipher of an AuthEnvelopedData")
	case x.opts.RequireAuthenticated:
		return nil, fmt.Errorf("%w: EncryptedData", ErrUnauthenticated)
	case !info.inside:
		return nil, x.p.fail("encryptedContent", "missing")
	}
	if info.content.Strength() != nil {
		if err := x.weak(Cipher(info.content.Cipher)); err != nil {
			return nil, err
		}
	}
	cek, err := x.contentKeyOf(info.content.KeyLen())
	if err != nil {
		return nil, err
	}
	d, err := info.content.Decrypter(cek)
	if err != nil {
		return nil, ErrDecrypt
	}
	stream, err := x.p.String(ber.Context(0))
	if err != nil {
		return nil, x.p.wrap(err, "encryptedContent")
	}
	var out []byte
	err = x.eachChunk(stream, func(chunk []byte) error {
		out = d.Update(out[:0], chunk)
		return x.store(out)
	})
	if err != nil {
		return nil, err
	}
	if err := x.p.leave("encryptedContentInfo"); err != nil {
		return nil, err
	}
	if _, err := readUnprotected(x.p, ber.Context(1), "unprotectedAttrs"); err != nil {
		return nil, err
	}
	out, ok := d.Final(out[:0])
	if !ok {
		return ErrDecrypt, nil
	}
	return nil, x.store(out)
}

// contentKeyOf returns the one key that the message needs. It names none.
func (x *extraction) contentKeyOf(n int) ([]byte, error) {
	keys, err := askKeys(x.ctx, x.keys, new(recipientList))
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		if k.kind == kekKey && len(k.secret) == n {
			return k.secret, nil
		}
	}
	return nil, &NoKeyError{}
}

// authenticated reads
//
//	AuthenticatedData ::= SEQUENCE {
//	    version CMSVersion,
//	    originatorInfo [0] IMPLICIT OriginatorInfo OPTIONAL,
//	    recipientInfos RecipientInfos,
//	    macAlgorithm MessageAuthenticationCodeAlgorithm,
//	    digestAlgorithm [1] DigestAlgorithmIdentifier OPTIONAL,
//	    encapContentInfo EncapsulatedContentInfo,
//	    authAttrs [2] IMPLICIT AuthAttributes OPTIONAL,
//	    mac MessageAuthenticationCode,
//	    unauthAttrs [3] IMPLICIT UnauthAttributes OPTIONAL }
func (x *extraction) authenticated() (verdict, err error) {
	p := x.p
	if _, err := readOriginatorInfo(p); err != nil {
		return nil, err
	}
	recipients, err := readRecipients(p)
	if recipients != nil {
		defer recipients.store.close()
	}
	if err != nil {
		return nil, err
	}
	m := new(macInfo)
	if err := m.readAlgorithms(x); err != nil {
		return nil, err
	}
	if recipients.weak && x.Weak == nil {
		x.Weak = fmt.Errorf("%w: the way to the key of the MAC", ErrWeak)
	}
	keys, err := x.macKeys(recipients, m.hash.Size())
	if err != nil {
		return nil, err
	}
	// The MAC is over the content, or over attributes with its digest.
	var over io.Writer
	macs := make([]hash.Hash, len(keys))
	writers := make([]io.Writer, len(keys))
	for i := range keys {
		macs[i] = hmac.New(m.hash.New, keys[i].cek)
		writers[i] = macs[i]
	}
	over = io.MultiWriter(writers...)
	if m.digestHash != 0 {
		m.digest = m.digestHash.New()
		over = m.digest
	}
	if m.contentType, err = x.encapsulated(over); err != nil {
		return nil, err
	}
	if err := m.readEnd(p); err != nil {
		return nil, err
	}
	right := false
	for i, k := range keys {
		if m.digest != nil {
			macs[i].Write(m.set)
		}
		if hmac.Equal(macs[i].Sum(nil), m.mac) && !k.wrong {
			right = true
		}
	}
	switch {
	case right && m.attributesFit:
		return nil, nil
	case x.failed != nil:
		return x.failed, nil
	}
	return ErrDecrypt, nil
}

func (x *extraction) macKeys(recipients *recipientList, n int) ([]contentKey, error) {
	found, err := askKeys(x.ctx, x.keys, recipients)
	if err != nil {
		return nil, err
	}
	candidates, err := recipients.candidates(found)
	if err != nil {
		return nil, err
	}
	x.keyLen = n
	keys, err := x.unwrap(candidates)
	if err == nil && len(keys) == 0 {
		err = x.failed
	}
	return keys, err
}

// A macInfo is what an AuthenticatedData says of its MAC.
type macInfo struct {
	algorithm, digestAlgorithm alg.Identifier
	hash, digestHash           alg.Hash
	contentType                oid.OID
	digest                     hash.Hash
	mac, set                   []byte
	attributesFit              bool
}

func (m *macInfo) readAlgorithms(x *extraction) error {
	var err error
	if m.algorithm, err = x.p.algorithm("AuthenticatedData.macAlgorithm"); err != nil {
		return err
	}
	if m.hash = alg.HMACHash(m.algorithm.OID); m.hash == 0 {
		return fmt.Errorf("%w: MAC algorithm %s", ErrUnsupported, m.algorithm.OID)
	}
	const field = "AuthenticatedData.digestAlgorithm"
	if there, err := x.p.at(ber.Context(1), field); !there {
		return err
	}
	der, err := x.p.small(field)
	if err != nil {
		return err
	}
	s := cryptobyte.String(append([]byte{0x30}, der[1:]...))
	if !alg.ReadIdentifier(&s, &m.digestAlgorithm) || !s.Empty() {
		return x.p.fail(field, "not an AlgorithmIdentifier")
	}
	if m.digestHash, err = alg.HashOf(m.digestAlgorithm); err != nil {
		return fmt.Errorf("%w: digest algorithm %s", ErrUnsupported, m.digestAlgorithm.OID)
	}
	if m.digestHash.Weak() {
		return x.weak(m.digestHash)
	}
	return nil
}

// readEnd reads what follows the content and holds RFC 5652 section 9: the
// attributes are there if a digest algorithm is, and if the content is not
// id-data.
func (m *macInfo) readEnd(p *parser) error {
	set, auth, err := readAttributes(p, ber.Context(2), "authAttrs")
	if err != nil {
		return err
	}
	if (set != nil) != (m.digest != nil) || set == nil && m.contentType != oid.Data {
		return p.fail("authAttrs", "present without digestAlgorithm, or absent where it is needed")
	}
	m.set = set
	if err := checkAuthAttributes(p, auth, m.contentType); err != nil {
		return err
	}
	m.attributesFit = m.digest == nil || m.fits(auth)
	if m.mac, err = p.octets(ber.OctetString, maxTag, "mac"); err != nil {
		return err
	}
	_, err = readUnprotected(p, ber.Context(3), "unauthAttrs")
	return err
}

func (m *macInfo) fits(auth attributes) bool {
	contentType, _ := auth.single(oid.AttrContentType)
	want, ok := auth.single(oid.AttrMessageDigest)
	if !ok || contentType == nil || string(want) != string(encodeOctets(m.digest.Sum(nil))) {
		return false
	}
	protection, ok := auth.single(oid.AttrCMSAlgorithmProtection)
	return ok && (protection == nil || m.protects(protection))
}

// protects compares with the algorithms in use (RFC 6211 section 2).
func (m *macInfo) protects(value []byte) bool {
	digest, algorithm, ok := parseAlgorithmProtection(value, 2)
	return ok && digest.Equal(m.digestAlgorithm) && algorithm.Equal(m.algorithm)
}
