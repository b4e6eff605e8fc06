package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
	"software.sslmate.com/src/go-pkcs12"

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
	if !isPFX(b) {
		s, err := sst.ReadAny(bytes.NewReader(b), nil)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return s, nil
	}
	password := os.Getenv("SMIME_PASSWORD")
	if passwordFile != "" {
		p, err := os.ReadFile(passwordFile)
		if err != nil {
			return nil, err
		}
		password = strings.TrimRight(string(p), "\r\n")
	}
	s, err := readPFX(b, password)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

// isPFX reports whether b begins as PFX ::= SEQUENCE { version INTEGER (3), ... } does.
func isPFX(b []byte) bool {
	s := cryptobyte.String(b)
	var version int
	return s.ReadASN1(&s, cbasn1.SEQUENCE) && s.ReadASN1Integer(&version) && version == 3
}

// readPFX takes the certificates of a PFX and leaves its keys.
func readPFX(b []byte, password string) (*sst.Store, error) {
	if _, cert, cas, err := pkcs12.DecodeChain(b, password); err == nil {
		return sst.Of(append(cas, cert)...), nil
	}
	if certs, err := pkcs12.DecodeTrustStore(b, password); err == nil {
		return sst.Of(certs...), nil
	}
	ids, err := smime.ParsePKCS12(b, password)
	if err != nil {
		return nil, err
	}
	s := new(sst.Store)
	for _, id := range ids {
		s.Elements = append(s.Elements, sst.Of(id.Certificate()).Elements...)
		if key, err := id.SigningKey(); err == nil {
			s.Elements = append(s.Elements, sst.Of(key.Chain...).Elements...)
		}
	}
	return s, nil
}
