package exchange_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/exchange"
	"github.com/gosmime/gosmime/smime/smimetest"
)

const (
	alice, bob, carol = "alice@example.com", "bob@example.com", "carol@example.com"
	hidden1, hidden2  = "hidden1@example.com", "hidden2@example.com"
)

// An office has a sender whose directory knows everybody above.
type office struct {
	ca     *smimetest.CA
	people map[string]*smime.Identity
	config exchange.Config
	sender exchange.Sender
}

func newOffice(t testing.TB) *office {
	t.Helper()
	o := &office{ca: smimetest.NewCA(t), people: map[string]*smime.Identity{}, config: exchange.DefaultConfig()}
	var all []*smime.Identity
	for _, box := range []string{alice, bob, carol, hidden1, hidden2} {
		o.people[box] = o.ca.Identity(box)
		all = append(all, o.people[box])
	}
	o.sender = exchange.Sender{Config: &o.config, Identities: []*smime.Identity{o.people[alice]}, Trust: o.ca.Directory(all...)}
	return o
}

// mail is a message with a Bcc field, as no mail program should send it on.
func (o *office) mail() string {
	return "From: Alice <" + alice + ">\r\nTo: " + bob + "\r\nCc: " + carol + "\r\nBcc: " + hidden1 + ",\r\n " + hidden2 + "\r\nSubject: the subject\r\n" +
		"Date: Wed, 02 Jan 2030 03:04:05 +0000\r\nMessage-ID: <1@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nthe text\r\n"
}

type sent struct {
	to   []string
	mail []byte
}

// collect returns a Deliver that keeps what it gets.
func collect(list *[]sent) exchange.Deliver {
	return func(_ context.Context, to []string, r io.Reader) error {
		b, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		*list = append(*list, sent{to, b})
		return nil
	}
}

func persons(mailboxes ...string) []exchange.Person {
	var list []exchange.Person
	for _, m := range mailboxes {
		list = append(list, exchange.Person{Mailbox: m})
	}
	return list
}

// send sends the mail to bob and carol and, hidden, to others.
func (o *office) send(t testing.TB, sign, encrypt bool, bcc ...string) ([]sent, error) {
	t.Helper()
	var list []sent
	err := o.sender.Send(t.Context(), exchange.Outgoing{Message: strings.NewReader(o.mail()), To: persons(bob, carol), BCC: persons(bcc...), Sign: sign, Encrypt: encrypt}, collect(&list))
	if err != nil && len(list) > 0 {
		t.Errorf("%d messages beside %v", len(list), err)
	}
	for _, s := range list {
		if bytes.Contains(s.mail, []byte("hidden")) {
			t.Errorf("the message to %v names a blind copy", s.to)
		}
	}
	return list, err
}

// one sends to bob and carol, which is one message.
func (o *office) one(t testing.TB, sign, encrypt bool) []byte {
	t.Helper()
	list, err := o.send(t, sign, encrypt)
	if err != nil || len(list) != 1 || !slices.Equal(list[0].to, []string{bob, carol}) {
		t.Fatalf("%d messages: %v", len(list), err)
	}
	return list[0].mail
}

// forms returns the kinds of the layers, outermost first.
func (o *office) forms(t testing.TB, mail []byte, reader string) string {
	t.Helper()
	m, err := smime.Open(t.Context(), bytes.NewReader(mail), &smime.OpenOptions{Trust: o.ca.Trust(), Keys: smime.Identities{o.people[reader]}})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	var list []string
	for l := range m.All() {
		switch l := l.(type) {
		case *smime.SignedLayer:
			form := "clear"
			if l.Opaque {
				form = "opaque"
			}
			list = append(list, form)
			if len(l.Signers) != 1 || l.Signers[0].Integrity.Err() != nil || l.Signers[0].Trust.Err() != nil {
				t.Errorf("%v", l.Err())
			}
		case *smime.EncryptedLayer:
			list = append(list, "encrypted")
			if err := l.Opened.Err(); err != nil {
				t.Errorf("%v", err)
			}
		case *smime.PlainLayer:
		default:
			list = append(list, fmt.Sprintf("%T", l))
		}
	}
	body, err := io.ReadAll(m.Body())
	if err != nil || !bytes.Contains(body, []byte("the text")) {
		t.Errorf("body %q, %v", body, err)
	}
	return strings.Join(list, " ")
}

