package interop

import (
	"bytes"
	"crypto/x509"
	"io"
	"path/filepath"
	"testing"

	"github.com/gosmime/gosmime/pkcs7"
)

// What was added to a message, of the peer or of this module, hides no signature
// from the peer.
func TestChangedMessages(t *testing.T) {
	p := startPeer(t)
	everybody := people(t, p)
	in := p.write("content", []byte(content))
	unknown, err := x509.OIDFromInts([]uint64{1, 2, 3, 4})
	if err != nil {
		t.Fatal(err)
	}
	attribute := pkcs7.Attribute{Type: unknown, Values: [][]byte{{4, 1, 7}}}
	n := 0
	for kind, algorithm := range map[string]string{"rsa": "SHA256withRSA", "p256": "SHA256withECDSA", "p521": "SHA512withECDSA", "ed25519": "Ed25519"} {
		t.Run(kind, func(t *testing.T) {
			who := everybody[kind]
			key := pkcs7.SigningKey{Certificate: who.cert, Key: who.key}
			for _, form := range []string{"embedded", "detached"} {
				outside := func() io.Reader { return nil }
				words := []string{"verify", who.certFile, "", filepath.Join(p.dir, "out")}
				if form == "detached" {
					outside = func() io.Reader { return bytes.NewReader([]byte(content)) }
					words = append(words, in)
				}
				theirs := filepath.Join(p.dir, "theirs.p7")
				if err := p.do("sign", who.keyFile, who.certFile, algorithm, in, theirs, form); err != nil {
					t.Fatal(err)
				}
				for maker, msg := range map[string][]byte{"theirs": p.read(theirs), "ours": sign(t, form == "detached", who, 0)} {
					for i, change := range []func(w io.Writer, msg io.Reader) error{
						func(w io.Writer, msg io.Reader) error {
							return pkcs7.AddSigner(t.Context(), w, msg, key, &pkcs7.SignOptions{Detached: outside(), ByKeyID: true})
						},
						func(w io.Writer, msg io.Reader) error { return pkcs7.AddUnsigned(w, msg, 0, attribute) },
						func(w io.Writer, msg io.Reader) error {
							return pkcs7.AddElements(w, msg, everybody["p384"].cert.Raw)
						},
					} {
						var out bytes.Buffer
						if err := change(&out, bytes.NewReader(msg)); err != nil {
							t.Fatal(err)
						}
						msg = out.Bytes() // one change upon the other
						words[2] = p.write("changed.p7", msg)
						if err := p.do(words...); err != nil {
							t.Errorf("%s, %s, change %d: %v", form, maker, i, err)
						}
						n++
					}
				}
			}
		})
	}
	if n != 4*2*2*3 {
		t.Errorf("%d messages", n)
	}
}
