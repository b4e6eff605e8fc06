// Admin does what an administrator of S/MIME in Exchange and Intune needs beside
// PowerShell. It changes nothing anywhere: it reads what PowerShell or Graph
// printed and prints what to hand to them.
//
//	go run ./examples/admin settings smimeconfig.json
//	go run ./examples/admin mailboxes -roots contoso.sst mailboxes.json
//	go run ./examples/admin policies policies.json
//	SMIME_PASSWORD=secret go run ./examples/admin publish -pfx alice.p12 -dn uid=alice,dc=contoso,dc=com >alice.ldif
//	SMIME_PASSWORD=secret go run ./examples/admin intune -pfx alice.p12 -connector connector.pem -key-name PFXKey -user alice@contoso.com >bodies.json
//	SMIME_PASSWORD=secret go run ./examples/admin profile -pfx alice.p12 -roots contoso.sst -mailbox alice@contoso.com -identifier com.contoso.alice -out alice.mobileconfig
package main

import (
	"context"

	"github.com/gosmime/gosmime/examples/internal/cli"
)

func main() { cli.Main(run) }

func run(ctx context.Context, args []string, std cli.Std) error {
	verbs := map[string]func(context.Context, []string, cli.Std) error{
		"settings": settings, "mailboxes": mailboxes, "policies": policies, "publish": publish, "intune": intune, "profile": appleProfile,
	}
	if len(args) > 0 {
		if verb := verbs[args[0]]; verb != nil {
			return verb(ctx, args[1:], std)
		}
	}
	return &cli.UsageError{Reason: "admin settings|mailboxes|policies|publish|intune|profile ...; each explains its flags with -h"}
}
