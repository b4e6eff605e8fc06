package pkcs7

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"time"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/stream"
	"github.com/gosmime/gosmime/internal/x509der"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

const (
	maxTimestamps = 16       // tokens of one signature
	maxTSTInfo    = 64 << 10 // octets
	maxAccuracy   = 1 << 31  // seconds
)

// VerifyTimestamps checks the RFC 3161 tokens over this signature and returns
// the earliest time that one proves: the signature was there at that time, which
// is the token's time and as much later as its accuracy allows. trust is asked
// about the authority's certificate at the token's time and must hold it to the
// purpose of time stamping. It fails with [ErrNoTimestamp] if there is no token,
// and with all reasons if none holds.
func (s *SignerInfo) VerifyTimestamps(ctx context.Context, trust TrustFunc) (time.Time, error) {
	if trust == nil {
		return time.Time{}, errors.New("pkcs7: VerifyTimestamps without a TrustFunc")
	}
	var earliest time.Time
	failures := []error{ErrNoTimestamp}
	for n, token := range s.timestamps() {
		at, err := s.verifyTimestamp(ctx, token, trust)
		if err != nil {
			failures = append(failures, fmt.Errorf("pkcs7: timestamp %d: %w", n, err))
			continue
		}
		if earliest.IsZero() || at.Before(earliest) {
			earliest = at
		}
	}
	if earliest.IsZero() {
		return earliest, errors.Join(failures...)
	}
	return earliest, nil
}

// timestamps returns the tokens in the signature-time-stamp attributes
// (RFC 3161 appendix A), but not more than maxTimestamps.
func (s *SignerInfo) timestamps() [][]byte {
	var list [][]byte
	for _, a := range s.unsigned {
		if a.id == oid.AttrTimestampToken {
			list = append(list, a.values...)
		}
	}
	return list[:min(len(list), maxTimestamps)]
}

// verifyTimestamp checks one token over this signature.
func (s *SignerInfo) verifyTimestamp(ctx context.Context, token []byte, trust TrustFunc) (time.Time, error) {
	r, info, err := s.readToken(token)
	if err != nil {
		return time.Time{}, err
	}
	if err := info.covers(bytes.NewReader(s.signature), s.over.historic); err != nil {
		return time.Time{}, err
	}
	// The token may leave out what the message has.
	r.parsed = append(r.parsedCerts(), s.over.parsedCerts()...)
	if _, err := r.verifyToken(ctx, info, trust, s.over.elements()); err != nil {
		return time.Time{}, err
	}
	return info.time.Add(info.accuracy), nil
}

// verifyToken checks the signature of a token, a SignedData of exactly one signer,
// and asks trust about the authority.
func (r *SignedReader) verifyToken(ctx context.Context, info *tstInfo, trust TrustFunc, extra [][]byte) (*x509.Certificate, error) {
	if len(r.signers) != 1 {
		return nil, fmt.Errorf("%w: a token has exactly one signer", ErrNoSigner)
	}
	tsa := r.signers[0]
	// RFC 3161 section 2.4.2, RFC 5816: the certificate is named in the token.
	if !tsa.signed.has(oid.AttrSigningCertificate) && !tsa.signed.has(oid.AttrSigningCertificateV2) {
		return nil, tsa.syntax("signedAttrs", "no signing certificate")
	}
	cert, err := tsa.verify(ctx, trust, info.time, append(r.elements(), extra...))
	if err != nil {
		return nil, err
	}
	c, err := parseCertificate(cert)
	if err != nil {
		return nil, err
	}
	if !onlyTimeStamping(c) {
		return nil, fmt.Errorf("%w: the certificate is not for time stamping alone", ErrSignature)
	}
	return cert, nil
}

// A Timestamp is what a token says that [VerifyTimestamp] found good.
type Timestamp struct {
	// Time is when the authority saw the data. It may have been as much earlier or
	// later as Accuracy says; zero: nothing is said.
	Time     time.Time
	Accuracy time.Duration
	Serial   *big.Int
	Policy   x509.OID
	Nonce    *big.Int          // of the request; nil: none
	TSA      *x509.Certificate // of the authority
}

