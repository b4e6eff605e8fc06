package exchange_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/exchange"
	"github.com/gosmime/gosmime/smime/smimetest"
)

func TestSecondaryProxies(t *testing.T) {
	ca := smimetest.NewCA(t)
	second := ca.Identity("robert@example.com")
	primary := ca.Identity(bob)
	for _, tt := range []struct {
		name    string
		have    []*smime.Identity
		proxies []string
		use     bool
		want    *smime.Identity
	}{
		{"primary", []*smime.Identity{primary, second}, []string{"robert@example.com"}, true, primary},
		{"proxy", []*smime.Identity{second}, []string{"none@example.com", "robert@example.com"}, true, second},
		{"proxies off", []*smime.Identity{second}, []string{"robert@example.com"}, false, nil},
		{"no proxy fits", []*smime.Identity{second}, []string{"none@example.com"}, true, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := exchange.DefaultConfig()
			cfg.UseSecondaryProxiesWhenFindingCerts = tt.use
			s := exchange.Sender{Config: &cfg, Trust: ca.Directory(tt.have...)}
			var list []sent
			m := exchange.Outgoing{Message: bytes.NewReader(smimetest.Mail(alice, bob, "hello")), To: []exchange.Person{{Mailbox: bob, Proxies: tt.proxies}}, Encrypt: true}
			err := s.Send(t.Context(), m, collect(&list))
			if tt.want == nil {
				failed, ok := errors.AsType[smime.RecipientErrors](err)
				if !ok || len(failed) != 1 || failed[0].Mailbox != bob || !errors.Is(err, smime.ErrNoCertificate) || len(list) > 0 {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil || !slices.Equal(list[0].to, []string{bob}) {
				t.Errorf("%v", err)
				return
			}
			if _, err := smime.Decrypt(t.Context(), io.Discard, bytes.NewReader(list[0].mail), smime.Identities{tt.want}, nil); err != nil {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestProxyReadsNothing holds that who was found by a further address fails
// under the one that the caller knows.
func TestProxyReadsNothing(t *testing.T) {
	ca := smimetest.NewCA(t)
	s := exchange.Sender{Trust: ca.Directory(ca.Identity("robert@example.com"))}
	s.Recipients.Capabilities = func(string, *x509.Certificate) smime.Capabilities { return capabilities(t, oid3DES) }
	m := exchange.Outgoing{Message: bytes.NewReader(smimetest.Mail(alice, bob, "hello")), To: []exchange.Person{{Mailbox: bob, Proxies: []string{"robert@example.com"}}}, Encrypt: true}
	var list []sent
	err := s.Send(t.Context(), m, collect(&list))
	failed, ok := errors.AsType[smime.RecipientErrors](err)
	if !ok || len(failed) != 1 || failed[0].Mailbox != bob || !errors.Is(err, smime.ErrNoCipher) || len(list) > 0 {
		t.Errorf("%d messages, %v", len(list), err)
	}
}

// TestSelfReadsNothing holds that the sender, too, is one who must be able to
// read, or is named.
func TestSelfReadsNothing(t *testing.T) {
	o := newOffice(t)
	self, err := smime.NewRecipient(t.Context(), alice, o.people[alice].Certificate(), o.ca.Trust(), &smime.RecipientOptions{
		Capabilities: func(string, *x509.Certificate) smime.Capabilities { return capabilities(t, oid3DES) }})
	if err != nil {
		t.Fatal(err)
	}
	o.sender.ToSelf = self
	list, err := o.send(t, false, true, hidden1)
	failed, ok := errors.AsType[smime.RecipientErrors](err)
	if !ok || len(failed) != 1 || failed[0].Mailbox != alice || !errors.Is(err, smime.ErrNoCipher) || len(list) > 0 {
		t.Errorf("%d messages, %v", len(list), err)
	}
}

// A pairedDirectory answers nobody before somebody else asks, too.
type pairedDirectory struct {
	chain.Source
	met chan struct{}
}

func (d *pairedDirectory) Find(ctx context.Context, q chain.Query) iter.Seq2[*chain.Entry, error] {
	if q.Mailbox != "" {
		select {
		case d.met <- struct{}{}:
		case <-d.met:
		case <-ctx.Done():
		}
	}
	return d.Source.Find(ctx, q)
}

// TestLookedUpAtOnce holds that recipients, hidden ones too, don't wait for one
// another in the directory, neither in the first round nor for their proxies.
func TestLookedUpAtOnce(t *testing.T) {
	ca := smimetest.NewCA(t)
	one, two := ca.Identity("second1@example.com").Certificate(), ca.Identity("second2@example.com").Certificate()
	s := exchange.Sender{Trust: ca.Trust().With(chain.Untrusted(&pairedDirectory{chain.Certs(one, two), make(chan struct{})}))}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	m := exchange.Outgoing{
		Message: bytes.NewReader(smimetest.Mail(alice, bob, "hello")), Encrypt: true,
		To:  []exchange.Person{{Mailbox: bob, Proxies: []string{"second1@example.com", "never@example.com"}}},
		BCC: []exchange.Person{{Mailbox: hidden1, Proxies: []string{"second2@example.com"}}},
	}
	var list []sent
	if err := s.Send(ctx, m, collect(&list)); err != nil || len(list) != 2 {
		t.Errorf("%d messages, %v", len(list), err)
	}
}

// TestAllOrNobody holds that all reasons are told and nothing is delivered if
// one recipient fails, hidden or not.
func TestAllOrNobody(t *testing.T) {
	for _, tt := range []struct {
		name string
		bad  func(*smimetest.CA) *smime.Identity
		want error
	}{
		{"none", func(ca *smimetest.CA) *smime.Identity { return ca.Identity("other@example.com") }, smime.ErrNoCertificate},
		{"expired", func(ca *smimetest.CA) *smime.Identity { return ca.Identity("bad@example.com", smimetest.Expired()) }, chain.ErrExpired},
		{"for signing", func(ca *smimetest.CA) *smime.Identity { return ca.Identity("bad@example.com", smimetest.SigningOnly()) }, chain.ErrWrongPurpose},
		{"revoked", func(ca *smimetest.CA) *smime.Identity {
			id := ca.Identity("bad@example.com")
			ca.Revoke(id)
			return id
		}, chain.ErrRevoked},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, forking := range []exchange.BCCForking{exchange.OneMessagePerBCC, exchange.OneMessageForAllBCC, exchange.NoForking} {
				for _, hidden := range []bool{false, true} {
					ca := smimetest.NewCA(t)
					bad := tt.bad(ca)
					cfg := exchange.DefaultConfig()
					cfg.BCCEncryptedEmailForking, cfg.AlwaysEncrypt, cfg.AlwaysSign = forking, true, true
					signer := ca.Identity(alice)
					s := exchange.Sender{Config: &cfg, Identities: []*smime.Identity{signer}, Trust: ca.Directory(ca.Identity(bob), bad, signer)}
					m := exchange.Outgoing{Message: bytes.NewReader(smimetest.Mail(alice, bob, "hello")), To: persons(bob), BCC: persons(bob)}
					if hidden {
						m.BCC = append(m.BCC, persons("bad@example.com", "missing@example.com")...)
					} else {
						m.To = append(m.To, persons("bad@example.com", "missing@example.com")...)
					}
					var list []sent
					err := s.Send(t.Context(), m, collect(&list))
					failed, ok := errors.AsType[smime.RecipientErrors](err)
					if !ok || len(failed) != 2 || failed[0].Mailbox != "bad@example.com" || !errors.Is(failed[0], tt.want) || len(list) > 0 {
						t.Errorf("hidden %v: %d messages, %v", hidden, len(list), err)
					}
				}
			}
		})
	}
}

func TestRefusedCalls(t *testing.T) {
	o := newOffice(t)
	mail := func() io.ReadSeeker { return strings.NewReader(o.mail()) }
	never := func(context.Context, []string, io.Reader) error {
		t.Error("delivered")
		return nil
	}
	contradicting := exchange.DefaultConfig()
	contradicting.CheckCRLOnSend, contradicting.DisableCRLCheck = true, true
	for _, tt := range []struct {
		name    string
		sender  exchange.Sender
		m       exchange.Outgoing
		deliver exchange.Deliver
		want    error
	}{
		{"no message", o.sender, exchange.Outgoing{To: persons(bob)}, never, exchange.ErrSetting},
		{"no recipient", o.sender, exchange.Outgoing{Message: mail()}, never, exchange.ErrSetting},
		{"no Deliver", o.sender, exchange.Outgoing{Message: mail(), To: persons(bob)}, nil, exchange.ErrSetting},
		{"contradicting", exchange.Sender{Config: &contradicting, Trust: o.sender.Trust}, exchange.Outgoing{Message: mail(), To: persons(bob)}, never, exchange.ErrSetting},
		{"no collection to encrypt with", exchange.Sender{}, exchange.Outgoing{Message: mail(), To: persons(bob), Encrypt: true}, never, exchange.ErrNoCollection},
		{"no collection to sign with", exchange.Sender{Identities: o.sender.Identities}, exchange.Outgoing{Message: mail(), To: persons(bob), Sign: true}, never, exchange.ErrNoCollection},
		{"nobody may sign", exchange.Sender{Trust: o.sender.Trust}, exchange.Outgoing{Message: mail(), To: persons(bob), Sign: true, Encrypt: true}, never, exchange.ErrNoSigner},
		{"not a message", o.sender, exchange.Outgoing{Message: strings.NewReader("From: " + alice + "\r\nContent-Type: a\r\nContent-Type: b\r\n\r\n"), To: persons(bob), Sign: true}, never, smime.ErrHeader},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.sender.Send(t.Context(), tt.m, tt.deliver); !errors.Is(err, tt.want) {
				t.Errorf("%v", err)
			}
		})
	}
}

var errFull = errors.New("mailbox full")

func TestDeliveryFailures(t *testing.T) {
	type call = func(ctx context.Context, r io.Reader) error
	readAll := func(_ context.Context, r io.Reader) error { _, err := io.Copy(io.Discard, r); return err }
	for _, tt := range []struct {
		name    string
		deliver call
		cause   error // nil: any
	}{
		{"fails at once", func(context.Context, io.Reader) error { return errFull }, errFull},
		{"fails in the middle", func(_ context.Context, r io.Reader) error {
			if _, err := io.ReadFull(r, make([]byte, 100)); err != nil {
				return err
			}
			return errFull
		}, errFull},
		{"fails at the end", func(ctx context.Context, r io.Reader) error { return errors.Join(readAll(ctx, r), errFull) }, errFull},
		{"reads nothing", func(context.Context, io.Reader) error { return nil }, nil},
		{"reads a part", func(_ context.Context, r io.Reader) error { _, err := io.ReadFull(r, make([]byte, 100)); return err }, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, sign := range []bool{false, true} {
				o := newOffice(t)
				var done []string
				m := exchange.Outgoing{Message: strings.NewReader(o.mail()), To: persons(bob), BCC: persons(hidden1, hidden2), Sign: sign, Encrypt: true}
				err := o.sender.Send(t.Context(), m, func(ctx context.Context, to []string, r io.Reader) error {
					if to[0] == hidden1 {
						return tt.deliver(ctx, r)
					}
					done = append(done, to...)
					return readAll(ctx, r)
				})
				e, ok := errors.AsType[*exchange.DeliveryError](err)
				if !ok || !slices.Equal(e.Recipients, []string{hidden1}) || tt.cause != nil && !errors.Is(err, tt.cause) {
					t.Errorf("%v", err)
				}
				if !slices.Equal(done, []string{bob, hidden2}) {
					t.Errorf("delivered to %v", done)
				}
			}
		})
	}
}

// TestSignedInPart holds that a signed message of which a part was read was not
// delivered.
func TestSignedInPart(t *testing.T) {
	o := newOffice(t)
	for _, sign := range []bool{false, true} {
		m := exchange.Outgoing{Message: newAttached([]string{bob}, 1<<20), To: persons(bob), Sign: sign}
		err := o.sender.Send(t.Context(), m, func(_ context.Context, _ []string, r io.Reader) error {
			_, err := io.ReadFull(r, make([]byte, 1<<19))
			return err
		})
		if e, ok := errors.AsType[*exchange.DeliveryError](err); !ok || !slices.Equal(e.Recipients, []string{bob}) {
			t.Errorf("signed %v: %v", sign, err)
		}
	}
}

// TestDeliverIsToldAtOnce holds that the context of Deliver ends when the
// message can't be made, also for one who does not read.
func TestDeliverIsToldAtOnce(t *testing.T) {
	o := newOffice(t)
	m := exchange.Outgoing{Message: &brittle{strings.NewReader(o.mail()), 1}, To: persons(bob), Encrypt: true}
	err := o.sender.Send(t.Context(), m, func(ctx context.Context, _ []string, _ io.Reader) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(2 * time.Minute):
			return errors.New("nobody said anything")
		}
	})
	if !errors.Is(err, errUnplugged) || !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestReadWithoutEOF holds that whoever knows the length need not ask for more.
