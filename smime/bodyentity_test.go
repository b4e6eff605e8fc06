package smime_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	gomessage "github.com/emersion/go-message"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// A program that shows mail asks who signed before it shows the text.
func ExampleMessage_Entity() {
	ca := smimetest.NewCA(exampleTB{})
	mail := smimetest.Signed(exampleTB{}, ca.Identity("alice@example.com"), "Good morning")

	msg, err := smime.Open(context.Background(), bytes.NewReader(mail), &smime.OpenOptions{Trust: ca.Trust(), Chain: chain.Options{At: smimetest.Now()}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer msg.Close()
	signer, err := msg.Signer()
	if err != nil {
		fmt.Println(err)
		return
	}
	entity, err := msg.Entity()
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := io.ReadAll(entity.Body)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s wrote: %s\n", signer.Mailbox(), bytes.TrimSpace(text))
	// Output: alice@example.com wrote: Good morning
}

func TestEntity(t *testing.T) {
	t.Parallel()
	ca := smimetest.NewCA(t)
	alice := ca.Identity("alice@example.com")
	multipart := "From: alice@example.com\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
		"--b\r\nContent-Type: text/plain; charset=no-such-charset\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\none=20two\r\n" +
		"--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\n--b--\r\n"
	var signed bytes.Buffer
	if err := smime.Sign(t.Context(), &signed, strings.NewReader(multipart), alice, nil); err != nil {
		t.Fatal(err)
	}
	for name, mail := range map[string][]byte{"signed": signed.Bytes(), "plain": []byte(multipart)} {
		t.Run(name, func(t *testing.T) {
			msg, err := smime.Open(t.Context(), bytes.NewReader(mail), &smime.OpenOptions{Trust: ca.Trust()})
			if err != nil {
				t.Fatal(err)
			}
			e, err := msg.Entity()
			if err != nil {
				t.Fatal(err)
			}
			var leaves []string
			err = e.Walk(func(_ []int, part *gomessage.Entity, err error) error {
				if err != nil && !gomessage.IsUnknownCharset(err) {
					return err
				}
				if part.MultipartReader() != nil {
					return nil
				}
				b, err := io.ReadAll(part.Body)
				leaves = append(leaves, strings.TrimSpace(string(b)))
				return err
			})
			if err != nil || len(leaves) != 2 || leaves[0] != "one two" || leaves[1] != "\x00\x01\x02" {
				t.Errorf("%q, %v", leaves, err)
			}
			if err := msg.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
