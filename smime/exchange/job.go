package exchange

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/mailbox"
	"github.com/gosmime/gosmime/internal/mimetree"
	"github.com/gosmime/gosmime/internal/spool"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
)

// A job is one call of Send.
type job struct {
	*Sender
	cfg           *Config
	m             Outgoing
	sign, encrypt bool
	people        map[*smime.Recipient]string // whose address each was found for

	start  int64 // offset of the message
	signer *smime.Identity
	scheme pkcs7.Scheme
	signed *spool.Spool // the signed message, read by every delivery
}

// A delivery is one message to be made: to whom it is encrypted and to whom it
// goes.
type delivery struct {
	addresses []string
	readers   []*smime.Recipient
	self      bool // the sender reads it too
	cipher    pkcs7.Cipher
}

func (j *job) run(ctx context.Context, deliver Deliver) (err error) {
	if j.start, err = j.m.Message.Seek(0, io.SeekCurrent); err != nil {
		return err
	}
	deliveries, err := j.plan(ctx)
	if err != nil {
		return err
	}
	if j.sign {
		if err := j.signOnce(ctx); err != nil {
			return err
		}
		defer func() {
			if e := j.signed.Close(); e != nil {
				err = errors.Join(err, e)
			}
		}()
	}
	var failed []error
	for _, d := range deliveries {
		err := ctx.Err()
		if err == nil {
			err = j.deliver(ctx, d, deliver)
		}
		if err != nil {
			failed = append(failed, &DeliveryError{Recipients: d.addresses, Err: err})
		}
	}
	return errors.Join(failed...)
}

// plan resolves everybody and forks the blind copies.
func (j *job) plan(ctx context.Context) ([]delivery, error) {
	if !j.encrypt {
		return []delivery{{addresses: append(mailboxes(j.m.To), mailboxes(j.m.BCC)...)}}, nil
	}
	readers, err := j.resolve(ctx, slices.Concat(j.m.To, j.m.BCC))
	if err != nil {
		return nil, err
	}
	to, bcc := readers[:len(j.m.To):len(j.m.To)], readers[len(j.m.To):]
	all := readers
	if j.ToSelf != nil {
		all = append(all, j.ToSelf)
	}
	// Nothing is delivered before it is known that all of it can be. One cipher
	// for all: who breaks the weakest copy has read the strongest too (RFC 8551
	// section 2.7.3).
	cipher, err := j.cipher(all)
	if err == nil && j.Policy != nil {
		err = j.Policy.checkCipher(cipher)
	}
	if err != nil {
		return nil, err
	}
	list := j.fork(to, bcc)
	for i := range list {
		list[i].cipher = cipher
	}
	return list, nil
}

// fork returns the messages to be made, that for all who are no blind copies
// first.
func (j *job) fork(to, bcc []*smime.Recipient) []delivery {
	open := delivery{addresses: mailboxes(j.m.To), readers: to, self: true}
	hidden := mailboxes(j.m.BCC)
	if j.cfg.BCCEncryptedEmailForking == NoForking {
		open.addresses = append(open.addresses, hidden...)
		open.readers = append(open.readers, bcc...)
		return []delivery{open}
	}
	var list []delivery
	if len(to) > 0 {
		list = append(list, open)
	}
	self := len(to) == 0 // else the sender has the main message
	switch {
	case len(bcc) == 0:
	case j.cfg.BCCEncryptedEmailForking == OneMessageForAllBCC:
		list = append(list, delivery{addresses: hidden, readers: bcc, self: self})
	default:
		for i := range bcc {
			list = append(list, delivery{addresses: hidden[i : i+1], readers: bcc[i : i+1], self: self})
		}
	}
	return list
}

func mailboxes(people []Person) []string {
	list := make([]string, len(people))
	for i, p := range people {
		list[i] = p.Mailbox
	}
	return list
}

// signOnce chooses the identity and signs into a spool.
func (j *job) signOnce(ctx context.Context) error {
	bits, err := j.digestBits(j.cfg)
	if err != nil {
		return err
	}
	if j.signer, err = j.chooseSigner(ctx); err != nil {
		return err
	}
	j.scheme = scheme(j.signer, bits)
	if err := j.rewind(); err != nil {
		return err
	}
	j.signed = newSpool(j.Limits)
	if err := smime.Sign(ctx, j.signed, j.m.Message, j.signer, j.signOptions(j.encrypt)); err != nil {
		return errors.Join(err, j.signed.Close())
	}
	return nil
}

// newSpool returns a spool of its own limits: what it holds is the sender's own
// message, in another form.
func newSpool(l smime.Limits) *spool.Spool { return spool.New(l.CMS.Budget(), l.CMS.Dir) }

