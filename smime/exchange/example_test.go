package exchange_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"strings"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/exchange"
	"github.com/gosmime/gosmime/sst"
)

// must is for the examples: a program handles its errors.
func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

// exampleRoot returns a root that is valid until the given year, with its key.
func exampleRoot(until int) (*x509.Certificate, *ecdsa.PrivateKey) {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	tpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: fmt.Sprint("Root ", until)},
		NotBefore: year(2020), NotAfter: year(until), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	return must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, tpl, tpl, key.Public(), key)))), key
}

// exampleIdentity returns a person with a certificate of the root.
func exampleIdentity(mailbox string, root *x509.Certificate, rootKey *ecdsa.PrivateKey) *smime.Identity {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	tpl := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes([]byte(mailbox)), Subject: pkix.Name{CommonName: mailbox}, EmailAddresses: []string{mailbox},
		NotBefore: year(2020), NotAfter: year(2040), SubjectKeyId: []byte(mailbox),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyAgreement, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
	}
	cert := must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, tpl, root, key.Public(), rootKey))))
	return must(smime.NewIdentity(key, cert, root))
}

func exampleStore(certs ...*x509.Certificate) []byte {
	var b bytes.Buffer
	if err := sst.Write(&b, sst.Of(certs...)); err != nil {
		log.Fatal(err)
	}
	return b.Bytes()
}

func Example() {
	// What an administrator has: the output of Get-SmimeConfig, in which the
	// collection is, and certificates of people.
	root, rootKey := exampleRoot(2045)
	alice, bob := exampleIdentity("alice@example.com", root, rootKey), exampleIdentity("bob@example.com", root, rootKey)
	settings := must(json.Marshal(map[string]any{"OWAAlwaysSign": true, "OWAAlwaysEncrypt": true, "SMIMECertificateIssuingCA": exampleStore(root)}))

	cfg, notes, err := exchange.ParseConfig(bytes.NewReader(settings))
	if err != nil {
		log.Fatal(err)
	}
	for _, n := range append(notes, cfg.Unenforced()...) {
		fmt.Println("note:", n)
	}
	trust, _, err := exchange.NewCollection(cfg.CertificateIssuingCA)
	if err != nil {
		log.Fatal(err)
	}
	s := exchange.Sender{
		Config:     &cfg,
		Identities: []*smime.Identity{alice},
		Trust:      trust.With(chain.Untrusted(chain.Certs(bob.Certificate()))),
	}
	mail := "From: alice@example.com\r\nTo: bob@example.com\r\nSubject: Offer\r\n\r\nFive.\r\n"
	err = s.Send(context.Background(), exchange.Outgoing{
		Message: strings.NewReader(mail),
		To:      []exchange.Person{{Mailbox: "bob@example.com"}},
	}, func(ctx context.Context, recipients []string, message io.Reader) error {
		signer, _, err := smime.Unseal(ctx, io.Discard, message, smime.Identities{bob}, trust, nil)
		if err != nil {
			return err
		}
		fmt.Println("to", recipients, "signed by", signer.Mailbox())
		return nil
	})
	fmt.Println(err)
	// Output:
	// to [bob@example.com] signed by alice@example.com
	// <nil>
}

func ExampleSender_Send() {
	root, rootKey := exampleRoot(2045)
	alice, bob := exampleIdentity("alice@example.com", root, rootKey), exampleIdentity("bob@example.com", root, rootKey)
	s := exchange.Sender{
		Identities: []*smime.Identity{alice},
		Trust:      chain.NewCollection(chain.Anchors(chain.Certs(root)), chain.Untrusted(chain.Certs(bob.Certificate()))),
	}
	deliver := func(_ context.Context, recipients []string, message io.Reader) error {
		_, err := io.Copy(io.Discard, message) // to a mail server
		fmt.Println("delivered to", recipients)
		return err
	}
	mail := strings.NewReader("From: alice@example.com\r\nTo: bob@example.com\r\n\r\nHello.\r\n")
	people := []exchange.Person{{Mailbox: "bob@example.com"}, {Mailbox: "carol@example.com"}}
	err := s.Send(context.Background(), exchange.Outgoing{Message: mail, To: people, Sign: true, Encrypt: true}, deliver)
	if failed, ok := errors.AsType[smime.RecipientErrors](err); ok {
		for _, f := range failed {
			fmt.Println("nobody got it because of", f.Mailbox)
		}
	}
	err = s.Send(context.Background(), exchange.Outgoing{Message: mail, To: people[:1], Sign: true, Encrypt: true}, deliver)
	fmt.Println(err)
	// Output:
	// nobody got it because of carol@example.com
	// delivered to [bob@example.com]
	// <nil>
}