// VerifyTimestamp checks an RFC 3161 token, a ContentInfo in DER or BER, over
// data, which it reads to its end, and asks trust about the authority's
// certificate at the token's time; trust must hold it to the purpose of time
// stamping and must not be nil. The authority's certificate is looked for in the
// token and in ReadOptions.Certificates. Content that is not what was stamped is
// [ErrDigest]. Whether Nonce and Policy are those of a request is for the caller
// to compare.
func VerifyTimestamp(ctx context.Context, token []byte, data io.Reader, trust TrustFunc, opts *ReadOptions) (*Timestamp, error) {
	if trust == nil {
		return nil, errors.New("pkcs7: VerifyTimestamp without a TrustFunc")
	}
	if opts == nil {
		opts = &ReadOptions{}
	}
	r, info, err := readTSTInfo(token, opts)
	if err != nil {
		return nil, err
	}
	if err := info.covers(stream.ContextReader(ctx, data), opts.InsecureHistoric); err != nil {
		return nil, err
	}
	var extra [][]byte
	for _, c := range opts.Certificates {
		if c != nil {
			extra = append(extra, c.Raw)
		}
	}
	cert, err := r.verifyToken(ctx, info, trust, extra)
	if err != nil {
		return nil, err
	}
	return &Timestamp{Time: info.time, Accuracy: info.accuracy, Serial: info.serial, Policy: info.policy.X509(), Nonce: info.nonce, TSA: cert}, nil
}

// readToken reads a TimeStampToken within the budget of the message.
func (s *SignerInfo) readToken(token []byte) (*SignedReader, *tstInfo, error) {
	if s.over == nil {
		return nil, nil, ErrNotRead
	}
	lim := s.over.p.lim
	lim.shared = s.over.p.budget
	return readTSTInfo(token, &ReadOptions{Limits: lim, InsecureHistoric: s.over.historic})
}

// readTSTInfo reads a TimeStampToken.
func readTSTInfo(token []byte, opts *ReadOptions) (*SignedReader, *tstInfo, error) {
	r, err := NewSignedReader(bytes.NewReader(token), nil, opts)
	if err != nil {
		return nil, nil, err
	}
	if r.type_ != oid.TSTInfo {
		return nil, nil, fmt.Errorf("%w: content type %s in a timestamp", ErrUnsupported, r.type_)
	}
	content, err := io.ReadAll(io.LimitReader(r, maxTSTInfo))
	if err != nil {
		return nil, nil, err
	}
	if err := r.complete(); err != nil {
		return nil, nil, fmt.Errorf("%w: TSTInfo", ErrLimit)
	}
	info, ok := parseTSTInfo(content)
	if !ok {
		return nil, nil, &SyntaxError{Field: "TSTInfo", Reason: "malformed, or a critical extension is unknown"}
	}
	return r, info, nil
}

// onlyTimeStamping reports whether c has the critical extended key usage that
// RFC 3161 section 2.3 demands, and no other.
func onlyTimeStamping(c *x509der.Certificate) bool {
	ext := c.Extension(oid.ExtExtendedKeyUsage)
	if ext == nil || !ext.Critical {
		return false
	}
	var seq cryptobyte.String
	var usage oid.OID
	v := cryptobyte.String(ext.Value)
	return v.ReadASN1(&seq, asn1.SEQUENCE) && v.Empty() && oid.Read(&seq, &usage) && seq.Empty() && usage == oid.EKUTimeStamping
}

// A tstInfo is what a timestamp says.
type tstInfo struct {
	policy  oid.OID
	imprint imprint
	serial  *big.Int
	time    time.Time
	nonce   *big.Int // or nil

	accuracy time.Duration // how much later it may have been; 0: not said
}

// An imprint is a MessageImprint.
//
//	MessageImprint ::= SEQUENCE {
//	    hashAlgorithm AlgorithmIdentifier,
//	    hashedMessage OCTET STRING }
type imprint struct {
	algorithm alg.Identifier
	digest    []byte
}

func readImprint(s *cryptobyte.String, out *imprint) bool {
	var seq, digest cryptobyte.String
	ok := s.ReadASN1(&seq, asn1.SEQUENCE) && alg.ReadIdentifier(&seq, &out.algorithm) &&
		seq.ReadASN1(&digest, asn1.OCTET_STRING) && seq.Empty()
	out.digest = digest
	return ok
}

