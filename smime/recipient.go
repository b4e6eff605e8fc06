package smime

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/mailbox"
	"github.com/gosmime/gosmime/internal/x509der"
)

// A Recipient is a certificate that was verified for encryption to one
// mailbox. It can't be made without that, save by [InsecureRecipient]. The
// zero Recipient is refused, and its methods panic.
type Recipient struct {
	mailbox string
	cert    *x509.Certificate
	der     *x509der.Certificate
	pub     *alg.PublicKey
	path    *chain.Path
	caps    Capabilities
	// showsHeader says that the recipient's program shows protected header fields.
	showsHeader bool
	err         error // of InsecureRecipient: the certificate can't be used at all
}

// NewRecipient verifies that cert is fit for encryption to mailbox. The error
// is a [*RecipientError].
func NewRecipient(ctx context.Context, mailbox string, cert *x509.Certificate, trust *chain.Collection, opts *RecipientOptions) (*Recipient, error) {
	if opts == nil {
		opts = new(RecipientOptions)
	}
	r, err := newRecipient(ctx, mailbox, cert, trust, opts)
	if err != nil {
		return nil, &RecipientError{Mailbox: mailbox, Err: err}
	}
	return r, nil
}

// InsecureRecipient returns a Recipient without verification: whoever supplied
// cert will be able to read the mail. If cert can't be encrypted to at all,
// [Encrypt] says so.
func InsecureRecipient(mailbox string, cert *x509.Certificate, caps Capabilities) *Recipient {
	r := readRecipient(mailbox, cert)
	r.caps = caps.clone()
	if caps == nil && r.der != nil {
		r.caps = certificateCapabilities(r.der)
	}
	return r
}

// RecipientOptions are the options of [NewRecipient] and [FindRecipients].
type RecipientOptions struct {
	// Capabilities of the recipient, as learnt from mail that was verified;
	// nil: those in the certificate (RFC 4262), else unknown.
	// It is called once for each certificate that passed. One call of
	// FindRecipients never calls it twice at a time; nor Chain.Check.
	Capabilities func(mailbox string, cert *x509.Certificate) Capabilities
	// ShowsHeader reports whether the recipient's program is known to show
	// protected header fields, as learnt from [Signer.ShowsHeader]; nil: no. See
	// HideWhereShown. It is called as Capabilities is.
	ShowsHeader func(mailbox string, cert *x509.Certificate) bool
	Chain       chain.Options
}

// Mailbox returns the address that was verified.
func (r *Recipient) Mailbox() string { r.mustBeMade(); return r.mailbox }

// Path returns the validated path; nil after [InsecureRecipient].
func (r *Recipient) Path() *chain.Path { r.mustBeMade(); return r.path }

// Certificate returns the certificate that mail is encrypted to.
func (r *Recipient) Certificate() *x509.Certificate { r.mustBeMade(); return r.cert }

// Capabilities returns what the recipient is known to read, or nil.
func (r *Recipient) Capabilities() Capabilities { r.mustBeMade(); return r.caps.clone() }

func (r *Recipient) mustBeMade() {
	if r.cert == nil {
		panic("smime: Recipient that nobody verified")
	}
}

// readRecipient returns an unverified Recipient with what can be read of cert.
func readRecipient(mailbox string, cert *x509.Certificate) *Recipient {
	r := &Recipient{mailbox: mailbox, cert: cert}
	if cert == nil || len(cert.Raw) == 0 {
		r.cert = new(x509.Certificate)
		r.err = fmt.Errorf("%w: no certificate", ErrMalformed)
		return r
	}
	der, err := x509der.Parse(cert.Raw)
	if err != nil {
		r.err = fmt.Errorf("%w: %w", ErrMalformed, err)
		return r
	}
	r.der, r.cert = der, reparse(der)
	if r.pub, err = alg.ParsePublicKey(der.SPKI); err != nil {
		r.err = fmt.Errorf("%w: public key: %w", ErrMalformed, err)
		return r
	}
	if !canEncrypt(r.pub) {
		r.err = &chain.Error{Reason: chain.ErrWrongPurpose, Cert: r.cert, Detail: "nothing can be encrypted to this kind of key"}
	}
	return r
}

func newRecipient(ctx context.Context, box string, cert *x509.Certificate, trust *chain.Collection, opts *RecipientOptions) (*Recipient, error) {
	box, err := addressIn(box)
	if err != nil {
		return nil, err
	}
	r := readRecipient(box, cert)
	if r.err != nil {
		return nil, r.err
	}
	path, err := trust.Verify(ctx, r.cert, chain.Policy{Purpose: chain.EmailEncryption, Mailbox: box, Options: opts.Chain})
	if err != nil {
		return nil, err
	}
	r.path = path
	if opts.Capabilities != nil {
		r.caps = opts.Capabilities(box, r.cert).clone()
	}
	if r.caps == nil {
		r.caps = certificateCapabilities(r.der)
	}
	r.showsHeader = opts.ShowsHeader != nil && opts.ShowsHeader(box, r.cert)
	return r, nil
}

