package exchange

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/budget"
	"github.com/gosmime/gosmime/internal/mailbox"
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
	self      bool
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
		defer func() { err = errors.Join(err, j.signed.Close()) }()
	}
	var failed []error
	for _, d := range deliveries {
		if err := j.deliver(ctx, d, deliver); err != nil {
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
	to, failed := j.resolve(ctx, j.cfg, j.m.To)
	bcc, more := j.resolve(ctx, j.cfg, j.m.BCC)
	if failed = append(failed, more...); len(failed) > 0 {
		return nil, failed
	}
	if _, err := j.cipher(j.cfg, append(append([]*smime.Recipient{}, to...), bcc...)); err != nil {
		return nil, err
	}
	open := delivery{addresses: mailboxes(j.m.To), readers: to, self: true}
	hidden := mailboxes(j.m.BCC)
	var list []delivery
	switch {
	case len(bcc) == 0:
	case j.cfg.BCCEncryptedEmailForking == NoForking:
		open.addresses = append(open.addresses, hidden...)
		open.readers = append(open.readers, bcc...)
	case j.cfg.BCCEncryptedEmailForking == OneMessageForAllBCC:
		list = append(list, delivery{addresses: hidden, readers: bcc})
	default:
		for i := range bcc {
			list = append(list, delivery{addresses: hidden[i : i+1], readers: bcc[i : i+1]})
		}
	}
	if len(open.addresses) > 0 {
		list = append([]delivery{open}, list...)
	}
	return list, nil
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

func newSpool(l smime.Limits) *spool.Spool {
	pick := func(v, def int64) int64 {
		if v == 0 {
			return def
		}
		return max(v, 0)
	}
	var limits budget.Limits
	limits[budget.Memory] = pick(l.CMS.Memory, 4<<20)
	limits[budget.Disk] = pick(l.CMS.Disk, 4<<30)
	return spool.New(budget.New(limits), l.CMS.Dir)
}

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
	if j.ToSelf != nil {
		if p := j.ToSelf.Path(); p != nil {
			o.EncryptTo = p.Leaf()
		}
	}
	return o
}

// chooseSigner returns the identity with the newest notBefore, to the second,
// of those that may sign for the author now.
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
	var reasons []error
	for _, id := range candidates {
		cert := id.Certificate()
		if best != nil && !cert.NotBefore.Truncate(time.Second).After(best.Certificate().NotBefore.Truncate(time.Second)) {
			continue
		}
		_, err := j.Trust.Verify(ctx, cert, chain.Policy{Purpose: chain.EmailSigning, Mailbox: author, Options: j.chainOptions(j.cfg)})
		if err != nil {
			reasons = append(reasons, err)
			continue
		}
		best = id
	}
	if best == nil {
		return nil, errors.Join(append([]error{ErrNoSigner}, reasons...)...)
	}
	return best, nil
}

// author returns the address of the one From field.
func (j *job) author() (string, error) {
	if err := j.rewind(); err != nil {
		return "", err
	}
	header, err := readHeader(bufio.NewReader(j.m.Message))
	if err != nil {
		return "", err
	}
	from := fields(header, "from")
	if len(from) != 1 {
		return "", fmt.Errorf("%w: %d From fields", smime.ErrAmbiguousSender, len(from))
	}
	list, err := mailbox.FromHeader(from[0])
	if err != nil || len(list) != 1 {
		return "", errors.Join(smime.ErrAmbiguousSender, err)
	}
	return list[0].String(), nil
}

// scheme returns the zero Scheme, the best for the key, unless the digest
// matters: for RSA, and for ECDSA where a larger one is asked for.
func scheme(id *smime.Identity, bits int) pkcs7.Scheme {
	var s [3]pkcs7.Scheme
	switch id.Certificate().PublicKey.(type) {
	case *rsa.PublicKey:
		s = [3]pkcs7.Scheme{pkcs7.RSAPKCS1SHA256, pkcs7.RSAPKCS1SHA384, pkcs7.RSAPKCS1SHA512}
	case *ecdsa.PublicKey:
		s = [3]pkcs7.Scheme{pkcs7.ECDSASHA256, pkcs7.ECDSASHA384, pkcs7.ECDSASHA512}
	default:
		return 0
	}
	switch bits {
	case 384:
		return s[1]
	case 512:
		return s[2]
	}
	return s[0]
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
		made <- err
	}()
	err := deliver(ctx, d.addresses, pr)
	pr.CloseWithError(errDelivered)
	if e := <-made; e != nil && !errors.Is(e, errDelivered) {
		return e // the cause of what deliver saw
	} else if e != nil && err == nil {
		return errors.New("the message was not read to its end")
	}
	return err
}

// errDelivered ends the writing of a message that nobody reads any more.
const errDelivered = pipeClosed("delivery ended")

type pipeClosed string

func (e pipeClosed) Error() string { return string(e) }

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
	c, err := j.cipher(j.cfg, d.readers)
	if err != nil {
		return err
	}
	opts := &smime.EncryptOptions{Header: smime.HideNothing, Cipher: c, ByKeyID: j.cfg.UseKeyIdentifier, Limits: j.Limits}
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

// maxHeader bounds a header section.
const maxHeader = 1 << 20

// readHeader reads up to and without the empty line that ends a header.
func readHeader(r *bufio.Reader) ([]byte, error) {
	var header []byte
	for {
		line, err := r.ReadSlice('\n')
		if len(header)+len(line) > maxHeader {
			return nil, fmt.Errorf("%w: header section", smime.ErrLimit)
		}
		if len(bytes.TrimRight(line, "\r\n")) == 0 && !errors.Is(err, bufio.ErrBufferFull) {
			return header, nil
		}
		header = append(header, line...)
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			if errors.Is(err, io.EOF) {
				return header, nil
			}
			return nil, err
		}
	}
}

// fields returns the unfolded values of the fields with that name.
func fields(header []byte, name string) []string {
	var values []string
	open := false
	for line := range bytes.Lines(header) {
		if line[0] == ' ' || line[0] == '\t' {
			if open {
				values[len(values)-1] += strings.TrimRight(string(line), "\r\n")
			}
			continue
		}
		field, value, ok := bytes.Cut(line, []byte(":"))
		open = ok && strings.EqualFold(string(bytes.TrimSpace(field)), name)
		if open {
			values = append(values, strings.TrimSpace(string(value)))
		}
	}
	return values
}

// copyWithoutBCC copies a message that is neither signed nor encrypted.
func copyWithoutBCC(w io.Writer, src io.Reader) error {
	r := bufio.NewReaderSize(src, 64<<10)
	header, err := readHeader(r)
	if err != nil {
		return err
	}
	skip := false
	for line := range bytes.Lines(header) {
		if line[0] != ' ' && line[0] != '\t' {
			field, _, ok := bytes.Cut(line, []byte(":"))
			skip = ok && strings.EqualFold(string(bytes.TrimSpace(field)), "bcc")
		}
		if skip {
			continue
		}
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	if _, err := io.WriteString(w, "\r\n"); err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return err
}
