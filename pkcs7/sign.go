package pkcs7

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/stream"
	"github.com/gosmime/gosmime/internal/x509der"
)

// A SigningKey makes one signature. A key that can be cancelled implements,
// beside the crypto interface, WithContext(context.Context) crypto.PrivateKey.
type SigningKey struct {
	Certificate *x509.Certificate
	Key         crypto.Signer       // matches Certificate; crypto.MessageSigner is used where present
	Chain       []*x509.Certificate // sent along, without the anchor
	Scheme      Scheme              // zero: the best for the key
	Attributes  []Attribute         // signed, in addition to the standard ones
}

// SignOptions are the options of signing; nil means the defaults.
type SignOptions struct {
	SigningTime time.Time // to claim; zero: now
	ContentType x509.OID  // zero: id-data
	// ByKeyID names signers by subject key identifier, where the certificate has
	// one. gpgsm and the stock commands of NeoMutt do not read that.
	ByKeyID bool
	// Size of the content if known: all lengths are then definite, if besides the
	// content has at most 1 MiB or the signatures are of known length, as those
	// of all but ECDSA keys are. Else they are not, but for small contents.
	Size int64
	// Sorted puts certificates and signers in the order that DER has for sets
	// (X.690 clause 11.6). Without it they are in the caller's order, the first
	// signer and the certificate of that one first, where simple programs look
	// for them.
	Sorted bool
	// CertificateHash is the digest by which the signing certificate attribute
	// names the signer's certificate (RFC 5035); zero: SHA-256. It must be SHA-256
	// or another one of the SHA-2 and SHA-3 families.
	CertificateHash crypto.Hash
	// NoCertificates leaves the signers' certificates and their chains out.
	NoCertificates bool
	// Detached is the content for AddSigner, where the message has none inside.
	Detached io.Reader
	// Limits bound what is read by AddSigner.
	Limits Limits
}

// NewSignWriter returns a writer that signs what is written to it and writes a
// SignedData with that content to dst. Close makes the signatures; its error
// must be checked.
func NewSignWriter(ctx context.Context, dst io.Writer, signers []SigningKey, opts *SignOptions) (io.WriteCloser, error) {
	if opts == nil {
		opts = &SignOptions{}
	}
	s, err := newSigning(ctx, signers, opts)
	if err != nil {
		return nil, err
	}
	size := opts.Size
	if size <= 0 {
		size = unknownSize
	}
	s.out = s.writer(dst, size)
	if size > smallContent {
		s.out.tail = s.predictTail()
	}
	return s, nil
}

// SignDetached reads content to its end and writes a SignedData without
// content to dst, with definite lengths: DER, with SignOptions.Sorted or if there
// is one signer with one certificate.
func SignDetached(ctx context.Context, dst io.Writer, content io.Reader, signers []SigningKey, opts *SignOptions) error {
	if opts == nil {
		opts = &SignOptions{}
	}
	s, err := newSigning(ctx, signers, opts)
	if err != nil {
		return err
	}
	if _, err := stream.Copy(stream.ContextWriter(ctx, s.digest), content); err != nil {
		return fmt.Errorf("pkcs7: content: %w", err)
	}
	s.out = s.writer(dst, noContent)
	return s.finish()
}

// A signing is signatures in the making. It is the writer that NewSignWriter
// returns.
type signing struct {
	ctx    context.Context
	jobs   []*signJob
	bare   bool // NoCertificates
	sorted bool
	digest *Digester
	type_  oid.OID
	out    *encapWriter
	closed bool
	err    error
}

func newSigning(ctx context.Context, signers []SigningKey, opts *SignOptions) (*signing, error) {
	if len(signers) == 0 {
		return nil, ErrNoSigner
	}
	s := &signing{ctx: ctx, bare: opts.NoCertificates, sorted: opts.Sorted, type_: oid.FromX509(opts.ContentType)}
	if s.type_ == "" {
		s.type_ = oid.Data
	}
	at := signingTime(opts)
	var hashes []alg.Hash
	for i := range signers {
		job, err := newSignJob(&signers[i], opts.ByKeyID)
		if err != nil {
			return nil, fmt.Errorf("pkcs7: signer %d: %w", i, err)
		}
		if err := job.fixedAttributes(s.type_, at, opts.CertificateHash); err != nil {
			return nil, fmt.Errorf("pkcs7: signer %d: %w", i, err)
		}
		hashes = append(hashes, job.scheme.Hash())
		s.jobs = append(s.jobs, job)
	}
	s.digest = newDigester(hashes, smallContent)
	return s, nil
}

