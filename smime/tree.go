package smime

import (
	"fmt"
	"strings"

	"github.com/gosmime/gosmime/chain"
)

func verdictText(s *Signer, err error) string {
	if err != nil {
		return errorText(err)
	}
	if s.mailbox == "" {
		return "passed"
	}
	return "passed: " + quote(s.mailbox)
}

func errorText(err error) string {
	if err == nil {
		return "passed"
	}
	return strings.ReplaceAll(err.Error(), "\n", "; ")
}

func line(b *strings.Builder, depth int, name, text string) {
	fmt.Fprintf(b, "%s%s: %s\n", strings.Repeat("  ", depth), name, text)
}

func describe(b *strings.Builder, l Layer, depth int) {
	n := nodeOf(l)
	title := ""
	switch l := l.(type) {
	case *SignedLayer:
		title = "signed (clear)"
		if l.Opaque {
			title = "signed (opaque)"
		}
	case *EncryptedLayer:
		title = "encrypted"
		if l.Cipher != 0 {
			title += fmt.Sprintf(" with %v", l.Cipher)
		}
	case *CompressedLayer:
		title = "compressed"
	case *CertificatesLayer:
		title = fmt.Sprintf("%d certificates, %d CRLs", len(l.Certificates), len(l.CRLs))
	case *ReceiptLayer:
		title = "receipt"
	default:
		title = "plain"
	}
	if len(n.part) > 0 {
		title += fmt.Sprintf(", part %v", n.part)
	}
	if n.errant {
		title += ", errant"
	}
	fmt.Fprintf(b, "%s%s, %d octets\n", strings.Repeat("  ", depth), title, n.raw.Len())
	describeVerdicts(b, l, depth+1)
	for _, x := range n.notes {
		text := x.Code.String()
		if x.Detail != "" {
			text += ": " + x.Detail
		}
		line(b, depth+1, "note", text)
	}
	for _, c := range n.children {
		describe(b, c, depth+1)
	}
}

func describeVerdicts(b *strings.Builder, l Layer, depth int) {
	switch l := l.(type) {
	case *SignedLayer:
		describeSigners(b, l.Signers, depth)
		line(b, depth, "layer", errorText(l.Err()))
	case *ReceiptLayer:
		describeSigners(b, l.Signers, depth)
		line(b, depth, "layer", errorText(l.Err()))
	case *EncryptedLayer:
		line(b, depth, "opened", errorText(l.Opened.Err()))
		if l.Opened.passed {
			line(b, depth, "strength", errorText(l.Strength.Err()))
			line(b, depth, "authenticated", errorText(l.Authenticated.Err()))
		}
	}
}

func describeSigners(b *strings.Builder, list []*SignerReport, depth int) {
	for i, r := range list {
		name := "no certificate"
		if c := r.UnverifiedCertificate; c != nil {
			name = quote(chain.FormatName(c.RawSubject))
		}
		line(b, depth, fmt.Sprintf("signer %d", i), name)
		for _, v := range [...]struct {
			name string
			v    Verdict
		}{
			{"integrity", r.Integrity}, {"coverage", r.Coverage}, {"strength", r.Strength}, {"trust", r.Trust}, {"sender", r.Sender},
		} {
			line(b, depth+1, v.name, errorText(v.v.Err()))
		}
		if !r.ClaimedTime.IsZero() {
			line(b, depth+1, "claimed time", r.ClaimedTime.UTC().Format("2006-01-02 15:04:05Z"))
		}
		if !r.Timestamp.IsZero() {
			line(b, depth+1, "timestamp", r.Timestamp.UTC().Format("2006-01-02 15:04:05Z"))
		}
	}
}
