// Package products makes messages in which several counts are large at once: what
// one of them costs an attacker can multiply by another. Nothing but tests and
// benchmarks import it.
package products

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/big"
	"strings"

	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/oid"
)

// A Spec says how many there are of what. What is zero is there as often as a
// message needs it.
type Spec struct {
	Authors    int // addresses in From
	Fields     int // of the header of the message
	Parts      int // of the signed content
	PartFields int // of the header of each part
	Parameters int // of the Content-Type of each part
	Depth      int // of multiparts around the parts

	Signers      int
	Certificates int // that the signers may mean; all have the same identifiers
	Names        int // in the subjectAltName of each
	NameSize     int // octets of the subject and issuer of each
	RDNs         int // of the subject and issuer of each
	Extensions   int // of each certificate
	Subtrees     int // of the name constraints of each
	Policies     int // of each certificate
	RSABits      int // of the key of each; zero: P-256
	Attributes   int // that are signed, of each signer
	Values       int // of each of these
	Unsigned     int // attributes that are not signed, of each signer, with the same values
	CRLs         int // beside the certificates
	Entries      int // of each CRL

	Compressed int // layers of compression around the signed entity
	Encrypted  int // layers of encryption around that
	Recipients int // of each, of whom the last is [Recipient]

	Opaque bool
	BareLF bool // lines of the content end so: it is hashed twice
	CBC    bool // encrypted without authentication
}

// A maker builds one message.
type maker struct {
	Spec
	key *ecdsa.PrivateKey
	n   []byte // modulus of an RSA key
}

// Message returns a signed message as s has it. The signatures hold, unless the
// key is one for RSA: nobody has that.
func Message(s Spec) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	m := &maker{Spec: s, key: key}
	if s.RSABits > 0 {
		m.n = make([]byte, s.RSABits/8)
		_, _ = rand.Read(m.n) // never fails
		m.n[0] |= 0x80
		m.n[len(m.n)-1] |= 1
	}
	content := m.content()
	signed, err := m.signedData(content)
	if err != nil {
		return nil, err
	}
	entity, err := m.layers(m.entity(content, signed))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	m.header(&b)
	b.Write(entity)
	return b.Bytes(), nil
}

// entity returns the signed entity.
func (m *maker) entity(content, signed []byte) []byte {
	var b bytes.Buffer
	switch {
	case m.Opaque:
		b.WriteString(cmsHeader("signed-data"))
		writeBase64(&b, signed)
	default:
		b.WriteString("Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256; boundary=sig\r\n\r\n--sig\r\n")
		b.Write(content)
		b.WriteString("\r\n--sig\r\nContent-Type: application/pkcs7-signature\r\nContent-Transfer-Encoding: base64\r\n\r\n")
		writeBase64(&b, signed)
		b.WriteString("--sig--\r\n")
	}
	return b.Bytes()
}

func cmsHeader(kind string) string {
	return "Content-Type: application/pkcs7-mime; smime-type=" + kind + "\r\nContent-Transfer-Encoding: base64\r\n\r\n"
}

func writeBase64(b *bytes.Buffer, der []byte) {
	text := base64.StdEncoding.EncodeToString(der)
	for ; len(text) > 76; text = text[76:] {
		b.WriteString(text[:76] + "\r\n")
	}
	b.WriteString(text + "\r\n")
}

func (m *maker) header(b *bytes.Buffer) {
	b.WriteString("From: ")
	for i := range max(1, m.Authors) {
		if i > 0 {
			b.WriteString(",\r\n ")
		}
		fmt.Fprintf(b, "a%d@example.com", i)
	}
	b.WriteString("\r\n" + strings.Repeat("A:\r\n", m.Fields) + "MIME-Version: 1.0\r\n")
}

