package chain_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"testing"

	"crypto/x509/pkix"

	"github.com/gosmime/gosmime/chain"
)

// TestPurposes crosses key usages and extended key usages with purposes.
func TestPurposes(t *testing.T) {
	root := newRoot(t, "Root")
	trust := chain.NewCollection(chain.Anchors(certs(root)))
	const (
		sign   = x509.KeyUsageDigitalSignature
		commit = x509.KeyUsageContentCommitment
		wrap   = x509.KeyUsageKeyEncipherment
		agree  = x509.KeyUsageKeyAgreement
		data   = x509.KeyUsageDataEncipherment
	)
	mail, anyEKU, tls, stamp := x509.ExtKeyUsageEmailProtection, x509.ExtKeyUsageAny, x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageTimeStamping
	ekus := [][]x509.ExtKeyUsage{nil, {mail}, {anyEKU}, {tls}, {tls, mail}, {stamp}, {stamp, mail}, {x509.ExtKeyUsageCodeSigning}}
	n := 0
	for _, ku := range []x509.KeyUsage{0, sign, commit, sign | commit, wrap, agree, sign | agree, data, sign | wrap} {
		for _, eku := range ekus {
			// Its key is one for agreement and for signatures.
			leaf := makeCert(t, root, newP256(t), "Leaf", usages(ku, eku...), func(c *x509.Certificate) { c.EmailAddresses = []string{alice} })
			forMail := eku == nil || eku[0] == mail || eku[0] == anyEKU || len(eku) == 2
			for purpose, good := range map[chain.Purpose]bool{
				chain.EmailSigning:       forMail && (ku == 0 || ku&(sign|commit) != 0),
				chain.EmailEncryption:    forMail && (ku == 0 || ku&agree != 0),
				chain.TimeStamping:       false, // its extension is not critical
				chain.InsecureAnyPurpose: true,
			} {
				p := signing()
				p.Purpose = purpose
				_, err := trust.Verify(t.Context(), leaf.Certificate, p)
				want := chain.ErrWrongPurpose
				if good {
					want = 0
				}
				if (err == nil) != good {
					t.Errorf("keyUsage %b, extended %v: %v: %v", ku, eku, purpose, err)
				}
				wantReason(t, err, want)
				n++
			}
		}
	}
	if n != 9*8*4 {
		t.Errorf("%d cases", n)
	}
}

// TestTimeStamping wants timeStamping alone and critical (RFC 3161 section 2.3).
func TestTimeStamping(t *testing.T) {
	root := newRoot(t, "Root")
	stamp, mail := asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8}, asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 4}
	for _, tt := range []struct {
		ids      []asn1.ObjectIdentifier
		critical bool
		want     chain.Reason
	}{
		{[]asn1.ObjectIdentifier{stamp}, true, 0},
		{[]asn1.ObjectIdentifier{stamp}, false, chain.ErrWrongPurpose},
		{[]asn1.ObjectIdentifier{stamp, mail}, true, chain.ErrWrongPurpose},
		{[]asn1.ObjectIdentifier{mail}, true, chain.ErrWrongPurpose},
		{nil, false, chain.ErrWrongPurpose},
	} {
		t.Run(fmt.Sprint(tt.ids, tt.critical), func(t *testing.T) {
			edit := func(*x509.Certificate) {}
			if tt.ids != nil {
				value, err := asn1.Marshal(tt.ids)
				if err != nil {
					t.Fatal(err)
				}
				edit = extension([]int{2, 5, 29, 37}, tt.critical, value)
			}
			leaf := makeCert(t, root, newKey(t), "TSA", edit)
			_, err := chain.NewCollection(chain.Anchors(certs(root))).Verify(t.Context(), leaf.Certificate, chain.Policy{
				Purpose: chain.TimeStamping, Options: chain.Options{At: judged}})
			wantReason(t, err, tt.want)
		})
	}
}

// TestEncryptionKeys crosses kinds of keys with key usages.
func TestEncryptionKeys(t *testing.T) {
	root := newRoot(t, "Root")
	edPub, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	ec := newP256(t)
	for name, key := range map[string]any{"ed25519": edPub, "p256": ec.Public()} {
		t.Run(name, func(t *testing.T) {
			for _, ku := range []x509.KeyUsage{0, x509.KeyUsageKeyAgreement, x509.KeyUsageKeyEncipherment} {
				c := &x509.Certificate{SerialNumber: asBig(serials.Add(1)), Subject: pkix.Name{CommonName: name}, NotBefore: judged.AddDate(0, 0, -1),
					NotAfter: judged.AddDate(0, 0, 1), KeyUsage: ku, EmailAddresses: []string{alice}}
				der, err := x509.CreateCertificate(rand.Reader, c, root.Certificate, key, root.key)
				if err != nil {
					t.Fatal(err)
				}
				p := signing()
				p.Purpose = chain.EmailEncryption
				_, err = chain.NewCollection(chain.Anchors(certs(root))).Verify(t.Context(), &x509.Certificate{Raw: der}, p)
				want := chain.Reason(0)
				if name == "ed25519" || ku == x509.KeyUsageKeyEncipherment {
					want = chain.ErrWrongPurpose
				}
				t.Log(fmt.Sprint(name, " ", ku))
				wantReason(t, err, want)
			}
		})
	}
}

func TestMatchMailbox(t *testing.T) {
	root := newRoot(t, "Root")
	plain := root.newLeaf(t, alice)
	utf8 := root.newLeaf(t, "", mailSAN(t, "ålice@xn--bcher-kva.example", true))
	subject := root.newLeaf(t, "", mailSubject(alice))
	both := root.newLeaf(t, alice, mailSubject("boss@example.com"))
	none := root.newLeaf(t, "", func(c *x509.Certificate) { c.Subject.CommonName = alice })
	fake := root.newLeaf(t, "", mailSAN(t, alice, true)) // a SmtpUTF8Mailbox of ASCII
	for _, tt := range []struct {
		cert    *party
		mailbox string
		match   bool
	}{
		{plain, alice, true}, {plain, "ALICE@EXAMPLE.COM", true}, {plain, `"alice"@example.com`, true},
		{plain, "alice@example.com.", false}, {plain, "alice@sub.example.com", false}, {plain, "bob@example.com", false},
		{plain, "", false}, {plain, "alice", false}, {plain, "<alice@example.com>", false}, {plain, "alice@example.com\x00", false},
		{plain, " alice@example.com", false}, {plain, "alice@example.com, bob@example.com", false},
		{utf8, "ålice@xn--bcher-kva.example", true}, {utf8, "ålice@bücher.example", true}, {utf8, "Ålice@bücher.example", false},
		{utf8, "ålice@BÜCHER.example", true}, {utf8, "alice@bücher.example", false},
		{subject, alice, true}, {both, alice, true}, {both, "boss@example.com", false},
		{none, alice, false}, {fake, alice, false},
	} {
		t.Run(fmt.Sprintf("%.40q of %v", tt.mailbox, tt.cert.Subject), func(t *testing.T) {
			err := chain.MatchMailbox(tt.cert.Certificate, tt.mailbox)
			want := chain.ErrWrongMailbox
			if tt.match {
				want = 0
			}
			t.Log(tt.mailbox)
			wantReason(t, err, want)
		})
	}
	wantReason(t, chain.MatchMailbox(nil, alice), chain.ErrMalformed)
	wantReason(t, chain.MatchMailbox(&x509.Certificate{}, alice), chain.ErrMalformed)
}
