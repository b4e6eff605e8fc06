package smime_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// A key, here in software, and the certificate that the CA made for it.
func ExampleNewIdentity() {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		fmt.Println(err)
		return
	}
	ca := smimetest.NewCA(exampleTB{})
	cert := ca.Certify(key, "alice@example.com").Certificate()

	alice, err := smime.NewIdentity(key, cert, ca.Issuing())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(alice.Mailboxes())

	// A key that belongs to another certificate is found out here.
	_, err = smime.NewIdentity(key, ca.Issuing())
	fmt.Println(errors.Is(err, smime.ErrKeyMismatch))
	// Output:
	// [alice@example.com]
	// true
}

// Whoever had several keys over the years keeps them all.
func history(current, card, from2019 *smime.Identity) smime.Keyring {
	return smime.Identities{current, card, from2019}
}

func decrypt(ctx context.Context, w io.Writer, r io.Reader, keys smime.Keyring) error {
	enc, err := smime.Decrypt(ctx, w, r, keys, nil)
	if no, ok := errors.AsType[*pkcs7.NoKeyError](err); ok {
		return fmt.Errorf("locked: written to %d keys, none of them at hand", len(no.Recipients))
	}
	if err != nil {
		return err // pkcs7.ErrDecrypt never says why
	}
	if !enc.Cipher.Authenticated() {
		fmt.Println("warning: this cipher does not detect tampering")
	}
	return nil
}

func ExampleIdentities() {
	ca := smimetest.NewCA(exampleTB{})
	from2019 := ca.Identity("bob@example.com")
	keys := history(ca.Identity("bob@example.com", smimetest.Renewed()), ca.Identity("bob@example.com"), from2019)
	alice := ca.Identity("alice@example.com")
	for _, to := range []*smime.Identity{from2019, alice} {
		var entity bytes.Buffer
		message := smimetest.Encrypted(exampleTB{}, alice, "Lunch at noon?", to)
		err := decrypt(context.Background(), &entity, bytes.NewReader(message), keys)
		fmt.Println(entity.Len() > 0, err)
	}
	// Output:
	// warning: this cipher does not detect tampering
	// true <nil>
	// false locked: written to 1 keys, none of them at hand
}

// A directory is a keyring that asks a store of keys, once for each message.
type directory map[string]*smime.Identity

func (d directory) Find(ctx context.Context, to []pkcs7.CertID) ([]*smime.Identity, error) {
	var found []*smime.Identity
	for _, id := range to { // unverified: anybody can name any certificate
		if id.Serial == nil {
			continue
		}
		if key, ok := d[id.Serial.String()]; ok && id.Matches(key.Certificate()) {
			found = append(found, key)
		}
	}
	return found, ctx.Err()
}

func ExampleKeyring() {
	ca := smimetest.NewCA(exampleTB{})
	alice, bob := ca.Identity("alice@example.com"), ca.Identity("bob@example.com")
	var keys smime.Keyring = directory{bob.Certificate().SerialNumber.String(): bob}

	message := smimetest.Encrypted(exampleTB{}, alice, "Lunch at noon?", bob)
	encryption, err := smime.Decrypt(context.Background(), io.Discard, bytes.NewReader(message), keys, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("opened by", encryption.Key.Mailboxes())
	// Output: opened by [bob@example.com]
}

// For a certificate that nobody vouches for, compared by telephone.
func ExampleInsecureRecipient() {
	bob := smimetest.NewCA(exampleTB{}).Identity("bob@example.com")
	to := smime.InsecureRecipient("bob@example.com", bob.Certificate(), nil)
	var encrypted bytes.Buffer
	if err := smime.Encrypt(context.Background(), &encrypted, strings.NewReader(lunch), []*smime.Recipient{to}, nil); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(to.Mailbox(), "verified:", to.Path() != nil)
	// Output: bob@example.com verified: false
}

// What somebody's mail announced is remembered for the mail to them.
func ExampleRecipientOptions() {
	ca := smimetest.NewCA(exampleTB{})
	bob, ctx := ca.Identity("bob@example.com"), context.Background()
	var fromBob, encrypted bytes.Buffer
	reply := strings.NewReader(strings.Replace(lunch, "alice@", "bob@", 1))
	if err := smime.Sign(ctx, &fromBob, reply, bob, nil); err != nil {
		fmt.Println(err)
		return
	}
	// Only a Signer offers capabilities: nobody else can lower the cipher.
	signer, err := smime.Verify(ctx, io.Discard, &fromBob, ca.Trust(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	learnt := map[string]smime.Capabilities{signer.Mailbox(): signer.Capabilities()}

	to, err := smime.FindRecipients(ctx, []string{"bob@example.com"}, ca.Directory(bob), &smime.RecipientOptions{
		Capabilities: func(mailbox string, cert *x509.Certificate) smime.Capabilities { return learnt[mailbox] },
		Chain:        chain.Options{Revocation: chain.RevocationRequireLeaf},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := smime.Encrypt(ctx, &encrypted, strings.NewReader(lunch), to, nil); err != nil {
		fmt.Println(err)
		return
	}
	encryption, err := smime.Decrypt(ctx, io.Discard, &encrypted, smime.Identities{bob}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(to[0].Capabilities().Reads(pkcs7.AES256GCM), encryption.Cipher)
	// Output: true AES-256-GCM
}

// A Capability of an algorithm that has parameters carries them as DER.
func ExampleCapability() {
	oid, err := x509.ParseOID("2.16.840.1.101.3.4.1.42") // AES-256-CBC
	if err != nil {
		fmt.Println(err)
		return
	}
	caps := smime.Capabilities{{OID: oid}}
	fmt.Println(caps.Reads(pkcs7.AES256CBC), caps.Reads(pkcs7.AES256GCM))
	one := smime.Capability{OID: oid}
	fmt.Println(one.OID, one.Parameters == nil)
	// Output:
	// true false
	// 2.16.840.1.101.3.4.1.42 true
}

// Who leaves the issuers out relies on readers to have them.
func ExampleInclusion() {
	ca := smimetest.NewCA(exampleTB{})
	alice, ctx := ca.Identity("alice@example.com"), context.Background()
	rootAlone := chain.NewCollection(chain.Anchors(chain.Certs(ca.Root())))
	for _, inclusion := range []smime.Inclusion{smime.ChainWithoutRoot, smime.SignerOnly} {
		var signed bytes.Buffer
		err := smime.Sign(ctx, &signed, strings.NewReader(lunch), alice, &smime.SignOptions{Certificates: inclusion})
		if err != nil {
			fmt.Println(err)
			return
		}
		_, err = smime.Verify(ctx, io.Discard, &signed, rootAlone, nil)
		fmt.Println(err == nil, errors.Is(err, chain.ErrUnknownIssuer))
	}
	// Output:
	// true false
	// false true
}

// What can be seen from outside of an encrypted message, by policy.
func ExampleHeaderPolicy() {
	ca := smimetest.NewCA(exampleTB{})
	to := []*smime.Recipient{ca.Recipient(ca.Identity("bob@example.com"))}
	for _, policy := range []smime.HeaderPolicy{smime.HideSubject, smime.HideNothing} {
		var encrypted bytes.Buffer
		err := smime.Encrypt(context.Background(), &encrypted, strings.NewReader(lunch), to, &smime.EncryptOptions{Header: policy})
		if err != nil {
			fmt.Println(err)
			return
		}
		for line := range strings.Lines(encrypted.String()) {
			if strings.HasPrefix(line, "Subject:") {
				fmt.Println(strings.TrimSpace(line))
			}
		}
	}
	// Output:
	// Subject: [...]
	// Subject: Lunch
}
