package pkcs7

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"sync"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/budget"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/stream"
	"github.com/gosmime/gosmime/internal/x509der"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A SignedReader reads the content of a SignedData. What Read returns is
// unverified, io.EOF included: it says that the structure is complete.
// Whether somebody signed it, [SignerInfo.CheckSignature] says of one signer
// and [Verify] of all.
type SignedReader struct {
	p         *parser
	historic  bool
	pkcs7     bool // PKCS7Content
	outside   []*x509.Certificate
	type_     oid.OID
	version   int
	digestIDs [][]byte   // digestAlgorithms, DER
	announced []alg.Hash // those of them that are known
	content   io.Reader  // nil: there is none, or it was written to digest
	embedded  bool       // the content is inside
	emptied   bool       // there is an eContent of length zero, and the content is not inside
	digest    *Digester
	again     *stream.Rewind // to the source of the content; nil: can't be read again
	certs     [][]byte
	crls      [][]byte
	signers   []*SignerInfo
	parsing   sync.Once
	parsed    []*x509der.Certificate // of certs, once asked for
	err       error                  // of Read; io.EOF: complete
}

const (
	maxDigests = 64 // length of digestAlgorithms
	maxHashes  = 6  // how often content is hashed at most
)

// NewSignedReader reads a SignedData from src. detached is the content if it
// is not inside; it must be nil if it is.
func NewSignedReader(src, detached io.Reader, opts *ReadOptions) (*SignedReader, error) {
	rewind := stream.NewRewind(src)
	r := newSignedReader(src, opts)
	if err := r.begin(); err != nil {
		return nil, err
	}
	if detached != nil {
		if err := r.detach(); err != nil {
			return nil, err
		}
	}
	if !r.embedded {
		r.content = detached
		r.again = stream.NewRewind(detached)
	} else {
		r.again = rewind
	}
	r.digest = newDigester(r.announced, r.keepLimit())
	return r, nil
}

// NewDetachedReader reads a SignedData whose content was written to d, which
// must not be nil.
func NewDetachedReader(src io.Reader, d *Digester, opts *ReadOptions) (*SignedReader, error) {
	if d == nil {
		return nil, fmt.Errorf("%w: no Digester", ErrNotRead)
	}
	r := newSignedReader(src, opts)
	if err := r.begin(); err != nil {
		return nil, err
	}
	if err := r.detach(); err != nil {
		return nil, err
	}
	r.digest = d
	return r, nil
}

// detach says that the content is not inside.
//
// DEVIATION: RFC 5652 section 5.2 wants eContent to be absent then. Some programs
// write one of length zero, which holds nothing that could be shown instead. Any
// other one is refused: a verifier that fell back to either content would check
// what nobody is shown (eContent confusion).
func (r *SignedReader) detach() error {
	if !r.embedded {
		return nil
	}
	const field = "SignedData.encapContentInfo.eContent"
	var first [1]byte
	switch _, err := stream.ReadSome(r.content, first[:]); err {
	case io.EOF:
		r.embedded, r.emptied, r.content = false, true, nil
		return nil
	case nil:
		return r.p.fail(field, "content inside a detached signature")
	default:
		return r.p.wrap(err, field)
	}
}

func newSignedReader(src io.Reader, opts *ReadOptions) *SignedReader {
	if opts == nil {
		opts = &ReadOptions{}
	}
	r := &SignedReader{p: newParser(src, opts.Limits), historic: opts.InsecureHistoric, pkcs7: opts.PKCS7Content, outside: opts.Certificates}
	r.p.filler = opts.TrailingZeros
	return r
}

// keepLimit returns how much content to hold: a signature of a pure algorithm
// without signedAttrs is made over the content itself (RFC 8419 section 4),
// and that there is one shows only after the content. Those algorithms go with
// few digests.
func (r *SignedReader) keepLimit() int {
	if r.again != nil {
		return smallContent
	}
	for _, h := range r.announced {
		if h == alg.SHA256 || h == alg.SHA384 || h.Weak() {
			return smallContent
		}
	}
	return int(min(r.p.budget.Left(budget.Memory), math.MaxInt))
}