func (j *job) signOptions(forEncryption bool) *smime.SignOptions {
	o := &smime.SignOptions{
		Opaque:        !j.cfg.ClearSign,
		Scheme:        j.scheme,
		Certificates:  smime.SignerOnly,
		Header:        smime.HideNothing,
		ForEncryption: forEncryption,
		Limits:        j.Limits,
	}
	switch {
	case !j.cfg.SignedEmailCertificateInclusion:
		o.Certificates = smime.NoCertificates
	case j.cfg.IncludeCertificateChainAndRoot:
		o.Certificates = smime.ChainWithRoot
	case j.cfg.IncludeCertificateChainWithoutRoot:
		o.Certificates = smime.ChainWithoutRoot
	}
	if !j.cfg.IncludeSMIMECapabilitiesInMessage {
		o.Capabilities = smime.Capabilities{}
	}
	if j.ToSelf != nil && !time.Now().After(j.ToSelf.Certificate().NotAfter) {
		o.EncryptTo = j.ToSelf.Certificate()
	}
	return o
}

// chooseSigner returns the identity with the newest notBefore, which has whole
// seconds, of those that may sign for the author now.
func (j *job) chooseSigner(ctx context.Context) (*smime.Identity, error) {
	author, err := j.author()
	if err != nil {
		return nil, err
	}
	candidates := j.Identities
	if j.m.Signer != nil {
		if !j.cfg.AllowUserChoiceOfSigningCertificate {
			return nil, &SettingError{Name: "OWAAllowUserChoiceOfSigningCertificate", Reason: "is off, but a signer was chosen"}
		}
		candidates = []*smime.Identity{j.m.Signer}
	}
	var best *smime.Identity
	var path *chain.Path
	var reasons []error
	for _, id := range candidates {
		if id == nil {
			continue
		}
		cert := id.Certificate()
		if best != nil && !cert.NotBefore.After(best.Certificate().NotBefore) {
			continue
		}
		if err := j.mayKey(id); err != nil {
			reasons = append(reasons, err)
			continue
		}
		policy := chain.Policy{Purpose: chain.EmailSigning, Mailbox: author, Options: j.chainOptions(j.cfg)}
		verified, err := j.Trust.Verify(ctx, cert, policy)
		if err != nil {
			reasons = append(reasons, err)
			continue
		}
		best, path = id, verified
	}
	if best == nil {
		return nil, errors.Join(append([]error{ErrNoSigner}, reasons...)...)
	}
	return withChain(best, path)
}

// withChain returns id with the issuers that were found, which may be more than
// it came with.
func withChain(id *smime.Identity, path *chain.Path) (*smime.Identity, error) {
	key, err := id.SigningKey()
	if err != nil {
		return nil, err
	}
	return smime.NewIdentity(key.Key, id.Certificate(), path.Certificates()[1:]...)
}

// mayKey returns why the key of id can't be used under the config.
func (j *job) mayKey(id *smime.Identity) error {
	key, err := id.SigningKey()
	if err == nil && j.Policy != nil {
		err = j.Policy.checkKey(id)
	}
	if err != nil || !j.cfg.OnlyUseSmartCard {
		return err
	}
	if alg.Software(key.Key) {
		return &SettingError{Name: "OWAOnlyUseSmartCard", Reason: "the key is in memory"}
	}
	return nil
}

// author returns the address of the one From field.
func (j *job) author() (string, error) {
	if err := j.rewind(); err != nil {
		return "", err
	}
	p, _, _, err := readHeader(j.m.Message)
	if err != nil {
		return "", err
	}
	from := p.Header.Get("From")
	if len(from) != 1 {
		return "", fmt.Errorf("%w: %d From fields", smime.ErrAmbiguousSender, len(from))
	}
	list, err := mailbox.FromHeader(from[0])
	if err != nil {
		return "", fmt.Errorf("%w: %w", smime.ErrAmbiguousSender, err)
	}
	if len(list) != 1 {
		return "", fmt.Errorf("%w: %d authors", smime.ErrAmbiguousSender, len(list))
	}
	return list[0].String(), nil
}

// scheme returns the scheme for a digest of that size; zero, which is the best
// for the key, if none was asked for or if the key has a digest of its own.
func scheme(id *smime.Identity, bits int) pkcs7.Scheme {
	var of256, of384, of512 pkcs7.Scheme
	switch id.Certificate().PublicKey.(type) {
	case *rsa.PublicKey:
		of256, of384, of512 = pkcs7.RSAPKCS1SHA256, pkcs7.RSAPKCS1SHA384, pkcs7.RSAPKCS1SHA512
	case *ecdsa.PublicKey:
		of256, of384, of512 = pkcs7.ECDSASHA256, pkcs7.ECDSASHA384, pkcs7.ECDSASHA512
	}
	switch bits {
	case 256:
		return of256
	case 384:
		return of384
	case 512:
		return of512
	}
	return 0
}