func TestReadWithoutEOF(t *testing.T) {
	o := newOffice(t)
	first := o.one(t, true, false)
	err := o.sender.Send(t.Context(), exchange.Outgoing{Message: strings.NewReader(o.mail()), To: persons(bob)}, func(_ context.Context, _ []string, r io.Reader) error {
		b := make([]byte, len(o.mail())-len("Bcc: hidden1@example.com,\r\n hidden2@example.com\r\n"))
		_, err := io.ReadFull(r, b)
		return err
	})
	if err != nil || len(first) == 0 {
		t.Error(err)
	}
}

// A brittle reader can't be read any more after some calls of Seek.
type brittle struct {
	io.ReadSeeker
	seeks int
}

var errUnplugged = errors.New("unplugged")

func (b *brittle) Seek(offset int64, whence int) (int64, error) {
	if b.seeks--; b.seeks < 0 {
		return 0, errUnplugged
	}
	return b.ReadSeeker.Seek(offset, whence)
}

// TestSourceFails holds that a message that can't be made is the failure of its
// delivery, with the cause, and that Deliver sees an error in place of an end.
func TestSourceFails(t *testing.T) {
	o := newOffice(t)
	failures := 0
	for seeks := range 40 {
		m := exchange.Outgoing{Message: &brittle{strings.NewReader(o.mail()), seeks}, To: persons(bob), BCC: persons(hidden1), Encrypt: true}
		delivered := 0
		err := o.sender.Send(t.Context(), m, func(_ context.Context, _ []string, r io.Reader) error {
			b, err := io.ReadAll(r)
			if err == nil {
				delivered++
				o.forms(t, b, bobOrHidden(t, o, b))
			}
			return err
		})
		if err == nil {
			if delivered != 2 {
				t.Errorf("%d seeks: %d of 2", seeks, delivered)
			}
			break
		}
		failures++
		if !errors.Is(err, errUnplugged) {
			t.Errorf("%d seeks: %v", seeks, err)
		}
	}
	if failures < 3 {
		t.Errorf("only %d failures", failures)
	}
	m := exchange.Outgoing{Message: struct {
		io.Reader
		io.Seeker
	}{iotest.ErrReader(errUnplugged), strings.NewReader("")}, To: persons(bob), Sign: true}
	if err := o.sender.Send(t.Context(), m, collect(new([]sent))); !errors.Is(err, errUnplugged) {
		t.Errorf("%v", err)
	}
}

