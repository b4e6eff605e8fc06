package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"github.com/gosmime/gosmime/chain"
)

// A Resolver looks up SMIMEA records (RFC 8162). It does not validate DNSSEC:
// Server must be a validating resolver that the caller trusts, with a path to
// it that nobody can change, such as loopback. Only answers with the AD bit
// count; any other outcome is a failure, not "no record".
type Resolver struct {
	Server  string        // host:port
	Timeout time.Duration // for one look-up; zero: 5 s
}

// Why a look-up found nothing.
const (
	ErrInsecure  = problem("the answer is not validated by DNSSEC: the zone is not signed, or the resolver does not validate")
	ErrNoRecords = problem("the domain publishes no SMIMEA record for the mailbox")
	ErrNotInFull = problem("no SMIMEA record has a certificate in full that the domain vouches for (usage 2 or 3, selector 0, matching type 0)")
)

type problem string

func (p problem) Error() string { return "smimea: " + string(p) }

// Usage is the certificate usage of a record (RFC 6698 section 2.1.1).
type Usage uint8

const (
	ConstrainCA   Usage = iota // 0: a CA of the path, which must also be valid
	ConstrainLeaf              // 1: the leaf, whose path must also be valid
	AssertAnchor               // 2: an anchor of the domain's own
	DomainIssued               // 3: the leaf, whatever its path
)

// A Record is one SMIMEA record.
type Record struct {
	Usage              Usage
	Selector, Matching uint8
	Data               []byte
}

// maxRecords bounds an answer.
const maxRecords = 50

// Name returns the domain name of a mailbox's records: the SHA-256 of the local
// part, without quotes, truncated to 28 octets (RFC 8162 section 3).
func Name(mailbox string) (string, error) {
	at := strings.LastIndexByte(mailbox, '@')
	if at < 1 {
		return "", fmt.Errorf("smimea: %q is no mailbox", mailbox)
	}
	local, err := unquote(mailbox[:at])
	if err != nil {
		return "", err
	}
	domain, err := idna.Lookup.ToASCII(mailbox[at+1:])
	if err != nil {
		return "", fmt.Errorf("smimea: %w", err)
	}
	sum := sha256.Sum256([]byte(norm.NFC.String(local)))
	return hex.EncodeToString(sum[:28]) + "._smimecert." + dns.Fqdn(domain), nil
}

// unquote removes the quotes around a local part and the backslashes within.
func unquote(local string) (string, error) {
	if !strings.HasPrefix(local, `"`) {
		return local, nil
	}
	var b strings.Builder
	for i := 1; i < len(local); i++ {
		switch c := local[i]; {
		case c == '"' && i == len(local)-1:
			return b.String(), nil
		case c == '"':
			return "", fmt.Errorf("smimea: %q is no local part", local)
		case c == '\\' && i+1 < len(local):
			i++
		}
		b.WriteByte(local[i])
	}
	return "", fmt.Errorf("smimea: %q is no local part", local)
}

// Lookup returns the records of a mailbox, which the resolver has validated.
func (r *Resolver) Lookup(ctx context.Context, mailbox string) ([]Record, error) {
	name, err := Name(mailbox)
	if err != nil {
		return nil, err
	}
	m := new(dns.Msg)
	m.SetQuestion(name, dns.TypeSMIMEA)
	m.SetEdns0(4096, true)
	m.AuthenticatedData = true
	timeout := r.Timeout
	if timeout == 0 {
		timeout = 5 * time.Second
	}
	// Certificates seldom fit a datagram (RFC 8162 section 6).
	client := &dns.Client{Net: "tcp", Timeout: timeout}
	answer, err := exchange(ctx, client, m, r.Server)
	if err != nil {
		return nil, fmt.Errorf("smimea: %w", err)
	}
	switch {
	case answer.Rcode != dns.RcodeSuccess && answer.Rcode != dns.RcodeNameError:
		return nil, fmt.Errorf("smimea: the resolver answers %s", dns.RcodeToString[answer.Rcode])
	case !answer.AuthenticatedData:
		return nil, ErrInsecure
	}
	var records []Record
	for _, rr := range answer.Answer {
		s, ok := rr.(*dns.SMIMEA)
		if !ok || s.Usage > 3 || s.Selector > 1 || s.MatchingType > 2 || len(records) == maxRecords {
			continue
		}
		data, err := hex.DecodeString(s.Certificate)
		if err != nil {
			continue
		}
		records = append(records, Record{Usage(s.Usage), s.Selector, s.MatchingType, data})
	}
	return records, nil
}

