package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
)

// verbSize is large enough for a pass over the content to be seen.
const verbSize = 256 << 10

// verbGroups has mail in CBC that Open, Unseal and Decrypt read: with broken
// padding, with a broken key, and with contents that have the right padding and
// are text, or nothing that anybody can read.
func verbGroups(key crypto.PrivateKey, cert *x509.Certificate) ([]*group, error) {
	id, err := smime.NewIdentity(key, cert)
	if err != nil {
		return nil, err
	}
	classes, err := verbClasses(cert)
	if err != nil {
		return nil, err
	}
	keys := smime.Identities{id}
	verbs := []struct {
		name string
		open func(ctx context.Context, mail io.Reader) error
	}{
		{"Open", func(ctx context.Context, mail io.Reader) error {
			m, err := smime.Open(ctx, mail, &smime.OpenOptions{Keys: keys})
			if err != nil {
				return err
			}
			return errors.Join(pkcs7.ErrDecrypt, m.Close())
		}},
		{"Unseal", func(ctx context.Context, mail io.Reader) error {
			_, _, err := smime.Unseal(ctx, io.Discard, mail, keys, nil, nil)
			return err
		}},
		{"Decrypt", func(ctx context.Context, mail io.Reader) error {
			if _, err := smime.Decrypt(ctx, io.Discard, mail, keys, nil); err != nil {
				return err
			}
			return pkcs7.ErrDecrypt // what is measured is how long it took
		}},
	}
	var list []*group
	for _, v := range verbs {
		g := &group{name: v.name + ", " + pkcs7.AES256CBC.String(), open: func(msg []byte) error {
			return v.open(context.Background(), bytes.NewReader(msg))
		}}
		for _, c := range classes {
			g.classes = append(g.classes, &class{name: c.name, messages: c.messages})
		}
		list = append(list, g)
	}
	return list, nil
}

func verbClasses(cert *x509.Certificate) ([]*class, error) {
	text := []byte("Content-Type: text/plain\r\n\r\n" + strings.Repeat("hello, hello, hello, hello, hello\r\n", verbSize/34))
	var list []*class
	for _, c := range []struct {
		name    string
		content []byte
		spoil   func(der []byte)
	}{
		{"padding of the content", text, func(der []byte) { der[len(der)-17] ^= 0x40 }},
		{"encrypted key changed", text, func(der []byte) { der[bytes.Index(der, []byte{4, 0x82, 1, 0})+100] ^= 1 }},
		{"right padding, text", text, func([]byte) {}},
		{"right padding, no header", random(len(text)), func([]byte) {}},
	} {
		out := &class{name: c.name}
		for range variants {
			m := &maker{to: pkcs7.ToCertificate(cert, &pkcs7.RecipientOptions{PKCS1v15: true}), cipher: pkcs7.AES256CBC}
			der, err := m.encrypt(c.content)
			if err != nil {
				return nil, err
			}
			c.spoil(der)
			out.messages = append(out.messages, fmt.Appendf(nil, "From: a@example.com\r\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n"+
				"Content-Transfer-Encoding: base64\r\n\r\n%s\r\n", base64.StdEncoding.EncodeToString(der)))
		}
		list = append(list, out)
	}
	return list, nil
}
