package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/gosmime/gosmime/examples/internal/cli"
	"github.com/gosmime/gosmime/smime/devices"
)

// intune prints the resources to post to Graph, one JSON object on each line.
func intune(_ context.Context, args []string, std cli.Std) error {
	fs := cli.NewFlags("admin intune", "-pfx FILE -connector FILE -key-name NAME -user UPN [-legacy]", std)
	var keys cli.Keys
	keys.Register(fs)
	c := devices.Connector{}
	file := fs.String("connector", "", "`FILE` with the connector's public key, in PEM or as a CNG blob")
	fs.StringVar(&c.ProviderName, "provider", "Microsoft Software Key Storage Provider", "`NAME` of the key storage provider on the connector")
	fs.StringVar(&c.KeyName, "key-name", "", "`NAME` of the key there")
	user := fs.String("user", "", "user principal `NAME`")
	legacy := fs.Bool("legacy", false, "write PFX that older devices read, too: Triple DES and SHA-1")
	if err := cli.Parse(fs, args, 0); err != nil {
		return err
	}
	ids, err := keys.Required()
	if err != nil {
		return err
	}
	text, err := os.ReadFile(*file)
	if err != nil {
		return err
	}
	if c.Key, err = devices.ParseConnectorKey(text); err != nil {
		return err
	}
	list, err := devices.UserPFXCertificates(&c, *user, ids, &devices.PFXOptions{InsecureLegacy: *legacy})
	if err != nil {
		return err
	}
	out := json.NewEncoder(std.Out)
	for _, u := range list {
		if err := out.Encode(u); err != nil {
			return err
		}
	}
	return nil
}

// appleProfile writes a configuration profile and prints the passwords of the
// keys in it, which go to the user on another way.
func appleProfile(ctx context.Context, args []string, std cli.Std) error {
	fs := cli.NewFlags("admin profile", "-pfx FILE -identifier ID -out FILE [-mailbox ADDRESS -host HOST] [-roots FILE] [-signer FILE]", std)
	var keys cli.Keys
	keys.Register(fs)
	p := devices.Profile{}
	account := devices.ExchangeAccount{OAuth: true, SMIME: devices.SMIME{UserChooses: true}}
	fs.StringVar(&p.Identifier, "identifier", "", "reversed domain `NAME` of the profile")
	fs.StringVar(&p.DisplayName, "name", "", "`TEXT` that the user sees")
	fs.BoolVar(&p.InsecureLegacy, "legacy", false, "write PFX that older devices read, too: Triple DES and SHA-1")
	roots := fs.String("roots", "", "`FILE` with CA certificates to install")
	fs.StringVar(&account.Mailbox, "mailbox", "", "`ADDRESS` of the Exchange account; none: keys alone")
	fs.StringVar(&account.Host, "host", "", "`NAME` of the server; none: Autodiscover")
	fs.BoolVar(&account.SMIME.Sign, "sign", false, "sign by default")
	fs.BoolVar(&account.SMIME.Encrypt, "encrypt", false, "encrypt by default")
	file := fs.String("out", "", "`FILE` .mobileconfig to write")
	signer := fs.String("signer", "", "PKCS #12 `FILE` of who signs the profile, under the same password")
	if err := cli.Parse(fs, args, 0); err != nil {
		return err
	}
	if *file == "" {
		return &cli.UsageError{Reason: "-out is needed"}
	}
	ids, err := keys.Required()
	if err != nil {
		return err
	}
	p.Identities = ids
	if account.Mailbox != "" {
		p.Account = &account
	}
	if *roots != "" {
		if p.CAs, err = cli.ReadCertificates(*roots); err != nil {
			return err
		}
	}
	text, passwords, err := p.Marshal()
	if err != nil {
		return err
	}
	if *signer != "" {
		keys.PFX = cli.List{*signer}
		organization, err := keys.Required()
		if err != nil {
			return err
		}
		var signed bytes.Buffer
		if err := devices.SignProfile(ctx, &signed, text, organization[0]); err != nil {
			return err
		}
		text = signed.Bytes()
	}
	if err := os.WriteFile(*file, text, 0o600); err != nil {
		return err
	}
	for _, k := range passwords {
		fmt.Fprintf(std.Out, "%s %s\n", k.FileName, k.Password)
	}
	return nil
}
