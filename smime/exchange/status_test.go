package exchange_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/exchange"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// TestValidateCertTable gives every reason of chain, of the certificate itself
// and of one above it, its status (MS-ASCMD 2.2.3.177.18).
func TestValidateCertTable(t *testing.T) {
	ca := newAuthority(t, "ca", year(2045))
	leaf := ca.identity("a@example.com", nil).Certificate()
	for reason, want := range map[chain.Reason][2]int{
		chain.ErrMalformed:         {10, 10},
		chain.ErrUnknownIssuer:     {4, 4},
		chain.ErrBadSignature:      {3, 3},
		chain.ErrWeakAlgorithm:     {3, 3},
		chain.ErrNotYetValid:       {7, 8},
		chain.ErrExpired:           {7, 8},
		chain.ErrRevoked:           {13, 15},
		chain.ErrRevocationUnknown: {16, 16},
		chain.ErrDisallowed:        {4, 4},
		chain.ErrAnchorConstraint:  {4, 4},
		chain.ErrNotCA:             {11, 11},
		chain.ErrPathTooLong:       {5, 5},
		chain.ErrNameConstraint:    {9, 9},
		chain.ErrUnhandledCritical: {5, 5},
		chain.ErrWrongPurpose:      {6, 9},
		chain.ErrWrongMailbox:      {12, 12},
		chain.ErrCertificatePolicy: {5, 5},
		chain.ErrCheck:             {4, 4},
		chain.ErrPolicy:            {17, 17},
		chain.ErrLimit:             {17, 17},
		chain.ErrSource:            {17, 17},
	} {
		for i, cert := range []*x509.Certificate{leaf, ca.cert} {
			err := fmt.Errorf("somewhere: %w", &chain.Error{Reason: reason, Cert: cert})
			if got := exchange.ValidateCertStatus(leaf, err); got != want[i] {
				t.Errorf("%v: %d, want %d", err, got, want[i])
			}
		}
		if got := exchange.ValidateCertStatus(leaf, &chain.Error{Reason: reason}); got != want[0] {
			t.Errorf("%v of no certificate: %d", reason, got)
		}
	}
	for _, tt := range []struct {
		err  error
		want int
	}{
		{nil, 1},
		{exchange.ErrNoCollection, 4},
		{errors.New("something else"), 17},
		{&chain.Error{Reason: chain.ErrRevocationUnknown, Err: errors.New("no route")}, 14},
		{&smime.RecipientError{Err: &chain.Error{Reason: chain.ErrExpired, Cert: leaf}}, 7},
	} {
		if got := exchange.ValidateCertStatus(leaf, tt.err); got != tt.want {
			t.Errorf("%v: %d, want %d", tt.err, got, tt.want)
		}
	}
}

// unreachable is a network in which nothing answers.
type unreachable struct{}

func (unreachable) Fetch(context.Context, chain.Kind, string, []byte) ([][]byte, error) {
	return nil, errors.New("no route to host")
}

// TestValidateCert gives certificates as ValidateCert has them to a collection.
func TestValidateCert(t *testing.T) {
	const box = "bob@example.com"
	ca := smimetest.NewCA(t)
	good, revoked := ca.Identity(box), ca.Identity(box)
	ca.Revoke(revoked)
	a := newAuthority(t, "a", year(2045))
	pointing := a.identity(box, func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"http://crl.example/a"} })
	silent := a.identity(box, nil)
	old := newAuthority(t, "old", year(2023))
	underOld := old.identity(box, func(c *x509.Certificate) { c.NotAfter = year(2022) })
	for _, tt := range []struct {
		name  string
		id    *smime.Identity
		trust *chain.Collection
		opts  chain.Options
		want  int
	}{
		{"good", good, ca.Trust(), chain.Options{Revocation: chain.RevocationRequireAll}, 1},
		{"other CA", good, smimetest.NewCA(t).Trust(), chain.Options{}, 4},
		{"no collection", good, nil, chain.Options{}, 4},
		{"signed with SHA-1", ca.Identity(box, smimetest.SignedWithSHA1()), ca.Trust(), chain.Options{}, 3},
		{"web server", ca.Identity(box, smimetest.NotForMail()), ca.Trust(), chain.Options{}, 6},
		{"expired", ca.Identity(box, smimetest.Expired()), ca.Trust(), chain.Options{}, 7},
		{"not yet valid", ca.Identity(box, smimetest.NotYetValid()), ca.Trust(), chain.Options{}, 7},
		{"anchor and leaf expired", underOld, old.directory(), chain.Options{At: year(2024)}, 8},
		{"other address", ca.Identity("eve@example.com"), ca.Trust(), chain.Options{}, 12},
		{"revoked", revoked, ca.Trust(), chain.Options{}, 13},
		{"critical extension", ca.Identity(box, smimetest.UnknownCritical()), ca.Trust(), chain.Options{}, 5},
		{"unreachable", pointing, a.directory(), chain.Options{Revocation: chain.RevocationRequireAll, Fetcher: unreachable{}}, 14},
		{"nowhere to ask", silent, a.directory(), chain.Options{Revocation: chain.RevocationRequireAll, Fetcher: unreachable{}}, 16},
		{"not asked", pointing, a.directory(), chain.Options{}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.trust.Verify(t.Context(), tt.id.Certificate(), chain.Policy{Purpose: chain.EmailSigning, Mailbox: box, Options: tt.opts})
			if got := exchange.ValidateCertStatus(tt.id.Certificate(), err); got != tt.want {
				t.Errorf("%d, want %d: %v", got, tt.want, err)
			}
		})
	}
}

// down is a directory that can't be asked.
type down struct{}

func (down) Find(context.Context, chain.Query) iter.Seq2[*chain.Entry, error] {
	return func(yield func(*chain.Entry, error) bool) { yield(nil, errors.New("the directory is down")) }
}

func TestResolveStatus(t *testing.T) {
	ca := smimetest.NewCA(t)
	trust := ca.Directory(ca.Identity("bob@example.com"), ca.Identity("old@example.com", smimetest.Expired()), ca.Identity("sign@example.com", smimetest.SigningOnly()))
	canceled, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	for _, tt := range []struct {
		name, box string
		ctx       context.Context
		trust     *chain.Collection
		want      int
	}{
		{"found", "bob@example.com", t.Context(), trust, 1},
		{"unknown", "nobody@example.com", t.Context(), trust, 7},
		{"expired", "old@example.com", t.Context(), trust, 7},
		{"for signing", "sign@example.com", t.Context(), trust, 7},
		{"no address", "bob", t.Context(), trust, 7},
		{"directory down", "bob@example.com", t.Context(), ca.Trust().With(chain.Untrusted(down{})), 0},
		{"out of time", "bob@example.com", canceled, trust, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := smime.FindRecipients(tt.ctx, []string{tt.box}, tt.trust, nil)
			if got, ok := exchange.ResolveStatus(err); got != tt.want || ok != (tt.want != 0) {
				t.Errorf("%d %v, want %d: %v", got, ok, tt.want, err)
			}
		})
	}
	if got, ok := exchange.ResolveStatus(errors.New("something else")); ok || got != 0 {
		t.Errorf("%d %v", got, ok)
	}
	if got, ok := exchange.ResolveStatus(smime.ErrNoCertificate); !ok || got != 7 {
		t.Errorf("%d %v", got, ok)
	}
}
