package smime_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/smime"
)

// asMail wraps a bare CMS object in a message.
func asMail(from, kind string, cms []byte) []byte {
	return fmt.Appendf(nil, "From: %s\r\nContent-Type: application/pkcs7-mime; smime-type=%s\r\nContent-Transfer-Encoding: base64\r\n\r\n%s\r\n",
		from, kind, base64.StdEncoding.EncodeToString(cms))
}

func TestVerifyReceiptGoldens(t *testing.T) {
	t.Parallel()
	rows := suites.Goldens(t, func(g *suites.Golden) bool { return g.Kind == "receipt" })
	for _, g := range rows {
		t.Run(g.File, func(t *testing.T) {
			receipt := g.Read(t, g.File)
			if strings.HasSuffix(g.File, ".p7m") {
				receipt = asMail(g.Signers[0].Emails[0], "signed-receipt", receipt)
			}
			request := asMail("carla.quince@orchard.example", "signed-data", g.Read(t, g.Request))
			other := asMail("carla.quince@orchard.example", "signed-data", g.Read(t, strings.NewReplacer("ossl30", "ossl36", "ossl36", "ossl30").Replace(g.Request)))
			opts := &smime.ReceiptOptions{Chain: chain.Options{At: g.VerifyTime}}
			ctx := context.Background()
			signer, err := smime.VerifyReceipt(ctx, bytes.NewReader(receipt), bytes.NewReader(request), goldenTrust(t, g), opts)
			if err != nil || signer.Mailbox() != g.Signers[0].Emails[0] {
				t.Error(err)
			}
			if _, err := smime.VerifyReceipt(ctx, bytes.NewReader(receipt), bytes.NewReader(other), goldenTrust(t, g), opts); !errors.Is(err, smime.ErrNoReceipt) {
				t.Errorf("for another message: %v", err)
			}
			if _, err := smime.VerifyReceipt(ctx, bytes.NewReader(receipt), bytes.NewReader(request), nil, opts); !errors.Is(err, chain.ErrUnknownIssuer) {
				t.Errorf("without trust: %v", err)
			}
			m, err := smime.Open(ctx, bytes.NewReader(receipt), &smime.OpenOptions{Trust: goldenTrust(t, g), Chain: opts.Chain})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			if l, ok := m.Root().(*smime.ReceiptLayer); !ok || l.Err() != nil {
				t.Error(m)
			}
			if _, err := m.Signer(); !errors.Is(err, smime.ErrNotSigned) {
				t.Errorf("a receipt is not mail: %v", err)
			}
		})
	}
	if len(rows) != 8 {
		t.Errorf("%d rows", len(rows))
	}
}

func TestWriteReceipt(t *testing.T) {
	t.Parallel()
	g := golden(t, "msg/signed/receipt-request.ossl36.p7m")
	request := asMail(g.Signers[0].Emails[0], "signed-data", g.Read(t, g.File))
	trust, opts, ctx := goldenTrust(t, g), &smime.VerifyOptions{Chain: chain.Options{At: g.VerifyTime}}, context.Background()
	var out bytes.Buffer
	signer, err := smime.Verify(ctx, &out, bytes.NewReader(request), trust, opts)
	if err != nil {
		t.Fatal(err)
	}
	to, ok := signer.ReceiptRequest()
	if !ok {
		t.Fatal("no receipt is asked for")
	}
	t.Logf("receipts are asked from %q", to)
	asked := golden(t, "msg/receipt/receipt-p256.ossl36.eml")
	key := suites.Goldens(t, func(r *suites.Golden) bool {
		return len(r.Keys) > 0 && strings.HasSuffix(r.Keys[0].Cert, "/p256.pem") && isEML(r, "decrypt")
	})[0]
	id := goldenKeys(t, key)[0]
	var receipt bytes.Buffer
	if err := smime.WriteReceipt(ctx, &receipt, signer, id); err != nil {
		t.Fatal(err)
	}
	by, err := smime.VerifyReceipt(ctx, bytes.NewReader(receipt.Bytes()), bytes.NewReader(request), goldenTrust(t, asked), &smime.ReceiptOptions{Chain: opts.Chain})
	if err != nil || by.Mailbox() != "otto.walnuss@orchard.example" {
		t.Fatalf("%v\n%s", err, receipt.Bytes())
	}
	// A receipt never asks for one, and nothing else does here.
	if err := smime.WriteReceipt(ctx, &receipt, by, id); !errors.Is(err, smime.ErrNoReceipt) {
		t.Errorf("receipt for a receipt: %v", err)
	}
}
