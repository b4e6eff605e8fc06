package pkcs7

import (
	"crypto/subtle"
	"fmt"
	"io"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/spool"
)

// readDigested writes the content of a DigestedData, whose ContentInfo is open,
// to dst if it has the digest that is beside it: a checksum, for anyone can
// make another one.
//
//	DigestedData ::= SEQUENCE {
//	    version CMSVersion,
//	    digestAlgorithm DigestAlgorithmIdentifier,
//	    encapContentInfo EncapsulatedContentInfo,
//	    digest Digest }
func (p *parser) readDigested(dst io.Writer, historic bool) error {
	if err := p.enter(ber.Sequence, "DigestedData"); err != nil {
		return err
	}
	if _, err := p.version("DigestedData.version"); err != nil {
		return err
	}
	id, err := p.algorithm("DigestedData.digestAlgorithm")
	if err != nil {
		return err
	}
	hash, err := alg.HashOf(id)
	if err != nil {
		return algError(err, "DigestedData.digestAlgorithm")
	}
	if hash.Weak() && !historic {
		return fmt.Errorf("%w: digest %v", ErrWeak, hash)
	}
	content := spool.New(p.budget, p.lim.Dir)
	defer content.Close()
	digest := newDigester([]alg.Hash{hash}, 0)
	if err := p.encapsulated(io.MultiWriter(digest, content)); err != nil {
		return err
	}
	claimed, err := p.octets(ber.OctetString, maxSmall, "DigestedData.digest")
	if err != nil {
		return err
	}
	if err := p.leave("DigestedData"); err != nil {
		return err
	}
	if err := p.endContentInfo(); err != nil {
		return err
	}
	digest.finish(p.budget, false)
	if sum, _ := digest.sum(hash); subtle.ConstantTimeCompare(sum, claimed) != 1 {
		return ErrDigest
	}
	_, err = content.WriteTo(dst)
	return err
}

// encapsulated copies the content of an EncapsulatedContentInfo to dst.
func (p *parser) encapsulated(dst io.Writer) error {
	const field = "DigestedData.encapContentInfo"
	if err := p.enter(ber.Sequence, field); err != nil {
		return err
	}
	if _, err := p.oid(field + ".eContentType"); err != nil {
		return err
	}
	if err := p.enter(ber.Context(0), field+".eContent"); err != nil {
		return err
	}
	content, err := p.String(ber.OctetString)
	if err != nil {
		return p.wrap(err, field+".eContent")
	}
	if err := pump(dst, content); err != nil {
		return wrapError(spoolError(err), field+".eContent")
	}
	if err := p.leave(field + ".eContent"); err != nil {
		return err
	}
	return p.leave(field)
}
