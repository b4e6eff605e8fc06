package smime

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/gosmime/gosmime/internal/mimetree"
)

// A payload is a MIME entity that is to be signed or encrypted: what RFC 9787
// calls the Cryptographic Payload, or a layer around one.
type payload struct {
	header []byte // with the blank line
	plan   *plan
	outer  []field // the fields of the message outside of it
}

// write writes the entity.
func (p *payload) write(w io.Writer) error {
	if _, err := w.Write(p.header); err != nil {
		return err
	}
	return p.plan.writeBody(w)
}

// size returns the length of the entity, or -1 where that is not known.
func (p *payload) size() int64 {
	if p.plan.size < 0 {
		return -1
	}
	return int64(len(p.header)) + p.plan.size
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
	if d.layered() || how.policy == PlainHeader {
		p, err := d.newPlan(how.strict, how.must(), nil)
		if err != nil {
			return nil, err
		}
		header, err := d.structure(p, "")
		return &payload{header: header, plan: p, outer: d.fields}, err
	}
	out := &payload{outer: d.fields}
	var hidden legacyText
	if how.cipher {
		var err error
		if out.outer, hidden, err = d.hide(how); err != nil {
			return nil, err
		}
	}
	var legacy *legacyText
	if len(hidden) > 0 && !how.asIs {
		legacy = &hidden
	}
	var err error
	if out.plan, err = d.newPlan(how.strict, how.must(), legacy); err != nil {
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
	for _, f := range d.fields {
		if !isTrace(f.name) {
			header = append(header, f.raw...)
		}
	}
	if how.cipher {
		for _, f := range out.outer {
			if isTrace(f.name) {
				continue
			}
			record, err := newField("HP-Outer", f.name+": "+f.value)
			if err != nil {
				return nil, err
			}
			header = append(header, record.raw...)
		}
	}
	out.header = append(header, '\r', '\n')
	return out, nil
}

// hide returns the fields that stand outside the encryption, and those that
// people would miss there.
func (d *draft) hide(how composing) (outer []field, hidden legacyText, err error) {
	for _, f := range d.fields {
		if isTrace(f.name) {
			if !copiesHeader(f) || how.policy == HideNothing && len(how.hidden) == 0 {
				outer = append(outer, f)
			}
			continue
		}
		v, keep := withhold(how.hidden, f.name, f.value)
		if keep {
			v, keep = how.policy.outer(f.name, v)
		}
		if strings.EqualFold(f.name, "From") && !sameText(f.name, v, f.value) {
			// RFC 9788 section 3.1.1. Readers would take it for a forgery.
			return nil, nil, fmt.Errorf("%w: the addresses of From can't be hidden", ErrHeader)
		}
		if (!keep || v != f.value) && isUserFacing(f.name) {
			hidden = append(hidden, f)
		}
		switch {
		case !keep:
		case v == f.value:
			outer = append(outer, f)
		default:
			if !isASCII(v) {
				if v, err = asciiValue(f.name, v); err != nil {
					return nil, nil, err
				}
			}
			o, err := newField(f.name, v)
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
func (d *draft) structure(p *plan, hp string) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("MIME-Version: 1.0\r\n")
	encoding, contentType := p.root.encoding, false
	for i := range d.root.Header {
		in := &d.root.Header[i]
		if !isStructural(in.Name) || strings.EqualFold(in.Name, "MIME-Version") {
			continue
		}
		f, changed, err := sendable(in)
		if err != nil {
			return nil, err
		}
		d.changed = d.changed || changed
		switch {
		case in.Is("Content-Type"):
			contentType = true
			if f, err = rootType(f, d.root.Type, p.root, hp); err != nil {
				return nil, err
			}
		case in.Is("Content-Transfer-Encoding") && encoding != "":
			continue
		}
		b.Write(f.raw)
	}
	if !contentType {
		f, err := rootType(field{name: "Content-Type", value: "text/plain", raw: []byte("Content-Type: text/plain\r\n")}, mimetree.MediaType{Type: "text/plain"}, p.root, hp)
		if err != nil {
			return nil, err
		}
		b.Write(f.raw)
	}
	if encoding != "" {
		b.WriteString("Content-Transfer-Encoding: " + encoding + "\r\n")
	}
	b.WriteString("\r\n")
	return b.Bytes(), nil
}

// rootType returns the Content-Type of the root with what is to be added.
func rootType(f field, t mimetree.MediaType, e rootEdit, hp string) (field, error) {
	v := f.value
	add := func(name, value string) {
		v = withParameter(v, t, name, value)
		t.Params = merged(t.Params, name, value)
	}
	if _, stale := t.Params["hp"]; stale && hp == "" {
		// What protects no header fields must not say so (RFC 9788 section 2.1.1).
		t.Params = merged(t.Params, "hp", "")
		delete(t.Params, "hp")
		if v = formatMediaType(t.Type, t.Params); v == "" {
			v = t.Type
		}
	}
	if e.utf8 {
		add("charset", "utf-8")
	}
	if e.legacy {
		add("hp-legacy-display", "1")
	}
	if hp != "" {
		add("hp", hp)
	}
	if v == f.value {
		return f, nil
	}
	return newField(f.name, v)
}
