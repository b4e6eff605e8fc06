package pkcs7

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/stream"
	"github.com/gosmime/gosmime/internal/x509der"
)

// AddSigner copies a SignedData and adds a signature. All that is in it stays
// byte for byte and in its order; only lengths and the version change, and how a
// content in segments is cut. Whether its signatures are right is not looked at. A security
// label and a list of mailing lists that one of them has is signed by the new
// one, too, as RFC 2634 section 1.4 demands, unless signer has its own.
func AddSigner(ctx context.Context, dst io.Writer, src io.Reader, signer SigningKey, opts *SignOptions) error {
	if opts == nil {
		opts = &SignOptions{}
	}
	r, err := beginCopy(src, opts.Limits)
	if err != nil {
		return err
	}
	if opts.Detached != nil {
		if err := r.detach(); err != nil {
			return err
		}
	}
	switch {
	case !r.embedded && opts.Detached == nil:
		return fmt.Errorf("%w: the content is not in the message", ErrNotRead)
	case !r.embedded:
		r.content = opts.Detached
	}
	own := *opts
	own.ContentType = r.type_.X509()
	s, err := newSigning(ctx, []SigningKey{signer}, &own)
	if err != nil {
		return err
	}
	job := s.jobs[0]
	version := max(r.version, signedVersion(r.type_, nil, nil, job.id.Serial == nil))
	w := r.copier(dst, version, job.digestID.DER())
	s.out = w
	r.digest = s.digest
	if err := r.copyContent(ctx, w); err != nil {
		return err
	}
	if err := job.inherit(r.signers); err != nil {
		return err
	}
	infos, err := s.sign()
	if err != nil {
		return err
	}
	return w.finish(r.tail(opts.Sorted, s.certificates(), nil, addTo(ber.Set, opts.Sorted, r.rawSigners(), infos)))
}

// AddUnsigned copies a SignedData and adds unsigned attributes, such as
// timestamps and countersignatures, to the SignerInfo with that index. All else
// stays byte for byte and in its order, so that an index goes on to mean the
// same signer; only lengths change, and how a content in segments is cut.
func AddUnsigned(dst io.Writer, src io.Reader, index int, attrs ...Attribute) error {
	return changeUnsigned(dst, src, index, attrs, false)
}

// SetUnsigned is [AddUnsigned], save that attrs replace the unsigned attributes
// of the same types that the SignerInfo has. An attribute without values only
// removes.
func SetUnsigned(dst io.Writer, src io.Reader, index int, attrs ...Attribute) error {
	return changeUnsigned(dst, src, index, attrs, true)
}

func changeUnsigned(dst io.Writer, src io.Reader, index int, attrs []Attribute, replace bool) error {
	r, err := beginCopy(src, Limits{})
	if err != nil {
		return err
	}
	r.digest = &Digester{keep: -1}
	w := r.copier(dst, r.version)
	if err := r.copyContent(context.Background(), w); err != nil {
		return err
	}
	if index < 0 || index >= len(r.signers) {
		return fmt.Errorf("%w: no signer %d of %d", ErrNoSigner, index, len(r.signers))
	}
	infos := r.rawSigners()
	if infos[index], err = r.signers[index].withUnsigned(attrs, replace); err != nil {
		return err
	}
	return w.finish(r.tail(false, nil, nil, ber.Append(nil, ber.Set, true, infos...)))
}

// AddElements copies a SignedData and adds certificates, CRLs and OCSP
// responses, such as those that a signature needs to be verified after years
// (CAdES B-LT). All else stays byte for byte and in its order; only lengths and
// the version change, and how a content in segments is cut.
func AddElements(dst io.Writer, src io.Reader, elements ...[]byte) error {
	var certs, crls [][]byte
	for i, der := range elements {
		switch x509der.KindOf(der) {
		case x509der.CertificateKind:
			certs = append(certs, der)
		case x509der.CRLKind:
			crls = append(crls, der)
		case x509der.OCSPKind:
			crls = append(crls, wrapOCSP(der))
		default:
			return &SyntaxError{Field: fmt.Sprintf("elements[%d]", i), Reason: "neither certificate, CRL nor OCSP response"}
		}
	}
	r, err := beginCopy(src, Limits{})
	if err != nil {
		return err
	}
	r.digest = &Digester{keep: -1}
	w := r.copier(dst, max(r.version, signedVersion(r.type_, certs, crls, false)))
	if err := r.copyContent(context.Background(), w); err != nil {
		return err
	}
	return w.finish(r.tail(false, certs, crls, ber.Append(nil, ber.Set, true, r.rawSigners()...)))
}

