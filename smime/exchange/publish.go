package exchange

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/smime"
)

// A Publication has the values of the two directory attributes by which others
// find a person's certificate.
type Publication struct {
	UserSMIMECertificate []byte // of userSMIMECertificate; see [NewUserSMIMECertificate]
	UserCertificate      []byte // of userCertificate: the certificate to encrypt to, in DER
	// Notes say what is published but may not work everywhere:
	// [ErrNoKeyIdentifier].
	Notes []error
}

// Publish makes the values of both attributes. It refuses what
// [NewUserSMIMECertificate] refuses.
func Publish(ctx context.Context, id *smime.Identity, encryption *x509.Certificate) (*Publication, error) {
	value, err := NewUserSMIMECertificate(ctx, id, encryption)
	if err != nil {
		return nil, err
	}
	signing := id.Certificate()
	if encryption == nil {
		encryption = signing
	}
	p := &Publication{UserSMIMECertificate: value, UserCertificate: bytes.Clone(encryption.Raw)}
	if len(encryption.SubjectKeyId) == 0 {
		p.Notes = append(p.Notes, fmt.Errorf("certificate to encrypt to: %w", ErrNoKeyIdentifier))
	}
	if len(signing.SubjectKeyId) == 0 && !signing.Equal(encryption) {
		p.Notes = append(p.Notes, fmt.Errorf("certificate of the signer: %w", ErrNoKeyIdentifier))
	}
	return p, nil
}

// PublishNewest makes the values of a person who has several identities: that of
// the newest that may sign, with the certificate of the newest that may be
// encrypted to. The error joins why each pair was refused.
func PublishNewest(ctx context.Context, identities []*smime.Identity) (*Publication, error) {
	newest := slices.DeleteFunc(slices.Clone(identities), func(id *smime.Identity) bool { return id == nil })
	slices.SortStableFunc(newest, func(a, b *smime.Identity) int {
		return b.Certificate().NotBefore.Compare(a.Certificate().NotBefore)
	})
	failures := []error{ErrNoSigner}
	for _, signer := range newest {
		for _, reader := range newest {
			p, err := Publish(ctx, signer, reader.Certificate())
			if err == nil {
				return p, nil
			}
			failures = append(failures, err)
		}
	}
	return nil, errors.Join(failures...)
}

// LDIF returns the change record (RFC 2849) that replaces both attributes of the
// entry dn, as ldapmodify and ldifde read it. Values that others published for
// the same person are replaced, too.
func (p *Publication) LDIF(dn string) []byte {
	var b bytes.Buffer
	ldifLine(&b, "dn:: "+base64.StdEncoding.EncodeToString([]byte(dn)))
	ldifLine(&b, "changetype: modify")
	for _, a := range []struct {
		name  string
		value []byte
	}{{"userSMIMECertificate", p.UserSMIMECertificate}, {"userCertificate;binary", p.UserCertificate}} {
		ldifLine(&b, "replace: "+a.name)
		ldifLine(&b, a.name+":: "+base64.StdEncoding.EncodeToString(a.value))
		ldifLine(&b, "-")
	}
	b.WriteString("\n")
	return b.Bytes()
}

// ldifLine folds a line at 76 octets (RFC 2849 section 2).
func ldifLine(b *bytes.Buffer, line string) {
	const width = 76
	for len(line) > width {
		b.WriteString(line[:width] + "\n")
		line = " " + line[width:]
	}
	b.WriteString(line + "\n")
}

// publishable returns why nobody should use what is about to be published. The
// error is a [*chain.Error], or wraps what smime.Encrypt says of a key.
func publishable(ctx context.Context, id *smime.Identity, encryption *x509.Certificate, now time.Time) error {
	signing := id.Certificate()
	for _, c := range []*x509.Certificate{signing, encryption} {
		switch {
		case now.Before(c.NotBefore):
			return &chain.Error{Reason: chain.ErrNotYetValid, Cert: c, Detail: "the certificate to publish begins later"}
		case now.After(c.NotAfter):
			return &chain.Error{Reason: chain.ErrExpired, Cert: c, Detail: "the certificate to publish has expired"}
		}
	}
	switch {
	case !maySign(signing):
		return &chain.Error{Reason: chain.ErrWrongPurpose, Cert: signing, Detail: "the certificate is not for signing mail"}
	case !mayEncrypt(encryption):
		return &chain.Error{Reason: chain.ErrWrongPurpose, Cert: encryption, Detail: "the certificate is not for encryption of mail"}
	}
	shared := ""
	for _, box := range id.Mailboxes() {
		if chain.MatchMailbox(encryption, box) == nil {
			shared = box
			break
		}
	}
	if shared == "" {
		return &chain.Error{Reason: chain.ErrWrongMailbox, Cert: encryption, Detail: "the certificate to encrypt to names no address of the signer"}
	}
	// The key is fit if something can be encrypted to it.
	probe := strings.NewReader("Subject: \r\n\r\n")
	to := []*smime.Recipient{smime.InsecureRecipient(shared, encryption, nil)}
	return smime.Encrypt(ctx, io.Discard, probe, to, nil)
}