// begin reads up to the content.
//
//	SignedData ::= SEQUENCE {
//	    version CMSVersion,
//	    digestAlgorithms DigestAlgorithmIdentifiers,
//	    encapContentInfo EncapsulatedContentInfo,
//	    certificates [0] IMPLICIT CertificateSet OPTIONAL,
//	    crls [1] IMPLICIT RevocationInfoChoices OPTIONAL,
//	    signerInfos SignerInfos }
func (r *SignedReader) begin() error {
	p := r.p
	if _, err := p.contentInfoOf(oid.SignedData); err != nil {
		return err
	}
	if err := p.enter(ber.Sequence, "SignedData"); err != nil {
		return err
	}
	var err error
	if r.version, err = p.version("SignedData.version"); err != nil {
		return err
	}
	if err := r.digestAlgorithms(); err != nil {
		return err
	}
	return r.beginContent()
}

func (r *SignedReader) digestAlgorithms() error {
	const field = "SignedData.digestAlgorithms"
	p := r.p
	if err := p.enter(ber.Set, field); err != nil {
		return err
	}
	for n := 0; ; n++ {
		_, ok, err := p.more(field)
		if err != nil {
			return err
		}
		if !ok {
			return p.leave(field)
		}
		if n == maxDigests {
			return fmt.Errorf("%w: more than %d %s", ErrLimit, maxDigests, field)
		}
		id, err := p.algorithm(field)
		if err != nil {
			return err
		}
		if err := take(p.budget, budget.Held, int64(len(id.DER()))); err != nil {
			return err
		}
		r.digestIDs = append(r.digestIDs, id.DER())
		// What nobody here knows may belong to a signer that nobody asks about.
		h, _, err := alg.DigestOf(id)
		if err == nil && len(r.announced) < maxHashes && !slices.Contains(r.announced, h) {
			r.announced = append(r.announced, h)
		}
	}
}

// beginContent opens
//
//	EncapsulatedContentInfo ::= SEQUENCE {
//	    eContentType ContentType,
//	    eContent [0] EXPLICIT OCTET STRING OPTIONAL }
func (r *SignedReader) beginContent() error {
	const field = "SignedData.encapContentInfo"
	p := r.p
	if err := p.enter(ber.Sequence, field); err != nil {
		return err
	}
	id, err := p.oid(field + ".eContentType")
	if err != nil {
		return err
	}
	r.type_ = id
	_, ok, err := p.more(field)
	if err != nil {
		return err
	}
	if !ok {
		return p.leave(field)
	}
	if err := p.enter(ber.Context(0), field+".eContent"); err != nil {
		return err
	}
	r.embedded = true
	e, ok, err := p.more(field + ".eContent")
	if err != nil {
		return err
	}
	if ok && r.pkcs7 && e.Tag != ber.OctetString {
		return r.anyContent()
	}
	r.content, err = p.String(ber.OctetString)
	return p.wrap(err, field+".eContent")
}

// Read reads content.
func (r *SignedReader) Read(b []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	if r.p == nil {
		return 0, ErrNotRead
	}
	if len(b) == 0 {
		return 0, nil
	}
	n := 0
	err := io.EOF
	if r.content != nil {
		n, err = stream.ReadSome(r.content, b)
		if !r.embedded && n > 0 {
			if over := take(r.p.budget, budget.Bytes, int64(n)); over != nil {
				n, err = 0, over
			}
		}
		r.digest.Write(b[:n])
	}
	switch {
	case err == io.EOF:
		r.err = r.finish()
	case err != nil:
		r.err = wrapError(err, "content")
	}
	if n > 0 {
		return n, nil
	}
	return 0, r.err
}

