package exchange

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
)

// An Outgoing message as a mail program has it before S/MIME.
type Outgoing struct {
	Message io.ReadSeeker // header and body, from its current offset; a Bcc field is removed
	To, BCC []Person      // To has everybody who is no blind copy
	Sign    bool
	Encrypt bool
	// Signer signs, where the Config leaves the choice to the user; nil: the
	// newest of Sender.Identities that may.
	Signer *smime.Identity
}

// A Person is one recipient. Proxies are further addresses of the same mailbox.
type Person struct {
	Mailbox string
	Proxies []string
}

// Deliver sends one finished message. It must read message to its end and give
// up if that fails: the rest of the message could not be made. It must not use
// message after it returns. ctx ends with that of [Sender.Send], or as soon as
// the message can't be made.
type Deliver func(ctx context.Context, recipients []string, message io.Reader) error

// A Sender applies a Config to outgoing mail. It is safe for concurrent use if
// its fields are not changed.
//
// DEVIATION: the documented default of the signing algorithms is SHA-1 alone. In
// its place the best for the key is written, SHA-256 or more; where a list was
// set that begins with SHA-1 or MD5, Send refuses unless SkipObsolete is set.
// Nothing writes SHA-1, MD5, Triple DES, RC2 or DES. A list of signing
// algorithms is about RSA and ECDSA keys: others have a digest of their own.
type Sender struct {
	Config     *Config           // nil: DefaultConfig
	Identities []*smime.Identity // the newest that may sign does
	// Trust is where certificates are found and verified. Without it nothing can
	// be signed or encrypted: ErrNoCollection.
	Trust   *chain.Collection
	Fetcher chain.Fetcher // nil: that of Recipients.Chain, if any
	// Recipients says how certificates are judged, of recipients and of the
	// signer. What the Config says of revocation and time-outs wins.
	Recipients smime.RecipientOptions
	// ToSelf can read the messages too, but for the blind copies of a message
	// that has other recipients; nil: nobody.
	ToSelf *smime.Recipient
	// Policy is that of a mobile device, or nil. What it requires is done, or
	// the message is refused with an error that wraps ErrPolicy.
	Policy *MobilePolicy
	// SkipObsolete passes over obsolete algorithms at the head of a list
	// instead of refusing the message, and takes the first that can be written.
	SkipObsolete bool
	Limits       smime.Limits
}

// A DeliveryError says that one of several messages could not be made or
// delivered. The others were not affected.
type DeliveryError struct {
	Recipients []string
	Err        error
}

func (e *DeliveryError) Error() string {
	return fmt.Sprintf("exchange: delivery to %d recipients: %v", len(e.Recipients), e.Err)
}

// Unwrap returns the cause.
func (e *DeliveryError) Unwrap() error { return e.Err }

// Send makes the messages that the Config asks for and hands each to deliver:
// one, or several where blind copies are forked. All recipients are resolved
// and the message is signed before the first delivery; if any recipient has no
// usable certificate, or reads no cipher of the list, the error is a
// [smime.RecipientErrors] and nothing is delivered. The message is signed once
// and encrypted anew for every delivery, always with the same cipher, and then
// signed again if it is to be triple-wrapped. If a delivery fails the others still take place, unless ctx
// ended, and the error joins a [*DeliveryError] for each that failed.
func (s *Sender) Send(ctx context.Context, m Outgoing, deliver Deliver) error {
	cfg := s.Config
	if cfg == nil {
		def := DefaultConfig()
		cfg = &def
	}
	if err := cfg.Check(); err != nil {
		return err
	}
	if m.Message == nil || len(m.To)+len(m.BCC) == 0 {
		return &SettingError{Name: "Outgoing", Reason: "has no message or no recipient"}
	}
	if deliver == nil {
		return &SettingError{Name: "Deliver", Reason: "is nil"}
	}
	j := &job{Sender: s, cfg: cfg, m: m, people: make(map[*smime.Recipient]string), sign: m.Sign || cfg.AlwaysSign, encrypt: m.Encrypt || cfg.AlwaysEncrypt}
	if s.Policy != nil {
		if err := s.Policy.valid(); err != nil {
			return err
		}
		j.sign = j.sign || s.Policy.RequireSignedSMIMEMessages
		j.encrypt = j.encrypt || s.Policy.RequireEncryptedSMIMEMessages
	}
	if (j.sign || j.encrypt) && s.Trust == nil {
		return ErrNoCollection
	}
	return j.run(ctx, deliver)
}

// chainOptions returns how certificates are judged under the config: the two
// time-outs, and whether unknown revocation blocks.
func (s *Sender) chainOptions(cfg *Config) chain.Options {
	o := s.Recipients.Chain
	if s.Fetcher != nil {
		o.Fetcher = s.Fetcher
	}
	if o.Fetcher != nil {
		o.Fetcher = &timeoutFetcher{o.Fetcher, cfg.CRLConnectionTimeout}
		o.FetchTimeout = cfg.CRLRetrievalTimeout
	}
	if cfg.DisableCRLCheck {
		o.Revocation = chain.InsecureSkipRevocation
		return o
	}
	if o.Revocation == chain.InsecureSkipRevocation {
		o.Revocation = chain.RevocationWhereKnown
	}
	if cfg.CheckCRLOnSend {
		o.Check = requireReachable(o.Check)
	}
	return o
}

