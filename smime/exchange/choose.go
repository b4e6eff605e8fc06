package exchange

import (
	"crypto/x509"
	"slices"
)

// ChooseEncryption returns the certificates to try for encryption, best first,
// in the order of Outlook: what a userSMIMECertificate marks, then the others
// that may encrypt mail, those of userSMIMECertificate before those of
// userCertificate. Whether one is valid and trusted, smime.NewRecipient says.
func ChooseEncryption(smimeValues, plainValues []*PublishedCertificate) []*x509.Certificate {
	return choose(smimeValues, plainValues, func(p *PublishedCertificate) *x509.Certificate { return p.Encryption }, mayEncrypt)
}

// ChooseSigning returns the certificates that may have signed a message which
// does not carry its signer's, in the same order. Whether one did, and is
// trusted, smime.Verify says of a collection that has them.
func ChooseSigning(smimeValues, plainValues []*PublishedCertificate) []*x509.Certificate {
	return choose(smimeValues, plainValues, func(p *PublishedCertificate) *x509.Certificate { return p.Signing }, maySign)
}

func choose(first, second []*PublishedCertificate, marked func(*PublishedCertificate) *x509.Certificate, fit func(*x509.Certificate) bool) []*x509.Certificate {
	var list []*x509.Certificate
	add := func(c *x509.Certificate) {
		if c != nil && fit(c) && !slices.ContainsFunc(list, c.Equal) {
			list = append(list, c)
		}
	}
	all := slices.Concat(first, second)
	for _, p := range all {
		if p != nil {
			add(marked(p))
		}
	}
	for _, p := range all {
		if p == nil {
			continue
		}
		for _, c := range p.All {
			add(c)
		}
	}
	return list
}

// mayEncrypt is the cheap test that Outlook makes: extended key usage for mail
// and a key usage that fits.
func mayEncrypt(c *x509.Certificate) bool {
	return forMail(c, x509.KeyUsageKeyEncipherment|x509.KeyUsageKeyAgreement)
}

func maySign(c *x509.Certificate) bool {
	return forMail(c, x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment)
}

func forMail(c *x509.Certificate, usages x509.KeyUsage) bool {
	if c.IsCA || c.KeyUsage != 0 && c.KeyUsage&usages == 0 {
		return false
	}
	return len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) == 0 ||
		slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageEmailProtection) || slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny)
}