// ContentType returns the type of the content, eContentType.
func (r *SignedReader) ContentType() x509.OID { return r.type_.X509() }

// finish reads what follows the content and returns io.EOF if all is well.
func (r *SignedReader) finish() error {
	p := r.p
	if r.embedded || r.emptied {
		if err := p.leave("SignedData.encapContentInfo.eContent"); err != nil {
			return err
		}
		if err := p.leave("SignedData.encapContentInfo"); err != nil {
			return err
		}
	}
	if err := r.bags(); err != nil {
		return err
	}
	if err := r.signerInfos(); err != nil {
		return err
	}
	if err := p.leave("SignedData"); err != nil {
		return err
	}
	if err := p.endContentInfo(); err != nil {
		return err
	}
	needed := r.needsContent()
	if needed {
		if err := r.readAgain(); err != nil {
			return err
		}
	}
	r.digest.finish(p.budget, needed)
	return io.EOF
}

// noContent reports that there is nothing that signers could have signed:
// no content inside, and none was given.
func (r *SignedReader) noContent() bool {
	return !r.embedded && r.content == nil && !r.digest.external
}

// DigestAlgorithms returns the digest algorithms of the signers, each once. A
// [Digester] that had none of them can't serve that signer. It fails with
// [ErrNotRead] before io.EOF.
func (r *SignedReader) DigestAlgorithms() ([]x509.OID, error) {
	if err := r.complete(); err != nil {
		return nil, err
	}
	var list []x509.OID
	var seen []oid.OID
	for _, s := range r.signers {
		if !slices.Contains(seen, s.digestID.OID) {
			seen = append(seen, s.digestID.OID)
			list = append(list, s.digestID.OID.X509())
		}
	}
	return list, nil
}

// needsContent reports whether a signer can be checked only with the content
// itself, or by a digest that was not announced.
func (r *SignedReader) needsContent() bool {
	for _, s := range r.signers {
		if s.signedDER == nil || r.digest.find(s.hash) == nil {
			return true
		}
	}
	return false
}

