package smime

import (
	"bytes"
	"context"
	"crypto/subtle"
	"fmt"
	"io"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/pkcs7"
)

// VerifyReceipt verifies a signed receipt (RFC 2634 section 2.6) against sent, the
// original message, and returns who signed the receipt. Both may be encrypted:
// the keys of the options then open them. trust and opts apply to the receipt
// only; the signer of sent is not verified.
//
// The error is [ErrNoReceipt] if receipt is none, is one for another message, or is
// from somebody who was not asked for one. Otherwise it is that of [Verify].
func VerifyReceipt(ctx context.Context, receipt, sent io.Reader, trust *chain.Collection, opts *ReceiptOptions) (*Signer, error) {
	if opts == nil {
		opts = new(ReceiptOptions)
	}
	m, err := opts.open(ctx, receipt, trust)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	layer, err := m.receipt()
	if err != nil {
		return nil, err
	}
	if err := layer.Err(); err != nil {
		return nil, err
	}
	der, err := io.ReadAll(io.LimitReader(layer.Content(), maxReceipt+1))
	if err != nil {
		return nil, cmsError(err)
	}
	r, err := parseReceipt(der)
	if err != nil {
		return nil, err
	}
	original, err := opts.open(ctx, sent, nil)
	if err != nil {
		return nil, fmt.Errorf("smime: the message as it was sent: %w", err)
	}
	defer original.Close()
	if err := r.match(layer.signer, original); err != nil {
		return nil, err
	}
	return layer.signer, nil
}

// ReceiptOptions are the options of [VerifyReceipt].
type ReceiptOptions struct {
	Keys              Keyring       // open a receipt or a sent message that is encrypted; nil: none
	Chain             chain.Options // as in VerifyOptions, like all that follow
	Timestamps        *chain.Collection
	Limits            Limits
	InsecureAnySender bool
	InsecureHistoric  bool
}

// open opens a receipt or the message that it is for.
func (o *ReceiptOptions) open(ctx context.Context, r io.Reader, trust *chain.Collection) (*Message, error) {
	verify := &VerifyOptions{
		Chain: o.Chain, Timestamps: o.Timestamps, InsecureAnySender: o.InsecureAnySender, InsecureHistoric: o.InsecureHistoric,
	}
	return open(ctx, r, o.Keys, newVerification(ctx, trust, verify, nil).j, o.Limits)
}

// receipt returns the receipt that the message is.
func (m *Message) receipt() (*ReceiptLayer, error) {
	for _, l := range m.envelope {
		switch l := l.(type) {
		case *ReceiptLayer:
			return l, nil
		case *EncryptedLayer:
			if err := l.final.opened.Err(); err != nil {
				return nil, fmt.Errorf("%w: %w", ErrNoReceipt, lockedError(err))
			}
		}
	}
	return nil, fmt.Errorf("%w: the message is none", ErrNoReceipt)
}

// match compares a receipt with the message that it claims to be for (RFC 2634
// section 2.6).
func (r *receipt) match(signer *Signer, sent *Message) error {
	for _, l := range sent.envelope {
		signed, ok := l.(*SignedLayer)
		if !ok || signed.read == nil {
			continue
		}
		for i := range signed.read.forms {
			for _, info := range signed.read.forms[i].infos {
				if subtle.ConstantTimeCompare(info.Signature(), r.signature) == 1 {
					return r.matchSignature(signer, signed.read.kind, info)
				}
			}
		}
	}
	return fmt.Errorf("%w: it is for another signature", ErrNoReceipt)
}

// matchSignature compares a receipt with the signature that it names.
func (r *receipt) matchSignature(signer *Signer, kind oid.OID, info *pkcs7.SignerInfo) error {
	var request *receiptRequest
	for _, a := range info.Signed() {
		if oid.FromX509(a.Type) == oid.AttrReceiptRequest && len(a.Values) == 1 {
			request, _ = parseReceiptRequest(a.Values[0]) // nil: none that can be read
		}
	}
	claimed := attributeOctets(signer.report.info, oid.AttrMsgSigDigest)
	switch {
	case request == nil:
		return fmt.Errorf("%w: none was requested", ErrNoReceipt)
	case !bytes.Equal(request.contentID, r.contentID) || r.kind != kind:
		return fmt.Errorf("%w: it is for another content", ErrNoReceipt)
	case claimed == nil || subtle.ConstantTimeCompare(claimed, info.AttributesDigest()) != 1:
		return fmt.Errorf("%w: it is for other signed attributes", ErrNoReceipt)
	}
	for _, box := range signer.Mailboxes() {
		if request.asks(box) {
			return nil
		}
	}
	return fmt.Errorf("%w: its signer was not asked", ErrNoReceipt)
}

// attributeOctets returns the OCTET STRING of a signed attribute, or nil.
func attributeOctets(info *pkcs7.SignerInfo, id oid.OID) []byte {
	for _, a := range info.Signed() {
		if oid.FromX509(a.Type) != id || len(a.Values) != 1 {
			continue
		}
		in := cryptobyte.String(a.Values[0])
		var value cryptobyte.String
		if in.ReadASN1(&value, asn1.OCTET_STRING) && in.Empty() {
			return value
		}
	}
	return nil
}
