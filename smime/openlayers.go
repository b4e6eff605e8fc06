package smime

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/gosmime/gosmime/internal/mimetree"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/spool"
	"github.com/gosmime/gosmime/internal/stream"
	"github.com/gosmime/gosmime/internal/x509der"
	"github.com/gosmime/gosmime/pkcs7"
)

// An opener builds the tree of layers.
type opener struct {
	*layerReader
	j          *judge
	keys       Keyring
	msg        *Message
	signed     []pendingSignature
	classified map[*mimetree.Part]classification
}

// A classification is what a part claims to be, found out once: a part deep inside is
// looked at from every level above it.
type classification struct {
	form    mimetree.Form
	remarks []mimetree.Remark
	layers  bool // a part below it is a layer
}

func (o *opener) classify(p *mimetree.Part) classification {
	s, ok := o.classified[p]
	if !ok {
		s.form, s.remarks = mimetree.FormOf(p)
		for _, c := range p.Children {
			below := o.classify(c)
			s.layers = s.layers || below.form != mimetree.FormPlain || below.layers
		}
		if o.classified == nil {
			o.classified = make(map[*mimetree.Part]classification)
		}
		o.classified[p] = s
	}
	return s
}

// A located entity is one in a store of octets.
type located struct {
	at   io.ReaderAt
	part *mimetree.Part
}

// enclosing is what is around an entity.
type enclosing struct {
	errant  bool
	message mimetree.Header   // of the nearest message around it
	outer   []mimetree.Header // of the entities of the layers around it
}

// in returns what is around what is inside an entity.
func (s enclosing) in(p *mimetree.Part) enclosing {
	s.outer = append(slices.Clip(s.outer), p.Header)
	return s
}

// A pendingSignature is a layer with signatures and where it is.
type pendingSignature struct {
	node    *node
	read    *signedContent
	form    *signedForm
	around  enclosing
	signed  *SignedLayer  // or
	receipt *ReceiptLayer //
}

func (o *opener) open(pl located, path []int, sc enclosing) (Layer, error) {
	claim := o.classify(pl.part)
	n := node{
		part: path, errant: sc.errant, header: pl.part.Header, tree: pl.part,
		raw:     octets{pl.at, pl.part.Range},
		section: octets{pl.at, pl.part.HeaderRange()},
	}
	for _, x := range claim.remarks {
		n.note(headerNotes[x.Code], quote(x.Text))
	}
	n.notes = append(n.notes, labelNotes(pl.part.Header)...)
	if claim.form == mimetree.FormPlain {
		return o.plain(n, pl, sc)
	}
	n.doubt(structureError(pl.part.Defects))
	if err := o.work.layer(); err != nil {
		return nil, err
	}
	if claim.form == mimetree.FormClear {
		return o.openClear(n, pl, sc)
	}
	return o.openCMS(n, pl, sc)
}

// fatal reports whether an error is about all of the message, not one layer.
func (o *opener) fatal(err error) bool {
	return o.ctx.Err() != nil || errors.Is(inputError(err), ErrLimit) || errors.Is(err, spool.ErrChanged)
}

// plain returns an entity that is no layer, with the layers that are among its
// parts: all of these are errant.
func (o *opener) plain(n node, pl located, sc enclosing) (Layer, error) {
	l := &PlainLayer{node: n}
	l.content = l.raw
	noteParts(&l.node, pl.part, nil)
	if !o.classify(pl.part).layers {
		return l, nil
	}
	sc.errant = true
	err := o.parts(l, pl, nil, sc)
	return l, err
}

// parts adds the parts of pl to l, those of multiparts without layers as one.
func (o *opener) parts(l *PlainLayer, pl located, path []int, sc enclosing) error {
	message := pl.part.IsMessage()
	for i, child := range pl.part.Children {
		at := append(slices.Clone(path), i)
		inner := sc
		if message {
			inner.message, inner.outer = child.Header, nil
		}
		if below := o.classify(child); below.form == mimetree.FormPlain && below.layers {
			if err := o.parts(l, located{pl.at, child}, at, inner); err != nil {
				return err
			}
			continue
		}
		layer, err := o.open(located{pl.at, child}, at, inner)
		if errors.Is(inputError(err), ErrLimit) && o.ctx.Err() == nil {
			// A digest of signed mails is no reason not to show the rest.
			layer, err = o.beyondLimit(located{pl.at, child}, at, err), nil
		}
		if err != nil {
			return err
		}
		l.children = append(l.children, layer)
	}
	return nil
}