// content returns the entity that is signed.
func (m *maker) content() []byte {
	var b bytes.Buffer
	eol := "\r\n"
	if m.BareLF {
		eol = "\n"
	}
	line := func(s string) { b.WriteString(s + eol) }
	for i := range m.Depth {
		line(fmt.Sprintf("Content-Type: multipart/mixed; boundary=d%d", i))
		line("")
		line(fmt.Sprintf("--d%d", i))
	}
	if m.Parts > 0 {
		line("Content-Type: multipart/mixed; boundary=p")
		line("")
	}
	for range max(1, m.Parts) {
		if m.Parts > 0 {
			line("--p")
		}
		b.WriteString("Content-Type: text/plain")
		for i := range m.Parameters {
			b.WriteString(";" + strconvBase36(i) + "=")
		}
		line("")
		for range m.PartFields {
			line("A:")
		}
		line("")
		line("x")
	}
	if m.Parts > 0 {
		line("--p--")
	}
	for i := m.Depth - 1; i >= 0; i-- {
		line(fmt.Sprintf("--d%d--", i))
	}
	return b.Bytes()
}

func strconvBase36(i int) string { return big.NewInt(int64(i)).Text(36) }

func element(tag ber.Tag, constructed bool, parts ...[]byte) []byte {
	return ber.Append(nil, tag, constructed, parts...)
}
func seq(parts ...[]byte) []byte            { return element(ber.Sequence, true, parts...) }
func set(parts ...[]byte) []byte            { return element(ber.Set, true, parts...) }
func id(o oid.OID) []byte                   { return element(ber.OID, false, []byte(o)) }
func octets(b []byte) []byte                { return element(ber.OctetString, false, b) }
func integer(n ...byte) []byte              { return element(ber.Integer, false, n) }
func explicit(n uint32, b ...[]byte) []byte { return element(ber.Context(n), true, b...) }
func primitive(n uint32, b []byte) []byte {
	e := element(ber.Context(n), false, b)
	return e
}

// name returns a Name of about NameSize octets.
func (m *maker) name() []byte {
	rdns := max(1, m.RDNs)
	var list [][]byte
	for i := range rdns {
		text := fmt.Sprintf("x%d", i)
		if pad := m.NameSize/rdns - len(text); pad > 0 {
			text += strings.Repeat("A", pad)
		}
		list = append(list, set(seq(id(oid.CommonName), element(ber.UTF8String, false, []byte(text)))))
	}
	return seq(list...)
}

func (m *maker) spki() []byte {
	if m.n == nil {
		point, err := m.key.PublicKey.Bytes()
		if err != nil {
			panic(err) // a key that was just made
		}
		return seq(seq(id(oid.ECPublicKey), id(oid.P256)), element(ber.BitString, false, []byte{0}, point))
	}
	key := seq(integer(append([]byte{0}, m.n...)...), integer(0x7f, 0xff, 0xff, 0xff))
	return seq(seq(id(oid.RSAEncryption), []byte{5, 0}), element(ber.BitString, false, []byte{0}, key))
}

func extension(o oid.OID, value []byte) []byte { return seq(id(o), octets(value)) }

// certificate returns number i of those that have the same identifiers.
func (m *maker) certificate(i int) []byte {
	var names bytes.Buffer
	for n := range max(1, m.Names) {
		names.Write(primitive(1, fmt.Appendf(nil, "%s@b", strconvBase36(n))))
	}
	extensions := [][]byte{
		extension(oid.ExtSubjectAltName, seq(names.Bytes())),
		extension(oid.ExtSubjectKeyID, octets([]byte("same key"))),
	}
	if m.Subtrees > 0 {
		var trees bytes.Buffer
		for n := range m.Subtrees {
			trees.Write(seq(primitive(1, fmt.Appendf(nil, "x%s.example", strconvBase36(n)))))
		}
		extensions = append(extensions, extension(oid.ExtNameConstraints, seq(element(ber.Context(1), true, trees.Bytes()))))
	}
	if m.Policies > 0 {
		var list bytes.Buffer
		for n := range m.Policies {
			arc := binary.BigEndian.AppendUint16(nil, uint16(n)&0x7f7f)
			list.Write(seq(element(ber.OID, false, []byte{0x2a, 0x80 | arc[0], arc[1] & 0x7f})))
		}
		extensions = append(extensions, extension(oid.ExtCertificatePolicies, seq(list.Bytes())))
	}
	for n := range m.Extensions {
		extensions = append(extensions, seq(element(ber.OID, false, []byte{0x2a, 0x81, byte(n) & 0x7f, byte(n >> 7)}), octets([]byte{5, 0})))
	}
	name := m.name()
	algorithm := seq(id(oid.ECDSAWithSHA256))
	from, to := element(ber.UTCTime, false, []byte("200101000000Z")), element(ber.UTCTime, false, []byte("490101000000Z"))
	tbs := seq(explicit(0, integer(2)), integer(1), algorithm, name, seq(from, to), name, m.spki(), explicit(3, seq(extensions...)))
	// Bytes that differ make another certificate.
	return seq(tbs, algorithm, element(ber.BitString, false, []byte{0}, seq(integer(1), integer(byte(i>>7)+1, byte(i)))))
}

