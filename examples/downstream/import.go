// Package invoices imports invoices from signed mail. It is a template for
// programs that act on mail: a module of its own that uses gosmime, and tests
// that make every kind of bad mail with package smimetest.
package invoices

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/quotedprintable"
	"net/textproto"
	"strconv"
	"strings"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/smime"
)

// An Invoice is what is to be paid, and to whom.
type Invoice struct {
	Supplier string // the verified address of the sender
	Amount   int
}

// ErrNoInvoice says that a good message holds no invoice.
const ErrNoInvoice = problem("no invoice in the message")

type problem string

func (p problem) Error() string { return string(p) }

// An Importer reads mail. Its zero value trusts nobody.
type Importer struct {
	Trust *chain.Collection
	Keys  smime.Identities // of the accounting department
	Chain chain.Options
}

// Import returns the invoice in a message that its author signed, encrypted or
// not. It acts on nothing but the bytes that were verified.
func (im *Importer) Import(ctx context.Context, mail []byte) (*Invoice, error) {
	var content bytes.Buffer
	verify := smime.VerifyOptions{Chain: im.Chain}
	signer, _, err := smime.Unseal(ctx, &content, bytes.NewReader(mail), im.Keys, im.Trust, &smime.UnsealOptions{Verify: verify})
	if errors.Is(err, smime.ErrNotEncrypted) {
		content.Reset()
		signer, err = smime.Verify(ctx, &content, bytes.NewReader(mail), im.Trust, &verify)
	}
	if err != nil {
		return nil, err
	}
	amount, err := parse(&content)
	if err != nil {
		return nil, err
	}
	return &Invoice{Supplier: signer.Mailbox(), Amount: amount}, nil
}

// parse finds a line "pay N" in a plain-text entity.
func parse(entity io.Reader) (int, error) {
	r := bufio.NewReader(entity)
	header, err := textproto.NewReader(r).ReadMIMEHeader()
	if err != nil {
		return 0, err
	}
	var body io.Reader = r
	switch strings.ToLower(header.Get("Content-Transfer-Encoding")) {
	case "", "7bit", "8bit":
	case "quoted-printable":
		body = quotedprintable.NewReader(r)
	default:
		return 0, fmt.Errorf("%w: transfer encoding", ErrNoInvoice)
	}
	lines := bufio.NewScanner(body)
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), "pay "); ok {
			return strconv.Atoi(strings.TrimSpace(rest))
		}
	}
	return 0, errors.Join(ErrNoInvoice, lines.Err())
}