func signingTime(opts *SignOptions) time.Time {
	if opts.SigningTime.IsZero() {
		return time.Now()
	}
	return opts.SigningTime
}

// writer returns an encapWriter for the jobs alone.
func (s *signing) writer(dst io.Writer, size int64) *encapWriter {
	var digests [][]byte
	byKeyID := false
	for _, job := range s.jobs {
		digests = appendNew(digests, job.digestID.DER())
		byKeyID = byKeyID || job.id.Serial == nil
	}
	version := signedVersion(s.type_, nil, nil, byKeyID)
	return &encapWriter{dst: dst, outer: oid.SignedData, front: encodeFront(version, digests), type_: s.type_, size: size, tail: -1}
}

// Write implements io.Writer.
func (s *signing) Write(p []byte) (int, error) {
	if s.closed {
		return 0, errors.New("pkcs7: write after Close")
	}
	if s.err != nil {
		return 0, s.err
	}
	if s.err = s.ctx.Err(); s.err != nil {
		return 0, s.err
	}
	s.digest.Write(p)
	var n int
	n, s.err = s.out.Write(p)
	return n, s.err
}

// Close makes the signatures.
func (s *signing) Close() error {
	if s.closed {
		return s.err
	}
	s.closed = true
	if s.err == nil {
		s.err = s.finish()
	}
	return s.err
}

func (s *signing) finish() error {
	signers, err := s.sign()
	if err != nil {
		return err
	}
	return s.out.finish(encodeTail(s.sorted, s.certificates(), nil, signers))
}

// sign returns the SignerInfos.
func (s *signing) sign() ([][]byte, error) {
	s.digest.external = true // what it holds is small
	s.digest.finish(nil, false)
	if s.type_ == oid.Data && s.digest.forged() {
		// What looks like signed attributes is not signed as content: somebody
		// may want to use it as such.
		return nil, &SyntaxError{Field: "content", Reason: "is a set of signed attributes"}
	}
	list := make([][]byte, len(s.jobs))
	for i, job := range s.jobs {
		sum, _ := s.digest.sum(job.scheme.Hash())
		info, err := job.sign(s.ctx, sum)
		if err != nil {
			return nil, fmt.Errorf("pkcs7: signer %d: %w", i, err)
		}
		list[i] = info
	}
	return list, nil
}

// certificates returns those to send.
func (s *signing) certificates() [][]byte {
	if s.bare {
		return nil
	}
	var list [][]byte
	for _, job := range s.jobs {
		list = appendNew(list, job.cert.Raw)
		for _, c := range job.chain {
			list = appendNew(list, c.Raw)
		}
	}
	return list
}

// predictTail returns how long what follows the content will be, or −1 if that
// depends on the signatures.
func (s *signing) predictTail() int {
	tail, exact, err := s.longestTail()
	if err != nil || !exact {
		return -1
	}
	return len(tail)
}

// longestTail returns what follows the content, with signatures of the greatest
// length, and whether all have that length.
func (s *signing) longestTail() (tail []byte, exact bool, err error) {
	var signers [][]byte
	exact = true
	for _, job := range s.jobs {
		n, fixed := job.pub.SignatureLen()
		exact = exact && fixed
		set, err := job.attributes(make([]byte, job.scheme.Hash().Size())).encode()
		if err != nil {
			return nil, false, err
		}
		signers = append(signers, job.encode(set, make([]byte, n)))
	}
	return encodeTail(s.sorted, s.certificates(), nil, signers), exact, nil
}

// MaxSize returns how many octets [SignDetached] writes at most for these signers
// with o, which may be nil. No key is used. Programs that reserve room before
// they sign, as for PDF, add what timestamps and other unsigned attributes take.
func (o *SignOptions) MaxSize(signers []SigningKey) (int, error) {
	if o == nil {
		o = &SignOptions{}
	}
	s, err := newSigning(context.Background(), signers, o)
	if err != nil {
		return 0, err
	}
	tail, _, err := s.longestTail()
	if err != nil {
		return 0, err
	}
	var out bytes.Buffer
	w := s.writer(&out, noContent)
	err = w.finish(tail)
	return out.Len(), err
}

