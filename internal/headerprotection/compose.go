package headerprotection

import (
	"bytes"
	"io"
	"strings"

	"github.com/gosmime/gosmime/internal/mimetree"
	"github.com/gosmime/gosmime/internal/prepare"
)

// A Payload is a MIME entity that is to be signed or encrypted: what RFC 9787
// calls the Cryptographic Payload, or a layer around one.
type Payload struct {
	Header []byte // with the blank line
	Body   *prepare.Rewrite
	Outer  []prepare.Field // the fields of the message outside of it
}

// Write writes the entity.
func (p *Payload) Write(w io.Writer) error {
	if _, err := w.Write(p.Header); err != nil {
		return err
	}
	return p.Body.WriteBody(w)
}

// Size returns the length of the entity, or -1 where that is not known.
func (p *Payload) Size() int64 {
	if p.Body.Size < 0 {
		return -1
	}
	return int64(len(p.Header)) + p.Body.Size
}

// Options say how the header of a payload is made (RFC 9788 section 5.2).
type Options struct {
	Policy          Policy
	Cipher          bool    // an encryption layer will be around it
	ClearSigned     bool    // it must survive transport as it is written
	Unchanged       bool    // the body is written octet by octet
	NoLegacyDisplay bool    // no Legacy Display Element
	Hidden          []Field // fields that stay hidden beside those of the policy
}

// requireSafe reports whether what can't be made safe can't be sent. Inside
// encryption it is no harm.
func (o Options) requireSafe() bool { return o.ClearSigned && !o.Cipher }

// rewrite finds out how the body is written.
func (o Options) rewrite(m *prepare.Message, ext prepare.Extension) (*prepare.Rewrite, error) {
	if o.Unchanged {
		return m.Unchanged(), nil
	}
	return m.Rewrite(o.ClearSigned, o.requireSafe(), ext)
}

// Compose makes the entity of a message: Compose of RFC 9788 section 5.2.1 but
// for the last two steps. Of a message that is S/MIME already the header stays
// as it is.
func Compose(m *prepare.Message, opts Options) (*Payload, error) {
	if m.IsSMIME() || opts.Policy == PlainHeader {
		p, err := opts.rewrite(m, nil)
		if err != nil {
			return nil, err
		}
		header, err := structure(m, p, "")
		return &Payload{Header: header, Body: p, Outer: m.Fields}, err
	}
	out := &Payload{Outer: m.Fields}
	var hidden legacyText
	if opts.Cipher {
		var err error
		if out.Outer, hidden, err = hide(m, opts); err != nil {
			return nil, err
		}
	}
	var legacy prepare.Extension
	if len(hidden) > 0 && !opts.NoLegacyDisplay {
		legacy = func(p *prepare.Rewrite) { hidden.addTo(p, m.Root) }
	}
	var err error
	if out.Body, err = opts.rewrite(m, legacy); err != nil {
		return nil, err
	}
	hp := "clear"
	if opts.Cipher {
		hp = "cipher"
	}
	header, err := structure(m, out.Body, hp)
	if err != nil {
		return nil, err
	}
	header = header[:len(header)-2] // the blank line
	for _, f := range m.Fields {
		if !isTrace(f.Name) {
			header = append(header, f.Raw...)
		}
	}
	if opts.Cipher {
		for _, f := range out.Outer {
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
	out.Header = append(header, '\r', '\n')
	return out, nil
}

// hide returns the fields that stand outside the encryption, and those that
// people would miss there.
func hide(m *prepare.Message, opts Options) (outer []prepare.Field, hidden legacyText, err error) {
	for _, f := range m.Fields {
		if isTrace(f.Name) {
			if !copiesHeader(f) || opts.Policy == HideNothing && len(opts.Hidden) == 0 {
				outer = append(outer, f)
			}
			continue
		}
		v, keep := withhold(opts.Hidden, f.Name, f.Value)
		if keep {
			v, keep = opts.Policy.outer(f.Name, v)
		}
		if strings.EqualFold(f.Name, "From") && !sameText(f.Name, v, f.Value) {
			// RFC 9788 section 3.1.1. Readers would take it for a forgery.
			return nil, nil, headerError("the addresses of From can't be hidden")
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
func structure(m *prepare.Message, p *prepare.Rewrite, hp string) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("MIME-Version: 1.0\r\n")
	encoding, contentType := p.Root.Encoding, false
	for i := range m.Root.Header {
		in := &m.Root.Header[i]
		if !prepare.IsStructural(in.Name) || strings.EqualFold(in.Name, "MIME-Version") {
			continue
		}
		f, changed, err := prepare.Sendable(in)
		if err != nil {
			return nil, err
		}
		m.Changed = m.Changed || changed
		switch {
		case in.Is("Content-Type"):
			contentType = true
			if f, err = rootType(f, m.Root.Type, p.Root, hp); err != nil {
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