func ExampleDeliveryError() {
	root, rootKey := exampleRoot(2045)
	s := exchange.Sender{Identities: []*smime.Identity{exampleIdentity("alice@example.com", root, rootKey)}, Trust: chain.NewCollection(chain.Anchors(chain.Certs(root)))}
	mail := strings.NewReader("From: alice@example.com\r\nTo: bob@example.com\r\n\r\nHello.\r\n")
	err := s.Send(context.Background(), exchange.Outgoing{Message: mail, To: []exchange.Person{{Mailbox: "bob@example.com"}}, Sign: true},
		func(context.Context, []string, io.Reader) error { return errors.New("452 mailbox full") })
	if e, ok := errors.AsType[*exchange.DeliveryError](err); ok {
		fmt.Println(e.Recipients, e.Err)
	}
	// Output: [bob@example.com] 452 mailbox full
}

func ExampleParseConfig() {
	cfg, notes, err := exchange.ParseConfig(strings.NewReader(`{"OWAAlwaysSign": true, "OWAEncryptionAlgorithms": "6610;66", "OWAAlwaysSing": true}`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(cfg.AlwaysSign, exchange.FormatAlgorithms(cfg.EncryptionAlgorithms))
	for _, n := range notes {
		fmt.Println(n.Name)
	}
	_, _, err = exchange.ParseConfig(strings.NewReader(`{"OWADisableCRLCheck": true, "OWACheckCRLOnSend": true}`))
	fmt.Println(err)
	// Output:
	// true 6610
	// OWAEncryptionAlgorithms
	// OWAAlwaysSing
	// exchange: OWACheckCRLOnSend: contradicts OWADisableCRLCheck
}

func ExampleDefaultConfig() {
	cfg := exchange.DefaultConfig()
	fmt.Println(cfg.ClearSign, cfg.CRLConnectionTimeout, cfg.CRLRetrievalTimeout, cfg.EncryptionAlgorithms, cfg.SigningAlgorithms)
	// Output: true 1m0s 10s [6610] [8004]
}

func ExampleConfig_Check() {
	cfg := exchange.DefaultConfig()
	cfg.BCCEncryptedEmailForking = 3
	fmt.Println(cfg.Check())
	// Output: exchange: OWABCCEncryptedEmailForking: "3": is 0, 1 or 2
}

func ExampleConfig_Unenforced() {
	cfg := exchange.DefaultConfig()
	cfg.NoSignOnReply = false
	for _, e := range cfg.Unenforced() {
		fmt.Println(e)
	}
	// Output: exchange: NoSignOnReply: what is a reply is known to the mail program, which sets Outgoing.Sign
}

func ExampleConfig_MarshalJSON() {
	cfg := exchange.DefaultConfig()
	cfg.UseKeyIdentifier = true
	again, _, err := exchange.ParseConfig(bytes.NewReader(must(json.Marshal(cfg))))
	fmt.Println(again.UseKeyIdentifier, err)
	// Output: true <nil>
}

func ExampleParseAlgorithms() {
	list, err := exchange.ParseAlgorithms("6610;660E;6602:128")
	if err != nil {
		log.Fatal(err)
	}
	for _, a := range list {
		fmt.Printf("%X %d\n", a.ALGID, a.KeyBits)
	}
	_, err = exchange.ParseAlgorithms("6610:256")
	fmt.Println(err)
	// Output:
	// 6610 0
	// 660E 0
	// 6602 128
	// exchange: "6610:256": key bits are 40, 56, 64 or 128, and for RC2 alone
}

func ExampleFormatAlgorithms() {
	gcm := must(x509.ParseOID("2.16.840.1.101.3.4.1.46"))
	fmt.Println(exchange.FormatAlgorithms([]exchange.Algorithm{{ALGID: 0x6610, OID: gcm}, {ALGID: 0x660E}}))
	// Output: 6610,2.16.840.1.101.3.4.1.46;660E
}

func ExampleNewCollection() {
	soon, _ := exampleRoot(2031)
	later, _ := exampleRoot(2045)
	_, info, err := exchange.NewCollection(exampleStore(soon, later))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(info.Certificates, "certificates, the first expires", info.ExpiryDate.Format(time.DateOnly))
	for _, c := range info.ExpiringBefore(year(2032)) {
		fmt.Println("renew", c.Subject)
	}
	_, _, err = exchange.NewCollection(nil)
	fmt.Println(errors.Is(err, exchange.ErrNoCollection))
	// Output:
	// 2 certificates, the first expires 2031-01-01
	// renew CN=Root 2031
	// true
}

// A store is checked before it is uploaded. One that is in use goes on working
// when a member expires.
func ExampleCheckCollection() {
	soon, _ := exampleRoot(2031)
	later, _ := exampleRoot(2045)
	_, err := exchange.CheckCollection(exampleStore(soon, later), year(2033))
	if e, ok := errors.AsType[*exchange.ExpiredError](err); ok {
		fmt.Println("refused:", e.Certificates[0].Subject, "has expired")
	}
	// Output: refused: CN=Root 2031 has expired
}

// The roots of the machine are in a file on most Unix systems:
// os.ReadFile("/etc/ssl/certs/ca-certificates.crt") and chain.PEM.
func ExampleNewTrust() {
	ours, _ := exampleRoot(2045)
	public, publicKey := exampleRoot(2040)
	bob := exampleIdentity("bob@example.org", public, publicKey)
	for _, mode := range []exchange.Mode{exchange.CollectionOnly, exchange.CollectionThenSystem} {
		trust, _, err := exchange.NewTrust(mode, exampleStore(ours), chain.Certs(public))
		if err != nil {
			log.Fatal(err)
		}
		_, err = trust.Verify(context.Background(), bob.Certificate(), chain.Policy{Purpose: chain.EmailSigning, Mailbox: "bob@example.org"})
		fmt.Println(errors.Is(err, chain.ErrUnknownIssuer), err == nil)
	}
	// Output:
	// true false
	// false true
}

func ExampleMobilePolicy() {
	p := exchange.DefaultMobilePolicy()
	p.RequireSignedSMIMEMessages = true
	fmt.Println(p.Check(exchange.MobileMessage{Encrypted: true, Cipher: pkcs7.AES256CBC}))
	p.AllowSMIMEEncryptionAlgorithmNegotiation = exchange.NegotiateNothing
	fmt.Println(errors.Is(p.Check(exchange.MobileMessage{Signed: true, Digest: crypto.SHA256, Encrypted: true, Cipher: pkcs7.AES256CBC}), exchange.ErrPolicy))
	// Output:
	// exchange: the mobile device policy can't be met: messages must be signed
	// true
}

func ExampleMobilePolicy_Cipher() {
	aes128 := smime.Capabilities{{OID: must(x509.ParseOID("2.16.840.1.101.3.4.1.2"))}}
	fmt.Println(exchange.DefaultMobilePolicy().Cipher(nil))
	fmt.Println(exchange.DefaultMobilePolicy().Cipher(aes128))
	// Output:
	// AES-256-CBC <nil>
	// AES-128-CBC <nil>
}

func ExampleMobilePolicy_SealOptions() {
	root, rootKey := exampleRoot(2045)
	bob := exampleIdentity("bob@example.com", root, rootKey)
	trust := chain.NewCollection(chain.Anchors(chain.Certs(root)))
	to, err := smime.NewRecipient(context.Background(), "bob@example.com", bob.Certificate(), trust, nil)
	if err != nil {
		log.Fatal(err)
	}
	opts, err := exchange.DefaultMobilePolicy().SealOptions(exampleIdentity("alice@example.com", root, rootKey), to)
	fmt.Println(opts.Cipher, err)
	// Output: AES-256-CBC <nil>
}

func ExampleValidateCertStatus() {
	root, rootKey := exampleRoot(2045)
	bob := exampleIdentity("bob@example.com", root, rootKey).Certificate()
	for _, trust := range []*chain.Collection{chain.NewCollection(chain.Anchors(chain.Certs(root))), chain.NewCollection()} {
		_, err := trust.Verify(context.Background(), bob, chain.Policy{Purpose: chain.EmailSigning, Mailbox: "bob@example.com"})
		fmt.Println(exchange.ValidateCertStatus(bob, err))
	}
	// Output:
	// 1
	// 4
}

func ExampleResolveStatus() {
	_, err := smime.FindRecipients(context.Background(), []string{"nobody@example.com"}, chain.NewCollection(), nil)
	fmt.Println(exchange.ResolveStatus(err))
	// Output: 7 true
}

func ExampleNewUserSMIMECertificate() {
	root, rootKey := exampleRoot(2045)
	alice := exampleIdentity("alice@example.com", root, rootKey)
	value, err := exchange.NewUserSMIMECertificate(context.Background(), alice, nil)
	if err != nil {
		log.Fatal(err)
	}
	p, err := exchange.ParseUserSMIMECertificate(value)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(p.Encryption.Subject, p.Capabilities.Reads(pkcs7.AES256GCM))
	// Output: CN=alice@example.com true
}

// Values of userSMIMECertificate come in two forms.
func ExampleParseUserSMIMECertificate() {
	root, rootKey := exampleRoot(2045)
	alice := exampleIdentity("alice@example.com", root, rootKey).Certificate()
	tagged := append([]byte{3, 0, byte(len(alice.Raw) + 4), byte((len(alice.Raw) + 4) >> 8)}, alice.Raw...)
	p, err := exchange.ParseUserSMIMECertificate(tagged)
	if err != nil {
		log.Fatal(err)
	}
	// Nothing vouches for it yet.
	r, err := smime.NewRecipient(context.Background(), "alice@example.com", p.Encryption, chain.NewCollection(chain.Anchors(chain.Certs(root))), nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.Mailbox())
	_, err = exchange.ParseUserSMIMECertificate([]byte("hello"))
	fmt.Println(errors.Is(err, exchange.ErrMalformed))
	// Output:
	// alice@example.com
	// true
}

func ExampleParseUserCertificate() {
	root, rootKey := exampleRoot(2045)
	p, err := exchange.ParseUserCertificate(exampleIdentity("alice@example.com", root, rootKey).Certificate().Raw)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(p.All[0].EmailAddresses)
	// Output: [alice@example.com]
}

func ExampleChooseEncryption() {
	root, rootKey := exampleRoot(2045)
	one := must(exchange.ParseUserCertificate(exampleIdentity("alice@example.com", root, rootKey).Certificate().Raw))
	ca := must(exchange.ParseUserCertificate(root.Raw))
	for _, c := range exchange.ChooseEncryption(nil, []*exchange.PublishedCertificate{ca, one}) {
		fmt.Println(c.Subject)
	}
	// Output: CN=alice@example.com
}

func ExampleChooseSigning() {
	root, rootKey := exampleRoot(2045)
	one := must(exchange.ParseUserCertificate(exampleIdentity("alice@example.com", root, rootKey).Certificate().Raw))
	list := exchange.ChooseSigning(nil, []*exchange.PublishedCertificate{one})
	trust := chain.NewCollection(chain.Anchors(chain.Certs(root)), chain.Untrusted(chain.Certs(list...)))
	fmt.Println(len(list), trust != nil)
	// Output: 1 true
}

// A program reads what Get-Mailbox printed, and finds a person by a proxy
// address as Exchange does.
func ExampleDirectory() {
	root, rootKey := exampleRoot(2045)
	bob := exampleIdentity("bob@example.com", root, rootKey)
	printed := `{"PrimarySmtpAddress": "bob@example.com", "EmailAddresses": ["SMTP:bob@example.com", "smtp:robert@example.com"],
		"UserCertificate": ["` + base64.StdEncoding.EncodeToString(bob.Certificate().Raw) + `"], "UserSMimeCertificate": []}`
	d, err := exchange.ParseDirectory(strings.NewReader(printed))
	if err != nil {
		log.Fatal(err)
	}
	trust := chain.NewCollection(chain.Anchors(chain.Certs(root)), chain.Untrusted(d.Source()))
	opts := &smime.RecipientOptions{Capabilities: d.Capabilities(context.Background(), trust, chain.Options{})}
	to, err := exchange.FindRecipients(context.Background(), []exchange.Person{d.Person("robert@example.com")}, trust, opts)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(to[0].Mailbox())
	// Output: bob@example.com
}

// What a person publishes is printed as a change of the directory.
func ExamplePublish() {
	root, rootKey := exampleRoot(2045)
	p, err := exchange.Publish(context.Background(), exampleIdentity("bob@example.com", root, rootKey), nil)
	if err != nil {
		log.Fatal(err)
	}
	lines := strings.Split(string(p.LDIF("uid=bob,dc=example,dc=com")), "\n")
	fmt.Println(strings.Join(lines[:3], "\n"))
	// Output:
	// dn:: dWlkPWJvYixkYz1leGFtcGxlLGRjPWNvbQ==
	// changetype: modify
	// replace: userSMIMECertificate
}