func (r *SignedReader) bags() error {
	for i, bag := range []*[][]byte{&r.certs, &r.crls} {
		field := [...]string{"SignedData.certificates", "SignedData.crls"}[i]
		tag := ber.Context(uint32(i))
		ok, err := r.p.at(tag, field)
		if err != nil {
			return err
		}
		if ok {
			if *bag, err = r.p.elements(tag, field); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *SignedReader) signerInfos() error {
	const field = "SignedData.signerInfos"
	p := r.p
	if err := p.enter(ber.Set, field); err != nil {
		return err
	}
	for {
		e, ok, err := p.more(field)
		if err != nil {
			return err
		}
		if !ok {
			return p.leave(field)
		}
		if err := take(p.budget, budget.Signers, 1); err != nil {
			return err
		}
		raw, _, err := p.keepParsed(field)
		if err != nil {
			return err
		}
		s, err := parseSignerInfo(raw, e.Offset, fmt.Sprintf("%s[%d]", field, len(r.signers)))
		if err != nil {
			return err
		}
		s.over = r
		r.signers = append(r.signers, s)
	}
}

// Signers returns the signers. It fails with [ErrNotRead] before io.EOF.
func (r *SignedReader) Signers() ([]*SignerInfo, error) {
	if err := r.complete(); err != nil {
		return nil, err
	}
	return r.signers[:len(r.signers):len(r.signers)], nil
}

// UnverifiedElements returns the certificates, CRLs and OCSP responses in the
// message as DER, not to be changed. Anyone can put anything there. It fails with [ErrNotRead] before io.EOF.
func (r *SignedReader) UnverifiedElements() (der [][]byte, err error) {
	if err := r.complete(); err != nil {
		return nil, err
	}
	return r.elements(), nil
}

// complete returns nil if the message was read to its end.
func (r *SignedReader) complete() error {
	switch {
	case errors.Is(r.err, io.EOF):
		return nil
	case r.err != nil:
		return r.err
	}
	return ErrNotRead
}

// readAgain reads the content a second time into memory, if it is no longer
// held, fits and can be read again. It must have the digests of the first time.
func (r *SignedReader) readAgain() error {
	d := r.digest
	if d.size <= int64(d.keep) || r.again == nil || d.size > r.p.budget.Left(budget.Memory) {
		return nil
	}
	content, end, err := r.again.Reopen()
	if err != nil {
		return nil
	}
	if r.embedded {
		second := newSignedReader(content, &ReadOptions{Limits: r.p.lim.unshared(), PKCS7Content: r.pkcs7})
		if err := second.begin(); err != nil {
			return err
		}
		if content = second.content; content == nil {
			return changedError()
		}
	}
	again := newDigester(r.announced, int(d.size))
	if _, err := stream.Copy(again, io.LimitReader(content, d.size+1)); err != nil {
		return wrapError(err, "content")
	}
	if !again.sameSums(d) {
		return changedError()
	}
	r.digest = again
	return wrapError(r.again.Return(end), "content")
}

// elements returns what the message carries as evidence, without the wrapping
// that only CMS gives it.
func (r *SignedReader) elements() [][]byte {
	list := make([][]byte, 0, len(r.certs)+len(r.crls))
	for _, c := range r.certs {
		if isSequence(c) {
			list = append(list, c)
		}
	}
	for _, c := range r.crls {
		if isSequence(c) {
			list = append(list, c)
		} else if response := ocspResponse(c); response != nil {
			list = append(list, response)
		}
	}
	for _, s := range r.signers {
		more := s.unsigned.evidence()
		// The bags were counted when they were read; this is no way around it.
		list = append(list, more[:min(len(more), max(r.p.lim.Certificates-len(list), 0))]...)
	}
	return list
}

// anyContent makes the content that is no OCTET STRING the contents octets of
// its one element, which is small enough to be held.
func (r *SignedReader) anyContent() error {
	const field = "SignedData.encapContentInfo.eContent"
	raw, err := r.p.keep(field)
	if err != nil {
		return err
	}
	der, err := toDER(raw, r.p.Offset()-int64(len(raw)), field)
	if err != nil {
		return err
	}
	var contents cryptobyte.String
	var tag asn1.Tag
	s := cryptobyte.String(der)
	if !s.ReadAnyASN1(&contents, &tag) || !s.Empty() {
		return r.p.fail(field, "not one element")
	}
	r.content = bytes.NewReader(contents)
	return nil
}

// parsedCerts returns the certificates of the message that can be read, and then
// those from outside.
func (r *SignedReader) parsedCerts() []*x509der.Certificate {
	r.parsing.Do(func() {
		r.parsed = make([]*x509der.Certificate, 0, len(r.certs))
		for _, der := range r.certs {
			if !isSequence(der) {
				continue
			}
			if c, err := x509der.Parse(der); err == nil {
				r.parsed = append(r.parsed, c)
			}
		}
		for _, cert := range r.outside {
			if c, err := parseCertificate(cert); err == nil {
				r.parsed = append(r.parsed, c)
			}
		}
	})
	return r.parsed
}

// announces reports whether id is among digestAlgorithms, modulo encoding; the
// two identifiers of SHAKE256 stand for each other.
func (r *SignedReader) announces(id alg.Identifier) bool {
	hash, _, _ := alg.DigestOf(id)
	for _, der := range r.digestIDs {
		other, err := alg.ParseIdentifier(der)
		if err != nil {
			continue
		}
		if h, _, _ := alg.DigestOf(other); other.Equal(id) || h != 0 && h == hash {
			return true
		}
	}
	return false
}

func changedError() error {
	return &SyntaxError{Field: "content", Reason: "changed while it was read"}
}
