package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/examples/internal/cli"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime/exchange"
	"github.com/gosmime/gosmime/sst"
)

var errNotWhole = errors.New("the store is not in order")

// verify holds a store to the format and its hashes to its certificates, and a
// trust list to its signature.
func verifyStore(ctx context.Context, args []string, std cli.Std) error {
	fs := cli.NewFlags("sst verify", "[-roots FILE] [-intermediates FILE] [-at TIME] [-upload] [FILE]", std)
	upload := fs.Bool("upload", false, "refuse what Set-SmimeConfig -SMIMECertificateIssuingCA refuses: any expired certificate")
	var trust cli.Trust
	trust.Register(fs)
	if err := cli.Parse(fs, args, 1); err != nil {
		return err
	}
	b, err := readInput(fs.Arg(0), std)
	if err != nil {
		return err
	}
	if _, err := sst.ParseTrustList(b); err == nil {
		return verifyTrustList(ctx, b, &trust, std)
	}
	s, err := sst.ReadAny(bytes.NewReader(b), nil)
	if err != nil {
		return err
	}
	faults := 0
	for _, m := range s.Mismatches() {
		fmt.Fprintln(std.Err, m)
		faults++
	}
	certs := 0
	for i, e := range s.Elements {
		if e.Kind != sst.Certificate {
			continue
		}
		certs++
		if _, err := parse(e.DER); err != nil {
			fmt.Fprintf(std.Err, "element %d: %v\n", i, err)
			faults++
		}
	}
	at := trust.At
	if at.IsZero() {
		at = time.Now()
	}
	fmt.Fprintf(std.Out, "%d elements, %d certificates, %d of them out of date, %d faults\n", len(s.Elements), certs, expired(s, at), faults)
	if faults > 0 {
		return errNotWhole
	}
	if *upload {
		_, err = exchange.CheckCollection(b, at)
		if e, ok := errors.AsType[*exchange.ExpiredError](err); ok {
			for _, c := range e.Certificates {
				fmt.Fprintf(std.Err, "%q expired on %s\n", c.Subject.String(), c.NotAfter.UTC().Format(time.DateOnly))
			}
		}
		return err
	}
	return nil
}

// verifyTrustList wants a signer whose certificate is for the usage that the list
// names, as that of Windows Update is.
func verifyTrustList(ctx context.Context, b []byte, trust *cli.Trust, std cli.Std) error {
	collection, err := trust.Collection()
	if err != nil {
		return err
	}
	policy := chain.Policy{Purpose: chain.InsecureAnyPurpose, InsecureAnyMailbox: true, Options: trust.Options()}
	judge := collection.TrustFunc(policy)
	list, signers, err := sst.VerifyTrustList(ctx, bytes.NewReader(b), judge, &pkcs7.ReadOptions{InsecureHistoric: trust.Historic})
	if err != nil {
		cli.Explain(std.Err, err)
		return err
	}
	for _, c := range signers {
		if !slices.ContainsFunc(list.Usage, func(o asn1.ObjectIdentifier) bool { return mayFor(c, o) }) {
			return fmt.Errorf("the certificate of %q is not for %v", c.Subject.CommonName, list.Usage)
		}
	}
	fmt.Fprintf(std.Out, "%d subjects for %v, of %s, signed by %q\n", len(list.Subjects), list.Usage, list.ThisUpdate.Format(time.RFC3339), signers[0].Subject.CommonName)
	return nil
}

func mayFor(c *x509.Certificate, usage asn1.ObjectIdentifier) bool {
	return slices.ContainsFunc(c.UnknownExtKeyUsage, usage.Equal)
}
