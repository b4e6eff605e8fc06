// Package smimetest makes certificates, keys and messages, good and bad, for
// the tests of programs that use package smime, as net/http/httptest does for
// programs that use HTTP.
//
// A [CA] is a whole world for one test: a root, an issuing certificate, current
// revocation lists and as many people as the test needs. What it makes is valid
// both today and at [Now], so that a test may judge by a fixed time:
//
//	ca := smimetest.NewCA(t)
//	alice := ca.Identity("alice@example.com")
//	mail := smimetest.Signed(t, alice, "pay 5")
//	signer, err := smime.Verify(ctx, w, bytes.NewReader(mail), ca.Trust(), nil)
//
// Flaws make people whose mail must be refused, [CA.Revoke], [Tamper] and
// [Spoofed] make mail that must be. Everything fails the test by itself: no
// function returns an error.
package smimetest
