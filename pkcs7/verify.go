package pkcs7

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/gosmime/gosmime/internal/spool"
	"github.com/gosmime/gosmime/internal/stream"
	"github.com/gosmime/gosmime/internal/x509der"
)

// A TrustFunc returns nil if cert may vouch for a signature at a time; zero: as
// trust thinks fit. extra holds the DER certificates, CRLs and OCSP responses
// that came with the message or in [ReadOptions]: they may help to find a path and
// prove nothing. The method TrustFunc of chain.Collection makes one.
type TrustFunc func(ctx context.Context, cert *x509.Certificate, at time.Time, extra [][]byte) error

// InsecureAnySigner is a [TrustFunc] that trusts every certificate. With it
// [Verify] says that the content is what the signers signed, and who these are is
// for the caller to judge by [Signer.Certificate].
func InsecureAnySigner(context.Context, *x509.Certificate, time.Time, [][]byte) error { return nil }

// A Signer is one signature that [Verify] found good. Its methods panic on a
// zero Signer.
type Signer struct {
	info *SignerInfo
	cert *x509.Certificate
}

// Certificate returns the certificate whose key made the signature, and which
// the TrustFunc accepted.
func (s *Signer) Certificate() *x509.Certificate { return s.proved().cert }

// Info returns the signature with its attributes. Those that are signed are the
// signer's.
func (s *Signer) Info() *SignerInfo { return s.proved().info }

func (s *Signer) proved() *Signer {
	if s == nil || s.info == nil {
		panic("pkcs7: a Signer that Verify did not return")
	}
	return s
}

// Verify reads a SignedData from src, checks every signature and asks trust
// about every signer. Only if all of it holds does it write the content to dst
// and return the signers, at least one, in the order of the message. detached is
// the content if it is not inside, else nil. trust must not be nil: a caller that
// judges certificates itself passes [InsecureAnySigner]. The certificates of the
// signers are looked for in the message and in ReadOptions.Certificates.
func Verify(ctx context.Context, dst io.Writer, src, detached io.Reader, trust TrustFunc, opts *ReadOptions) ([]*Signer, error) {
	if trust == nil {
		return nil, errors.New("pkcs7: Verify without a TrustFunc")
	}
	if opts == nil {
		opts = &ReadOptions{}
	}
	limits := opts.Limits.Shared()
	// What is withheld until the verdict: the content, inside of src or not.
	withheld := src
	if detached != nil {
		withheld = detached
	}
	replay := spool.NewReplay(withheld, limits.Budget(), limits.Dir)
	defer replay.Close()
	inner := *opts
	inner.Limits = limits
	var r *SignedReader
	var err error
	if detached != nil {
		r, err = NewSignedReader(src, replay, &inner)
	} else {
		r, err = NewSignedReader(replay, nil, &inner)
	}
	if err != nil {
		return nil, err
	}
	if _, err := stream.Copy(stream.ContextWriter(ctx, io.Discard), r); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	signers, err := r.verifySigners(ctx, trust)
	if err != nil {
		return nil, err
	}
	return signers, r.copyAgain(stream.ContextWriter(ctx, dst), replay, detached != nil)
}

// copyAgain writes the content, read a second time.
func (r *SignedReader) copyAgain(dst io.Writer, replay *spool.Replay, detached bool) error {
	again, err := replay.Again()
	if err != nil {
		return fmt.Errorf("pkcs7: content: %w", err)
	}
	content := again
	if !detached {
		// What was read once within the limits is not counted twice.
		second := newSignedReader(again, &ReadOptions{Limits: r.p.lim.unshared(), PKCS7Content: r.pkcs7})
		if err := second.begin(); err != nil {
			return err
		}
		if second.content == nil {
			return nil
		}
		content = second.content
	}
	if _, err := stream.Copy(dst, content); err != nil {
		return fmt.Errorf("pkcs7: content: %w", err)
	}
	return nil
}

// verifySigners returns the signers, each of whom must hold.
func (r *SignedReader) verifySigners(ctx context.Context, trust TrustFunc) ([]*Signer, error) {
	if len(r.signers) == 0 {
		return nil, ErrNoSigner
	}
	extra := r.elements()
	for _, c := range r.outside {
		if c != nil {
			extra = append(extra, c.Raw)
		}
	}
	var signers []*Signer
	var failures []error
	for i, s := range r.signers {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		cert, err := s.verify(ctx, trust, time.Time{}, extra)
		if err != nil {
			failures = append(failures, fmt.Errorf("pkcs7: signer %d: %w", i, err))
			continue
		}
		signers = append(signers, &Signer{s, cert})
	}
	if len(failures) > 0 {
		return nil, errors.Join(failures...)
	}
	return signers, nil
}

// exportCertificate returns c as crypto/x509 has it. Where that can't read it
// the rest of this module still can, by Raw.
func exportCertificate(c *x509der.Certificate) *x509.Certificate {
	if cert, err := x509.ParseCertificate(c.Raw); err == nil {
		return cert
	}
	return &x509.Certificate{Raw: c.Raw, RawIssuer: c.Issuer, RawSubject: c.Subject,
		RawSubjectPublicKeyInfo: c.SPKI, SerialNumber: c.Serial, SubjectKeyId: c.SubjectKeyID}
}
