package smime_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// edit replaces one text of a message, which must be there.
func edit(t testing.TB, msg []byte, old, with string) []byte {
	t.Helper()
	if !bytes.Contains(msg, []byte(old)) {
		t.Fatalf("no %q in the message", old)
	}
	return bytes.Replace(msg, []byte(old), []byte(with), 1)
}

func notesOf(m *smime.Message) []smime.NoteCode {
	var codes []smime.NoteCode
	for l := range m.All() {
		for _, n := range l.Notes() {
			codes = append(codes, n.Code)
		}
	}
	return codes
}

// TestSignedVariants holds what Verify and Open say of one signed message that
// clients and attackers changed. nil: it is still alice's.
func TestSignedVariants(t *testing.T) {
	t.Parallel()
	w := newReadFixture(t)
	clear, opaque := w.seeds[0], w.seeds[1]
	from := "From: alice@example.com\r\n"
	replaceType := func(msg []byte, with string) []byte { return edit(t, msg, "Content-Type: multipart/signed", with) }
	for _, tt := range []struct {
		name string
		msg  []byte
		want error
		note smime.NoteCode
	}{
		{"two From fields, mallory first", edit(t, clear, from, "From: mallory@example.com\r\n"+from), smime.ErrAmbiguousSender, 0},
		{"two From fields, mallory last", edit(t, clear, from, from+"from : mallory@example.com\r\n"), smime.ErrAmbiguousSender, 0},
		{"the same From twice", edit(t, clear, from, from+from), smime.ErrAmbiguousSender, 0},
		{"two authors", edit(t, clear, from, "From: alice@example.com, bob@example.com\r\n"), smime.ErrSender, 0},
		{"no From", edit(t, clear, from, ""), smime.ErrSender, 0},
		{"empty From", edit(t, clear, from, "From: \r\n"), smime.ErrAmbiguousSender, 0},
		{"empty group", edit(t, clear, from, "From: undisclosed:;\r\n"), smime.ErrSender, 0},
		{"group of the author", edit(t, clear, from, "From: Finance: alice@example.com;\r\n"), smime.ErrAmbiguousSender, 0},
		{"author as the name of a group", edit(t, clear, from, "From: \"alice@example.com\": mallory@example.com;\r\n"), smime.ErrAmbiguousSender, smime.NoteDisplayName},
		{"author in a comment", edit(t, clear, from, "From: mallory@example.com (alice@example.com)\r\n"), smime.ErrSender, smime.NoteDisplayName},
		{"author in a comment before", edit(t, clear, from, "From: (alice@example.com) <mallory@example.com>\r\n"), smime.ErrSender, smime.NoteDisplayName},
		{"author as display name", edit(t, clear, from, "From: \"alice@example.com\" <mallory@example.com>\r\n"), smime.ErrSender, smime.NoteDisplayName},
		{"author in an encoded word", edit(t, clear, from, "From: =?utf-8?q?alice=40example.com?= <mallory@example.com>\r\n"), smime.ErrSender, smime.NoteDisplayName},
		{"author in an encoded word of an unknown charset", edit(t, clear, from, "From: =?x-unknown?q?alice=40example.com?= <mallory@example.com>\r\n"), smime.ErrSender, smime.NoteDisplayName},
		{"author in a quoted encoded word", edit(t, clear, from, "From: \"=?utf-8?q?alice=40example.com?=\" <mallory@example.com>\r\n"), smime.ErrSender, smime.NoteDisplayName},
		{"address as its own name", edit(t, clear, from, "From: alice@example.com <alice@example.com>\r\n"), nil, 0},
		{"author as local part", edit(t, clear, from, "From: \"alice@example.com\"@evil.test\r\n"), smime.ErrSender, smime.NoteDisplayName},
		{"brackets in the name", edit(t, clear, from, "From: =?utf-8?q?bob=40example.com?=[<alice@example.com>\r\n"), smime.ErrAmbiguousSender, 0},
		{"route", edit(t, clear, from, "From: <@evil.test:alice@example.com>\r\n"), smime.ErrAmbiguousSender, 0},
		{"two addresses in brackets", edit(t, clear, from, "From: <alice@example.com> <mallory@example.com>\r\n"), smime.ErrAmbiguousSender, 0},
		{"text after the address", edit(t, clear, from, "From: alice@example.com <mallory@example.com>\r\n"), smime.ErrAmbiguousSender, 0},
		{"encoded address", edit(t, clear, from, "From: =?utf-8?q?alice=40example.com?=\r\n"), smime.ErrAmbiguousSender, 0},
		{"NUL encoded in the display name", edit(t, clear, from, "From: =?utf-8?b?YWxpY2VAZXhhbXBsZS5jb20A?= <mallory@example.com>\r\n"), smime.ErrSender, smime.NoteDisplayName},
		{"Resent-From", edit(t, clear, from, "From: mallory@example.com\r\nResent-From: alice@example.com\r\nReply-To: alice@example.com\r\n"), smime.ErrSender, 0},
		{"author after a bare CR in a comment", edit(t, clear, from, "From: mallory@example.com (\r)\r\n"), smime.ErrAmbiguousSender, 0},
		{"Cyrillic author", edit(t, clear, from, "From: \u0430lice@example.com\r\n"), smime.ErrSender, 0},
		{"direction mark in the address", edit(t, clear, from, "From: \u202ealice@example.com\r\n"), smime.ErrAmbiguousSender, 0},
		{"quoted local part", edit(t, clear, from, "From: \"alice\"@example.com\r\n"), nil, 0},
		{"quoted pair in the local part", edit(t, clear, from, "From: \"al\\ice\"@EXAMPLE.com\r\n"), nil, 0},
		{"wide sign in the display name", edit(t, clear, from, "From: \"alice\uff20example.com\" <mallory@example.com>\r\n"), smime.ErrSender, smime.NoteDisplayName},
		{"NUL in From", edit(t, clear, from, "From: alice@example.com\x00@example.org\r\n"), smime.ErrAmbiguousSender, 0},
		{"two subjects", edit(t, clear, from, from+"Subject: other\r\n"), nil, smime.NoteDuplicateField},
		{"folded From", edit(t, clear, from, "From:\r\n Alice\r\n\t<alice@example.com>\r\n"), nil, 0},
		{"other case", edit(t, clear, from, "FROM: ALICE@EXAMPLE.COM\r\n"), nil, smime.NoteLocalPartCase},
		{"sub-address", edit(t, clear, from, "From: alice+x@example.com\r\n"), smime.ErrSender, 0},
		{"subdomain", edit(t, clear, from, "From: alice@example.com.evil.test\r\n"), smime.ErrSender, 0},
		{"other Sender", edit(t, clear, from, from+"Sender: list@example.org\r\n"), nil, smime.NoteSenderField},
		{"author only in Sender", edit(t, clear, from, "From: mallory@example.com\r\nSender: alice@example.com\r\n"), smime.ErrSender, 0},
		{"malformed line", edit(t, clear, from, from+"no field here\r\n"), smime.ErrAmbiguousStructure, smime.NoteMalformedHeader},
		{"mbox", append([]byte("From x@y Thu Jan  1 00:00:00 1970\r\n"), clear...), nil, smime.NoteMalformedHeader},

		{"LF", bytes.ReplaceAll(clear, []byte("\r\n"), []byte("\n")), nil, smime.NoteLineEnds},
		{"mixed line ends", edit(t, clear, "charset=utf-8\r\n\r\npay", "charset=utf-8\n\r\npay"), nil, smime.NoteLineEnds},
		{"opaque with LF", bytes.ReplaceAll(opaque, []byte("\r\n"), []byte("\n")), nil, 0},
		{"trailing blank added", edit(t, clear, "pay 5 to bob\r\n", "pay 5 to bob \r\n"), pkcs7.ErrDigest, 0},
		{"line added", edit(t, clear, "pay 5 to bob\r\n", "pay 5 to bob\r\n\r\n"), pkcs7.ErrDigest, 0},
		{"content changed", edit(t, clear, "pay 5", "pay 6"), pkcs7.ErrDigest, 0},
		{"header of the part changed", edit(t, clear, "charset=utf-8", "charset=utf-7"), pkcs7.ErrDigest, 0},

		{"micalg of another digest", edit(t, clear, "micalg=sha-256", "micalg=sha-1"), nil, smime.NoteMicalg},
		{"micalg unknown", edit(t, clear, "micalg=sha-256", "micalg=unknown"), nil, smime.NoteMicalg},
		{"micalg missing", edit(t, clear, " micalg=sha-256;", ""), nil, smime.NoteMicalg},
		{"micalg as identifier", edit(t, clear, "micalg=sha-256", "micalg=2.16.840.1.101.3.4.2.1"), nil, 0},
		{"protocol missing", edit(t, clear, " protocol=\"application/pkcs7-signature\";", ""), nil, smime.NoteProtocol},
		{"protocol of PGP", edit(t, clear, "protocol=\"application/pkcs7-signature\"", "protocol=\"application/pgp-signature\""), smime.ErrNotSigned, 0},
		{"x- types", bytes.ReplaceAll(clear, []byte("application/pkcs7-signature"), []byte("application/x-pkcs7-signature")), nil, smime.NoteLegacyType},
		{"x- opaque type", edit(t, opaque, "application/pkcs7-mime", "application/x-pkcs7-mime"), nil, smime.NoteLegacyType},
		{"octet-stream by name", edit(t, opaque, "application/pkcs7-mime; smime-type=signed-data;", "Application/Octet-Stream;"), nil, smime.NoteByFileName},
		{"continued name", edit(t, opaque, "application/pkcs7-mime; smime-type=signed-data; name=smime.p7m", "application/octet-stream; name*0*=utf-8''smime.; name*1=p7m"), nil, smime.NoteByFileName},
		{"comments in the type", edit(t, opaque, "application/pkcs7-mime;", "application/pkcs7-mime (really) ;"), nil, 0},
		{"wrong smime-type", edit(t, opaque, "signed-data", "enveloped-data"), nil, smime.NoteSMIMEType},
		{"wrong name", edit(t, opaque, "smime.p7m", "smime.txt"), nil, 0},
		{"text/plain", edit(t, opaque, "application/pkcs7-mime", "text/plain"), smime.ErrNotSigned, 0},
		{"two types", edit(t, clear, "MIME-Version: 1.0\r\n", "Content-Type: text/html\r\nMIME-Version: 1.0\r\n"), smime.ErrNotSigned, smime.NoteDuplicateField},
		{"two encodings", edit(t, opaque, "Content-Transfer-Encoding: base64\r\n", "Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: 7bit\r\n"), smime.ErrNotSigned, smime.NoteDuplicateField},
		{"encoded multipart", edit(t, clear, "MIME-Version: 1.0\r\n", "Content-Transfer-Encoding: base64\r\nMIME-Version: 1.0\r\n"), nil, smime.NoteEncodedMultipart},
		{"two boundaries", edit(t, clear, "boundary=", "boundary=other; boundary="), smime.ErrNotSigned, smime.NoteDuplicateParameter},
		{"another multipart", replaceType(clear, "Content-Type: multipart/mixed"), smime.ErrNotSigned, 0},

		{"preamble", edit(t, clear, "\r\n\r\n--=_", "\r\n\r\nread this\r\n--=_"), nil, smime.NotePreamble},
		{"epilogue", append(bytes.Clone(clear), "and this\r\n"...), nil, smime.NoteEpilogue},
		{"no closing delimiter", bytes.TrimSuffix(clear, []byte("--=_smimetest--\r\n")), nil, smime.NoteUnclosed},
		{"padded delimiters", bytes.ReplaceAll(clear, []byte("\r\n--=_smimetest\r\n"), []byte("\r\n--=_smimetest \t\r\n")), nil, 0},
		{"third part", edit(t, clear, "--=_smimetest--", "--=_smimetest\r\n\r\nthird\r\n--=_smimetest--"), smime.ErrMalformed, 0},
		{"part before", edit(t, clear, "\r\n--=_smimetest\r\n", "\r\n--=_smimetest\r\n\r\nfirst\r\n--=_smimetest\r\n"), smime.ErrMalformed, 0},
		{"base64 without saying so", edit(t, opaque, "Content-Transfer-Encoding: base64\r\n", ""), nil, smime.NoteTransferEncoding},
		{"base64 said to be 7bit, after blank lines", edit(t, opaque, "base64\r\n\r\n", "7bit\r\n\r\n\r\n \r\n"), nil, smime.NoteTransferEncoding},
		{"signature in base64 without saying so", edit(t, clear, "Content-Transfer-Encoding: base64\r\n", ""), nil, smime.NoteTransferEncoding},
		{"quoted encoding", edit(t, opaque, "Encoding: base64", "Encoding: \"base64\""), nil, smime.NoteTransferEncoding},
		{"blanks alone", append(edit(t, opaque[:bytes.Index(opaque, []byte("\r\n\r\n"))+4], "base64", "7bit"), bytes.Repeat([]byte(" \r\n"), 5000)...), errAny, 0},
		{"unknown encoding", edit(t, opaque, "Encoding: base64", "Encoding: x-uuencode"), smime.ErrMalformed, 0},
		{"junk in base64", edit(t, opaque, "\r\n\r\nMI", "\r\n\r\n!MI"), smime.ErrMalformed, 0},
		{"text after base64", append(bytes.Clone(opaque), "footer of a list\r\n"...), errAny, 0},
		{"blanks in base64", edit(t, opaque, "\r\n\r\nMI", "\r\n\r\nM I"), nil, smime.NoteTransferEncoding},
		{"empty body", opaque[:bytes.Index(opaque, []byte("\r\n\r\n"))+4], errAny, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, s, err := w.verify(tt.msg)
			if !matches(err, tt.want) || err == nil && (s.Mailbox() == "" || !bytes.Contains(out, []byte(w.text))) || err != nil && len(out) > 0 {
				t.Errorf("Verify: %v, %q", err, out)
			}
			m, err := w.open(tt.msg)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			if _, serr := m.Signer(); (serr == nil) != (tt.want == nil) || tt.want != nil && tt.want != smime.ErrNotSigned && !matches(serr, tt.want) {
				t.Errorf("Signer: %v\n%v", serr, m)
			}
			if tt.note != 0 && !slices.Contains(notesOf(m), tt.note) {
				t.Errorf("no note %v\n%v", tt.note, m)
			}
		})
	}
}

