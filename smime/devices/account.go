package devices

import (
	"fmt"
	"strings"
	"time"

	"github.com/gosmime/gosmime/smime"
)

// An Account is the mail account of a [Profile]: an [ExchangeAccount] or a
// [MailAccount].
type Account interface {
	// describe adds the members of the account's payload and returns its type,
	// the address and the switches.
	describe(d *dict) error
	parts() (kind, mailbox string, s SMIME)
}

// SMIME has the switches of an account. The zero SMIME signs and encrypts
// nothing unless the user asks for it, where the user may.
type SMIME struct {
	Sign    bool // sign every message by default
	Encrypt bool // encrypt every message by default
	// UserChooses lets the user switch encryption on and off for each message,
	// and signing and encryption in the settings.
	UserChooses bool
}

// An ExchangeAccount is an account of Exchange ActiveSync.
type ExchangeAccount struct {
	Mailbox string // required
	Host    string // of the server; empty: found by Autodiscover
	User    string // empty: the device asks
	OAuth   bool   // modern authentication, as Exchange Online demands
	SMIME   SMIME
}

// A MailAccount is an account of IMAP and SMTP submission, both with TLS.
type MailAccount struct {
	Mailbox      string // required
	FullName     string
	IncomingHost string // required, IMAP
	IncomingPort int    // zero: 993
	OutgoingHost string // required, SMTP
	OutgoingPort int    // zero: 587
	User         string // on both servers; empty: Mailbox
	SMIME        SMIME
}

func (a *ExchangeAccount) parts() (kind, mailbox string, s SMIME) {
	return "com.apple.eas.account", a.Mailbox, a.SMIME
}

func (a *ExchangeAccount) describe(d *dict) error {
	if a.Host != "" && !hostName(a.Host) {
		return fmt.Errorf("%w: host of the account", ErrMalformed)
	}
	d.add("EmailAddress", a.Mailbox)
	d.addText("Host", a.Host)
	d.addText("UserName", a.User)
	d.add("SSL", true)
	d.add("OAuth", a.OAuth)
	return nil
}

func (a *MailAccount) parts() (kind, mailbox string, s SMIME) {
	return "com.apple.mail.managed", a.Mailbox, a.SMIME
}

func (a *MailAccount) describe(d *dict) error {
	in, out, user := a.IncomingPort, a.OutgoingPort, a.User
	if in == 0 {
		in = 993
	}
	if out == 0 {
		out = 587
	}
	if user == "" {
		user = a.Mailbox
	}
	if !hostName(a.IncomingHost) || !hostName(a.OutgoingHost) || in < 1 || in > 65535 || out < 1 || out > 65535 {
		return fmt.Errorf("%w: host or port of the account", ErrMalformed)
	}
	d.add("EmailAccountType", "EmailTypeIMAP")
	d.add("EmailAddress", a.Mailbox)
	d.addText("EmailAccountName", a.FullName)
	for _, side := range []struct {
		name, host string
		port       int
	}{{"Incoming", a.IncomingHost, in}, {"Outgoing", a.OutgoingHost, out}} {
		d.add(side.name+"MailServerAuthentication", "EmailAuthPassword")
		d.add(side.name+"MailServerHostName", side.host)
		d.add(side.name+"MailServerPortNumber", side.port)
		d.add(side.name+"MailServerUseSSL", true)
		d.add(side.name+"MailServerUsername", user)
	}
	d.add("OutgoingPasswordSameAsIncomingPassword", true)
	return nil
}

// account returns the payload of the account, which names the PKCS #12 payloads
// of the newest certificates by their UUIDs.
func (p *Profile) account(uuids map[string]string) (*dict, error) {
	kind, mailbox, s := p.Account.parts()
	if !validUser(mailbox) || len(mailbox) > 320 {
		return nil, fmt.Errorf("%w: address of the account", ErrMalformed)
	}
	now := p.Now
	if now.IsZero() {
		now = time.Now()
	}
	signer, reader := newest(p.Identities, mailbox, signs, now), newest(p.Identities, mailbox, encrypts, now)
	switch {
	case signer == nil:
		return nil, ErrNoSigner
	case reader == nil:
		return nil, ErrNoReader
	}
	d := p.payload(kind, uuidOf(mailbox), mailbox)
	if err := p.Account.describe(d); err != nil {
		return nil, err
	}
	uuid := func(id *smime.Identity) string { return uuids[thumbprint(id.Certificate())] }
	d.add("SMIMEEnabled", true) // before iOS 10
	d.add("SMIMESigningEnabled", s.Sign)
	d.add("SMIMESigningUserOverrideable", s.UserChooses)
	d.add("SMIMESigningCertificateUUID", uuid(signer))
	d.add("SMIMESigningCertificateUUIDUserOverrideable", false)
	d.add("SMIMEEncryptionEnabled", s.Encrypt) // before iOS 12
	d.add("SMIMEEncryptByDefault", s.Encrypt)
	d.add("SMIMEEncryptByDefaultUserOverrideable", s.UserChooses)
	d.add("SMIMEEncryptionCertificateUUID", uuid(reader))
	d.add("SMIMEEncryptionCertificateUUIDUserOverrideable", false)
	d.add("SMIMEEnablePerMessageSwitch", s.UserChooses) // before iOS 12
	d.add("SMIMEEnableEncryptionPerMessageSwitch", s.UserChooses)
	return d, nil
}

// hostName reports whether s can be the name or IPv4 address of a server.
func hostName(s string) bool {
	return s != "" && len(s) <= 253 && !strings.ContainsFunc(s, func(r rune) bool { return notInIdentifier(r) })
}