// bobOrHidden returns who of the two can read the message.
func bobOrHidden(t testing.TB, o *office, mail []byte) string {
	t.Helper()
	for _, box := range []string{bob, hidden1} {
		if _, err := smime.Decrypt(t.Context(), io.Discard, bytes.NewReader(mail), smime.Identities{o.people[box]}, nil); err == nil {
			return box
		}
	}
	t.Fatal("nobody can read it")
	return ""
}

func TestCanceled(t *testing.T) {
	o := newOffice(t)
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	m := exchange.Outgoing{Message: strings.NewReader(o.mail()), To: persons(bob), BCC: persons(hidden1, hidden2), Sign: true, Encrypt: true}
	err := o.sender.Send(ctx, m, func(_ context.Context, _ []string, r io.Reader) error {
		calls++
		_, err := io.Copy(io.Discard, r)
		cancel()
		return err
	})
	if !errors.Is(err, context.Canceled) || calls != 1 {
		t.Errorf("%d calls, %v", calls, err)
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || len(joined.Unwrap()) != 2 {
		t.Errorf("%v: want an error for each that was not delivered", err)
	}
	calls = 0
	if err := o.sender.Send(ctx, m, func(context.Context, []string, io.Reader) error { calls++; return nil }); !errors.Is(err, context.Canceled) || calls > 0 {
		t.Errorf("%d calls, %v", calls, err)
	}
}

// A network answers for CRLs as a test says and remembers what it was asked.
type network struct {
	crl     []byte // nil: nobody answers
	hang    bool   // until the caller gives up
	asked   int
	longest time.Duration // that a connection was given
	urls    []string
}

func (n *network) Fetch(ctx context.Context, kind chain.Kind, url string, _ []byte) ([][]byte, error) {
	n.asked++
	n.urls = append(n.urls, url)
	if end, ok := ctx.Deadline(); ok {
		n.longest = max(n.longest, time.Until(end))
	}
	switch {
	case n.hang:
		<-ctx.Done()
		return nil, ctx.Err()
	case n.crl == nil:
		return nil, errors.New("no route to host")
	}
	return [][]byte{n.crl}, nil
}

// TestCRLChecksOnSend blocks or sends as OWACheckCRLOnSend and
// OWADisableCRLCheck say, both for recipients and for the signer.
func TestCRLChecksOnSend(t *testing.T) {
	a := newAuthority(t, "a", year(2045))
	points := func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"http://crl.example/a"} }
	signer, reader := a.identity(alice, points), a.identity(bob, points)
	current, withSigner, withReader := a.crl(), a.crl(signer), a.crl(reader)
	for _, tt := range []struct {
		name           string
		check, disable bool
		net            *network
		in             chain.Revocation // what the caller asks for
		want           error
		fetches        bool
	}{
		{"reachable", true, false, &network{crl: current}, 0, nil, true},
		{"reachable, not required", false, false, &network{crl: current}, 0, nil, true},
		{"unreachable, required", true, false, &network{}, 0, chain.ErrRevocationUnknown, true},
		{"unreachable, not required", false, false, &network{}, 0, nil, true},
		{"unreachable, the caller requires", false, false, &network{}, chain.RevocationRequireLeaf, chain.ErrRevocationUnknown, true},
		{"the caller can't switch it off", false, false, &network{crl: withReader}, chain.InsecureSkipRevocation, chain.ErrRevoked, true},
		{"the caller can't lift it", true, false, &network{}, chain.InsecureSkipRevocation, chain.ErrRevocationUnknown, true},
		{"recipient revoked", false, false, &network{crl: withReader}, 0, chain.ErrRevoked, true},
		{"recipient revoked, required", true, false, &network{crl: withReader}, 0, chain.ErrRevoked, true},
		{"signer revoked", false, false, &network{crl: withSigner}, 0, chain.ErrRevoked, true},
		{"revoked, switched off", false, true, &network{crl: withReader}, 0, nil, false},
		{"unreachable, switched off", false, true, &network{}, 0, nil, false},
		{"no network, required", true, false, nil, 0, chain.ErrRevocationUnknown, false},
		{"no network, not required", false, false, nil, 0, nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, place := range []string{"Sender", "Options"} {
				cfg := exchange.DefaultConfig()
				cfg.CheckCRLOnSend, cfg.DisableCRLCheck = tt.check, tt.disable
				s := exchange.Sender{Config: &cfg, Identities: []*smime.Identity{signer}, Trust: a.directory(signer, reader)}
				s.Recipients.Chain.Revocation = tt.in
				if tt.net != nil {
					tt.net.asked = 0
					if place == "Sender" {
						s.Fetcher = tt.net
					} else {
						s.Recipients.Chain.Fetcher = tt.net
					}
				}
				var list []sent
				m := exchange.Outgoing{Message: bytes.NewReader(smimetest.Mail(alice, bob, "hello")), To: persons(bob), Sign: true, Encrypt: true}
				err := s.Send(t.Context(), m, collect(&list))
				if !errors.Is(err, tt.want) || (err == nil) != (len(list) == 1) {
					t.Errorf("%d messages, %v", len(list), err)
				}
				if tt.net != nil && (tt.net.asked > 0) != tt.fetches {
					t.Errorf("asked %d times", tt.net.asked)
				}
			}
		})
	}
}

