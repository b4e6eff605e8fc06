package smimetest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// noTest stands in for the *testing.T of a test, which examples don't have.
type noTest struct{ testing.TB }

func (noTest) Helper()                   {}
func (noTest) Context() context.Context  { return context.Background() }
func (noTest) Fatal(a ...any)            { panic(fmt.Sprint(a...)) }
func (noTest) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }

// verified says what a program under test makes of a message.
func verified(message []byte, ca *smimetest.CA) error {
	_, err := smime.Verify(context.Background(), io.Discard, bytes.NewReader(message), ca.Trust(),
		&smime.VerifyOptions{Chain: chain.Options{At: smimetest.Now()}})
	return err
}

// A world of its own for each test: a CA, people, and mail that must be
// accepted or refused.
func Example() {
	t := noTest{} // in a test: its *testing.T
	ca := smimetest.NewCA(t)
	alice := ca.Identity("alice@example.com")
	good := smimetest.Signed(t, alice, "pay 5")
	fmt.Println(verified(good, ca))
	fmt.Println(errors.Is(verified(smimetest.Tamper(t, good), ca), pkcs7.ErrDigest))
	fmt.Println(errors.Is(verified(smimetest.Spoofed(t, alice, "boss@example.com", "pay 5"), ca), smime.ErrSender))
	fmt.Println(errors.Is(verified(smimetest.Mail("alice@example.com", "bob@example.com", "pay 5"), ca), smime.ErrNotSigned))
	fmt.Println(errors.Is(verified(good, smimetest.NewCA(t)), chain.ErrUnknownIssuer))
	// Output:
	// <nil>
	// true
	// true
	// true
	// true
}

// A Flaw makes somebody whose mail must be refused for one reason.
func ExampleFlaw() {
	t := noTest{} // in a test: its *testing.T
	ca := smimetest.NewCA(t)
	for _, tt := range []struct {
		flaw smimetest.Flaw
		want error
	}{
		{smimetest.Expired(), chain.ErrExpired},
		{smimetest.NotYetValid(), chain.ErrNotYetValid},
		{smimetest.EncryptionOnly(), chain.ErrWrongPurpose},
		{smimetest.NotForMail(), chain.ErrWrongPurpose},
		{smimetest.NoMailbox(), chain.ErrWrongMailbox},
		{smimetest.WrongMailbox("eve@example.com"), chain.ErrWrongMailbox},
		{smimetest.SignedWithSHA1(), chain.ErrWeakAlgorithm},
		{smimetest.UnknownCritical(), chain.ErrUnhandledCritical},
	} {
		err := verified(smimetest.Signed(t, ca.Identity("alice@example.com", tt.flaw), "pay 5"), ca)
		fmt.Println(errors.Is(err, tt.want), tt.want)
	}
	// Output:
	// true chain: expired
	// true chain: not yet valid
	// true chain: wrong purpose
	// true chain: wrong purpose
	// true chain: wrong mailbox
	// true chain: wrong mailbox
	// true chain: weak algorithm
	// true chain: unhandled critical extension
}

// Who is revoked after a collection was made is still good in that one.
func ExampleCA_Revoke() {
	t := noTest{} // in a test: its *testing.T
	ca := smimetest.NewCA(t)
	alice := ca.Identity("alice@example.com")
	mail := smimetest.Signed(t, alice, "pay 5")
	fmt.Println(verified(mail, ca))
	ca.Revoke(alice)
	fmt.Println(errors.Is(verified(mail, ca), chain.ErrRevoked))
	// Output:
	// <nil>
	// true
}

// Of several certificates the current one is found, and none that is only for
// signing.
func ExampleCA_Directory() {
	t := noTest{} // in a test: its *testing.T
	ca := smimetest.NewCA(t)
	current := ca.Identity("bob@example.com", smimetest.Renewed())
	book := ca.Directory(ca.Identity("bob@example.com"), current, ca.Identity("carol@example.com", smimetest.SigningOnly()))
	to, err := smime.FindRecipients(context.Background(), []string{"bob@example.com", "carol@example.com"}, book, nil)
	fmt.Println(to[0].Certificate().Equal(current.Certificate()), errors.Is(err, chain.ErrWrongPurpose))
	// Output: true true
}

// Mail that is sealed has an author; what is only encrypted has none.
func ExampleSealed() {
	t := noTest{} // in a test: its *testing.T
	ca := smimetest.NewCA(t)
	alice, bob := ca.Identity("alice@example.com"), ca.Identity("bob@example.com")
	for _, message := range [][]byte{
		smimetest.Sealed(t, alice, "pay 5", bob),
		smimetest.Encrypted(t, alice, "pay 5", bob),
	} {
		_, _, err := smime.Unseal(context.Background(), io.Discard, bytes.NewReader(message), smime.Identities{bob}, ca.Trust(), nil)
		fmt.Println(err == nil, errors.Is(err, smime.ErrNotSigned))
	}
	// Output:
	// true false
	// false true
}

// A test that judges by Now has the same outcome on any day.
func ExampleNow() {
	t := noTest{} // in a test: its *testing.T
	ca := smimetest.NewCA(t)
	alice := ca.Identity("alice@example.com").Certificate()
	trust := chain.NewCollection(
		chain.Anchors(chain.Certs(ca.Root())),
		chain.Untrusted(chain.Certs(ca.Issuing())),
		chain.Untrusted(chain.DER(ca.CRLs()...)),
	)
	path, err := trust.Verify(context.Background(), alice, chain.Policy{
		Purpose: chain.EmailSigning, Mailbox: "alice@example.com",
		Options: chain.Options{At: smimetest.Now(), Revocation: chain.RevocationRequireAll},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(path.At().Equal(smimetest.Now()), path.Anchor().Equal(ca.Root()))
	// Output: true true
}
