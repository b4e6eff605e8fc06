// Edi sends an EDIFACT interchange as the German energy market demands it
// (EDI@Energy, rules for transmission): signed with RSASSA-PSS and encrypted with
// AES-CBC to a key that is transported with RSAES-OAEP, both with SHA-256.
//
//	SMIME_PASSWORD=secret go run ./examples/edi -pfx us.p12 -to partner.pem -roots roots.sst <UTILMD.eml >sealed.eml
package main

import (
	"context"
	"crypto"
	"fmt"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/examples/internal/cli"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
)

func main() { cli.Main(run) }

// run seals the message on standard input.
func run(ctx context.Context, args []string, std cli.Std) error {
	fs := cli.NewFlags("edi", "-pfx us.p12 -to partner.pem -roots FILE <message >sealed", std)
	var trust cli.Trust
	var keys cli.Keys
	trust.Register(fs)
	keys.Register(fs)
	to := fs.String("to", "", "`FILE` with the partner's certificate")
	if err := cli.Parse(fs, args, 0); err != nil {
		return err
	}
	ids, err := keys.Required()
	if err != nil {
		return err
	}
	collection, err := trust.Collection()
	if err != nil {
		return err
	}
	certs, err := cli.ReadCertificates(*to)
	if err != nil {
		return err
	}
	mailboxes, err := chain.Mailboxes(certs[0])
	if err != nil || len(mailboxes) == 0 {
		return fmt.Errorf("%s: the certificate names no mailbox", *to)
	}
	partner, err := smime.NewRecipient(ctx, mailboxes[0], certs[0], collection, &smime.RecipientOptions{Chain: trust.Options()})
	if err != nil {
		return err
	}
	return smime.Seal(ctx, std.Out, std.In, ids[0], []*smime.Recipient{partner}, &smime.SealOptions{
		Sign:   smime.SignOptions{Scheme: pkcs7.RSAPSSSHA256, Opaque: true, Header: smime.PlainHeader},
		Cipher: pkcs7.AES256CBC, RequireOAEP: true, OAEPHash: crypto.SHA256,
	})
}
