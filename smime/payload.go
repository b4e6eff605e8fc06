package smime

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/gosmime/gosmime/internal/mimetree"
	"github.com/gosmime/gosmime/internal/prepare"
)

// A payload is a MIME entity that is to be signed or encrypted: what RFC 9787
// calls the Cryptographic Payload, or a layer around one.
type payload struct {
	header []byte // with the blank line
	plan   *prepare.Rewrite
	outer  []prepare.Field // the fields of the message outside of it
}

// write writes the entity.
func (p *payload) write(w io.Writer) error {
	if _, err := w.Write(p.header); err != nil {
		return err
	}
	return sendError(p.plan.WriteBody(w))
}

// size returns the length of the entity, or -1 where that is not known.
func (p *payload) size() int64 {
	if p.plan.Size < 0 {
		return -1
	}
	return int64(len(p.header)) + p.plan.Size
}

// A composing says how the header of a payload is made (RFC 9788 section 5.2).
type composing struct {
	policy HeaderPolicy
	cipher bool          // an encryption layer will be around it
	strict bool          // it must survive transport as it is written
	asIs   bool          // no Legacy Display Element
	hidden []HeaderField // fields that stay hidden beside those of the policy
}

// must reports whether what can't be made safe can't be sent. Inside encryption
// it is no harm.
func (c composing) must() bool { return c.strict && !c.cipher }

// newPayload makes the entity of a draft: Compose of RFC 9788 section 5.2.1
// but for the last two steps.
func (d *draft) newPayload(how composing) (*payload, error) {
	p, err := d.compose(how)
	return p, sendError(err)
}

func (d *draft) compose(how composing) (*payload, error) {
	if d.IsSMIME() || how.policy == PlainHeader {
		p, err := d.Rewrite(how.strict, how.must(), nil)
		if err != nil {
			return nil, err
		}
		header, err := d.structure(p, "")
		return &payload{header: header, plan: p, outer: d.Fields}, err
	}
	out := &payload{outer: d.Fields}
	var hidden legacyText
	if how.cipher {
		var err error
		if out.outer, hidden, err = d.hide(how); err != nil {
			return nil, err
		}
	}
	var legacy prepare.Extension
	if len(hidden) > 0 && !how.asIs {
		legacy = func(p *prepare.Rewrite) { hidden.addTo(p, d.Root) }
	}
	var err error
	if out.plan, err = d.Rewrite(how.strict, how.must(), legacy); err != nil {
		return nil, err
	}
	hp := "clear"
	if how.cipher {
		hp = "cipher"
	}
	header, err := d.structure(out.plan, hp)
	if err != nil {
		return nil, err
	}
	header = header[:len(header)-2] // the blank line
	for _, f := range d.Fields {
		if !isTrace(f.Name) {
			header = append(header, f.Raw...)
		}
	}
	if how.cipher {
		for _, f := range out.outer {
			if isTrace(f.Name) {
				continue
			}
			record, err := prepare.NewField("HP-Outer", f.Name+": "+f.Value)
			if err != nil {
				return nil, err
			}
			header = append(header, record.Raw...)
		}
	}
	out.header = append(header, '\r', '\n')
	return out, nil
}

// hide returns the fields that stand outside the encryption, and those that
// people would miss there.
func (d *draft) hide(how composing) (outer []prepare.Field, hidden legacyText, err error) {
	for _, f := range d.Fields {
		if isTrace(f.Name) {
			if !copiesHeader(f) || how.policy == HideNothing && len(how.hidden) == 0 {
				outer = append(outer, f)
			}
			continue
		}
		v, keep := withhold(how.hidden, f.Name, f.Value)
		if keep {
			v, keep = how.policy.outer(f.Name, v)
		}
		if strings.EqualFold(f.Name, "From") && !sameText(f.Name, v, f.Value) {
			// RFC 9788 section 3.1.1. Readers would take it for a forgery.
			return nil, nil, fmt.Errorf("%w: the addresses of From can't be hidden", ErrHeader)
		}
		if (!keep || v != f.Value) && isUserFacing(f.Name) {
			hidden = append(hidden, f)
		}
		switch {
		case !keep:
		case v == f.Value:
			outer = append(outer, f)
		default:
			if !prepare.IsASCII(v) {
				if v, err = prepare.ASCIIValue(f.Name, v); err != nil {
					return nil, nil, err
				}
			}
			o, err := prepare.NewField(f.Name, v)
			if err != nil {
				return nil, nil, err
			}
			outer = append(outer, o)
		}
	}
	return outer, hidden, nil
}

// structure returns the structural header fields of the root with the edits of
// the plan and the hp parameter, if any, and a blank line. Each of MIME-Version,
// Content-Type and Content-Transfer-Encoding stands there at most once.
func (d *draft) structure(p *prepare.Rewrite, hp string) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("MIME-Version: 1.0\r\n")
	encoding, contentType := p.Root.Encoding, false
	for i := range d.Root.Header {
		in := &d.Root.Header[i]
		if !prepare.IsStructural(in.Name) || strings.EqualFold(in.Name, "MIME-Version") {
			continue
		}
		f, changed, err := prepare.Sendable(in)
		if err != nil {
			return nil, err
		}
		d.Changed = d.Changed || changed
		switch {
		case in.Is("Content-Type"):
			contentType = true
			if f, err = rootType(f, d.Root.Type, p.Root, hp); err != nil {
				return nil, err
			}
		case in.Is("Content-Transfer-Encoding") && encoding != "":
			continue
		}
		b.Write(f.Raw)
	}
	if !contentType {
		f, err := rootType(prepare.Field{Name: "Content-Type", Value: "text/plain", Raw: []byte("Content-Type: text/plain\r\n")}, mimetree.MediaType{Type: "text/plain"}, p.Root, hp)
		if err != nil {
			return nil, err
		}
		b.Write(f.Raw)
	}
	if encoding != "" {
		b.WriteString("Content-Transfer-Encoding: " + encoding + "\r\n")
	}
	b.WriteString("\r\n")
	return b.Bytes(), nil
}

// rootType returns the Content-Type of the root with what is to be added.
func rootType(f prepare.Field, t mimetree.MediaType, e prepare.RootEdit, hp string) (prepare.Field, error) {
	v := f.Value
	add := func(name, value string) {
		v = prepare.WithParameter(v, t, name, value)
		t.Params = prepare.Merged(t.Params, name, value)
	}
	if _, stale := t.Params["hp"]; stale && hp == "" {
		// What protects no header fields must not say so (RFC 9788 section 2.1.1).
		t.Params = prepare.Merged(t.Params, "hp", "")
		delete(t.Params, "hp")
		if v = prepare.FormatMediaType(t.Type, t.Params); v == "" {
			v = t.Type
		}
	}
	for _, p := range e.Parameters {
		add(p.Name, p.Value)
	}
	if hp != "" {
		add("hp", hp)
	}
	if v == f.Value {
		return f, nil
	}
	return prepare.NewField(f.Name, v)
}
