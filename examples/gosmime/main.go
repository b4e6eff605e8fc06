// Gosmime signs, verifies, encrypts, decrypts and shows S/MIME mail, and looks
// into the files that S/MIME needs. Messages come from standard input and go to
// standard output; what was found out goes to standard error.
//
//	gosmime open    -roots roots.sst -pfx bob.p12 <message.eml
//	gosmime verify  -roots roots.sst <signed.eml >content.eml
//	gosmime sign    -pfx alice.p12 <message.eml >signed.eml
//	gosmime encrypt -to bob.pem -roots roots.sst <message.eml >encrypted.eml
//	gosmime decrypt -pfx bob.p12 <encrypted.eml >content.eml
//	gosmime seal    -pfx alice.p12 -to bob.pem -roots roots.sst <message.eml >sealed.eml
//	gosmime unseal  -pfx bob.p12 -roots roots.sst <sealed.eml >content.eml
//	gosmime chain   -roots roots.sst -mailbox alice@example.com alice.pem
//	gosmime sst     list roots.sst
//	gosmime pfx     list alice.p12
//	gosmime cms     -content document.pdf <signature.p7s
//
// Each verb explains its flags with -h. The password of a PFX or key comes from
// the variable SMIME_PASSWORD or from -password-file. The exit status is 0 if
// what was asked holds, 1 if it does not, and 2 if the command line is wrong.
package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/gosmime/gosmime/examples/internal/cli"
)

func main() { cli.Main(run) }

// A verb is one thing that the command does.
type verb struct {
	name, does string
	run        cli.Command
}

func verbs() []verb {
	return []verb{
		{"open", "show what a message is, whatever its state", openMessage},
		{"verify", "write what was signed, if the signature, the certificate and the sender are good", verifyMessage},
		{"sign", "sign a message", signMessage},
		{"encrypt", "encrypt a message to the owners of certificates", encryptMessage},
		{"decrypt", "write what was encrypted", decryptMessage},
		{"seal", "sign a message and encrypt the result", sealMessage},
		{"unseal", "decrypt a message and verify what was inside", unsealMessage},
		{"chain", "check a certificate for an address", verifyChain},
		{"sst", "look into certificate stores and make them", storeCommand},
		{"pfx", "look into PKCS #12 files and make them", pfxCommand},
		{"cms", "print what a CMS object of any program has in it", cmsCommand},
	}
}

func run(ctx context.Context, args []string, std cli.Std) error {
	if len(args) == 0 || slices.Contains([]string{"-h", "-help", "--help", "help"}, args[0]) {
		return &cli.UsageError{Reason: summary()}
	}
	for _, v := range verbs() {
		if v.name == args[0] {
			std, done := withProgress(std)
			defer done()
			return v.run(ctx, args[1:], std)
		}
	}
	return &cli.UsageError{Reason: fmt.Sprintf("%q is not a verb\n%s", args[0], summary())}
}

// summary lists the verbs.
func summary() string {
	var b strings.Builder
	b.WriteString("gosmime VERB [FLAGS] <input >output\n")
	for _, v := range verbs() {
		fmt.Fprintf(&b, "  %-8s %s\n", v.name, v.does)
	}
	b.WriteString("Each verb explains its flags with -h.")
	return b.String()
}
