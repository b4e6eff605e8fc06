package cli

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
)

// Explain prints what an error has to say beyond its text: every path that was
// tried and every recipient that no key was found for.
func Explain(w io.Writer, err error) {
	if e, ok := errors.AsType[*chain.Error](err); ok {
		for _, try := range e.Tried {
			fmt.Fprintln(w, "tried:", try)
		}
	}
	if e, ok := errors.AsType[*pkcs7.NoKeyError](err); ok {
		for _, r := range e.Recipients {
			switch {
			case r.Serial != nil:
				fmt.Fprintf(w, "encrypted to the certificate with serial number %x\n", r.Serial)
			case r.KeyID != nil:
				fmt.Fprintf(w, "encrypted to the key %x\n", r.KeyID)
			}
		}
	}
}

// PrintPath prints one line a certificate, leaf first.
func PrintPath(w io.Writer, p *chain.Path) {
	for i, c := range p.Certificates() {
		status := p.Revocation(i)
		known := "revocation unknown"
		switch {
		case i == len(p.Certificates())-1:
			known = "trusted"
		case status.Status == chain.StatusGood:
			known = "not revoked as of " + status.ThisUpdate.Format(time.DateOnly)
		}
		if i == 0 && len(c.SubjectKeyId) == 0 {
			known += ", without the subject key identifier that Exchange demands"
		}
		fmt.Fprintf(w, "  %s, until %s, %s\n", strconv.QuoteToASCII(chain.FormatName(c.RawSubject)), c.NotAfter.Format(time.DateOnly), known)
	}
}

// PrintEncryption says how a message was encrypted and what that is worth.
func PrintEncryption(w io.Writer, e *smime.Encryption) {
	fmt.Fprintf(w, "encrypted with %v to %d recipients\n", e.Cipher, len(e.Recipients))
	if !e.Cipher.Authenticated() {
		fmt.Fprintln(w, "warning: this cipher does not detect changes made on the way")
	}
}