// beyondLimit returns an errant layer for which no budget is left.
func (o *opener) beyondLimit(pl located, path []int, err error) Layer {
	l := &PlainLayer{node{
		part: path, errant: true, header: pl.part.Header, tree: pl.part, raw: octets{pl.at, pl.part.Range},
		section: octets{pl.at, pl.part.HeaderRange()}, fault: err,
	}}
	l.content = l.raw
	l.note(NoteUnreadable, quote(err.Error()))
	return l
}

// inside opens the entity that a store holds.
func (o *opener) inside(n *node, s *spool.Spool, pl located, sc enclosing) error {
	opts := o.work.scanOptions()
	part, err := mimetree.Scan(stream.ContextReader(o.ctx, io.NewSectionReader(s, 0, s.Size())), &opts)
	if err != nil {
		return err
	}
	n.content = octets{s, part.Range}
	child, err := o.open(located{s, part}, nil, sc.in(pl.part))
	if err != nil {
		return err
	}
	n.children = []Layer{child}
	return nil
}

func (o *opener) openClear(n node, pl located, sc enclosing) (Layer, error) {
	l := &SignedLayer{node: n}
	again := func() (io.Reader, error) { return l.Raw(), nil }
	read, err := o.clear(l.Raw(), again)
	if err != nil {
		if o.fatal(err) {
			return nil, err
		}
		l.fault = err
		return l, nil
	}
	for _, x := range read.notes {
		l.note(x.Code, x.Detail)
	}
	l.doubt(read.structure)
	if l.fault = checkKind(read.kind); l.fault != nil {
		return l, nil
	}
	// What is shown must be what was hashed.
	start := pl.part.Start
	hashed := mimetree.Range{Start: start + read.payload.Start, End: start + read.payload.End}
	if len(pl.part.Children) != 2 || pl.part.Children[0].Range != hashed {
		l.fault = fmt.Errorf("%w: the parts are not where they were", ErrMalformed)
		return l, nil
	}
	l.read = read
	l.form = o.j.form(read)
	o.signed = append(o.signed, pendingSignature{node: &l.node, read: read, form: l.form, around: sc, signed: l})
	child := pl.part.Children[0]
	if l.form.canonical {
		// What was hashed is what is shown.
		l.note(NoteLineEnds, "")
		s := o.spool()
		src := mimetree.Canonical(io.NewSectionReader(pl.at, child.Start, child.Len()))
		if _, err := stream.Copy(s, stream.ContextReader(o.ctx, src)); err != nil {
			return nil, err
		}
		if err := o.inside(&l.node, s, pl, sc); err != nil {
			return nil, err
		}
		nodeOf(l.children[0]).part = []int{0}
		return l, nil
	}
	l.content = octets{pl.at, child.Range}
	inner, err := o.open(located{pl.at, child}, []int{0}, sc.in(pl.part))
	if err != nil {
		return nil, err
	}
	l.children = []Layer{inner}
	return l, nil
}

// openCMS opens what the ContentInfo says, whatever smime-type claims (RFC
// 8551 section 3.2.2).
func (o *opener) openCMS(n node, pl located, sc enclosing) (Layer, error) {
	body := octets{pl.at, pl.part.BodyRange()}
	raw := make([]byte, min(2048, body.Len()))
	if _, err := io.ReadFull(body.reader(), raw); err != nil {
		return nil, err
	}
	kind, err := sniffBytes(pl.part, raw)
	if err != nil {
		return o.unreadable(n, err)
	}
	if kind == oid.EnvelopedData || kind == oid.AuthEnvelopedData {
		return o.openEncrypted(n, pl, sc, kind)
	}
	decoded, err := decodeCMS(pl.part, body.reader())
	if err != nil {
		return o.unreadable(n, err)
	}
	switch kind {
	case oid.SignedData:
		return o.openOpaque(n, pl, sc, decoded)
	case oid.CompressedData:
		return o.openCompressed(n, pl, sc)
	}
	return o.unreadable(n, fmt.Errorf("%w: content of type %s", pkcs7.ErrUnsupported, kind))
}

func (o *opener) unreadable(n node, err error) (Layer, error) {
	if o.fatal(err) {
		return nil, err
	}
	l := &PlainLayer{node: n}
	l.content, l.fault = l.raw, err
	l.note(NoteUnreadable, quote(err.Error()))
	return l, nil
}

