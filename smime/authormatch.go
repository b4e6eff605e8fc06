package smime

import (
	"crypto/x509"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/mailbox"
	"github.com/gosmime/gosmime/internal/x509der"
)

// A naming is how a certificate names the authors.
type naming struct {
	err    error  // an author is not named
	folded string // an author who is named only if case is ignored; empty: none
}

// namedBy returns nil if cert names every author.
func (a *authors) namedBy(cert *x509.Certificate) error {
	if a.err != nil {
		return a.err
	}
	return a.naming(cert).err
}

// foldNote returns the note that cert names an author only if case is ignored
// (RFC 8550 section 3).
func (a *authors) foldNote(cert *x509.Certificate) (Note, bool) {
	if n := a.naming(cert); n.err == nil && n.folded != "" {
		return Note{Code: NoteLocalPartCase, Detail: quote(n.folded)}, true
	}
	return Note{}, false
}

// naming compares the names of cert with the authors, once for each certificate:
// there may be many names, many authors, and many signatures by one key.
func (a *authors) naming(cert *x509.Certificate) *naming {
	if n, ok := a.named[cert]; ok {
		return n
	}
	n := &naming{}
	exact, folded := a.find(cert)
	for i, addr := range a.list {
		if exact[i] {
			continue
		}
		if !folded[i] {
			if err := chain.MatchMailbox(cert, addr.String()); err != nil {
				boxes, _ := chain.Mailboxes(cert) // for people; none if it cannot be read
				n.err = &senderError{author: addr.String(), signer: boxes, err: err}
				break
			}
		}
		if n.folded == "" {
			n.folded = addr.String()
		}
	}
	if a.named == nil {
		a.named = make(map[*x509.Certificate]*naming)
	}
	a.named[cert] = n
	return n
}

// find says of each author whether cert names them, octet by octet or only if
// case is ignored.
func (a *authors) find(cert *x509.Certificate) (exact, folded []bool) {
	exact, folded = make([]bool, len(a.list)), make([]bool, len(a.list))
	der, err := x509der.Parse(cert.Raw)
	if err != nil {
		return exact, folded
	}
	boxes, err := der.Mailboxes()
	if err != nil {
		return exact, folded
	}
	for _, b := range boxes {
		have, err := mailbox.Parse(b.Address)
		if err != nil {
			continue
		}
		for i, addr := range a.list {
			if equal, fold := mailbox.Equal(addr, have, b.UTF8); equal {
				exact[i], folded[i] = exact[i] || !fold, true
			}
		}
	}
	return exact, folded
}
