package mailbox

import (
	"io"
	"mime"
	"strings"
)

const (
	// MaxValue and MaxAddresses bound one field.
	MaxValue     = 1 << 20
	MaxAddresses = 20000
)

// A Named is an address with the text beside it, which is for display only:
// whoever wrote the message chose it.
type Named struct {
	Name    string // display name, encoded words decoded; of unknown charsets what is ASCII
	Comment string // comments around the address, which some programs show as the name
	Group   string // name of the group that it stands in
	InGroup bool
	Address
}

// FromHeader returns the addr-specs in the value of a From, Sender, To or Cc
// field, unfolded or not: groups, comments, display names and encoded words
// understood. Anything it can't read whole is an error, and so is a value
// without any address or group. Empty list elements are skipped (RFC 5322
// section 4.4); routes are refused. A list may be empty without error only if
// it has empty groups.
func FromHeader(value string) ([]Address, error) {
	list, err := List(value)
	if err != nil {
		return nil, err
	}
	out := make([]Address, len(list))
	for i, n := range list {
		out[i] = n.Address
	}
	return out, nil
}

// List is FromHeader with the display names.
func List(value string) ([]Named, error) {
	if len(value) > MaxValue {
		return nil, &Error{"field is too long", value[:64]}
	}
	p := &parser{in: strings.TrimSuffix(strings.TrimSuffix(value, "\n"), "\r")}
	var list []Named
	var ends []int // of the comments of each address in p.comments
	group, any, name := false, false, ""
	for {
		before := len(p.comments)
		p.oddComment, p.bare = false, false
		if err := p.skipCFWS(); err != nil {
			return nil, err
		}
		if commented := len(p.comments) > before; commented && p.peek() == ',' || commented && any && p.pos == len(p.in) {
			// postal-mime takes the comment for the address.
			return nil, p.fail("a comment instead of an address")
		}
		switch {
		case p.pos == len(p.in):
			if group {
				return nil, p.fail("group without end")
			}
			if !any {
				return nil, p.fail("no address")
			}
			if p.bracketed && len(list) > 1 {
				return nil, p.fail("square brackets beside several addresses")
			}
			addComments(list, p.comments, ends)
			return list, nil
		case p.take(','):
			continue
		case group && p.take(';'):
			group = false
		default:
			n, opens, err := p.element(group)
			if err != nil {
				return nil, err
			}
			any = true
			if opens {
				group, name = true, n.Name
				continue
			}
			if len(list) == MaxAddresses {
				return nil, p.fail("too many addresses")
			}
			if n.InGroup = group; group {
				n.Group = name
			}
			list, ends = append(list, n), append(ends, 0)
		}
		// What ends an element: a comma, the end of its group, the end.
		if err := p.skipCFWS(); err != nil {
			return nil, err
		}
		if len(list) > 0 {
			ends[len(list)-1] = len(p.comments)
		}
		if c := p.peek(); p.pos < len(p.in) && c != ',' && !(group && c == ';') {
			return nil, p.fail("address followed by other text")
		}
		if p.oddComment && p.bare {
			// postal-mime ends the comment at its first parenthesis.
			return nil, p.fail("parentheses in a comment beside an address without angle brackets")
		}
	}
}

// addComments gives each address its part of the comments.
func addComments(list []Named, comments []byte, ends []int) {
	start := 0
	for i := range list {
		list[i].Comment = strings.TrimSpace(displayName(string(comments[start:ends[i]])))
		start = ends[i]
	}
}

