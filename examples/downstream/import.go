// Package invoices imports invoices from signed mail. It is a template for
// programs that act on mail: a module of its own that uses gosmime, and tests
// that make every kind of bad mail with package smimetest.
package invoices

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/textproto"
	"strconv"
	"strings"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/smime"
)

// An Invoice is what is to be paid, and to whom. A signature says who wrote it,
// not that it is new: a message that comes again is as good as before. Supplier
// and Number are what a program remembers of what it paid.
type Invoice struct {
	Supplier string // the stable key of the verified sender
	Number   string
	Amount   int // more than zero
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

// maxMail bounds what is kept of a message. An invoice is a page of text.
const maxMail = 1 << 20

// Import returns the invoice in a message that its author signed, encrypted or
// not. It acts on nothing but the bytes that were verified.
func (im *Importer) Import(ctx context.Context, mail []byte) (*Invoice, error) {
	var content bytes.Buffer
	if len(mail) > maxMail {
		return nil, fmt.Errorf("%w: it is too large", ErrNoInvoice)
	}
	verify := smime.VerifyOptions{Chain: im.Chain}
	signer, _, err := smime.Unseal(ctx, &content, bytes.NewReader(mail), im.Keys, im.Trust, &smime.UnsealOptions{Verify: verify})
	if errors.Is(err, smime.ErrNotEncrypted) {
		content.Reset()
		signer, err = smime.Verify(ctx, &content, bytes.NewReader(mail), im.Trust, &verify)
	}
	if err != nil {
		return nil, err
	}
	invoice, err := parse(&content)
	if err != nil {
		return nil, err
	}
	invoice.Supplier = signer.MailboxKey()
	return invoice, nil
}

// parse reads a plain-text entity with the lines "invoice NUMBER" and "pay N".
// What stands in any other kind of entity is no invoice.
func parse(entity io.Reader) (*Invoice, error) {
	r := bufio.NewReader(entity)
	header, err := textproto.NewReader(r).ReadMIMEHeader()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoInvoice, err)
	}
	if kind, _, err := mime.ParseMediaType(header.Get("Content-Type")); err != nil || kind != "text/plain" {
		return nil, fmt.Errorf("%w: it is not plain text", ErrNoInvoice)
	}
	var body io.Reader = r
	switch strings.ToLower(header.Get("Content-Transfer-Encoding")) {
	case "", "7bit", "8bit":
	case "quoted-printable":
		body = quotedprintable.NewReader(r)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, r)
	default:
		return nil, fmt.Errorf("%w: unknown transfer encoding", ErrNoInvoice)
	}
	var inv Invoice
	lines := bufio.NewScanner(body)
	for lines.Scan() {
		switch word, rest, _ := strings.Cut(strings.TrimSpace(lines.Text()), " "); {
		case word == "invoice" && inv.Number == "":
			inv.Number = rest
		case word == "pay" && inv.Amount == 0:
			if inv.Amount, err = strconv.Atoi(rest); err != nil || inv.Amount <= 0 {
				return nil, fmt.Errorf("%w: the amount is no number", ErrNoInvoice)
			}
		case word == "invoice", word == "pay":
			return nil, fmt.Errorf("%w: it says %q twice", ErrNoInvoice, word)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoInvoice, err)
	}
	if inv.Number == "" || inv.Amount == 0 {
		return nil, ErrNoInvoice
	}
	return &inv, nil
}