func TestForms(t *testing.T) {
	o := newOffice(t)
	for _, tt := range []struct {
		change        func(*exchange.Config)
		sign, encrypt bool
		want          string
	}{
		{nil, false, false, ""},
		{nil, true, false, "clear"},
		{nil, false, true, "encrypted"},
		{nil, true, true, "encrypted clear"},
		{func(c *exchange.Config) { c.AlwaysSign = true }, false, false, "clear"},
		{func(c *exchange.Config) { c.AlwaysSign = true }, false, true, "encrypted clear"},
		{func(c *exchange.Config) { c.AlwaysEncrypt = true }, false, false, "encrypted"},
		{func(c *exchange.Config) { c.AlwaysEncrypt = true }, true, false, "encrypted clear"},
		{func(c *exchange.Config) { c.AlwaysSign, c.AlwaysEncrypt = true, true }, false, false, "encrypted clear"},
		{func(c *exchange.Config) { c.ClearSign = false }, true, false, "opaque"},
		{func(c *exchange.Config) { c.ClearSign = false }, true, true, "encrypted opaque"},
		{func(c *exchange.Config) { c.TripleWrapSignedEncryptedMail = true }, true, false, "clear"},
		{func(c *exchange.Config) { c.TripleWrapSignedEncryptedMail = true }, false, true, "encrypted"},
		{func(c *exchange.Config) { c.TripleWrapSignedEncryptedMail = true }, true, true, "clear encrypted clear"},
		{func(c *exchange.Config) { c.TripleWrapSignedEncryptedMail, c.ClearSign = true, false }, true, true, "opaque encrypted opaque"},
	} {
		o.config = exchange.DefaultConfig()
		if tt.change != nil {
			tt.change(&o.config)
		}
		mail := o.one(t, tt.sign, tt.encrypt)
		if got := o.forms(t, mail, bob); got != tt.want {
			t.Errorf("sign %v, encrypt %v: %q, want %q", tt.sign, tt.encrypt, got, tt.want)
		}
		if strings.Contains(tt.want, "encrypted") && bytes.Contains(mail, []byte("the text")) {
			t.Errorf("%s: in clear", tt.want)
		}
		// What is judged is judged well, from the outside in.
		switch {
		case tt.want == "clear" || tt.want == "opaque":
			if s, err := smime.Verify(t.Context(), io.Discard, bytes.NewReader(mail), o.ca.Trust(), nil); err != nil || s.Mailbox() != alice {
				t.Errorf("%s: %v", tt.want, err)
			}
		case strings.Contains(tt.want, "encrypted ") && !strings.HasPrefix(tt.want, "encrypted"), strings.HasPrefix(tt.want, "encrypted "):
			if s, _, err := smime.Unseal(t.Context(), io.Discard, bytes.NewReader(mail), smime.Identities{o.people[carol]}, o.ca.Trust(), nil); err != nil || s.Mailbox() != alice {
				t.Errorf("%s: %v", tt.want, err)
			}
		}
	}
}