// A signJob makes one SignerInfo.
type signJob struct {
	key             crypto.Signer
	cert            *x509der.Certificate
	pub             *alg.PublicKey
	chain           []*x509.Certificate
	id              CertID
	scheme          alg.Scheme
	digestID, sigID alg.Identifier
	wished          attributes
	fixed           attributes // all but the message digest
}

func newSignJob(k *SigningKey, byKeyID bool) (*signJob, error) {
	cert, err := parseCertificate(k.Certificate)
	if err != nil {
		return nil, err
	}
	if !alg.Usable(k.Key) {
		return nil, ErrNoKey
	}
	job := &signJob{key: k.Key, cert: cert, chain: k.Chain, scheme: alg.Scheme(k.Scheme), wished: importAttributes(k.Attributes)}
	if job.pub, err = alg.ParsePublicKey(cert.SPKI); err != nil {
		return nil, algError(err, "certificate")
	}
	if job.scheme == 0 {
		if job.scheme, err = alg.SchemeFor(job.pub); err != nil {
			return nil, algError(err, "certificate")
		}
	}
	if job.digestID, job.sigID, err = job.scheme.Identifiers(job.pub); err != nil {
		return nil, algError(err, "scheme")
	}
	signature, err := alg.SignatureOf(job.sigID, job.scheme.Hash())
	if err == nil {
		err = signature.Strength(job.pub)
	}
	if err != nil {
		return nil, algError(err, "certificate")
	}
	if job.id = issuerAndSerial(cert); byKeyID {
		job.id = keyID(cert)
	}
	return job, nil
}

// fixedAttributes makes the attributes that don't depend on the content: what
// every signature of ours has (RFC 8551 section 2.5, RFC 6211, RFC 5035) and
// what the caller wants. No type is "" in a countersignature.
func (j *signJob) fixedAttributes(typ oid.OID, at time.Time, certHash crypto.Hash) error {
	if certHash == 0 {
		certHash = crypto.SHA256
	}
	hash := alg.HashOfCrypto(certHash)
	if hash == 0 || hash.Weak() {
		return fmt.Errorf("%w: CertificateHash", ErrUnsupported)
	}
	signingTime := encodeTime(at)
	if signingTime == nil {
		return &SyntaxError{Field: "signingTime", Reason: "year out of range"}
	}
	if typ != "" {
		j.fixed = append(j.fixed, attribute{oid.AttrContentType, [][]byte{ber.Append(nil, ber.OID, false, []byte(typ))}},
			attribute{oid.AttrCMSAlgorithmProtection, [][]byte{encodeAlgorithmProtection(j.digestID, j.sigID)}})
	}
	j.fixed = append(j.fixed, attribute{oid.AttrSigningTime, [][]byte{signingTime}},
		attribute{oid.AttrSigningCertificateV2, [][]byte{encodeSigningCertificate(j.cert, hash)}})
	for _, a := range j.wished {
		if j.fixed.has(a.id) || a.id == oid.AttrMessageDigest || a.id == oid.AttrContentType || a.id == oid.AttrCountersignature {
			return &SyntaxError{Field: "Attributes", Reason: "attribute " + a.id.String() + " is not the caller's"}
		}
		j.fixed = append(j.fixed, a)
	}
	_, err := j.wished.encode()
	return err
}

func (j *signJob) attributes(digest []byte) attributes {
	value := ber.Append(nil, ber.OctetString, false, digest)
	return append(j.fixed[:len(j.fixed):len(j.fixed)], attribute{oid.AttrMessageDigest, [][]byte{value}})
}

// sign returns the SignerInfo for a content with that digest.
func (j *signJob) sign(ctx context.Context, digest []byte) ([]byte, error) {
	set, err := j.attributes(digest).encode()
	if err != nil {
		return nil, err
	}
	sig, err := alg.Sign(ctx, j.key, j.pub, j.scheme, set)
	if err != nil {
		return nil, err
	}
	return j.encode(set, sig), nil
}

// encode returns the SignerInfo; its version is 1 by issuerAndSerialNumber, 3
// by subjectKeyIdentifier (RFC 5652 section 5.3).
func (j *signJob) encode(set, sig []byte) []byte {
	version := byte(1)
	if j.id.Serial == nil {
		version = 3
	}
	set = append([]byte{0xa0}, set[1:]...) // [0] IMPLICIT
	return ber.Append(nil, ber.Sequence, true,
		ber.Append(nil, ber.Integer, false, []byte{version}), j.id.encode(), j.digestID.DER(),
		set, j.sigID.DER(), ber.Append(nil, ber.OctetString, false, sig))
}
