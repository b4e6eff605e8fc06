package main

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/gosmime/gosmime/examples/internal/cli"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/sst"
)

// readAny reads a file with certificates, a PFX too.
func readAny(name, passwordFile string, std cli.Std) (*sst.Store, error) {
	b, err := readInput(name, std)
	if err != nil {
		return nil, err
	}
	pfx, ok := cli.PFX(b)
	if !ok {
		s, err := sst.ReadAny(bytes.NewReader(b), nil)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return s, nil
	}
	keys := cli.Keys{PasswordFile: passwordFile}
	password, err := keys.Password()
	if err != nil {
		return nil, err
	}
	s, err := readPFX(pfx, password, std)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

// readPFX takes the certificates of a PFX and leaves its keys. What else was
// passed over is named, save keys that have no certificate.
func readPFX(b []byte, password string, std cli.Std) (*sst.Store, error) {
	p, err := smime.ReadPKCS12(b, password)
	if err != nil {
		return nil, err
	}
	for _, skipped := range p.Skipped {
		if !errors.Is(skipped, smime.ErrNoCertificate) {
			fmt.Fprintln(std.Err, "passed over:", skipped)
		}
	}
	if len(p.Certificates) == 0 {
		return nil, errors.New("no certificate")
	}
	return sst.Of(p.Certificates...), nil
}