// TestSignersVariants holds the verdicts on who signed.
func TestSignersVariants(t *testing.T) {
	t.Parallel()
	ca, stranger := smimetest.NewCA(t), smimetest.NewCA(t)
	alice, bob, mallory := ca.Identity("alice@example.com"), ca.Identity("bob@example.com"), stranger.Identity("alice@example.com")
	revoked := ca.Identity("alice@example.com")
	ca.Revoke(revoked)
	w := &readFixture{trust: ca.Trust(), at: chain.Options{At: smimetest.Now()}}
	text := "pay 5"
	for _, tt := range []struct {
		name string
		msg  []byte
		want error
	}{
		{"good", smimetest.Signed(t, alice, text), nil},
		{"stranger", smimetest.Signed(t, mallory, text), chain.ErrUnknownIssuer},
		{"somebody else", smimetest.Spoofed(t, bob, "alice@example.com", text), smime.ErrSender},
		{"stranger and somebody else", smimetest.Spoofed(t, mallory, "bob@example.com", text), chain.ErrUnknownIssuer},
		{"expired", smimetest.Signed(t, ca.Identity("alice@example.com", smimetest.Expired()), text), chain.ErrExpired},
		{"not yet valid", smimetest.Signed(t, ca.Identity("alice@example.com", smimetest.NotYetValid()), text), chain.ErrNotYetValid},
		{"revoked", smimetest.Signed(t, revoked, text), chain.ErrRevoked},
		{"for encryption only", smimetest.Signed(t, ca.Identity("alice@example.com", smimetest.EncryptionOnly()), text), chain.ErrWrongPurpose},
		{"not for mail", smimetest.Signed(t, ca.Identity("alice@example.com", smimetest.NotForMail()), text), chain.ErrWrongPurpose},
		{"no mailbox", smimetest.Spoofed(t, ca.Identity("alice@example.com", smimetest.NoMailbox()), "alice@example.com", text), smime.ErrSender},
		{"unknown critical extension", smimetest.Signed(t, ca.Identity("alice@example.com", smimetest.UnknownCritical()), text), chain.ErrUnhandledCritical},
		{"changed and by a stranger", edit(t, smimetest.Signed(t, mallory, text), "pay 5", "pay 6"), pkcs7.ErrDigest},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := w.verify(tt.msg)
			if !matches(err, tt.want) {
				t.Errorf("Verify: %v", err)
			}
			m, err := w.open(tt.msg)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := m.Signer(); !matches(err, tt.want) {
				t.Errorf("Signer: %v\n%v", err, m)
			}
			m.Close()
		})
	}
}