// TestCheckCRLOnSendWithoutPlaces sends where the certificates name neither a
// CRL nor a responder: no place is out of reach.
func TestCheckCRLOnSendWithoutPlaces(t *testing.T) {
	a := newAuthority(t, "a", year(2045))
	signer, reader := a.identity(alice, nil), a.identity(bob, nil)
	for _, tt := range []struct {
		name string
		dir  *chain.Collection
		want error
	}{
		{"nothing known", a.directory(signer, reader), nil},
		{"revoked by a CRL at hand", a.directory(signer, reader).With(chain.Untrusted(chain.DER(a.crl(reader)))), chain.ErrRevoked},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := exchange.DefaultConfig()
			cfg.CheckCRLOnSend = true
			refused := errors.New("by the caller")
			s := exchange.Sender{Config: &cfg, Identities: []*smime.Identity{signer}, Trust: tt.dir, Fetcher: &network{}}
			for _, check := range []func(*chain.Path) error{nil, func(*chain.Path) error { return refused }} {
				s.Recipients.Chain.Check = check
				want := tt.want
				if check != nil && want == nil {
					want = refused
				}
				var list []sent
				m := exchange.Outgoing{Message: bytes.NewReader(smimetest.Mail(alice, bob, "hello")), To: persons(bob), Sign: true, Encrypt: true}
				if err := s.Send(t.Context(), m, collect(&list)); !errors.Is(err, want) || (err == nil) != (len(list) == 1) {
					t.Errorf("%d messages, %v, want %v", len(list), err, want)
				}
			}
		})
	}
}