// exchange asks one question. It ends with ctx, which the client itself heeds
// only as far as its deadline.
func exchange(ctx context.Context, client *dns.Client, m *dns.Msg, server string) (*dns.Msg, error) {
	conn, err := client.DialContext(ctx, server)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	answer, _, err := client.ExchangeWithConnContext(ctx, m, conn)
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return answer, err
}

// Matches reports whether the record names cert, by the whole or by its key,
// in full or by digest.
func (r Record) Matches(cert *x509.Certificate) bool {
	data := cert.Raw
	if r.Selector == 1 {
		data = cert.RawSubjectPublicKeyInfo
	}
	switch r.Matching {
	case 0:
		return bytes.Equal(r.Data, data)
	case 1:
		sum := sha256.Sum256(data)
		return bytes.Equal(r.Data, sum[:])
	case 2:
		sum := sha512.Sum512(data)
		return bytes.Equal(r.Data, sum[:])
	}
	return false
}

// certificate returns the certificate that the record holds in full.
func (r Record) certificate() *x509.Certificate {
	if r.Selector != 0 || r.Matching != 0 {
		return nil
	}
	c, err := x509.ParseCertificate(r.Data)
	if err != nil {
		return nil
	}
	return c
}

// vouches reports whether the domain alone vouches for the certificate of r.
func vouches(r Record) bool {
	return r.certificate() != nil && (r.Usage == AssertAnchor || r.Usage == DomainIssued)
}

// Find implements chain.Source: it offers the certificates that the records
// hold in full, as raw material for chain.Untrusted.
func (r *Resolver) Find(ctx context.Context, q chain.Query) iter.Seq2[*chain.Entry, error] {
	return func(yield func(*chain.Entry, error) bool) {
		if q.Kind != chain.KindCertificate || q.Mailbox == "" {
			return
		}
		records, err := r.Lookup(ctx, q.Mailbox)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, record := range records {
			if c := record.certificate(); c != nil && !yield(chain.NewEntry(chain.KindCertificate, c.Raw, "SMIMEA", nil), nil) {
				return
			}
		}
	}
}

// ErrNotNamed says that the records of a mailbox name another certificate.
const ErrNotNamed = problem("the records name another certificate")

// Check returns a chain.Policy.Check that holds a valid path to the records of
// usages 0 and 1: one of them must name a CA of the path, or its leaf.
func Check(records []Record) func(*chain.Path) error {
	return func(p *chain.Path) error {
		for _, r := range records {
			for i, c := range p.Certificates() {
				if r.Matches(c) && (i == 0 && r.Usage == ConstrainLeaf || i > 0 && r.Usage == ConstrainCA) {
					return nil
				}
			}
		}
		return ErrNotNamed
	}
}

// Anchors returns what the domain itself vouches for by usages 2 and 3, for
// programs whose policy lets a domain do so: pass it to chain.Anchors. It
// vouches for addresses of that domain alone; make a collection of it for this
// mailbox and no other.
func Anchors(mailbox string, records []Record) (chain.Source, error) {
	at := strings.LastIndexByte(mailbox, '@')
	if at < 1 {
		return nil, errors.New("smimea: no mailbox")
	}
	var certs []*x509.Certificate
	for _, r := range records {
		if vouches(r) {
			certs = append(certs, r.certificate())
		}
	}
	return chain.Constrain(chain.Certs(certs...), chain.Constraints{
		Purposes:  []chain.Purpose{chain.EmailSigning, chain.EmailEncryption},
		Mailboxes: []string{mailbox[at+1:]},
	}), nil
}