// multiSigned makes a message with several signatures of one content.
func multiSigned(t testing.TB, from, text string, ids ...*smime.Identity) []byte {
	t.Helper()
	var keys []pkcs7.SigningKey
	for _, id := range ids {
		k, err := id.SigningKey()
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, k)
	}
	var cms bytes.Buffer
	sw, err := pkcs7.NewSignWriter(t.Context(), &cms, keys, nil)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(sw, "Content-Type: text/plain\r\n\r\n%s\r\n", text)
	if err := sw.Close(); err != nil {
		t.Fatal(err)
	}
	return cmsMail(from, "signed-data", cms.Bytes())
}

func TestSeveralSigners(t *testing.T) {
	t.Parallel()
	ca, stranger := smimetest.NewCA(t), smimetest.NewCA(t)
	alice, bob := ca.Identity("alice@example.com"), ca.Identity("bob@example.com")
	w := &readFixture{trust: ca.Trust(), at: chain.Options{At: smimetest.Now()}}
	for _, tt := range []struct {
		name, from string
		ids        []*smime.Identity
		want       error
	}{
		{"the author is second", "bob@example.com", []*smime.Identity{alice, bob}, nil},
		{"a stranger beside the author", "alice@example.com", []*smime.Identity{stranger.Identity("alice@example.com"), alice}, nil},
		{"none is the author", "carol@example.com", []*smime.Identity{alice, bob}, smime.ErrSender},
		{"both are authors, no one of both", "alice@example.com, bob@example.com", []*smime.Identity{alice, bob}, smime.ErrSender},
	} {
		t.Run(tt.name, func(t *testing.T) {
			msg := multiSigned(t, tt.from, "x", tt.ids...)
			_, s, err := w.verify(msg)
			if !matches(err, tt.want) || err == nil && s.Mailbox() != tt.from {
				t.Error(err)
			}
			m, err := w.open(msg)
			if err != nil {
				t.Fatal(err)
			}
			if l, ok := m.Root().(*smime.SignedLayer); !ok || len(l.Signers) != len(tt.ids) {
				t.Errorf("not all are reported\n%v", m)
			}
			m.Close()
		})
	}
}