// addressIn returns the one address of text that is written as in a header field:
// alone, or behind a display name.
func addressIn(text string) (string, error) {
	_, err := mailbox.Parse(text)
	if err == nil {
		return text, nil
	}
	list, listErr := mailbox.List(text)
	if listErr != nil || len(list) != 1 || list[0].InGroup {
		return "", fmt.Errorf("%w: address: %w", ErrMalformed, err)
	}
	return list[0].Address.String(), nil
}

// check returns why nothing may be encrypted to r at that time.
func (r *Recipient) check(now time.Time) error {
	switch {
	case r == nil || r.cert == nil:
		return ErrUnverifiedRecipient
	case r.err != nil:
		return r.err
	}
	certs := []*x509.Certificate{r.cert}
	if r.path != nil {
		// The anchor is trusted as such (RFC 5280 section 6.1.1 (d)).
		path := r.path.Certificates()
		certs = append(certs, path[1:max(1, len(path)-1)]...)
	}
	for _, c := range certs {
		if err := checkTime(c, now); err != nil {
			return err
		}
	}
	return nil
}

// FindRecipients finds in trust and verifies a certificate for each mailbox.
// Of several that pass it takes the one that was issued last. The result has
// one element for each mailbox, nil where none was found; the error is then a
// [RecipientErrors] with one element for each nil, in the same order. [Encrypt]
// refuses a nil Recipient, so that forgetting the error can't drop somebody
// silently.
//
// A mailbox is an address, or one behind a display name, as in
// "Bob <bob@example.com>" (RFC 5322 section 3.4). Up to 8 mailboxes are looked up at a time, since sources may be slow. A
// sub-address, such as alice+news@example.com, is another mailbox than
// alice@example.com: what it stands for only its own server knows.
func FindRecipients(ctx context.Context, mailboxes []string, trust *chain.Collection, opts *RecipientOptions) ([]*Recipient, error) {
	if opts == nil {
		opts = new(RecipientOptions)
	}
	known := lookUp(mailboxes, opts.oneAtATime(), func(box string, opts *RecipientOptions) (*Recipient, error) {
		return findRecipient(ctx, box, trust, opts)
	})
	list := make([]*Recipient, len(mailboxes))
	var errs RecipientErrors
	for i, box := range mailboxes {
		l := known[box]
		list[i] = l.r
		if l.err != nil {
			errs = append(errs, &RecipientError{Mailbox: box, Err: l.err})
		}
	}
	if errs != nil {
		return list, errs
	}
	return list, nil
}

// maxLookups is how many mailboxes are looked up at a time.
const maxLookups = 8

// A lookup is what was found for one mailbox.
type lookup struct {
	r     *Recipient
	err   error
	panic any // of a source or fetcher, to be had in the goroutine of the caller
}

// lookUp looks up each mailbox once.
func lookUp(mailboxes []string, opts *RecipientOptions, find func(string, *RecipientOptions) (*Recipient, error)) map[string]*lookup {
	known := make(map[string]*lookup, len(mailboxes))
	todo := make(chan string, len(mailboxes))
	for _, box := range mailboxes {
		if known[box] == nil {
			known[box] = &lookup{err: ErrUnchecked} // stays if a source ends the goroutine
			todo <- box
		}
	}
	close(todo)
	var wg sync.WaitGroup
	for range min(maxLookups, len(known)) {
		wg.Go(func() {
			for box := range todo {
				l := known[box]
				func() {
					defer func() { l.panic = recover() }()
					l.r, l.err = find(box, opts)
				}()
			}
		})
	}
	wg.Wait()
	for _, box := range mailboxes {
		if p := known[box].panic; p != nil {
			panic(p)
		}
	}
	return known
}

// oneAtATime returns options whose functions are never called twice at a time.
func (o *RecipientOptions) oneAtATime() *RecipientOptions {
	var mu sync.Mutex
	own := *o
	if o.Chain.Check != nil {
		own.Chain.Check = func(p *chain.Path) error {
			mu.Lock()
			defer mu.Unlock()
			return o.Chain.Check(p)
		}
	}
	if o.Capabilities != nil {
		own.Capabilities = func(box string, cert *x509.Certificate) Capabilities {
			mu.Lock()
			defer mu.Unlock()
			return o.Capabilities(box, cert)
		}
	}
	if o.ShowsHeader != nil {
		own.ShowsHeader = func(box string, cert *x509.Certificate) bool {
			mu.Lock()
			defer mu.Unlock()
			return o.ShowsHeader(box, cert)
		}
	}
	return &own
}

// Bounds of the certificates that are tried for one mailbox. Trying costs at
// most some signatures, or, with a Fetcher, a call to wherever the certificate
// points.
const (
	maxCandidates        = 1000
	maxFetchedCandidates = 64
	maxFound             = 4 * maxCandidates // looked at; more are not sorted
)

