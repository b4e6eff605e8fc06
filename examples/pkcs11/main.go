// Pkcs11 signs and decrypts with keys that never leave a smart card or
// hardware module.
//
//	SMIME_PIN=1234 go run . -module /usr/lib/softhsm/libsofthsm2.so -token alice sign <message.eml >signed.eml
//	SMIME_PIN=1234 go run . -module /usr/lib/softhsm/libsofthsm2.so -token alice decrypt <encrypted.eml >content.eml
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
)

func main() {
	module := flag.String("module", "", "`FILE` of the PKCS #11 module")
	label := flag.String("token", "", "`LABEL` of the token; its PIN is in the variable SMIME_PIN")
	flag.Parse()
	if err := run(context.Background(), *module, *label, os.Getenv("SMIME_PIN"), flag.Arg(0), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, module, label, pin, verb string, in io.Reader, out io.Writer) (err error) {
	t, err := openToken(module, label, pin)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	ids, err := t.identities()
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		return fmt.Errorf("%w: the token holds no certificate with its key", pkcs7.ErrKeyUnavailable)
	}
	switch verb {
	case "sign":
		return smime.Sign(ctx, out, in, ids[0], nil)
	case "decrypt":
		_, err := smime.Decrypt(ctx, out, in, ids, nil)
		return err
	}
	return errors.New("usage: sign or decrypt")
}