// beginCopy reads up to the content of a message that is to be written again.
func beginCopy(src io.Reader, lim Limits) (*SignedReader, error) {
	r := newSignedReader(src, &ReadOptions{Limits: lim})
	r.p.copies = true
	return r, r.begin()
}

// copier returns a writer of the same with further digestAlgorithms.
func (r *SignedReader) copier(dst io.Writer, version int, digests ...[]byte) *encapWriter {
	size := int64(unknownSize)
	if !r.embedded {
		size = noContent
	}
	front := append(ber.Append(nil, ber.Integer, false, []byte{byte(version)}), addTo(ber.Set, true, r.digestIDs, digests)...)
	return &encapWriter{dst: dst, outer: oid.SignedData, front: front, type_: r.type_, size: size, tail: -1}
}

// tail returns what comes after the content, with more certificates and crls.
func (r *SignedReader) tail(sorted bool, certs, crls [][]byte, signers []byte) []byte {
	var tail []byte
	if len(r.certs)+len(certs) > 0 {
		tail = addTo(ber.Context(0), sorted, r.certs, certs)
	}
	if len(r.crls)+len(crls) > 0 {
		tail = append(tail, addTo(ber.Context(1), sorted, r.crls, crls)...)
	}
	return append(tail, signers...)
}

// addTo returns the SET OF list with what it does not have of more, after it or,
// if sorted is set and list is in the order of DER, in that order.
func addTo(tag ber.Tag, sorted bool, list, more [][]byte) []byte {
	var set elementSet
	for _, m := range list {
		set.add(m)
	}
	all := slices.Clone(list)
	for _, m := range more {
		if set.add(m) {
			all = append(all, m)
		}
	}
	if sorted && slices.IsSortedFunc(list, bytes.Compare) {
		slices.SortFunc(all, bytes.Compare) // X.690 clause 11.6
	}
	return ber.Append(nil, tag, true, all...)
}

// copyContent reads to the end of the message and writes what content is in it.
func (r *SignedReader) copyContent(ctx context.Context, w *encapWriter) error {
	var dst io.Writer = w
	if !r.embedded {
		dst = io.Discard
	}
	_, err := stream.Copy(stream.ContextWriter(ctx, dst), r)
	return err
}

func (r *SignedReader) rawSigners() [][]byte {
	list := make([][]byte, len(r.signers))
	for i, s := range r.signers {
		list[i] = s.raw
	}
	return list
}

// inherit adds the attributes that all signers of a message must have alike.
func (j *signJob) inherit(others []*SignerInfo) error {
	for _, other := range others {
		for _, a := range other.signed {
			if (a.id == oid.AttrMLExpansionHistory || a.id == oid.AttrSecurityLabel) && !j.fixed.has(a.id) {
				j.fixed = append(j.fixed, a)
			}
		}
	}
	_, err := j.fixed.encode()
	return err
}

// members returns the elements inside of one constructed element, as they came.
func members(element []byte) ([][]byte, error) {
	r := ber.NewReader(bytes.NewReader(element), ber.Limits{})
	e, err := r.Next()
	if err == nil {
		err = r.Enter(e.Tag)
	}
	var list [][]byte
	for err == nil {
		if _, err = r.Next(); err != nil {
			break
		}
		var raw []byte
		raw, err = r.Raw(len(element))
		list = append(list, raw)
	}
	if errors.Is(err, io.EOF) {
		return list, nil
	}
	return nil, wrapError(err, "element")
}
