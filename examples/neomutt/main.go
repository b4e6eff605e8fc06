// Neomutt is what the mail program NeoMutt runs to sign, verify, encrypt and
// decrypt, instead of openssl. The file smime.rc beside it has the settings:
//
//	go build -o ~/bin/smime-neomutt ./examples/neomutt
//	smime-neomutt add-p12 alice.p12 alice    # asks for the password on standard input
//	cp roots.pem ~/.smime/ca-bundle.crt
//	echo 'source .../examples/neomutt/smime.rc' >> ~/.neomuttrc
//
// Mutt has the same settings. What differs from openssl: certificates are
// judged for mail and for their owner, a PFX is kept as it is, ciphers and
// digests that are broken are refused, and nothing that failed is shown.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/examples/internal/cli"
)

func main() { cli.Main(run) }

// verbs are the commands, by the variables of NeoMutt that name them.
func verbs(name string) (do func(context.Context, *call) error, synopsis string) {
	switch name {
	case "sign": // smime_sign_command
		return sign, "-key id.p12 content"
	case "encrypt": // smime_encrypt_command
		return encrypt, "-CAfile roots.pem -cipher aes256 content certificate …"
	case "decrypt": // smime_decrypt_command
		return decrypt, "-key id.p12 envelope"
	case "verify": // smime_verify_command
		return verify, "-CAfile roots.pem -signature sig content"
	case "verify-opaque": // smime_verify_opaque_command
		return verifyOpaque, "-CAfile roots.pem signed"
	case "signer": // smime_get_signer_cert_command
		return signer, "-CAfile roots.pem message certificate"
	case "pk7out": // smime_pk7out_command
		return pk7out, "message"
	case "certificates": // smime_get_cert_command
		return certificates, "signed"
	case "addresses": // smime_get_cert_email_command
		return addresses, "certificate"
	case "add-certificate": // smime_import_cert_command
		return addCertificate, "-CAfile roots.pem certificates"
	case "add-p12":
		return addPFX, "id.p12 label"
	}
	return nil, ""
}

// A call is one run of a command.
type call struct {
	cli.Std
	trust                  cli.Trust
	dir                    string
	key, cipher, signature string
	args                   []string
}

func run(ctx context.Context, args []string, std cli.Std) error {
	if len(args) == 0 {
		return &cli.UsageError{Reason: "neomutt COMMAND …; see smime.rc"}
	}
	do, synopsis := verbs(args[0])
	if do == nil {
		return &cli.UsageError{Reason: fmt.Sprintf("no command %q", args[0])}
	}
	fs := cli.NewFlags(args[0], synopsis, std)
	c := &call{Std: std}
	c.register(fs)
	if err := fs.Parse(args[1:]); err != nil {
		return err
	}
	c.args = fs.Args()
	return do(ctx, c)
}

// register adds the flags. CAfile and CApath are what NeoMutt writes for %C.
func (c *call) register(fs *flag.FlagSet) {
	c.trust.Register(fs)
	fs.Var(&c.trust.Roots, "CAfile", "as -roots")
	fs.Func("CApath", "`DIR` with trusted roots", func(dir string) error {
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		c.trust.Roots = append(c.trust.Roots, files...)
		return err
	})
	home, err := os.UserHomeDir()
	if err != nil {
		home = "."
	}
	fs.StringVar(&c.dir, "dir", filepath.Join(home, ".smime"), "`DIR` with the keys and certificates")
	fs.StringVar(&c.key, "key", "", "PKCS #12 `FILE`; the first line of standard input is its password")
	fs.StringVar(&c.cipher, "cipher", "aes256", "aes128, aes192 or aes256")
	fs.StringVar(&c.signature, "signature", "", "`FILE` with the signature of the content")
}

// file opens the argument at that place.
func (c *call) file(i int) (*os.File, error) {
	if i >= len(c.args) {
		return nil, &cli.UsageError{Reason: "a file is missing"}
	}
	return os.Open(c.args[i])
}

// signing is who may vouch for a signature. NeoMutt does not say who wrote what
// it gives to a verify command: whose mail it is, is judged by [signer].
func (c *call) signing() (*chain.Collection, chain.Policy, error) {
	trust, err := c.trust.Collection()
	return trust, chain.Policy{Purpose: chain.EmailSigning, InsecureAnyMailbox: true, Options: c.trust.Options()}, err
}

// errTail joins the error of closing a file that was read.
func errTail(err error, f *os.File) error { return errors.Join(err, f.Close()) }