// covers checks that the timestamp is one of data.
func (i *tstInfo) covers(data io.Reader, historic bool) error {
	hash, err := alg.HashOf(i.imprint.algorithm)
	if err != nil {
		return algError(err, "TSTInfo.messageImprint")
	}
	if hash == alg.MD5 || hash.Weak() && !historic {
		return fmt.Errorf("%w: TSTInfo.messageImprint: digest %v", ErrWeak, hash)
	}
	h := hash.New()
	if _, err := stream.Copy(h, data); err != nil {
		return fmt.Errorf("pkcs7: time-stamped data: %w", err)
	}
	if subtle.ConstantTimeCompare(h.Sum(nil), i.imprint.digest) != 1 {
		return fmt.Errorf("%w: the timestamp is of something else", ErrDigest)
	}
	return nil
}

// parseTSTInfo reads
//
//	TSTInfo ::= SEQUENCE {
//	    version INTEGER { v1(1) },
//	    policy TSAPolicyId,
//	    messageImprint MessageImprint,
//	    serialNumber INTEGER,
//	    genTime GeneralizedTime,
//	    accuracy Accuracy OPTIONAL,
//	    ordering BOOLEAN DEFAULT FALSE,
//	    nonce INTEGER OPTIONAL,
//	    tsa [0] GeneralName OPTIONAL,
//	    extensions [1] IMPLICIT Extensions OPTIONAL }
func parseTSTInfo(der []byte) (*tstInfo, bool) {
	var seq, serial, genTime cryptobyte.String
	var version int
	info := &tstInfo{}
	s := cryptobyte.String(der)
	if !s.ReadASN1(&seq, asn1.SEQUENCE) || !s.Empty() ||
		!seq.ReadASN1Integer(&version) || version != 1 || !oid.Read(&seq, &info.policy) ||
		!readImprint(&seq, &info.imprint) ||
		!seq.ReadASN1(&serial, asn1.INTEGER) || len(serial) == 0 || len(serial) > 64 ||
		!seq.ReadASN1(&genTime, asn1.GeneralizedTime) {
		return nil, false
	}
	info.serial = twosComplement(serial)
	var ok bool
	if info.time, ok = parseGenTime(string(genTime)); !ok {
		return nil, false
	}
	var ordering bool // tells about several tokens only
	if info.accuracy, ok = readAccuracy(&seq); !ok ||
		seq.PeekASN1Tag(asn1.BOOLEAN) && !seq.ReadASN1Boolean(&ordering) {
		return nil, false
	}
	if seq.PeekASN1Tag(asn1.INTEGER) {
		info.nonce = new(big.Int)
		if !seq.ReadASN1Integer(info.nonce) {
			return nil, false
		}
	}
	return info, seq.SkipOptionalASN1(asn1.Tag(0).ContextSpecific().Constructed()) &&
		noCriticalExtension(&seq) && seq.Empty()
}

// readAccuracy reads the optional
//
//	Accuracy ::= SEQUENCE {
//	    seconds INTEGER OPTIONAL,
//	    millis [0] INTEGER (1..999) OPTIONAL,
//	    micros [1] INTEGER (1..999) OPTIONAL }
func readAccuracy(s *cryptobyte.String) (time.Duration, bool) {
	if !s.PeekASN1Tag(asn1.SEQUENCE) {
		return 0, true
	}
	var seq cryptobyte.String
	var seconds int64
	if !s.ReadASN1(&seq, asn1.SEQUENCE) ||
		seq.PeekASN1Tag(asn1.INTEGER) && !seq.ReadASN1Integer(&seconds) || seconds < 0 || seconds > maxAccuracy {
		return 0, false
	}
	d := time.Duration(seconds) * time.Second
	for tag, unit := range [...]time.Duration{time.Millisecond, time.Microsecond} {
		if t := asn1.Tag(tag).ContextSpecific(); seq.PeekASN1Tag(t) {
			var n int64
			if !seq.ReadASN1Int64WithTag(&n, t) || n < 1 || n > 999 {
				return 0, false
			}
			d += time.Duration(n) * unit
		}
	}
	return d, seq.Empty()
}

// parseGenTime reads the GeneralizedTime of RFC 3161 section 2.4.2: in UTC, to
// the second or with a fraction that has no trailing zero.
func parseGenTime(s string) (time.Time, bool) {
	t, err := time.Parse("20060102150405Z", s) // takes a fraction as well
	whole := len("20060102150405Z")
	fraction := len(s) >= whole+2 && len(s) <= whole+10 && s[whole-1] == '.' && s[len(s)-2] != '0'
	return t, err == nil && (len(s) == whole || fraction)
}

