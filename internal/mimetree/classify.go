package mimetree

import (
	"bytes"
	"strings"
)

// parseHeader reads the header section of p.
func (p *Part) parseHeader(section []byte) error {
	h, malformed, err := ParseHeader(section, p.Start)
	if err != nil {
		return err
	}
	p.Header = h
	if malformed > 0 {
		p.Defects |= MalformedHeader
	}
	if malformed > 1 || malformed == 1 && !hasMboxLine(section) || h.hasObsolete() {
		p.Defects |= AmbiguousHeader
	}
	return nil
}

// hasMboxLine reports whether section begins with the line that precedes a
// message in an mbox (RFC 4155). All programs pass over it.
func hasMboxLine(section []byte) bool {
	if !bytes.HasPrefix(section, []byte("From ")) {
		return false
	}
	_, _, found, _ := splitField(section[:fieldEnd(section, 0)])
	return !found
}

// setEnd ends p. Where nothing stands between a line and a delimiter the line
// end before p belongs to the delimiter behind it.
func (p *Part) setEnd(end int64) {
	p.End = end
	p.Start = min(p.Start, end)
	p.Body = min(p.Body, end)
}

// classify reads the fields that say what p is. boundary is not empty for a
// multipart that can be split.
func (p *Part) classify(parent *Part) (boundary string, message bool) {
	p.Type, p.Encoding = MediaType{Type: "text/plain"}, "7bit"
	if parent != nil && parent.Type.Type == "multipart/digest" {
		p.Type.Type = "message/rfc822"
	}
	if !p.classifyFields() {
		return "", false
	}
	multi := strings.HasPrefix(p.Type.Type, "multipart/")
	message = p.Type.Type == "message/rfc822" || p.Type.Type == "message/global"
	if !multi && !message {
		return "", false
	}
	switch p.Encoding {
	case "", "7bit", "8bit", "binary":
	default:
		p.Defects |= EncodedMultiple
		// RFC 2045 section 6.4 forbids the encoding, and mail programs leave
		// it on multipart/signed without having applied it.
		if p.Type.Type != "multipart/signed" {
			return "", false
		}
	}
	if message {
		return "", true
	}
	b := strings.TrimRight(p.Type.Params["boundary"], " \t")
	if b == "" || len(b) > maxBoundary || strings.ContainsAny(b, "\r\n\x00") || p.Type.IsDuplicate("boundary") {
		p.Defects |= BadBoundary
		return "", false
	}
	if !p.Type.clearBoundary {
		p.Defects |= SloppyBoundary
	}
	return b, false
}

// classifyFields reads type and transfer encoding. It returns false if they
// can't be read.
func (p *Part) classifyFields() bool {
	types, encodings, versions := p.Header.Fields("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p.Header.Get("MIME-Version")
	sameVersion := true
	for _, v := range versions {
		sameVersion = sameVersion && Token(v) == Token(versions[0])
	}
	// Programs differ in which of two fields they use, so neither counts.
	if len(types) > 1 || len(encodings) > 1 || !sameVersion {
		p.Defects |= DuplicateField
		p.Type = MediaType{}
		return false
	}
	if len(versions) > 1 {
		p.Defects |= RepeatedVersion
	}
	if len(encodings) == 1 {
		p.Encoding = Token(encodings[0])
	}
	if len(types) == 0 {
		return true
	}
	t, err := ParseMediaType(types[0].Value)
	if err != nil || !strings.Contains(t.Type, "/") {
		p.Defects |= BadContentType
		p.Type = MediaType{}
		return false
	}
	clear := inspectType(types[0].Folded())
	t.clearBoundary, t.loose = clear.boundary, clear.loose
	p.Type = t
	if !clear.kind {
		p.Defects |= AmbiguousType
	}
	if clear.odd {
		p.Defects |= OddParameter
	}
	return true
}