func (m *maker) crl() []byte {
	day := element(ber.UTCTime, false, []byte("200101000000Z"))
	var entries bytes.Buffer
	for i := range m.Entries {
		entries.Write(seq(integer(1, byte(i>>16), byte(i>>8), byte(i)), day))
	}
	parts := [][]byte{integer(1), seq(id(oid.ECDSAWithSHA256)), m.name(), day, element(ber.UTCTime, false, []byte("490101000000Z"))}
	if m.Entries > 0 {
		parts = append(parts, seq(entries.Bytes()))
	}
	return seq(seq(parts...), seq(id(oid.ECDSAWithSHA256)), element(ber.BitString, false, []byte{0, 1}))
}

func (m *maker) attributes(n int, first byte) [][]byte {
	var list [][]byte
	values := bytes.Repeat([]byte{5, 0}, max(1, m.Values))
	for i := range n {
		list = append(list, seq(element(ber.OID, false, []byte{0x2a, first, 0x80 | byte(i>>7), byte(i) & 0x7f}), element(ber.Set, true, values)))
	}
	return list
}

func (m *maker) signer(digest []byte) ([]byte, error) {
	signed := append([][]byte{
		seq(id(oid.AttrContentType), set(id(oid.Data))),
		seq(id(oid.AttrMessageDigest), set(octets(digest))),
	}, m.attributes(m.Attributes, 3)...)
	sortSet(signed)
	sum := sha256.Sum256(set(signed...))
	algorithm, signature := seq(id(oid.ECDSAWithSHA256)), []byte(nil)
	if m.n == nil {
		var err error
		if signature, err = ecdsa.SignASN1(rand.Reader, m.key, sum[:]); err != nil {
			return nil, err
		}
	} else {
		algorithm, signature = seq(id(oid.SHA256WithRSA), []byte{5, 0}), bytes.Clone(m.n)
		signature[0] &= 0x7f
	}
	parts := [][]byte{
		integer(3), primitive(0, []byte("same key")), seq(id(oid.SHA256)), explicit(0, signed...), algorithm, octets(signature),
	}
	if m.Unsigned > 0 {
		parts = append(parts, explicit(1, m.attributes(m.Unsigned, 4)...))
	}
	return seq(parts...), nil
}

func sortSet(list [][]byte) {
	for i := 1; i < len(list); i++ {
		for j := i; j > 0 && bytes.Compare(list[j], list[j-1]) < 0; j-- {
			list[j], list[j-1] = list[j-1], list[j]
		}
	}
}

func (m *maker) signedData(content []byte) ([]byte, error) {
	digest := sha256.Sum256(bytes.ReplaceAll(bytes.ReplaceAll(content, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n")))
	inside := seq(id(oid.Data))
	if m.Opaque {
		digest = sha256.Sum256(content)
		inside = seq(id(oid.Data), explicit(0, octets(content)))
	}
	var certs, crls, signers bytes.Buffer
	for i := range max(1, m.Certificates) {
		certs.Write(m.certificate(i))
	}
	for range m.CRLs {
		crls.Write(m.crl())
	}
	for range max(1, m.Signers) {
		s, err := m.signer(digest[:])
		if err != nil {
			return nil, err
		}
		signers.Write(s)
	}
	parts := [][]byte{integer(3), set(seq(id(oid.SHA256))), inside, explicit(0, certs.Bytes())}
	if m.CRLs > 0 {
		parts = append(parts, explicit(1, crls.Bytes()))
	}
	parts = append(parts, set(signers.Bytes()))
	return seq(id(oid.SignedData), explicit(0, seq(parts...))), nil
}
