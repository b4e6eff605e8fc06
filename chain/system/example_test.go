package system_test

import (
	"fmt"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/chain/system"
)

// Trust what the machine trusts, for the mail of one partner alone.
func ExampleRoots() {
	roots, err := system.Roots()
	if err != nil {
		fmt.Println("choose whom you trust:", err)
		return
	}
	trust := chain.NewCollection(chain.Anchors(chain.Constrain(roots, chain.Constraints{
		Purposes:  []chain.Purpose{chain.EmailSigning, chain.EmailEncryption},
		Mailboxes: []string{"partner.example"},
	})))
	_ = trust // for smime.Verify
}

// Certificates that Windows bans are refused whoever issued them.
func ExampleDisallowed() {
	banned, err := system.Disallowed()
	if err != nil {
		fmt.Println(err)
		return
	}
	trust := chain.NewCollection(chain.Disallowed(banned))
	_ = trust // With more members
}
