// Gateway relays mail. Outbound it signs and encrypts as the settings of
// Set-SmimeConfig ask, inbound it verifies and decrypts and says what it found.
// It asks nobody for a password and signs for everybody who can reach it: let
// that be your mail server alone.
//
//	SMIME_PASSWORD=secret go run . -config smimeconfig.json -pfx company.p12 -people people.pem -outbound 127.0.0.1:2525 -inbound 127.0.0.1:2526 -next 127.0.0.1:25
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/chain/fetch"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/exchange"
)

func main() {
	var f flags
	flag.StringVar(&f.config, "config", "", "`FILE` with the JSON of Get-SmimeConfig; its collection says who is trusted")
	flag.StringVar(&f.policy, "policy", "", "`FILE` with a mobile device policy: the JSON of Get-MobileDeviceMailboxPolicy, or the provisioning document in XML")
	flag.StringVar(&f.pfx, "pfx", "", "PKCS #12 `FILE` with the keys; its password is in the variable SMIME_PASSWORD")
	flag.StringVar(&f.people, "people", "", "PEM `FILE` with certificates of recipients")
	flag.StringVar(&f.outbound, "outbound", "127.0.0.1:2525", "`ADDRESS` to take outgoing mail at")
	flag.StringVar(&f.inbound, "inbound", "127.0.0.1:2526", "`ADDRESS` to take incoming mail at")
	flag.StringVar(&f.next, "next", "", "`ADDRESS` of the next hop")
	flag.StringVar(&f.name, "name", "gateway.example", "`NAME` of this gateway")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, f); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type flags struct{ config, policy, pfx, people, outbound, inbound, next, name string }

func run(ctx context.Context, f flags) error {
	text, err := os.ReadFile(f.config)
	if err != nil {
		return err
	}
	cfg, notes, err := exchange.ParseConfig(bytes.NewReader(text))
	if err != nil {
		return err
	}
	for _, n := range append(notes, cfg.Unenforced()...) {
		fmt.Fprintln(os.Stderr, "note:", n)
	}
	trust, info, err := exchange.NewCollection(cfg.CertificateIssuingCA)
	if err != nil {
		return err
	}
	now := time.Now()
	for _, c := range info.ExpiringBefore(now.AddDate(0, 2, 0)) {
		verb := "expires"
		if c.NotAfter.Before(now) {
			verb = "has expired: who depends on it is not trusted any more; it ended"
		}
		fmt.Fprintf(os.Stderr, "note: %q of the collection %s on %v\n", chain.FormatName(c.RawSubject), verb, c.NotAfter)
	}
	pfx, err := os.ReadFile(f.pfx)
	if err != nil {
		return err
	}
	ids, err := smime.ParsePKCS12(pfx, os.Getenv("SMIME_PASSWORD"))
	if err != nil {
		return err
	}
	directory := trust
	if f.people != "" {
		people, err := os.ReadFile(f.people)
		if err != nil {
			return err
		}
		src, err := chain.PEM(people)
		if err != nil {
			return err
		}
		directory = trust.With(chain.Untrusted(src))
	}
	policy, err := readPolicy(f.policy)
	if err != nil {
		return err
	}
	web := &fetch.Client{Timeout: cfg.CRLConnectionTimeout}
	out := newServer(&Outbound{Sender: &exchange.Sender{Config: &cfg, Identities: ids, Trust: directory, Fetcher: web, Policy: policy}, Name: f.name, Next: f.next}, f.name)
	in := newServer(&Inbound{Trust: trust, Keys: smime.Identities(ids), Chain: chain.Options{Fetcher: web}, Name: f.name, Next: f.next}, f.name)
	return serve(ctx, map[string]*smtp.Server{f.outbound: out, f.inbound: in})
}

// readPolicy reads the policy that mail must meet, or returns nil for no file.
// Of several policies that is the default one.
func readPolicy(file string) (*exchange.MobilePolicy, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("<")) {
		p, err := exchange.ParseProvisionDoc(bytes.NewReader(text))
		return &p, err
	}
	policies, notes, err := exchange.ParseMobilePolicies(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	for _, n := range notes {
		fmt.Fprintln(os.Stderr, "note:", n)
	}
	if len(policies) == 1 {
		return &policies[0], nil
	}
	for i := range policies {
		if policies[i].IsDefault {
			return &policies[i], nil
		}
	}
	return nil, errors.New("several policies, and none is the default")
}

func newServer(b smtp.Backend, name string) *smtp.Server {
	s := smtp.NewServer(b)
	s.Domain = name
	s.MaxRecipients = 1000
	s.MaxMessageBytes = 150 << 20
	s.ReadTimeout, s.WriteTimeout = time.Minute, time.Minute
	s.EnableSMTPUTF8 = true
	return s
}

// serve runs all servers until ctx ends.
func serve(ctx context.Context, servers map[string]*smtp.Server) error {
	errs := make(chan error, len(servers))
	for addr, s := range servers {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return err
		}
		context.AfterFunc(ctx, func() {
			s.Close()
			l.Close() // the server does not know it yet if ctx ended before Serve
		})
		go func() { errs <- s.Serve(l) }()
	}
	var all []error
	for range servers {
		if err := <-errs; err != nil && ctx.Err() == nil {
			all = append(all, err)
		}
	}
	return errors.Join(all...)
}