func TestPlainMail(t *testing.T) {
	o := newOffice(t)
	o.sender = exchange.Sender{} // not even a collection is needed
	for in, want := range map[string]string{
		"To: x\r\nBcc: secret,\r\n\tmore\r\nSubject: y\r\n\r\nBcc: text\r\n": "To: x\r\nSubject: y\r\n\r\nBcc: text\r\n",
		"BCC : secret\r\nTo: x\r\nbcc: again\r\n\r\ntext":                    "To: x\r\n\r\ntext",
		"To: x\nBcc: secret\n\ntext\n":                                       "To: x\n\ntext\n",
		"To: x\r\nResent-Bcc: secret\r\n\r\n":                                "To: x\r\n\r\n",
		"To: x\r\n\r\n":                                                      "To: x\r\n\r\n",
		"bCC\t: secret\r\nTo: x\r\n\r\n":                                     "To: x\r\n\r\n",
		" Bcc: secret\r\nTo: x\r\n\r\n":                                      "To: x\r\n\r\n",
		"To: x\r\n\ufeffBcc: secret\r\n\r\n":                                 "To: x\r\n\r\n",
		"To: x\r\nBcc\u00a0: secret\r\n\r\n":                                 "To: x\r\n\r\n",
		"To: x\r\nB\x00cc: secret\r\n\r\n":                                   "To: x\r\n\r\n",
		"To: x\r\n\vBcc: secret\r\n\r\n":                                     "To: x\r\n\r\n",
		"To: x,\r\n Bcc: y\r\n\r\n":                                          "To: x,\r\n Bcc: y\r\n\r\n",
	} {
		t.Run(in, func(t *testing.T) {
			var list []sent
			m := exchange.Outgoing{Message: strings.NewReader(in), To: persons(bob), BCC: persons(hidden1)}
			if err := o.sender.Send(t.Context(), m, collect(&list)); err != nil {
				t.Errorf("%v", err)
				return
			}
			if len(list) != 1 || string(list[0].mail) != want || !slices.Equal(list[0].to, []string{bob, hidden1}) {
				t.Errorf("%q becomes %q", in, list)
			}
		})
	}
	// A field that only some programs see can't be cut out.
	for _, end := range []string{"\r", "\v", "\f", "\u0085", "\u2028"} {
		var list []sent
		m := exchange.Outgoing{Message: strings.NewReader("Subject: y" + end + "Bcc: secret\r\nTo: x\r\n\r\n"), To: persons(bob)}
		if err := o.sender.Send(t.Context(), m, collect(&list)); !errors.Is(err, smime.ErrHeader) || len(list) > 0 {
			t.Errorf("%q: %d messages: %v", end, len(list), err)
		}
	}
}