func TestRequiredSender(t *testing.T) {
	t.Parallel()
	w := newReadFixture(t)
	verify := func(msg []byte, opts smime.VerifyOptions) error {
		opts.Chain = w.at
		_, err := smime.Verify(t.Context(), io.Discard, bytes.NewReader(msg), w.trust, &opts)
		return err
	}
	anonymous := edit(t, w.seeds[0], "From: alice@example.com\r\n", "")
	for _, tt := range []struct {
		name string
		msg  []byte
		opts smime.VerifyOptions
		want error
	}{
		{"Sender is From", w.seeds[0], smime.VerifyOptions{Sender: "alice@example.com"}, nil},
		{"Sender is another", w.seeds[0], smime.VerifyOptions{Sender: "bob@example.com"}, smime.ErrSender},
		{"Sender where there is no From", anonymous, smime.VerifyOptions{Sender: "alice@example.com"}, nil},
		{"Sender does not replace From", edit(t, w.seeds[0], "From: alice@", "From: mallory@"), smime.VerifyOptions{Sender: "alice@example.com"}, smime.ErrSender},
		{"Sender is no address", w.seeds[0], smime.VerifyOptions{Sender: "alice"}, smime.ErrSender},
		{"outer header", anonymous, smime.VerifyOptions{OuterHeader: []byte("From: alice@example.com\r\n\r\n")}, nil},
		{"ambiguous outer header", anonymous, smime.VerifyOptions{OuterHeader: []byte("From: alice@example.com\r\nplease pay: 500\r\n\r\n")}, smime.ErrAmbiguousStructure},
		{"other outer header", w.seeds[0], smime.VerifyOptions{OuterHeader: []byte("From: mallory@example.com\r\n")}, smime.ErrAmbiguousSender},
		{"two in the outer header", anonymous, smime.VerifyOptions{OuterHeader: []byte("From: alice@example.com\r\nFrom: alice@example.com\r\n")}, smime.ErrAmbiguousSender},
		{"any sender", w.seeds[7], smime.VerifyOptions{InsecureAnySender: true}, nil},
		{"any sender of a changed content", edit(t, w.seeds[7], "pay 5", "pay 6"), smime.VerifyOptions{InsecureAnySender: true}, pkcs7.ErrDigest},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := verify(tt.msg, tt.opts); !matches(err, tt.want) {
				t.Error(err)
			}
		})
	}
}

