package exchange_test

import (
	"crypto"
	"errors"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/gosmime/gosmime/smime/exchange"
)

// What an administrator should know before the collection stops working.
func ExampleCollectionInfo() {
	root, _ := exampleRoot(2031)
	_, info, err := exchange.NewCollection(exampleStore(root))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(info.ExpiryDate.Format(time.DateOnly), len(info.ExpiredThumbprint), len(info.Unreadable))
	// Output: 2031-01-01 40 0
}

// A setting that can't be followed stops everything; one that was passed over
// is a note.
func ExampleSettingError() {
	_, _, err := exchange.ParseConfig(strings.NewReader(`{"OWABCCEncryptedEmailForking": 7}`))
	if e, ok := errors.AsType[*exchange.SettingError](err); ok {
		fmt.Println(e.Name, e.Value)
	}
	fmt.Println(errors.Is(err, exchange.ErrSetting))
	// Output:
	// OWABCCEncryptedEmailForking 7
	// true
}

// A Problem is a constant that errors.Is finds.
func ExampleProblem() {
	_, err := exchange.ParseUserSMIMECertificate([]byte("text"))
	fmt.Println(errors.Is(err, exchange.ErrMalformed))
	// Output: true
}

// Blind copies stay blind unless an administrator gave that up.
func ExampleBCCForking() {
	cfg, _, err := exchange.ParseConfig(strings.NewReader(`{"OWABCCEncryptedEmailForking": 2}`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(exchange.DefaultConfig().BCCEncryptedEmailForking == exchange.OneMessagePerBCC)
	fmt.Println("discloses blind copies:", cfg.BCCEncryptedEmailForking == exchange.NoForking)
	// Output:
	// true
	// discloses blind copies: true
}

// The digest that a policy asks for is a floor: mail is signed by a better one.
func ExampleSignedAlgorithm() {
	p := exchange.DefaultMobilePolicy()
	p.RequireSignedSMIMEAlgorithm = exchange.SignedMD5
	fmt.Println(p.Check(exchange.MobileMessage{Signed: true, Digest: crypto.SHA256}))
	p.RequireSignedSMIMEAlgorithm = 2
	fmt.Println(errors.Is(p.Check(exchange.MobileMessage{Signed: true}), exchange.ErrSetting))
	// Output:
	// <nil>
	// true
}
