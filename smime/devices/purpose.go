package devices

import (
	"crypto/ed25519"
	"crypto/x509"
	"slices"
	"strings"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/smime"
)

const (
	encrypts = x509.KeyUsageKeyEncipherment | x509.KeyUsageKeyAgreement
	signs    = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
)

// forMail reports whether c is for mail and has one of the usages.
func forMail(c *x509.Certificate, usages x509.KeyUsage) bool {
	if _, edwards := c.PublicKey.(ed25519.PublicKey); edwards && usages == encrypts {
		return false
	}
	if c.IsCA || c.KeyUsage != 0 && c.KeyUsage&usages == 0 {
		return false
	}
	return len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) == 0 ||
		slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageEmailProtection) || slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny)
}

func purposeOf(c *x509.Certificate) Purpose {
	switch {
	case forMail(c, encrypts):
		return PurposeSMIMEEncryption
	case forMail(c, signs):
		return PurposeSMIMESigning
	}
	return PurposeUnassigned
}

// newest returns the identity whose certificate was issued last of those that
// are valid now, name the mailbox and have one of the usages; or nil.
func newest(ids []*smime.Identity, mailbox string, usages x509.KeyUsage, now time.Time) *smime.Identity {
	var best *smime.Identity
	for _, id := range ids {
		c := id.Certificate()
		if !forMail(c, usages) || now.Before(c.NotBefore) || now.After(c.NotAfter) || !names(c, mailbox) {
			continue
		}
		if best == nil || c.NotBefore.After(best.Certificate().NotBefore) {
			best = id
		}
	}
	return best
}

// names reports whether the certificate has the address as Apple's Mail compares
// it: the local part octet by octet.
func names(c *x509.Certificate, mailbox string) bool {
	if chain.MatchMailbox(c, mailbox) != nil {
		return false
	}
	list, err := chain.Mailboxes(c)
	local := mailbox[:strings.LastIndexByte(mailbox, '@')+1]
	return err == nil && slices.ContainsFunc(list, func(m string) bool {
		return strings.HasPrefix(m, local) && strings.EqualFold(m[len(local):], mailbox[len(local):])
	})
}

// validUser reports whether a user principal name can be one: name@domain, with
// nothing that can't be seen in it.
func validUser(s string) bool {
	at := strings.IndexByte(s, '@')
	return at > 0 && at < len(s)-1 && len(s) <= 1024 && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7F || r == 0xFFFD })
}