// TestLayersOutside holds what a signature around encryption means.
func TestLayersOutside(t *testing.T) {
	t.Parallel()
	w := newReadFixture(t)
	sealed, signed := w.seeds[2], w.seeds[0]
	ciphertext := sealed[bytes.Index(sealed, []byte("MIME-Version")):]
	stolen := clearSigned(t, w.bob, "bob@example.com", ciphertext) // bob signs what is not his
	unsignedInside := clearSigned(t, w.alice, "alice@example.com",
		encrypted(t, w.bob, "", pkcs7.AES256GCM, []byte("Content-Type: text/plain\r\n\r\nhello\r\n")))
	for _, tt := range []struct {
		name                 string
		msg                  []byte
		signer, confidential error
	}{
		{"signed inside", sealed, nil, nil},
		{"signed only", signed, nil, smime.ErrNotEncrypted},
		{"signed outside only", unsignedInside, smime.ErrSignedOutside, nil},
		{"signed by another outside", stolen, smime.ErrAmbiguousSender, nil},
		{"CBC without signature", encrypted(t, w.bob, "alice@example.com", pkcs7.AES256CBC, []byte("\r\nhello")), smime.ErrNotSigned, smime.ErrNotAuthenticated},
		{"CBC with signature", w.seeds[5], nil, nil},
		{"plain", w.seeds[8], smime.ErrNotSigned, smime.ErrNotEncrypted},
		{"part of the message", w.seeds[3], smime.ErrNotCovered, smime.ErrNotEncrypted},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := w.open(tt.msg)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := m.Signer(); !matches(err, tt.signer) {
				t.Errorf("signer: %v\n%v", err, m)
			}
			if err := m.Confidential(); !matches(err, tt.confidential) {
				t.Errorf("confidential: %v\n%v", err, m)
			}
			m.Close()
		})
	}
}