// requireReachable refuses a path with a certificate that names a CRL or an
// OCSP responder if its status could not be found out.
func requireReachable(next func(*chain.Path) error) func(*chain.Path) error {
	return func(p *chain.Path) error {
		list := p.Certificates()
		for i, c := range list[:len(list)-1] {
			if p.Revocation(i).Status == chain.StatusUnknown && namesRevocation(c) {
				return &chain.Error{Reason: chain.ErrRevocationUnknown, Cert: c, Detail: "it names a CRL or OCSP responder, and none of them said anything"}
			}
		}
		if next != nil {
			return next(p)
		}
		return nil
	}
}

// namesRevocation reports whether c says where its revocation can be looked up.
func namesRevocation(c *x509.Certificate) bool {
	points := asn1.ObjectIdentifier{2, 5, 29, 31} // id-ce-cRLDistributionPoints, of any form
	return len(c.OCSPServer) > 0 || slices.ContainsFunc(c.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(points) })
}

// timeoutFetcher bounds each connection, as OWACRLConnectionTimeout does.
type timeoutFetcher struct {
	chain.Fetcher
	timeout time.Duration
}

func (f *timeoutFetcher) Fetch(ctx context.Context, kind chain.Kind, url string, request []byte) ([][]byte, error) {
	if f.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, f.timeout)
		defer cancel()
	}
	return f.Fetcher.Fetch(ctx, kind, url, request)
}

// Keep implements chain.Keeper.
func (f *timeoutFetcher) Keep(kind chain.Kind, url string, request []byte, elements [][]byte) {
	if k, ok := f.Fetcher.(chain.Keeper); ok {
		k.Keep(kind, url, request, elements)
	}
}

// resolve finds a verified certificate for each person, by the proxy addresses
// too if the config says so.
func (j *job) resolve(ctx context.Context, people []Person) ([]*smime.Recipient, error) {
	opts := j.Recipients
	opts.Chain = j.chainOptions(j.cfg)
	if !j.cfg.UseSecondaryProxiesWhenFindingCerts {
		people = slices.Clone(people)
		for i := range people {
			people[i].Proxies = nil
		}
	}
	found, err := FindRecipients(ctx, people, j.Trust, &opts)
	for i, r := range found {
		if r != nil {
			j.people[r] = people[i].Mailbox
		}
	}
	return found, err
}

// cipher returns the first cipher of the list that every recipient whose
// capabilities are known reads. It never passes over one that it can't write.
func (j *job) cipher(to []*smime.Recipient) (pkcs7.Cipher, error) {
	const name = "OWAEncryptionAlgorithms"
	list := j.cfg.EncryptionAlgorithms
	if len(list) == 0 {
		list = defaultEncryption()
	}
	written, reads := false, make([]bool, len(to)) // any of the list
	for _, a := range list {
		c, ok := a.cipher()
		if !ok && j.SkipObsolete {
			continue
		}
		if !ok {
			return 0, &SettingError{Name: name, Value: a.String(), Reason: "is obsolete or unknown and is not written"}
		}
		written = true
		all := true
		for i, r := range to {
			if caps := r.Capabilities(); caps == nil || caps.Reads(c) {
				reads[i] = true
			} else {
				all = false
			}
		}
		if all {
			return c, nil
		}
	}
	if !written {
		return 0, &SettingError{Name: name, Value: FormatAlgorithms(list), Reason: "has no algorithm that is still written"}
	}
	var failed smime.RecipientErrors
	for i, r := range to {
		if !reads[i] {
			mailbox, ok := j.people[r]
			if !ok {
				mailbox = r.Mailbox() // the sender's own
			}
			failed = append(failed, &smime.RecipientError{Mailbox: mailbox, Err: smime.ErrNoCipher})
		}
	}
	if failed != nil {
		return 0, failed
	}
	return 0, &SettingError{Name: name, Value: FormatAlgorithms(list), Reason: "has no algorithm that all recipients read"}
}

// digestBits returns the size of the digest to sign with; 0: that of the key.
func (s *Sender) digestBits(cfg *Config) (int, error) {
	const name = "OWASigningAlgorithms"
	if isDefaultSigning(cfg.SigningAlgorithms) {
		return 0, nil
	}
	for _, a := range cfg.SigningAlgorithms {
		if bits := a.digestBits(); bits > 0 {
			return bits, nil
		}
		if !s.SkipObsolete {
			return 0, &SettingError{Name: name, Value: a.String(), Reason: "is obsolete or unknown and is not written"}
		}
	}
	return 0, &SettingError{Name: name, Value: FormatAlgorithms(cfg.SigningAlgorithms), Reason: "has no algorithm that is still written"}
}
