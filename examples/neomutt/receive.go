package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
)

// success is the line on standard error that NeoMutt takes for a good
// signature.
const success = "Verification successful"

// decrypt writes the entity inside an envelope.
func decrypt(ctx context.Context, c *call) error {
	ids, err := c.identities()
	if err != nil {
		return err
	}
	f, err := c.file(0)
	if err != nil {
		return err
	}
	// NeoMutt took the envelope out of its message.
	const header = "Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\nContent-Transfer-Encoding: binary\r\n\r\n"
	_, err = smime.Decrypt(ctx, c.Out, io.MultiReader(strings.NewReader(header), f), ids, nil)
	return errTail(err, f)
}

// verify judges a detached signature.
func verify(ctx context.Context, c *call) error {
	signature, err := os.Open(c.signature)
	if err != nil {
		return err
	}
	content, err := c.file(0)
	if err != nil {
		return errTail(err, signature)
	}
	return errTail(errTail(c.judge(ctx, io.Discard, signature, content), content), signature)
}

// verifyOpaque judges a signature with its content inside and writes the
// content, if it holds.
func verifyOpaque(ctx context.Context, c *call) error {
	f, err := c.file(0)
	if err != nil {
		return err
	}
	err = c.judge(ctx, c.Out, f, nil)
	if err != nil {
		// NeoMutt shows the reason only beside an entity.
		fmt.Fprint(c.Out, "Content-Type: text/plain\n\nNot shown: its signature does not hold.\n")
	}
	return errTail(err, f)
}

func (c *call) judge(ctx context.Context, out io.Writer, signed, content io.Reader) error {
	trust, policy, err := c.signing()
	if err != nil {
		return err
	}
	signers, err := pkcs7.Verify(ctx, out, signed, content, trust.TrustFunc(policy), nil)
	if err != nil {
		return err
	}
	fmt.Fprintln(c.Err, success)
	for _, signer := range signers {
		mailboxes, err := chain.Mailboxes(signer.Certificate())
		if err != nil {
			return err
		}
		fmt.Fprintln(c.Err, "Signed by", strings.Join(mailboxes, ", "))
	}
	return nil
}

// notTheAuthor is what [signer] writes instead of a certificate, and
// [addresses] instead of an address. NeoMutt then says that owner and sender
// differ.
const notTheAuthor = "none that names the author"

// signer writes the certificate that vouches for the author of a message to a
// file. NeoMutt compares the From field with the beginnings of the addresses
// in it; this compares all of it.
func signer(ctx context.Context, c *call) error {
	trust, err := c.trust.Collection()
	if err != nil {
		return err
	}
	f, err := c.file(0)
	if err != nil {
		return err
	}
	if len(c.args) < 2 {
		return errTail(errors.New("a file for the certificate is missing"), f)
	}
	s, err := smime.Verify(ctx, io.Discard, f, trust, &smime.VerifyOptions{Chain: c.trust.Options()})
	text := []byte(notTheAuthor + "\n")
	switch {
	case err == nil:
		text = encodePEM(s.Path().Leaf().Raw)
	case !errors.Is(err, smime.ErrSender) && !errors.Is(err, smime.ErrAmbiguousSender):
		return errTail(err, f)
	}
	return errTail(os.WriteFile(c.args[1], text, 0o600), f)
}
