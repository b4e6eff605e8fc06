package exchange

import (
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/smime"
)

// A DirectoryEntry is what a directory has of one person: the addresses, and
// the values of the attributes userSMIMECertificate and userCertificate.
// Nothing vouches for any of it.
type DirectoryEntry struct {
	Person
	SMIME, Plain []*PublishedCertificate
	// Unreadable says which values could not be read. They hide no others.
	Unreadable []error
}

// NewDirectoryEntry reads the values of both attributes.
func NewDirectoryEntry(p Person, smimeValues, plainValues [][]byte) *DirectoryEntry {
	e := &DirectoryEntry{Person: p}
	read := func(name string, values [][]byte, parse func([]byte) (*PublishedCertificate, error)) []*PublishedCertificate {
		var list []*PublishedCertificate
		for i, v := range values {
			c, err := parse(v)
			if err != nil {
				e.Unreadable = append(e.Unreadable, fmt.Errorf("value %d of %s: %w", i, name, err))
				continue
			}
			list = append(list, c)
		}
		return list
	}
	e.SMIME = read("userSMIMECertificate", smimeValues, ParseUserSMIMECertificate)
	e.Plain = read("userCertificate", plainValues, ParseUserCertificate)
	return e
}

// Certificates returns all certificates of the entry, those that
// [ChooseEncryption] chooses first.
func (e *DirectoryEntry) Certificates() []*x509.Certificate {
	list := ChooseEncryption(e.SMIME, e.Plain)
	for _, p := range slices.Concat(e.SMIME, e.Plain) {
		for _, c := range p.All {
			if !slices.ContainsFunc(list, c.Equal) {
				list = append(list, c)
			}
		}
	}
	return list
}

// A Directory has the entries of people by their addresses, in memory. It is
// immutable and safe for concurrent use.
type Directory struct {
	entries []*DirectoryEntry
	by      map[string][]*DirectoryEntry // by address in lower case
}

// NewDirectory returns a Directory of the entries, which must not change
// afterwards.
func NewDirectory(entries ...*DirectoryEntry) *Directory {
	d := &Directory{entries: slices.Clone(entries), by: make(map[string][]*DirectoryEntry)}
	for _, e := range entries {
		for _, a := range append([]string{e.Mailbox}, e.Proxies...) {
			a = strings.ToLower(a)
			if !slices.Contains(d.by[a], e) {
				d.by[a] = append(d.by[a], e)
			}
		}
	}
	return d
}

// Entries returns the entries.
func (d *Directory) Entries() []*DirectoryEntry { return slices.Clone(d.entries) }

// Source returns all certificates of the directory, for chain.Untrusted.
func (d *Directory) Source() chain.Source {
	var list []*x509.Certificate
	for _, e := range d.entries {
		list = append(list, e.Certificates()...)
	}
	return chain.Certs(list...)
}

// Person returns the person with that address, whether it is the primary one or
// a proxy address. The others are in Proxies, the primary address first. An
// address that no entry has, or that several have, gets no proxies: nobody
// knows whose they would be.
//
// Whoever can write to the directory can give a person a proxy address and so
// decide who reads that person's mail, as in Exchange.
func (d *Directory) Person(mailbox string) Person {
	p := Person{Mailbox: mailbox}
	entries := d.by[strings.ToLower(mailbox)]
	if len(entries) != 1 {
		return p
	}
	for _, a := range append([]string{entries[0].Mailbox}, entries[0].Proxies...) {
		same := func(b string) bool { return strings.EqualFold(a, b) }
		if a != "" && !same(mailbox) && !slices.ContainsFunc(p.Proxies, same) {
			p.Proxies = append(p.Proxies, a)
		}
	}
	return p
}

// Capabilities returns a function for smime.RecipientOptions: it returns the
// capabilities that the owner of a certificate announced with it in
// userSMIMECertificate. They count only where the certificate that signed the
// value is valid for the same mailbox under trust: else whoever writes to the
// directory could choose the cipher.
func (d *Directory) Capabilities(ctx context.Context, trust *chain.Collection, opts chain.Options) func(string, *x509.Certificate) smime.Capabilities {
	return func(mailbox string, cert *x509.Certificate) smime.Capabilities {
		policy := chain.Policy{Purpose: chain.EmailSigning, Mailbox: mailbox, Options: opts}
		for _, e := range d.by[strings.ToLower(mailbox)] {
			for _, p := range e.SMIME {
				if p.Capabilities == nil || !p.announcesFor(cert) {
					continue
				}
				if _, err := trust.Verify(ctx, p.Signing, policy); err == nil {
					return p.Capabilities
				}
			}
		}
		return nil
	}
}

// announcesFor reports whether the capabilities of the value are about cert.
func (p *PublishedCertificate) announcesFor(cert *x509.Certificate) bool {
	if p.Encryption != nil {
		return p.Encryption.Equal(cert)
	}
	return slices.ContainsFunc(p.All, cert.Equal)
}
