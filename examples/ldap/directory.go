package main

import (
	"context"
	"crypto/tls"
	"errors"
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
	// URL is ldaps://host, ldap://host, which is upgraded by StartTLS, or
	// ldapi:// with the path of a socket, as ldapi:///run/slapd/ldapi or
	// ldapi://%2Frun%2Fslapd%2Fldapi.
	URL     string
	Base    string        // such as "dc=example,dc=com"
	TLS     *tls.Config   // nil: the system's roots
	Timeout time.Duration // for one look-up, from its first packet to its last; zero: 5 s
	// InsecureNoTLS lets an ldap URL go without StartTLS, as for a server on
	// this machine: whoever is on the way sees who is written to.
	InsecureNoTLS bool
	User, Pass    string // empty: anonymous
	Entries       int    // that one look-up may return; zero: 20
}

type problem string

func (p problem) Error() string { return "directory: " + string(p) }

const (
	// ErrMore says that the directory has more entries than were asked for.
	// Those that came are used.
	ErrMore   = problem("the directory has more entries than were asked for")
	ErrScheme = problem("the URL is none of ldap, ldaps and ldapi")
)

// Find looks people up by address. It knows nothing of issuers or CRLs. An error
// that wraps ErrMore comes after the entries that the server returned.
func (d *Directory) Find(ctx context.Context, q chain.Query) iter.Seq2[*chain.Entry, error] {
	return func(yield func(*chain.Entry, error) bool) {
		if q.Kind != chain.KindCertificate || q.Mailbox == "" {
			return
		}
		entries, err := d.Look(ctx, q.Mailbox)
		for _, e := range entries {
			for _, c := range e.Certificates() {
				if !yield(chain.NewEntry(chain.KindCertificate, c.Raw, d.URL, nil), nil) {
					return
				}
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

// People returns what the directory has of all mailboxes. Whoever is not found
// is not in it. An error other than ErrMore ends the look-up.
func (d *Directory) People(ctx context.Context, mailboxes []string) (*exchange.Directory, error) {
	var all []*exchange.DirectoryEntry
	var more error
	for _, m := range mailboxes {
		entries, err := d.Look(ctx, m)
		if err != nil && !errors.Is(err, ErrMore) {
			return nil, err
		}
		if err != nil {
			more = fmt.Errorf("%w for %q", err, m)
		}
		all = append(all, entries...)
	}
	return exchange.NewDirectory(all...), more
}

// filter matches an address as mail or as any proxy address of Exchange.
func filter(mailbox string) string {
	m := ldap.EscapeFilter(mailbox)
	return "(|(mail=" + m + ")(proxyAddresses=smtp:" + m + "))"
}

// Look returns the entries with that address. Beside an error that wraps ErrMore
// they are not all.
func (d *Directory) Look(ctx context.Context, mailbox string) ([]*exchange.DirectoryEntry, error) {
	timeout := d.Timeout
	if timeout <= 0 {
		timeout = 5 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	res, err := d.search(ctx, mailbox, timeout)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, fmt.Errorf("directory: %w", ctx.Err())
	case ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded):
		err = ErrMore
	case err != nil:
		return nil, fmt.Errorf("directory: %w", err)
	}
	var entries []*exchange.DirectoryEntry
	for _, e := range res.Entries {
		entries = append(entries, entry(e))
	}
	return entries, err
}

// search asks the server. Each step, that of StartTLS included, ends with ctx,
// which has a deadline, because that closes the connection below.
func (d *Directory) search(ctx context.Context, mailbox string, timeout time.Duration) (*ldap.SearchResult, error) {
	raw, conn, err := d.dial(ctx)
	if raw != nil {
		defer raw.Close()
	}
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if d.User != "" {
		if err := conn.Bind(d.User, d.Pass); err != nil {
			return nil, err
		}
	}
	limit := d.Entries
	if limit <= 0 {
		limit = 20 // an address belongs to few people
	}
	// RFC 4523 section 2.1 wants ";binary" for userCertificate, where Active
	// Directory has it without; userSMIMECertificate is plain octets in both.
	q := ldap.NewSearchRequest(d.Base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases,
		limit, max(int(timeout/time.Second), 1), false, filter(mailbox),
		[]string{"mail", "proxyAddresses", "userSMIMECertificate", "userCertificate", "userCertificate;binary"}, nil)
	q.EnforceSizeLimit = true // against a server that does not
	return conn.Search(q)
}

// entry reads what the server returned of a person. A server may spell the
// attributes as it likes (RFC 4512 section 2.5).
func entry(e *ldap.Entry) *exchange.DirectoryEntry {
	var p exchange.Person
	var mail, proxies []string
	var marked, plain [][]byte
	for _, attr := range e.Attributes {
		switch name, _, _ := strings.Cut(strings.ToLower(attr.Name), ";"); name {
		case "mail":
			mail = append(mail, attr.Values...)
		case "proxyaddresses":
			for _, v := range attr.Values {
				scheme, address, _ := strings.Cut(v, ":")
				if scheme == "SMTP" { // the primary one is in upper case
					proxies = append([]string{address}, proxies...)
				} else if strings.EqualFold(scheme, "smtp") {
					proxies = append(proxies, address)
				}
			}
		case "usersmimecertificate":
			marked = append(marked, attr.ByteValues...)
		case "usercertificate":
			plain = append(plain, attr.ByteValues...)
		}
	}
	if all := append(mail, proxies...); len(all) > 0 {
		p = exchange.Person{Mailbox: all[0], Proxies: all[1:]}
	}
	return exchange.NewDirectoryEntry(p, marked, plain)
}

// dial returns a connection on which everything ends with ctx. The first result
// is the one below it, to be closed.
func (d *Directory) dial(ctx context.Context) (net.Conn, *ldap.Conn, error) {
	network, address, scheme, err := target(d.URL)
	if err != nil {
		return nil, nil, err
	}
	raw, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, nil, err
	}
	context.AfterFunc(ctx, func() { raw.Close() })
	config := d.TLS.Clone()
	if config == nil {
		config = &tls.Config{}
	}
	if host, _, err := net.SplitHostPort(address); err == nil && config.ServerName == "" {
		config.ServerName = host
	}
	if scheme == "ldaps" {
		c := tls.Client(raw, config)
		if err := c.HandshakeContext(ctx); err != nil {
			return raw, nil, err
		}
		conn := ldap.NewConn(c, true)
		conn.Start()
		return raw, conn, nil
	}
	conn := ldap.NewConn(raw, false)
	conn.Start()
	if scheme == "ldap" && !d.InsecureNoTLS {
		if err := conn.StartTLS(config); err != nil {
			return raw, nil, err
		}
	}
	return raw, conn, nil
}

// target returns where the URL leads.
func target(text string) (network, address, scheme string, err error) {
	// RFC 4516 has the path of a socket in place of a host, where package url
	// takes no slash.
	if rest, ok := strings.CutPrefix(strings.ToLower(text[:min(len(text), 8)]), "ldapi://"); ok {
		path, err := url.PathUnescape(rest + text[8:])
		if path = strings.TrimSuffix(path, "/"); path == "" {
			path = "/var/run/slapd/ldapi"
		}
		return "unix", path, "ldapi", err
	}
	u, err := url.Parse(text)
	if err != nil {
		return "", "", "", err
	}
	port := u.Port()
	switch {
	case u.Hostname() == "" || u.Scheme != "ldap" && u.Scheme != "ldaps":
		return "", "", "", ErrScheme
	case port == "" && u.Scheme == "ldaps":
		port = "636"
	case port == "":
		port = "389"
	}
	return "tcp", net.JoinHostPort(u.Hostname(), port), u.Scheme, nil
}