func TestReadLimits(t *testing.T) {
	t.Parallel()
	w := newReadFixture(t)
	nested := w.seeds[0]
	for range 12 {
		nested = opaqueSigned(t, w.alice, "alice@example.com", nested)
	}
	parts := []byte("Content-Type: multipart/mixed; boundary=b\r\n\r\n" + strings.Repeat("--b\r\n\r\nx\r\n", 2000) + "--b--\r\n")
	for _, tt := range []struct {
		name string
		msg  []byte
		lim  smime.Limits
	}{
		{"layers", nested, smime.Limits{}},
		{"layers asked for", w.seeds[2], smime.Limits{Layers: 1}},
		{"parts", parts, smime.Limits{}},
		{"depth", w.seeds[3], smime.Limits{Depth: 1}},
		{"bytes", w.seeds[1], smime.Limits{CMS: pkcs7.Limits{Bytes: 100}}},
		{"memory without disk", append(bytes.Clone(w.seeds[8]), make([]byte, 1<<20)...), smime.Limits{CMS: pkcs7.Limits{Memory: 64 << 10, Disk: -1}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := smime.Open(t.Context(), bytes.NewReader(tt.msg), &smime.OpenOptions{Limits: tt.lim, Keys: smime.Identities{w.bob}})
			if !errors.Is(err, smime.ErrLimit) {
				t.Errorf("%v\n%v", err, m)
			}
			if m != nil {
				m.Close()
			}
		})
	}
	// What can be read twice needs no disk.
	big := clearSigned(t, w.alice, "alice@example.com", benchEntity(8<<20))
	if _, err := smime.Verify(t.Context(), io.Discard, bytes.NewReader(big), w.trust, &smime.VerifyOptions{
		Chain: w.at, Limits: smime.Limits{CMS: pkcs7.Limits{Memory: 1 << 20, Disk: -1}}}); err != nil {
		t.Errorf("seekable: %v", err)
	}
	if _, err := smime.Verify(t.Context(), io.Discard, noSeek{bytes.NewReader(big)}, w.trust, &smime.VerifyOptions{
		Chain: w.at, Limits: smime.Limits{CMS: pkcs7.Limits{Memory: 1 << 20, Disk: -1}}}); !errors.Is(err, smime.ErrLimit) {
		t.Errorf("not seekable: %v", err)
	}
	sealed := encrypted(t, w.bob, "alice@example.com", pkcs7.AES256GCM, big)
	if _, _, err := smime.Unseal(t.Context(), io.Discard, bytes.NewReader(sealed), smime.Identities{w.bob}, w.trust, &smime.UnsealOptions{
		Verify: smime.VerifyOptions{Chain: w.at, Limits: smime.Limits{CMS: pkcs7.Limits{Memory: 1 << 20, Disk: -1}}}}); err != nil {
		t.Errorf("seekable, sealed: %v", err)
	}
}

// TestDigestOfSignedMails holds that parts beyond a limit are left closed and
// the others shown.
func TestDigestOfSignedMails(t *testing.T) {
	t.Parallel()
	w := newReadFixture(t)
	var digest bytes.Buffer
	digest.WriteString("From: list@example.org\r\nContent-Type: multipart/digest; boundary=d\r\n\r\n")
	for range 30 {
		digest.WriteString("--d\r\n\r\n")
		digest.Write(w.seeds[0])
		digest.WriteString("\r\n")
	}
	digest.WriteString("--d--\r\n")
	m, err := w.open(digest.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	verified, closed := 0, 0
	for _, l := range m.Root().Children() {
		if s, ok := l.(*smime.SignedLayer); ok {
			if signer, err := s.ContentSigner(); err == nil && signer.Mailbox() == "alice@example.com" {
				verified++
			}
		} else {
			closed++
		}
	}
	if verified != 8 || closed != 22 {
		t.Errorf("%d verified, %d closed\n%v", verified, closed, m)
	}
	if _, err := m.Signer(); !errors.Is(err, smime.ErrNotCovered) {
		t.Error(err)
	}
}