func (o *opener) openOpaque(n node, pl located, sc enclosing, decoded io.Reader) (Layer, error) {
	s := o.spool()
	read, err := o.opaque(decoded, s, nil)
	if err == nil {
		err = drain(decoded)
	}
	if err != nil {
		if o.fatal(err) {
			return nil, err
		}
		noteType(&n, pl.part, "signed-data")
		l := &SignedLayer{node: n, Opaque: true}
		l.fault = err
		return l, nil
	}
	for _, x := range read.notes {
		n.note(x.Code, x.Detail)
	}
	form := &read.forms[0]
	switch {
	case len(form.infos) == 0 && s.Size() == 0:
		noteType(&n, pl.part, "certs-only")
		return certificatesLayer(n, form.elements), nil
	case read.kind == oid.ContentReceipt:
		noteType(&n, pl.part, "signed-receipt")
		l := &ReceiptLayer{node: n}
		l.content = octets{s, mimetree.Range{End: s.Size()}}
		o.signed = append(o.signed, pendingSignature{node: &l.node, read: read, form: form, around: sc, receipt: l})
		return l, nil
	}
	noteType(&n, pl.part, "signed-data")
	l := &SignedLayer{node: n, Opaque: true, read: read, form: form}
	if l.fault = checkKind(read.kind); l.fault != nil {
		return l, nil
	}
	o.signed = append(o.signed, pendingSignature{node: &l.node, read: read, form: form, around: sc, signed: l})
	return l, o.inside(&l.node, s, pl, sc)
}

func certificatesLayer(n node, elements [][]byte) Layer {
	l := &CertificatesLayer{node: n}
	for _, e := range elements {
		if _, err := x509der.Parse(e); err == nil {
			l.Certificates = append(l.Certificates, e)
		} else {
			l.CRLs = append(l.CRLs, e)
		}
	}
	return l
}

func (o *opener) openEncrypted(n node, pl located, sc enclosing, kind oid.OID) (Layer, error) {
	want := "enveloped-data"
	if kind == oid.AuthEnvelopedData {
		want = "authEnveloped-data"
	}
	noteType(&n, pl.part, want)
	l := &EncryptedLayer{node: n}
	section, err := io.ReadAll(n.section.reader())
	if err != nil {
		return nil, err
	}
	l.OuterHeader = section
	if sc.errant {
		// Whoever put a stolen ciphertext among parts of their own wants it
		// shown or quoted together with these.
		l.conclude(failed(ErrMixed))
		return l, nil
	}
	d, content, err := o.unlock(l, pl)
	if err != nil {
		if o.fatal(err) {
			return nil, err
		}
		if no, ok := errors.AsType[*pkcs7.NoKeyError](err); ok {
			l.Recipients = no.Recipients
		}
		l.conclude(failed(err))
		return l, nil
	}
	defer d.close()
	closed, signed := *l, len(o.signed)
	err = o.opened(l, d, content, pl, sc)
	if err == nil || d.enc.Cipher.Authenticated() || o.ctx.Err() != nil {
		return l, err
	}
	// Whoever changes the ciphertext must not learn what the plaintext runs
	// into: to them this is a layer with bad padding.
	o.signed = o.signed[:signed]
	closed.conclude(failed(fmt.Errorf("smime: %w", pkcs7.ErrDecrypt)))
	return &closed, nil
}

// unlock finds the key of an encrypted layer and checks the ciphertext. The
// room for the content is taken before anything depends on it.
func (o *opener) unlock(l *EncryptedLayer, pl located) (*decrypted, *spool.Spool, error) {
	src := &stream.Source{Open: func() (io.Reader, error) { return l.Raw(), nil }}
	body := octets{pl.at, pl.part.BodyRange()}
	// Offsets of the header count from the start of the entity.
	part := *pl.part
	part.Body -= part.Start
	d, err := o.envelope(&entity{part: &part, section: l.OuterHeader}, body.reader(), src, o.keys, false)
	if err != nil {
		return nil, nil, err
	}
	size := body.Len()
	if part.Encoding == "base64" {
		size = size/4*3 + 3
	}
	s, err := spool.Reserve(o.work.cms.Budget(), o.work.cms.Dir, size)
	if err == nil {
		o.msg.closers = append(o.msg.closers, s)
		err = d.check()
	}
	if err != nil {
		d.close()
		return nil, nil, err
	}
	return d, s, nil
}

