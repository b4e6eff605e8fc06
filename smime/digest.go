package smime

import (
	"crypto/x509"
	"strings"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/mimetree"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/pkcs7"
)

// A contentHash hashes clear-signed content as it was received and, from the
// first line end that is not CR LF on, also with line ends as CR LF (RFC 8551
// section 3.1.1). Never with LF: no signer hashes that.
type contentHash struct {
	received, canonical *pkcs7.Digester // canonical is nil while it is the same
	ends                mimetree.LineEnds
	crlf                *mimetree.CRLFWriter
	head                head
}

func newContentHash(algorithms []x509.OID) *contentHash {
	return &contentHash{received: pkcs7.NewDigester(algorithms...), head: head{max: maxHead}}
}

func (h *contentHash) Write(p []byte) (int, error) {
	h.head.Write(p)
	if h.crlf != nil {
		h.crlf.Write(p)
		return h.received.Write(p)
	}
	n := h.ends.Next(p)
	h.received.Write(p[:n])
	if n < len(p) {
		h.part()
		h.crlf.Write(p[n:])
		h.received.Write(p[n:])
	}
	return len(p), nil
}

// part begins to hash the canonical form apart.
func (h *contentHash) part() {
	h.canonical = h.received.Clone()
	if h.ends.AfterCR() {
		h.canonical.Write([]byte{'\n'})
	}
	h.crlf = mimetree.NewCRLFWriter(h.canonical)
}

// finish ends the content.
func (h *contentHash) finish() {
	if h.crlf == nil && h.ends.AfterCR() {
		h.part()
	}
	if h.crlf != nil {
		h.crlf.Close()
	}
}

// maxMicalg bounds how often a sender can have content hashed for nothing.
const maxMicalg = 4

// digestsOf returns the digests that a micalg parameter names, none if one of
// them is unknown (RFC 8551 section 3.5.3.2, and the spellings of older programs).
func digestsOf(micalg string) []x509.OID {
	names := strings.Split(micalg, ",")
	if len(names) > maxMicalg {
		return nil
	}
	var ids []x509.OID
	for _, name := range names {
		id := alg.HashOfMicalg(strings.TrimSpace(name)).OID()
		if id == "" {
			// Outlook writes the identifier.
			parsed, err := x509.ParseOID(strings.TrimSpace(name))
			if err != nil {
				return nil
			}
			id = oid.FromX509(parsed)
		}
		ids = append(ids, id.X509())
	}
	return ids
}
