package exchange

import (
	"context"
	"errors"
	"fmt"
	"io"
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
// up if that fails: the rest of the message could not be made.
type Deliver func(ctx context.Context, recipients []string, message io.Reader) error

// A Sender applies a Config to outgoing mail. It is safe for concurrent use if
// its fields are not changed.
//
// DEVIATION: the documented default of the signing algorithms is SHA-1. In its
// place SHA-256 is written; where the list was set to begin with SHA-1 or MD5,
// Send refuses unless SkipObsolete is set. Nothing writes SHA-1, MD5, Triple
// DES, RC2 or DES.
type Sender struct {
	Config     *Config           // nil: DefaultConfig
	Identities []*smime.Identity // the newest that may sign does
	Trust      *chain.Collection // where certificates are found and verified
	Fetcher    chain.Fetcher     // nil: revocation is judged by what Trust has
	Recipients smime.RecipientOptions
	ToSelf     *smime.Recipient // reads the main message too; nil: nobody
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
// usable certificate the error is a [smime.RecipientErrors] and nothing is
// delivered. A signature is made once; every delivery encrypts anew. If a
// delivery fails the others still take place, and the error joins a
// [*DeliveryError] for each that failed.
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
	j := &job{Sender: s, cfg: cfg, m: m, sign: m.Sign || cfg.AlwaysSign, encrypt: m.Encrypt || cfg.AlwaysEncrypt}
	return j.run(ctx, deliver)
}

// chainOptions returns how certificates are judged under the config: the two
// time-outs, and whether unknown revocation blocks.
func (s *Sender) chainOptions(cfg *Config) chain.Options {
	o := s.Recipients.Chain
	if s.Fetcher != nil {
		o.Fetcher = &timeoutFetcher{s.Fetcher, cfg.CRLConnectionTimeout}
		o.FetchTimeout = cfg.CRLRetrievalTimeout
	}
	switch {
	case cfg.DisableCRLCheck:
		o.Revocation, o.Fetcher = chain.InsecureSkipRevocation, nil
	case cfg.CheckCRLOnSend:
		o.Revocation = chain.RevocationRequireAll
	}
	return o
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

// resolve finds a verified certificate for each person, by the primary address
// first and then, if the config says so, by the others.
func (s *Sender) resolve(ctx context.Context, cfg *Config, people []Person) ([]*smime.Recipient, smime.RecipientErrors) {
	opts := s.Recipients
	opts.Chain = s.chainOptions(cfg)
	found := make([]*smime.Recipient, 0, len(people))
	var failed smime.RecipientErrors
	for _, p := range people {
		r, err := s.resolveOne(ctx, cfg, p, &opts)
		if err != nil {
			failed = append(failed, &smime.RecipientError{Mailbox: p.Mailbox, Err: err})
			continue
		}
		found = append(found, r)
	}
	return found, failed
}

func (s *Sender) resolveOne(ctx context.Context, cfg *Config, p Person, opts *smime.RecipientOptions) (*smime.Recipient, error) {
	addresses := []string{p.Mailbox}
	if cfg.UseSecondaryProxiesWhenFindingCerts {
		addresses = append(addresses, p.Proxies...)
	}
	var first error
	for _, a := range addresses {
		list, err := smime.FindRecipients(ctx, []string{a}, s.Trust, opts)
		if err == nil {
			return list[0], nil
		}
		if failed, ok := errors.AsType[smime.RecipientErrors](err); ok && len(failed) == 1 {
			err = failed[0].Err
		}
		if first == nil {
			first = err
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, first
}

// cipher returns the first cipher of the list that can be written and that
// every recipient whose capabilities are known reads.
func (s *Sender) cipher(cfg *Config, to []*smime.Recipient) (pkcs7.Cipher, error) {
	const name = "OWAEncryptionAlgorithms"
	list := cfg.EncryptionAlgorithms
	if len(list) == 0 {
		list = defaultEncryption()
	}
	for _, a := range list {
		c, ok := a.cipher()
		if !ok {
			if s.SkipObsolete {
				continue
			}
			return 0, &SettingError{Name: name, Value: a.String(), Reason: "is obsolete or unknown and is not written"}
		}
		readable := true
		for _, r := range to {
			if caps := r.Capabilities(); caps != nil && !caps.Reads(c) {
				readable = false
			}
		}
		if readable {
			return c, nil
		}
	}
	return 0, &SettingError{Name: name, Value: FormatAlgorithms(list), Reason: "has no algorithm that can be written and that all recipients read"}
}

// digestBits returns the size of the digest to sign with.
func (s *Sender) digestBits(cfg *Config) (int, error) {
	const name = "OWASigningAlgorithms"
	if isDefaultSigning(cfg.SigningAlgorithms) {
		return 256, nil
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