// deliver makes one message and streams it to the callback.
func (j *job) deliver(ctx context.Context, d delivery, deliver Deliver) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	pr, pw := io.Pipe()
	made := make(chan error, 1)
	go func() {
		err := j.write(ctx, pw, d)
		pw.CloseWithError(err)
		if err != nil {
			cancel()
		}
		made <- err
	}()
	defer func() { pr.CloseWithError(errDelivered) }() // also if deliver panics
	err := deliver(ctx, d.addresses, pr)
	pr.CloseWithError(errDelivered)
	if err != nil {
		cancel()
	}
	failure := <-made
	switch {
	case failure == nil:
		return err
	case err == nil && errors.Is(failure, errDelivered):
		return errNotRead
	case errors.Is(failure, errDelivered) || errors.Is(err, failure):
		return err
	}
	return errors.Join(failure, err) // the cause of what deliver saw comes first
}

const (
	// errDelivered ends the writing of a message that nobody reads any more.
	errDelivered deliveryProblem = "exchange: the delivery ended"
	errNotRead   deliveryProblem = "exchange: the message was not read to its end"
)

type deliveryProblem string

func (e deliveryProblem) Error() string { return string(e) }

// write makes the message of one delivery.
func (j *job) write(ctx context.Context, w io.Writer, d delivery) error {
	src, err := j.source()
	if err != nil {
		return err
	}
	switch {
	case !j.encrypt && j.sign:
		_, err = j.signed.WriteTo(w)
		return err
	case !j.encrypt:
		return copyWithoutBCC(w, src)
	case !j.sign || !j.cfg.TripleWrapSignedEncryptedMail:
		return j.encryptTo(ctx, w, src, d)
	}
	inner := newSpool(j.Limits)
	if err := j.encryptTo(ctx, inner, src, d); err != nil {
		return errors.Join(err, inner.Close())
	}
	opts := j.signOptions(false)
	opts.Header = smime.PlainHeader // the fields are protected inside
	err = smime.Sign(ctx, w, io.NewSectionReader(inner, 0, inner.Size()), j.signer, opts)
	return errors.Join(err, inner.Close())
}

func (j *job) encryptTo(ctx context.Context, w io.Writer, src io.Reader, d delivery) error {
	opts := &smime.EncryptOptions{Header: smime.HideNothing, Cipher: d.cipher, ByKeyID: j.cfg.UseKeyIdentifier, Limits: j.Limits}
	if d.self {
		opts.ToSelf = j.ToSelf
	}
	return smime.Encrypt(ctx, w, src, d.readers, opts)
}

// source returns the signed message, or the message itself. Deliveries follow
// one another, so that the reader of the caller is never read twice at a time.
func (j *job) source() (io.Reader, error) {
	if j.sign {
		return io.NewSectionReader(j.signed, 0, j.signed.Size()), nil
	}
	return j.m.Message, j.rewind()
}

func (j *job) rewind() error {
	_, err := j.m.Message.Seek(j.start, io.SeekStart)
	return err
}

func readHeader(r io.Reader) (*mimetree.Part, []byte, io.Reader, error) {
	p, section, body, err := mimetree.ReadHeader(r)
	if _, ok := errors.AsType[*mimetree.LimitError](err); ok {
		err = fmt.Errorf("%w: %w", smime.ErrLimit, err)
	}
	return p, section, body, err
}

// copyWithoutBCC copies a message that is neither signed nor encrypted without
// what any program may take for a Bcc field.
func copyWithoutBCC(w io.Writer, src io.Reader) error {
	_, section, body, err := readHeader(src)
	if err != nil {
		return err
	}
	for len(section) > 0 {
		field := section[:fieldLength(section)]
		section = section[len(field):]
		first, others := namesBCC(field)
		if first {
			continue
		}
		if others {
			return fmt.Errorf("%w: Bcc after a line end other than CR LF", smime.ErrHeader)
		}
		if _, err := w.Write(field); err != nil {
			return err
		}
	}
	_, err = io.Copy(w, body)
	return err
}

// fieldLength returns how long the line is that a header section begins with,
// with the lines that continue it.
func fieldLength(section []byte) int {
	for n := 0; ; {
		i := bytes.IndexByte(section[n:], '\n')
		if i < 0 {
			return len(section)
		}
		n += i + 1
		if n == len(section) || section[n] != ' ' && section[n] != '\t' {
			return n
		}
	}
}

// namesBCC reports whether a field is a Bcc, and whether text in it is one to
// programs that know other line ends. Whatever is in a name beside letters and
// hyphens is ignored: some programs pass over it.
func namesBCC(field []byte) (first, others bool) {
	lines := strings.FieldsFunc(string(field), func(r rune) bool {
		return r == '\r' || r == '\v' || r == '\f' || r == '\x85' || r == '\u2028' || r == '\u2029' || r >= 0x1c && r <= 0x1e
	})
	for i, line := range lines {
		if strings.HasPrefix(line, "\n") {
			continue // the line goes on
		}
		name, _, found := strings.Cut(line, ":")
		name = strings.Map(func(r rune) rune {
			if r == '-' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
				return r
			}
			return -1
		}, name)
		if found && (strings.EqualFold(name, "Bcc") || strings.EqualFold(name, "Resent-Bcc")) {
			if i == 0 {
				return true, false
			}
			others = true
		}
	}
	return false, others
}