// noCriticalExtension reads [1] Extensions, none of which this package knows.
func noCriticalExtension(s *cryptobyte.String) bool {
	tag := asn1.Tag(1).ContextSpecific().Constructed()
	if !s.PeekASN1Tag(tag) {
		return true
	}
	var list cryptobyte.String
	if !s.ReadASN1(&list, tag) {
		return false
	}
	for !list.Empty() {
		var ext, value cryptobyte.String
		var id oid.OID
		var critical bool
		if !list.ReadASN1(&ext, asn1.SEQUENCE) || !oid.Read(&ext, &id) ||
			ext.PeekASN1Tag(asn1.BOOLEAN) && !ext.ReadASN1Boolean(&critical) ||
			!ext.ReadASN1(&value, asn1.OCTET_STRING) || !ext.Empty() || critical {
			return false
		}
	}
	return true
}

// TimestampRequest returns an RFC 3161 TimeStampReq for this signature, by
// SHA-256, that asks for the authority's certificate.
//
//	TimeStampReq ::= SEQUENCE {
//	    version INTEGER { v1(1) },
//	    messageImprint MessageImprint,
//	    reqPolicy TSAPolicyId OPTIONAL,
//	    nonce INTEGER OPTIONAL,
//	    certReq BOOLEAN DEFAULT FALSE,
//	    extensions [0] IMPLICIT Extensions OPTIONAL }
func (s *SignerInfo) TimestampRequest() []byte {
	var nonce [16]byte
	_, _ = rand.Read(nonce[:]) // never fails
	h := alg.SHA256.New()
	h.Write(s.signature)
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddBytes(alg.SHA256.Identifier().DER())
			b.AddASN1OctetString(h.Sum(nil))
		})
		b.AddASN1BigInt(new(big.Int).SetBytes(nonce[:]))
		b.AddASN1Boolean(true)
	})
	return b.BytesOrPanic()
}

// Timestamp returns the token in an authority's response to a request of
// [SignerInfo.TimestampRequest] as an unsigned attribute for [AddUnsigned]. It
// checks that the token answers that request for this signature, but does not
// ask whether to trust the authority.
//
//	TimeStampResp ::= SEQUENCE {
//	    status PKIStatusInfo,
//	    timeStampToken TimeStampToken OPTIONAL }
func (s *SignerInfo) Timestamp(request, response []byte) (Attribute, error) {
	var seq, status, token cryptobyte.String
	var code int
	in := cryptobyte.String(response)
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !in.Empty() || !seq.ReadASN1(&status, asn1.SEQUENCE) || !status.ReadASN1Integer(&code) {
		return Attribute{}, &SyntaxError{Field: "TimeStampResp", Reason: "malformed"}
	}
	// granted, or granted with modifications.
	if code != 0 && code != 1 {
		return Attribute{}, fmt.Errorf("%w: the authority refused with status %d", ErrNoTimestamp, code)
	}
	if !seq.ReadASN1Element(&token, asn1.SEQUENCE) || !seq.Empty() {
		return Attribute{}, &SyntaxError{Field: "TimeStampResp.timeStampToken", Reason: "missing"}
	}
	_, info, err := s.readToken(token)
	if err != nil {
		return Attribute{}, err
	}
	if err := info.covers(bytes.NewReader(s.signature), false); err != nil {
		return Attribute{}, err
	}
	asked, ok := parseTimestampRequest(request)
	if !ok {
		return Attribute{}, &SyntaxError{Field: "TimeStampReq", Reason: "malformed"}
	}
	// RFC 3161 section 2.4.2: what was asked for is what comes back.
	if info.nonce == nil || info.nonce.Cmp(asked.nonce) != 0 ||
		!info.imprint.algorithm.Equal(asked.imprint.algorithm) || !bytes.Equal(info.imprint.digest, asked.imprint.digest) {
		return Attribute{}, fmt.Errorf("%w: the token answers another request", ErrNoTimestamp)
	}
	return Attribute{Type: oid.AttrTimestampToken.X509(), Values: [][]byte{bytes.Clone(token)}}, nil
}

// parseTimestampRequest reads what TimestampRequest makes.
func parseTimestampRequest(der []byte) (*tstInfo, bool) {
	var seq cryptobyte.String
	var version int
	asked := &tstInfo{nonce: new(big.Int)}
	s := cryptobyte.String(der)
	ok := s.ReadASN1(&seq, asn1.SEQUENCE) && seq.ReadASN1Integer(&version) && version == 1 &&
		readImprint(&seq, &asked.imprint) && seq.ReadASN1Integer(asked.nonce)
	return asked, ok
}
