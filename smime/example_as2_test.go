package smime_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// AS2 (RFC 4130) carries signed and encrypted documents over HTTP: binary,
// without From, between partners that are named by identifiers. The partner answers
// with a signed notification that repeats the digest of what it received.
func Example_as2() {
	ctx := context.Background()
	ca := smimetest.NewCA(exampleTB{})
	us, partner := ca.Identity("as2@example.com"), ca.Identity("edi@example.org")
	at := chain.Options{At: smimetest.Now()}

	// We sign and encrypt a document. The header fields are those of HTTP.
	document := "MIME-Version: 1.0\r\nContent-Type: application/edi-x12\r\nContent-Transfer-Encoding: binary\r\n\r\nISA*00*"
	sign := smime.SignOptions{Sender: "as2@example.com", Header: smime.PlainHeader, Binary: true}
	var signed, posted bytes.Buffer
	if err := smime.Sign(ctx, &signed, strings.NewReader(document), us, &sign); err != nil {
		fmt.Println(err)
		return
	}
	to := []*smime.Recipient{ca.Recipient(partner)}
	err := smime.Encrypt(ctx, &posted, bytes.NewReader(signed.Bytes()), to, &smime.EncryptOptions{Cipher: pkcs7.AES256CBC, Binary: true})
	if err != nil {
		fmt.Println(err)
		return
	}

	// The partner decrypts, verifies that we signed, and computes the digest of what
	// was signed (the MIC of RFC 4130 section 7.3.1).
	var received bytes.Buffer
	signer, _, err := smime.Unseal(ctx, &received, &posted, smime.Identities{partner}, ca.Trust(), &smime.UnsealOptions{
		Verify: smime.VerifyOptions{Chain: at, Sender: "as2@example.com"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("received from", signer.Mailbox())
	sum := sha256.Sum256(received.Bytes())
	mic := base64.StdEncoding.EncodeToString(sum[:])

	// It signs the notification (RFC 8098, RFC 4130 section 7.4.3).
	notification := "Content-Type: multipart/report; report-type=disposition-notification; boundary=mdn\r\n\r\n" +
		"--mdn\r\nContent-Type: text/plain\r\n\r\nReceived.\r\n--mdn\r\nContent-Type: message/disposition-notification\r\n\r\n" +
		"Disposition: automatic-action/MDN-sent-automatically; processed\r\nReceived-Content-MIC: " + mic + ", sha-256\r\n\r\n--mdn--\r\n"
	var mdn, report bytes.Buffer
	err = smime.Sign(ctx, &mdn, strings.NewReader(notification), partner, &smime.SignOptions{Sender: "edi@example.org", Header: smime.PlainHeader, Binary: true})
	if err != nil {
		fmt.Println(err)
		return
	}

	// We verify it and compare the digest with that of what we signed.
	if _, err := smime.Verify(ctx, &report, &mdn, ca.Trust(), &smime.VerifyOptions{Chain: at, Sender: "edi@example.org"}); err != nil {
		fmt.Println(err)
		return
	}
	own := sha256.Sum256([]byte(document))
	fmt.Println("digest agrees:", strings.Contains(report.String(), base64.StdEncoding.EncodeToString(own[:])))
	// Output:
	// received from as2@example.com
	// digest agrees: true
}
