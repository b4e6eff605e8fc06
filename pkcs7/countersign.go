package pkcs7

import (
	"context"
	"fmt"
	"slices"

	"github.com/gosmime/gosmime/internal/oid"
)

// Countersign returns a countersignature of s (RFC 5652 section 11.4) as an
// unsigned attribute for [AddUnsigned]. Check s first (section 14): a
// countersignature is over the signature alone, whatever that is worth.
func (s *SignerInfo) Countersign(ctx context.Context, key SigningKey, opts *SignOptions) (Attribute, error) {
	if s.over == nil {
		return Attribute{}, ErrNotRead
	}
	if opts == nil {
		opts = &SignOptions{}
	}
	job, err := newSignJob(&key, opts.ByKeyID)
	if err != nil {
		return Attribute{}, err
	}
	// RFC 2634 section 1.3.4 leaves few attributes: no content type, of course,
	// and nothing of the caller's.
	job.wished = nil
	if err := job.fixedAttributes("", signingTime(opts), opts.CertificateHash); err != nil {
		return Attribute{}, err
	}
	h := job.scheme.Hash().New()
	h.Write(s.signature)
	info, err := job.sign(ctx, h.Sum(nil))
	if err != nil {
		return Attribute{}, fmt.Errorf("pkcs7: countersigning: %w", err)
	}
	return Attribute{Type: oid.AttrCountersignature.X509(), Values: [][]byte{info}}, nil
}

const (
	maxCounterDepth   = 4  // of countersignatures of countersignatures
	maxCountersigners = 16 // of one signature
)

// Countersigners returns the countersignatures of s, which are SignerInfos
// whose content is the signature of s; they may be countersigned themselves.
func (s *SignerInfo) Countersigners() ([]*SignerInfo, error) {
	depth := 0
	for p := s; p.parent != nil; p = p.parent {
		depth++
	}
	var list []*SignerInfo
	for _, a := range s.unsigned {
		if a.id != oid.AttrCountersignature {
			continue
		}
		for _, v := range a.values {
			if depth == maxCounterDepth || len(list) == maxCountersigners {
				return nil, fmt.Errorf("%w: countersignatures of %s", ErrLimit, s.field)
			}
			c, err := parseSignerInfo(v, s.offset, fmt.Sprintf("%s.counterSignature[%d]", s.field, len(list)))
			if err != nil {
				return nil, err
			}
			c.over, c.parent = s.over, s
			list = append(list, c)
		}
	}
	return list, nil
}

// counterFault holds a countersignature to the attributes that it may have
// (RFC 2634 section 1.3.4).
func (s *SignerInfo) counterFault() error {
	allowed := []oid.OID{oid.AttrMessageDigest, oid.AttrSigningTime, oid.AttrSigningCertificate,
		oid.AttrSigningCertificateV2, oid.AttrCMSAlgorithmProtection, oid.AttrCountersignature}
	for _, a := range s.signed {
		if !slices.Contains(allowed, a.id) {
			return s.syntax("signedAttrs", "attribute "+a.id.String()+" in a countersignature")
		}
	}
	return nil
}