// element reads a mailbox, or the name of a group and its colon.
//
//	mailbox   = name-addr / addr-spec
//	name-addr = [display-name] angle-addr
//	group     = display-name ":" [group-list] ";" [CFWS]
func (p *parser) element(group bool) (n Named, opens bool, err error) {
	ph, err := p.phrase()
	if err != nil {
		return n, false, err
	}
	if ph.brackets && (p.peek() != '<' || group || strings.Contains(displayName(ph.text.String()), "@")) {
		return n, false, p.fail("square brackets")
	}
	switch {
	case p.peek() == '@':
		if !ph.local {
			return n, false, p.fail("@ after what is not a local part")
		}
		if n.Address, err = p.restOfAddr(ph.text.String(), true); err != nil {
			return n, false, err
		}
		if err = p.skipCFWS(); err != nil {
			return n, false, err
		}
		if !p.take('<') {
			p.bare = true
			return n, false, nil
		}
		// Many programs write the address again instead of a name, without
		// quotes: no harm where both are the same.
		again, err := p.angle()
		if err == nil && again != n.Address {
			err = p.fail("two addresses")
		}
		return n, false, err
	case p.take('<'):
		n.Name = displayName(ph.text.String())
		n.Address, err = p.angle()
		return n, false, err
	case ph.words > 0 && p.take(':'):
		if group {
			return n, false, p.fail("group within a group")
		}
		n.Name = displayName(ph.text.String())
		return n, true, nil
	}
	return n, false, p.fail("no address")
}

// angle reads an address and the bracket after it.
func (p *parser) angle() (a Address, err error) {
	if err = p.skipCFWS(); err != nil {
		return a, err
	}
	if a, err = p.addrSpec(true); err != nil {
		return a, err
	}
	if err = p.skipCFWS(); err != nil {
		return a, err
	}
	if !p.take('>') {
		return a, p.fail("no > after the address")
	}
	return a, nil
}

// A phrase is what stands before "<", ":" or "@": a display name, a group's
// name or a local part.
type phrase struct {
	text     strings.Builder
	words    int
	brackets bool // it has square brackets
	local    bool // could be a local part: words joined by dots, nothing else
}

// phrase reads words and dots (obs-phrase of RFC 5322 section 4.1).
//
// DEVIATION: section 3.2.3 wants square brackets in quotes. Gateways put
// "[EXTERNAL]" before names as they are. Programs differ in what they make of
// brackets, but not in the one address beside them where these hold but words.
func (p *parser) phrase() (*phrase, error) {
	ph := &phrase{local: true}
	wantWord := true // a local part needs a word here
	for {
		start := p.pos
		if err := p.skipCFWS(); err != nil {
			return nil, err
		}
		gap := p.pos > start && ph.words > 0
		c := p.peek()
		switch {
		case c == '"' || p.pos < len(p.in) && isAtext(c):
			word, err := p.word()
			if err != nil {
				return nil, err
			}
			if gap {
				ph.text.WriteByte(' ')
			}
			ph.local = ph.local && wantWord && !gap
			ph.text.WriteString(word)
			ph.words++
			wantWord = false
		case c == '.':
			p.pos++
			ph.local = ph.local && !wantWord && !gap
			ph.text.WriteByte('.')
			wantWord = true
		case c == '[':
			word, ok := p.bracketedWords()
			if !ok {
				return nil, p.fail("square brackets")
			}
			if ph.words > 0 {
				ph.text.WriteByte(' ')
			}
			ph.text.WriteString(word)
			ph.words++
			ph.local, ph.brackets, p.bracketed = false, true, true
		default:
			ph.local = ph.local && !wantWord
			return ph, nil
		}
	}
}

// bracketedWords reads atoms and blanks in square brackets.
func (p *parser) bracketedWords() (string, bool) {
	end := strings.IndexByte(p.in[p.pos:], ']')
	if end < 0 {
		return "", false
	}
	words := p.in[p.pos : p.pos+end+1]
	for _, c := range []byte(words[1:end]) {
		if !isAtext(c) && c != ' ' && c != '\t' {
			return "", false
		}
	}
	p.pos += end + 1
	return words, true
}

func (p *parser) word() (string, error) {
	if p.peek() == '"' {
		return p.quotedString()
	}
	return p.atom(), nil
}

// displayName decodes the encoded words of a phrase, those of unknown charsets
// as if they were ASCII. What is not UTF-8 is replaced.
func displayName(s string) string {
	if strings.Contains(s, "=?") {
		d := mime.WordDecoder{CharsetReader: func(_ string, in io.Reader) (io.Reader, error) { return in, nil }}
		if out, err := d.DecodeHeader(s); err == nil {
			s = out
		}
	}
	return strings.ToValidUTF8(s, "\ufffd")
}