// opened writes the content of an encrypted layer to s and opens it.
func (o *opener) opened(l *EncryptedLayer, d *decrypted, s *spool.Spool, pl located, sc enclosing) error {
	if !d.mime {
		l.note(NoteNoHeader, "")
	}
	if _, err := d.reader.WriteTo(s); err != nil {
		return err
	}
	s.Settle()
	l.Encryption = *d.enc
	for _, deviation := range d.reader.Deviations() {
		l.note(NoteDeviation, deviation.String())
	}
	if err := d.reader.Strength(); err != nil {
		l.Strength = failed(fmt.Errorf("smime: %w", err))
	} else {
		l.Strength = passed()
	}
	if l.Cipher.Authenticated() {
		l.Authenticated = passed()
	} else {
		l.Authenticated = failed(ErrNotAuthenticated)
	}
	l.conclude(passed())
	return o.inside(&l.node, s, pl, sc)
}

func (o *opener) openCompressed(n node, pl located, sc enclosing) (Layer, error) {
	noteType(&n, pl.part, "compressed-data")
	l := &CompressedLayer{node: n}
	body := octets{pl.at, pl.part.BodyRange()}
	s, err := o.decompress(pl.part, body.reader())
	if err != nil {
		if o.fatal(err) {
			return nil, err
		}
		l.fault = err
		l.note(NoteUnreadable, quote(err.Error()))
		return l, nil
	}
	o.msg.closers = append(o.msg.closers, s)
	return l, o.inside(&l.node, s, pl, sc)
}

// judgePending judges the signatures of one layer against the headers around it.
func (o *opener) judgePending(x pendingSignature) {
	at, err := o.position(x)
	who := findAuthors(o.j.required, bindingHeaders(at, false)...)
	if err != nil {
		who.err = err
	}
	if who.err != nil && o.j.anySender {
		who = &authors{}
	}
	g := o.j.judge(x.read, []signedForm{*x.form}, who, x.node.structure)
	if x.node.errant {
		for _, r := range g.reports {
			r.Coverage = failed(ErrNotCovered)
			r.conclude()
		}
	}
	for _, n := range who.notes {
		x.node.note(n.Code, n.Detail)
	}
	for _, r := range g.reports {
		for _, n := range r.notes {
			x.node.note(n.Code, n.Detail)
		}
		for _, n := range attributeNotes(r) {
			x.node.note(n.Code, n.Detail)
		}
	}
	if x.receipt != nil {
		x.receipt.Signers, x.receipt.signer, x.receipt.err = g.reports, g.signer, g.err
		return
	}
	x.signed.Signers, x.signed.who, x.signed.signer, x.signed.err = g.reports, who, g.signer, g.err
}

// position returns where the layer of a signature is.
func (o *opener) position(x pendingSignature) (position, error) {
	at := position{around: x.around.outer, entity: x.node.header, errant: x.node.errant, encrypts: true, cleartext: -1}
	if at.errant {
		at.around = append([]mimetree.Header{x.around.message}, x.around.outer...)
	}
	if !at.errant && o.msg.insideEncryption(x.node) {
		at.encrypts, at.deeper = false, o.msg.headersBelow(x.node)
	}
	if x.receipt != nil {
		return at, nil
	}
	var err error
	at.content, err = x.read.head.header()
	return at, err
}

// run reads the message into a spool while its parts are found, opens the
// layers and judges them once all headers are known.
func (o *opener) run(r io.Reader) error {
	s := o.spool()
	opts := o.work.scanOptions()
	entity, _, err := mimetree.Bare(stream.ContextReader(o.ctx, r))
	if err != nil {
		return err
	}
	root, err := mimetree.Scan(io.TeeReader(entity, s), &opts)
	if err != nil {
		return err
	}
	m := o.msg
	m.raw = octets{s, root.Range}
	if m.root, err = o.open(located{s, root}, nil, enclosing{message: root.Header}); err != nil {
		return err
	}
	m.findEnvelope()
	for _, l := range o.signed {
		o.judgePending(l)
	}
	m.conclude()
	return o.ctx.Err()
}

// spool returns a spool that is freed with the message.
func (o *opener) spool() *spool.Spool {
	s := spool.New(o.work.cms.Budget(), o.work.cms.Dir)
	o.msg.closers = append(o.msg.closers, s)
	return s
}
