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
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/examples/internal/cli"
)

func main() { cli.Main(run) }

// A command is what a variable of NeoMutt names; smime.rc has them all.
type command struct {
	name, synopsis string
	do             func(context.Context, *call) error
}

func commands() []command {
	return []command{
		{"sign", "-key id.p12 content", sign},
		{"encrypt", "-CAfile roots.pem -cipher aes256 content certificate …", encrypt},
		{"decrypt", "-key id.p12 envelope", decrypt},
		{"verify", "-CAfile roots.pem -signature sig content", verify},
		{"verify-opaque", "-CAfile roots.pem signed", verifyOpaque},
		{"signer", "-CAfile roots.pem message certificate", signer},
		{"pk7out", "message", pk7out},
		{"certificates", "signed", certificates},
		{"addresses", "certificate", addresses},
		{"add-certificate", "-CAfile roots.pem certificates", addCertificate},
		{"add-p12", "id.p12 label", addPFX}, // for people, not for NeoMutt
	}
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
	var names []string
	for _, v := range commands() {
		names = append(names, v.name)
		if len(args) == 0 || args[0] != v.name {
			continue
		}
		fs := cli.NewFlags(v.name, v.synopsis, std)
		c := &call{Std: std}
		c.register(fs)
		if err := cli.Parse(fs, args[1:], math.MaxInt); err != nil {
			return err
		}
		c.args = fs.Args()
		return v.do(ctx, c)
	}
	return &cli.UsageError{Reason: "neomutt " + strings.Join(names, "|") + " ...; each explains its flags with -h"}
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
