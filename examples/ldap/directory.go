package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"iter"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/smime/exchange"
)

// A Directory is a chain.Source over LDAP: it finds the certificates that
// people published under their address. It follows no referral. What it finds
// is as untrusted as any other source: pass it to chain.Untrusted.
type Directory struct {
	URL     string        // ldaps://host, or ldap://host, which is upgraded by StartTLS
	Base    string        // such as "dc=example,dc=com"
	TLS     *tls.Config   // nil: the system's roots
	Timeout time.Duration // for one look-up; zero: 5 s
	// InsecureNoTLS lets an ldap URL go without StartTLS, as for a server on
	// this machine: whoever is on the way sees who is written to.
	InsecureNoTLS bool
	User, Pass    string // empty: anonymous
}

// maxEntries bounds an answer; an address belongs to few people.
const maxEntries = 20

// Find looks people up by address. It knows nothing of issuers or CRLs.
func (d *Directory) Find(ctx context.Context, q chain.Query) iter.Seq2[*chain.Entry, error] {
	return func(yield func(*chain.Entry, error) bool) {
		if q.Kind != chain.KindCertificate || q.Mailbox == "" {
			return
		}
		values, err := d.search(ctx, q.Mailbox)
		if err != nil {
			yield(nil, fmt.Errorf("directory: %w", err))
			return
		}
		for _, der := range certificates(values) {
			if !yield(chain.NewEntry(chain.KindCertificate, der, d.URL, nil), nil) {
				return
			}
		}
	}
}

// answer has the values of the two attributes.
type answer struct{ smime, plain [][]byte }

// filter matches an address as mail or as any proxy address of Exchange.
func filter(mailbox string) string {
	m := ldap.EscapeFilter(mailbox)
	return "(|(mail=" + m + ")(proxyAddresses=smtp:" + m + "))"
}

func (d *Directory) search(ctx context.Context, mailbox string) (answer, error) {
	timeout := d.Timeout
	if timeout == 0 {
		timeout = 5 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conn, err := d.dial(ctx, timeout)
	if err != nil {
		return answer{}, err
	}
	// A cancelled look-up ends with its connection.
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer func() {
		if stop() {
			conn.Close()
		}
	}()
	conn.SetTimeout(timeout)
	if d.User != "" {
		if err := conn.Bind(d.User, d.Pass); err != nil {
			return answer{}, err
		}
	}
	// RFC 4523 section 2.1 wants ";binary" for userCertificate, where Active
	// Directory has it without; userSMIMECertificate is plain octets in both.
	res, err := conn.Search(ldap.NewSearchRequest(d.Base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases,
		maxEntries, max(int(timeout/time.Second), 1), false, filter(mailbox),
		[]string{"userSMIMECertificate", "userCertificate", "userCertificate;binary"}, nil))
	if err != nil {
		return answer{}, err
	}
	var a answer
	for _, e := range res.Entries {
		for _, attr := range e.Attributes {
			// A server may spell them as it likes (RFC 4512 section 2.5).
			switch name, _, _ := strings.Cut(strings.ToLower(attr.Name), ";"); name {
			case "usersmimecertificate":
				a.smime = append(a.smime, attr.ByteValues...)
			case "usercertificate":
				a.plain = append(a.plain, attr.ByteValues...)
			}
		}
	}
	return a, nil
}

func (d *Directory) dial(ctx context.Context, timeout time.Duration) (*ldap.Conn, error) {
	u, err := url.Parse(d.URL)
	if err != nil {
		return nil, err
	}
	config := d.TLS.Clone()
	if config == nil {
		config = &tls.Config{}
	}
	if config.ServerName == "" {
		config.ServerName = u.Hostname()
	}
	dialer := &net.Dialer{Timeout: timeout}
	if deadline, ok := ctx.Deadline(); ok {
		dialer.Deadline = deadline
	}
	conn, err := ldap.DialURL(d.URL, ldap.DialWithDialer(dialer), ldap.DialWithTLSConfig(config))
	if err != nil {
		return nil, err
	}
	if u.Scheme == "ldap" && !d.InsecureNoTLS {
		if err := conn.StartTLS(config); err != nil {
			conn.Close()
			return nil, err
		}
	}
	return conn, nil
}

// certificates returns the DER certificates in the order of Outlook: what the
// person chose first. A value that can't be read never hides the others.
func certificates(a answer) [][]byte {
	var marked, plain []*exchange.PublishedCertificate
	for _, v := range a.smime {
		if p, err := exchange.ParseUserSMIMECertificate(v); err == nil {
			marked = append(marked, p)
		}
	}
	for _, v := range a.plain {
		if p, err := exchange.ParseUserCertificate(v); err == nil {
			plain = append(plain, p)
		}
	}
	var list [][]byte
	for _, c := range exchange.ChooseEncryption(marked, plain) {
		list = append(list, c.Raw)
	}
	// The rest of each value are issuers, and certificates to verify with.
	for _, p := range append(marked, plain...) {
		for _, c := range p.All {
			list = append(list, c.Raw)
		}
	}
	return list
}