// TestFromOffset holds that a message begins where its reader stands.
func TestFromOffset(t *testing.T) {
	o := newOffice(t)
	r := strings.NewReader("something else\r\n" + o.mail())
	if _, err := r.Seek(16, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	for _, sign := range []bool{false, true} {
		var list []sent
		if _, err := r.Seek(16, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		m := exchange.Outgoing{Message: r, To: persons(bob), BCC: persons(hidden1, hidden2), Sign: sign, Encrypt: true}
		if err := o.sender.Send(t.Context(), m, collect(&list)); err != nil || len(list) != 3 {
			t.Fatalf("%d messages: %v", len(list), err)
		}
		for _, s := range list {
			o.forms(t, s.mail, s.to[0])
		}
	}
}

// opaqueCMS returns the CMS of an application/pkcs7-mime message.
func opaqueCMS(t testing.TB, mail []byte) []byte {
	t.Helper()
	_, body, _ := bytes.Cut(mail, []byte("\r\n\r\n"))
	der, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(string(body), "\r\n", ""))
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestCertificatesThatGoAlong(t *testing.T) {
	o := newOffice(t)
	self := o.ca.Identity(alice, smimetest.EncryptionOnly())
	o.sender.ToSelf = o.ca.Recipient(self)
	signer, issuing, root := o.people[alice].Certificate(), o.ca.Issuing(), o.ca.Root()
	for _, tt := range []struct {
		name   string
		change func(*exchange.Config)
		want   [][]byte
	}{
		{"default", nil, [][]byte{signer.Raw, self.Certificate().Raw}},
		{"none", func(c *exchange.Config) { c.SignedEmailCertificateInclusion = false }, nil},
		{"chain", func(c *exchange.Config) { c.IncludeCertificateChainWithoutRoot = true }, [][]byte{signer.Raw, self.Certificate().Raw, issuing.Raw}},
		{"chain and root", func(c *exchange.Config) { c.IncludeCertificateChainAndRoot = true }, [][]byte{signer.Raw, self.Certificate().Raw, issuing.Raw, root.Raw}},
		{"both chain settings", func(c *exchange.Config) {
			c.IncludeCertificateChainAndRoot, c.IncludeCertificateChainWithoutRoot = true, true
		}, [][]byte{signer.Raw, self.Certificate().Raw, issuing.Raw, root.Raw}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o.config = exchange.DefaultConfig()
			o.config.ClearSign = false
			if tt.change != nil {
				tt.change(&o.config)
			}
			mail := o.one(t, true, false)
			certs, _, err := pkcs7.ReadCertificates(bytes.NewReader(opaqueCMS(t, mail)), nil)
			if err != nil {
				t.Fatal(err)
			}
			order := func(a, b []byte) int { return bytes.Compare(a, b) }
			slices.SortFunc(certs, order)
			slices.SortFunc(tt.want, order)
			if !slices.EqualFunc(certs, tt.want, bytes.Equal) {
				t.Errorf("%d certificates, want %d", len(certs), len(tt.want))
			}
			// Who has the signer's certificate verifies all of them.
			s, err := smime.Verify(t.Context(), io.Discard, bytes.NewReader(mail), o.sender.Trust, nil)
			if err != nil {
				t.Errorf("%v", err)
				return
			}
			if to := s.EncryptTo(); len(tt.want) > 0 && (to == nil || !to.Equal(self.Certificate())) {
				t.Errorf("replies to %v", to)
			}
		})
	}
}

func TestCapabilitiesSetting(t *testing.T) {
	o := newOffice(t)
	for _, include := range []bool{false, true} {
		o.config.IncludeSMIMECapabilitiesInMessage = include
		s, err := smime.Verify(t.Context(), io.Discard, bytes.NewReader(o.one(t, true, false)), o.ca.Trust(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Capabilities(); (got != nil) != include || include && !got.Reads(pkcs7.AES256GCM) {
			t.Errorf("%v: %v", include, got)
		}
	}
}

// unseal opens a message that was encrypted and perhaps signed.
func (o *office) unseal(t testing.TB, mail []byte, reader string) *smime.Encryption {
	t.Helper()
	var content bytes.Buffer
	_, enc, err := smime.Unseal(t.Context(), &content, bytes.NewReader(mail), smime.Identities{o.people[reader]}, o.ca.Trust(), nil)
	if errors.Is(err, smime.ErrNotSigned) {
		enc, err = smime.Decrypt(t.Context(), &content, bytes.NewReader(mail), smime.Identities{o.people[reader]}, nil)
	}
	if err != nil {
		t.Fatalf("%s: %v", reader, err)
	}
	if !bytes.Contains(content.Bytes(), []byte("the text")) {
		t.Errorf("%s reads %q", reader, content.Bytes())
	}
	return enc
}

func TestKeyIdentifier(t *testing.T) {
	o := newOffice(t)
	for _, by := range []bool{false, true} {
		o.config.UseKeyIdentifier = by
		enc := o.unseal(t, o.one(t, true, true), bob)
		if len(enc.Recipients) != 2 {
			t.Fatalf("%d recipients", len(enc.Recipients))
		}
		for _, r := range enc.Recipients {
			if (r.KeyID != nil) != by || (r.Serial == nil) != by {
				t.Errorf("%v: %+v", by, r)
			}
		}
	}
}

// TestKeyIdentifierIsMissing holds that who has none is named by issuer and
// serial number, beside others who are not.
func TestKeyIdentifierIsMissing(t *testing.T) {
	a := newAuthority(t, "a", year(2045))
	with, without := a.identity(bob, nil), a.identity(carol, func(c *x509.Certificate) { c.SubjectKeyId = nil })
	cfg := exchange.DefaultConfig()
	cfg.UseKeyIdentifier = true
	s := exchange.Sender{Config: &cfg, Trust: a.directory(with, without)}
	var list []sent
	m := exchange.Outgoing{Message: bytes.NewReader(smimetest.Mail(alice, bob, "hello")), To: persons(bob, carol), Encrypt: true}
	if err := s.Send(t.Context(), m, collect(&list)); err != nil {
		t.Fatal(err)
	}
	for _, id := range []*smime.Identity{with, without} {
		enc, err := smime.Decrypt(t.Context(), io.Discard, bytes.NewReader(list[0].mail), smime.Identities{id}, nil)
		if err != nil || len(enc.Recipients) != 2 {
			t.Fatalf("%v", err)
		}
		if first, second := enc.Recipients[0], enc.Recipients[1]; first.KeyID == nil || first.Serial != nil || second.KeyID != nil || second.Serial == nil {
			t.Errorf("%+v", enc.Recipients)
		}
	}
}

// TestCopiedRecipientHeaders holds that From, To and Cc are under the
// signature, and that no Bcc is.
func TestCopiedRecipientHeaders(t *testing.T) {
	o := newOffice(t)
	for _, setting := range []bool{false, true} {
		o.config.CopyRecipientHeaders = setting
		for _, encrypt := range []bool{false, true} {
			mail := o.one(t, true, encrypt)
			m, err := smime.Open(t.Context(), bytes.NewReader(mail), &smime.OpenOptions{Trust: o.ca.Trust(), Keys: smime.Identities{o.people[bob]}})
			if err != nil {
				t.Fatal(err)
			}
			signed := map[string]bool{}
			for _, f := range m.Header() {
				signed[strings.ToLower(f.Name)] = f.Signed
			}
			for _, name := range []string{"from", "to", "cc", "subject"} {
				if !signed[name] {
					t.Errorf("encrypted %v: %s is not signed", encrypt, name)
				}
			}
			if err := m.Close(); err != nil {
				t.Error(err)
			}
			if !bytes.Contains(mail, []byte("Subject: the subject\r\n")) {
				t.Error("a header field is hidden, which no Exchange client can show")
			}
			// Who changes the recipients outside is found out.
			forged := bytes.Replace(mail, []byte("Cc: "+carol), []byte("Cc: mallory@example.com"), 1)
			m, err = smime.Open(t.Context(), bytes.NewReader(forged), &smime.OpenOptions{Trust: o.ca.Trust(), Keys: smime.Identities{o.people[bob]}})
			if err != nil {
				t.Fatal(err)
			}
			found := false
			for _, f := range m.Header() {
				found = found || strings.EqualFold(f.Name, "Cc") && f.Value == carol && strings.Contains(f.Outer, "mallory")
			}
			if !found {
				t.Errorf("encrypted %v: %v", encrypt, m.Header())
			}
			if err := m.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestForking(t *testing.T) {
	for _, tt := range []struct {
		forking exchange.BCCForking
		to, bcc []string
		want    string // recipients of each message
		readers []int  // RecipientInfos of each, with that of the sender
	}{
		{exchange.OneMessagePerBCC, []string{bob, carol}, []string{hidden1, hidden2}, "bob carol|hidden1|hidden2", []int{3, 1, 1}},
		{exchange.OneMessageForAllBCC, []string{bob, carol}, []string{hidden1, hidden2}, "bob carol|hidden1 hidden2", []int{3, 2}},
		{exchange.NoForking, []string{bob, carol}, []string{hidden1, hidden2}, "bob carol hidden1 hidden2", []int{5}},
		{exchange.OneMessagePerBCC, []string{bob}, nil, "bob", []int{2}},
		{exchange.OneMessageForAllBCC, []string{bob}, nil, "bob", []int{2}},
		{exchange.NoForking, []string{bob}, nil, "bob", []int{2}},
		{exchange.OneMessagePerBCC, nil, []string{hidden1, hidden2}, "hidden1|hidden2", []int{2, 2}},
		{exchange.OneMessageForAllBCC, nil, []string{hidden1, hidden2}, "hidden1 hidden2", []int{3}},
		{exchange.NoForking, nil, []string{hidden1}, "hidden1", []int{2}},
	} {
		for _, triple := range []bool{false, true} {
			o := newOffice(t)
			o.config.BCCEncryptedEmailForking, o.config.TripleWrapSignedEncryptedMail = tt.forking, triple
			o.sender.ToSelf = o.ca.Recipient(o.people[alice])
			var list []sent
			m := exchange.Outgoing{Message: strings.NewReader(o.mail()), To: persons(tt.to...), BCC: persons(tt.bcc...), Sign: true, Encrypt: true}
			if err := o.sender.Send(t.Context(), m, collect(&list)); err != nil {
				t.Errorf("%v: %v", tt.want, err)
				continue
			}
			var who []string
			for i, s := range list {
				who = append(who, strings.ReplaceAll(strings.Join(s.to, " "), "@example.com", ""))
				if bytes.Contains(s.mail, []byte("hidden")) {
					t.Errorf("%s: message %d names a blind copy", tt.want, i)
				}
				for _, reader := range s.to {
					if enc := o.unseal(t, s.mail, reader); len(enc.Recipients) != tt.readers[i] {
						t.Errorf("%s: message %d has %d recipients", tt.want, i, len(enc.Recipients))
					}
				}
				for box, id := range o.people {
					_, _, err := smime.Unseal(t.Context(), io.Discard, bytes.NewReader(s.mail), smime.Identities{id}, o.ca.Trust(), nil)
					if may := slices.Contains(s.to, box) || box == alice && len(s.to) < tt.readers[i]; (err == nil) != may {
						t.Errorf("%s: %s and message %d: %v", tt.want, box, i, err)
					}
				}
			}
			if got := strings.Join(who, "|"); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		}
	}
}

// TestSignedBlindCopies holds that a message that is only signed is one for all.
func TestSignedBlindCopies(t *testing.T) {
	o := newOffice(t)
	list, err := o.send(t, true, false, hidden1, hidden2)
	if err != nil || len(list) != 1 || !slices.Equal(list[0].to, []string{bob, carol, hidden1, hidden2}) {
		t.Errorf("%v %v", list, err)
	}
}

func TestChoiceOfSigner(t *testing.T) {
	ca := smimetest.NewCA(t)
	old, renewed := ca.Identity(alice), ca.Identity(alice, smimetest.Renewed())
	expired := ca.Identity(alice, smimetest.Expired())
	future := ca.Identity(alice, smimetest.NotYetValid())
	encryptOnly := ca.Identity(alice, smimetest.EncryptionOnly(), smimetest.Renewed())
	revoked := ca.Identity(alice, smimetest.Renewed())
	ca.Revoke(revoked)
	other := ca.Identity(bob, smimetest.Renewed())
	foreign := smimetest.NewCA(t).Identity(alice, smimetest.Renewed())
	type ids = []*smime.Identity
	for _, tt := range []struct {
		name   string
		have   ids
		chosen *smime.Identity
		user   bool
		want   *smime.Identity
		err    error
	}{
		{"newest", ids{old, renewed}, nil, false, renewed, nil},
		{"newest, other order", ids{renewed, old}, nil, false, renewed, nil},
		{"others unusable", ids{expired, future, encryptOnly, revoked, other, foreign, nil, old}, nil, false, old, nil},
		{"none", nil, nil, false, nil, exchange.ErrNoSigner},
		{"expired", ids{expired}, nil, false, nil, chain.ErrExpired},
		{"revoked", ids{revoked}, nil, false, nil, chain.ErrRevoked},
		{"other person", ids{other}, nil, false, nil, chain.ErrWrongMailbox},
		{"foreign", ids{foreign}, nil, false, nil, chain.ErrUnknownIssuer},
		{"user's choice", ids{old, renewed}, old, true, old, nil},
		{"user chooses from elsewhere", nil, old, true, old, nil},
		{"user has no choice", ids{old, renewed}, old, false, nil, exchange.ErrSetting},
		{"user's choice is unusable", ids{old}, expired, true, nil, exchange.ErrNoSigner},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := exchange.DefaultConfig()
			cfg.AllowUserChoiceOfSigningCertificate = tt.user
			s := exchange.Sender{Config: &cfg, Identities: tt.have, Trust: ca.Trust()}
			var list []sent
			m := exchange.Outgoing{Message: bytes.NewReader(smimetest.Mail(alice, bob, "hello")), To: persons(bob), Sign: true, Signer: tt.chosen}
			err := s.Send(t.Context(), m, collect(&list))
			if !errors.Is(err, tt.err) {
				t.Errorf("%v", err)
			}
			if tt.err != nil {
				if len(list) > 0 {
					t.Errorf("sent beside %v", err)
				}
				return
			}
			signer, err := smime.Verify(t.Context(), io.Discard, bytes.NewReader(list[0].mail), ca.Trust(), nil)
			if err != nil || !signer.Path().Leaf().Equal(tt.want.Certificate()) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestAuthor(t *testing.T) {
	o := newOffice(t)
	for from, want := range map[string]error{
		"From: " + alice + "\r\n":                              nil,
		"From: =?utf-8?q?Al=C3=ADce?=\r\n <" + alice + ">\r\n": nil,
		"From: ALICE@Example.COM\r\n":                          nil,
		"":                                                     smime.ErrAmbiguousSender,
		"From: " + alice + "\r\nFrom: " + alice + "\r\n": smime.ErrAmbiguousSender,
		"From: " + alice + ", " + bob + "\r\n":           smime.ErrAmbiguousSender,
		"From: nobody\r\n":                               smime.ErrAmbiguousSender,
		"From: " + bob + "\r\n":                          exchange.ErrNoSigner,
	} {
		t.Run(from, func(t *testing.T) {
			var list []sent
			m := exchange.Outgoing{Message: strings.NewReader(from + "Subject: x\r\n\r\nhello\r\n"), To: persons(bob), Sign: true}
			if err := o.sender.Send(t.Context(), m, collect(&list)); !errors.Is(err, want) || (err == nil) != (len(list) == 1) {
				t.Errorf("%d messages, %v", len(list), err)
			}
		})
	}
}