// TestCRLTimeouts holds that a connection ends by OWACRLConnectionTimeout and
// all of one validation by OWACRLRetrievalTimeout.
func TestCRLTimeouts(t *testing.T) {
	a := newAuthority(t, "a", year(2045))
	reader := a.identity(bob, func(c *x509.Certificate) {
		c.CRLDistributionPoints = []string{"http://crl.example/1", "http://crl.example/2", "http://crl.example/3"}
	})
	const forever = time.Hour
	for _, tt := range []struct {
		name                  string
		connection, retrieval time.Duration
		longest               time.Duration
		asked                 int // at least
	}{
		{"connection", 2 * time.Millisecond, forever, 2 * time.Millisecond, 3},
		{"retrieval", forever, 2 * time.Millisecond, 2 * time.Millisecond, 1},
		{"both", time.Millisecond, 2 * time.Millisecond, time.Millisecond, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, block := range []bool{false, true} {
				cfg := exchange.DefaultConfig()
				cfg.CRLConnectionTimeout, cfg.CRLRetrievalTimeout, cfg.CheckCRLOnSend = tt.connection, tt.retrieval, block
				net := &network{hang: true}
				s := exchange.Sender{Config: &cfg, Trust: a.directory(reader), Fetcher: net}
				var list []sent
				m := exchange.Outgoing{Message: bytes.NewReader(smimetest.Mail(alice, bob, "hello")), To: persons(bob), Encrypt: true}
				err := s.Send(t.Context(), m, collect(&list))
				if block != errors.Is(err, chain.ErrRevocationUnknown) || (err == nil) != (len(list) == 1) {
					t.Errorf("block %v: %d messages, %v", block, len(list), err)
				}
				if net.longest > tt.longest || net.asked < tt.asked {
					t.Errorf("a connection had %v, %d were made", net.longest, net.asked)
				}
			}
		})
	}
}