func findRecipient(ctx context.Context, box string, trust *chain.Collection, opts *RecipientOptions) (*Recipient, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	box, err := addressIn(box)
	if err != nil {
		return nil, err
	}
	certs, sourceErr := candidates(ctx, box, trust, opts)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var best error
	for _, cert := range certs {
		r, err := newRecipient(ctx, box, cert, trust, opts)
		if err == nil {
			return r, nil
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if best == nil || gravity(err) < gravity(best) {
			best = err
		}
	}
	switch {
	case best != nil:
		return nil, best
	case sourceErr != nil:
		return nil, sourceErr
	}
	return nil, ErrNoCertificate
}

// candidates returns the certificates of trust for a mailbox, each once: those
// that are valid at the time in question first, and of each the newest notBefore
// first. They are cut only after that. Where they must be, those whose issuer
// is at hand go first, since anybody may have put others into a directory.
func candidates(ctx context.Context, box string, trust *chain.Collection, opts *RecipientOptions) ([]*x509.Certificate, error) {
	at, most := time.Now(), maxCandidates
	if opts != nil {
		if !opts.Chain.At.IsZero() {
			at = opts.Chain.At
		}
		if opts.Chain.Fetcher != nil {
			most = maxFetchedCandidates
		}
	}
	certs, failure := foundFor(ctx, box, trust)
	valid := func(c *x509.Certificate) int {
		if at.Before(c.NotBefore) || at.After(c.NotAfter) {
			return 1
		}
		return 0
	}
	newer := func(a, b *x509.Certificate) int {
		return cmp.Or(valid(a)-valid(b), b.NotBefore.Compare(a.NotBefore))
	}
	slices.SortStableFunc(certs, newer)
	if len(certs) <= most {
		return certs, failure
	}
	orphan := make(map[*x509.Certificate]int, len(certs))
	for _, c := range certs {
		orphan[c] = 1
		for _, err := range trust.Find(ctx, chain.Query{Kind: chain.KindCertificate, Subject: c.RawIssuer}) {
			if err == nil {
				orphan[c] = 0
				break
			}
		}
	}
	slices.SortStableFunc(certs, func(a, b *x509.Certificate) int { return cmp.Or(orphan[a]-orphan[b], newer(a, b)) })
	return certs[:most], failure
}

// foundFor returns the certificates of trust for a mailbox, each once.
func foundFor(ctx context.Context, box string, trust *chain.Collection) ([]*x509.Certificate, error) {
	var certs []*x509.Certificate
	var failure error
	seen := make(map[string]bool)
	for e, err := range trust.Find(ctx, chain.Query{Kind: chain.KindCertificate, Mailbox: box}) {
		if err != nil {
			failure = err
			continue
		}
		if seen[string(e.DER())] {
			continue
		}
		seen[string(e.DER())] = true
		cert, err := e.Certificate()
		if err != nil {
			continue // one that can't be read never hides the others
		}
		if chain.MatchMailbox(cert, box) != nil {
			continue
		}
		certs = append(certs, cert)
		if len(certs) == maxFound {
			break
		}
	}
	return certs, failure
}

// gravity orders the reasons why the certificates of one mailbox failed: what
// is told is why the one nearest to use can't be used, not that somebody also
// has a certificate for signing, or that anyone put one into a directory.
func gravity(err error) int {
	switch {
	case errors.Is(err, chain.ErrExpired), errors.Is(err, chain.ErrNotYetValid), errors.Is(err, chain.ErrRevoked), errors.Is(err, chain.ErrRevocationUnknown):
		return 0
	case errors.Is(err, chain.ErrWrongPurpose):
		return 2
	case errors.Is(err, chain.ErrUnknownIssuer), errors.Is(err, chain.ErrBadSignature), errors.Is(err, ErrMalformed):
		return 3
	}
	return 1
}

// RecipientErrors are all that stands in the way of encryption, not just the
// first of it.
type RecipientErrors []*RecipientError

func (e RecipientErrors) Error() string {
	switch len(e) {
	case 0:
		return "smime: no recipient failed"
	case 1:
		return e[0].Error()
	}
	return fmt.Sprintf("smime: %d recipients can't be encrypted to, first %v", len(e), e[0])
}

// Unwrap returns the errors of the recipients.
func (e RecipientErrors) Unwrap() []error {
	errs := make([]error, len(e))
	for i, r := range e {
		errs[i] = r
	}
	return errs
}

// A RecipientError says that mail can't be encrypted to one mailbox.
type RecipientError struct {
	Mailbox string // as it was asked for; empty if the Recipient was nil
	Err     error
}

func (e *RecipientError) Error() string {
	return "smime: recipient " + clip(e.Mailbox) + ": " + e.Err.Error()
}

// Unwrap returns Err.
func (e *RecipientError) Unwrap() error { return e.Err }

// checkReply returns why nobody should encrypt replies to r.
func (r *Recipient) checkReply() error {
	if err := r.check(time.Now()); err != nil {
		return err
	}
	if !mayEncrypt(r.pub, r.cert) {
		return &chain.Error{Reason: chain.ErrWrongPurpose, Cert: r.cert, Detail: "the key usage is not for encryption"}
	}
	if !forMail(r.cert) {
		return &chain.Error{Reason: chain.ErrWrongPurpose, Cert: r.cert, Detail: "the extended key usage is not for e-mail"}
	}
	return nil
}
