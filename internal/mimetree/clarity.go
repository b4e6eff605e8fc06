package mimetree

import (
	"sort"
	"strconv"
	"strings"
)

// A clarity says which facts of a Content-Type all programs read alike. Mail
// programs parse the field in ways that have little in common: some split it at
// every semicolon, some at those outside of quotes; some know comments,
// continuations, or neither.
type clarity struct {
	kind     bool // type and subtype
	boundary bool // the boundary parameter
	odd      bool // a parameter is not one of RFC 2045
	loose    bool // some programs read no parameter at all
}

const fold = " \t\r\n"

// inspectType reads the value of a Content-Type as it stands in the header, by
// the strictest grammar in use:
//
//	content   = type "/" subtype *( ";" [ parameter ] )
//	parameter = token "=" ( token / quoted-string )
//
// with white space between its elements and without comments, but for a plain one
// behind a type that is no multipart.
func inspectType(value string) clarity {
	value = strings.Trim(value, fold)
	n := tokenLen(value)
	m := 0
	if n > 0 && strings.HasPrefix(value[n:], "/") {
		m = tokenLen(value[n+1:])
	}
	rest := strings.TrimLeft(value[min(len(value), n+1+m):], fold)
	commented := false
	if !strings.EqualFold(value[:n], "multipart") {
		uncommented := strings.TrimLeft(cutPlainComment(rest), fold)
		commented, rest = uncommented != rest, uncommented
	}
	c := clarity{kind: m > 0 && (rest == "" || rest[0] == ';')}
	if !c.kind {
		return c
	}
	// Ruby reads no parameters then.
	c.loose = strings.Count(value, "\t") != strings.Count(value, "\n\t")
	contained, boundaries := true, 0
	for rest != "" {
		var p inspectedParameter
		p, rest = inspectParameter(strings.TrimLeft(rest[1:], fold))
		c.odd, c.loose = c.odd || p.odd, c.loose || p.loose
		contained = contained && !p.risky
		if p.secondType {
			c.kind = false
		}
		if strings.EqualFold(p.name, "boundary") && !p.odd && isClearBoundary(p.value) {
			boundaries++
		}
	}
	if commented && (c.odd || c.loose || strings.Contains(value, " =") || strings.Contains(value, "= ")) {
		c.kind = false
	}
	c.boundary = contained && boundaries == 1 && strings.Count(strings.ToLower(value), "boundary") == 1
	return c
}

// cutPlainComment removes the comment that s begins with, if nothing in it means
// anything to a program that knows no comments.
func cutPlainComment(s string) string {
	if !strings.HasPrefix(s, "(") {
		return s
	}
	end := strings.IndexByte(s, ')')
	if end < 0 || strings.ContainsAny(s[1:end], "(;=/\\\",") || hasControl(s[:end]) {
		return s
	}
	return s[end+1:]
}

// An inspectedParameter is what stands between two semicolons.
type inspectedParameter struct {
	name, value string
	odd         bool // not of RFC 2045
	loose       bool // more than the lack of quotes is wrong
	risky       bool // programs differ in where it ends
	secondType  bool // something with a slash and without a name
}

// inspectParameter reads a parameter. rest is empty or begins with a semicolon.
func inspectParameter(s string) (p inspectedParameter, rest string) {
	if s == "" || s[0] == ';' {
		return p, s
	}
	n := tokenLen(s)
	p.name = s[:n]
	after := strings.TrimLeft(s[n:], fold)
	if n == 0 || !strings.HasPrefix(after, "=") {
		segment := s[:segmentLen(s)]
		p.odd, p.loose, p.risky, p.secondType = true, true, isRisky(segment), strings.Contains(segment, "/")
		return p, s[len(segment):]
	}
	after = strings.TrimLeft(after[1:], fold)
	if strings.HasPrefix(after, `"`) {
		end := strings.IndexByte(after[1:], '"')
		if end < 0 {
			p.odd, p.loose, p.risky = true, true, true
			return p, ""
		}
		p.value, rest = after[1:1+end], after[end+2:]
		p.risky = strings.HasSuffix(p.value, `\`) || hasControl(p.value)
		p.loose = p.risky || !isASCII(p.value)
		p.odd = p.loose || strings.ContainsAny(p.value, "\\\n")
	} else {
		p.value, rest = after[:tokenLen(after)], after[tokenLen(after):]
		p.odd = p.value == ""
	}
	junk := rest[:segmentLen(rest)]
	rest = rest[len(junk):]
	if strings.Trim(junk, fold) != "" {
		p.odd, p.risky = true, p.risky || isRisky(junk)
		p.loose = p.loose || p.risky || strings.ContainsAny(strings.TrimRight(junk, fold), fold) || after[0] == '"' || !isASCII(junk)
	}
	return p, rest
}

// segmentLen returns how much of s stands before its first semicolon.
func segmentLen(s string) int {
	if i := strings.IndexByte(s, ';'); i >= 0 {
		return i
	}
	return len(s)
}

// isRisky reports whether programs may differ in where unquoted text ends.
func isRisky(s string) bool { return strings.ContainsAny(s, "\"()\\") || hasControl(s) }

// hasControl reports whether s has a control character that is no white space.
func hasControl(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' && c != '\t' && c != '\r' && c != '\n' || c == 0x7f {
			return true
		}
	}
	return false
}

// tokenLen returns the length of the token of RFC 2045 that s begins with.
func tokenLen(s string) int {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("()<>@,;:\\\"/[]?=", c) >= 0 {
			return i
		}
	}
	return len(s)
}

// isClearBoundary reports whether nobody takes quotes, escapes, encoded words
// or trailing space off the value of a boundary.
func isClearBoundary(v string) bool {
	if v == "" || len(v) > maxBoundary || v[0] == ' ' || v[len(v)-1] == ' ' {
		return false
	}
	for i := 0; i < len(v); i++ {
		if c := v[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return false
		}
	}
	return !(v[0] == '<' && v[len(v)-1] == '>' || v[0] == '\'' && v[len(v)-1] == '\'') &&
		!(strings.Contains(v, "=?") && strings.Contains(v, "?="))
}

// maxReadings bounds the boundaries that one field may be read as.
const maxReadings = 64

// otherBoundaries returns what programs may read as the boundary of a
// Content-Type, given as it stands in the header: whatever stands after the
// word, whole, quoted, unquoted, cut and continued, ours excepted. ok is false
// if there are too many.
func otherBoundaries(value, ours string) (list []string, ok bool) {
	flat := strings.NewReplacer("\r", "", "\n", "").Replace(value)
	seen := map[string]bool{ours: true, "": true}
	pieces := make(map[int][]string)
	unquotedSpecial := false // then a program that cuts there has an empty boundary
	lower := asciiLower(flat)
	for at, count := 0, 0; ; count++ {
		i := strings.Index(lower[at:], "boundary")
		if i < 0 {
			break
		}
		if at += i + len("boundary"); count == maxReadings {
			return nil, false
		}
		n, rest, found := parameterValue(flat[at:])
		if !found {
			continue
		}
		unquotedSpecial = unquotedSpecial || rest != "" && rest[0] != '"' && tokenLen(rest) == 0
		for _, v := range valueReadings(rest) {
			seen[v] = true
			if len(pieces[n]) < 4 {
				pieces[n] = append(pieces[n], v)
			}
		}
		if len(seen) > maxReadings {
			return nil, false
		}
	}
	for _, v := range continuedReadings(pieces) {
		seen[v] = true
	}
	delete(seen, ours)
	delete(seen, "")
	for v := range seen {
		list = append(list, v)
	}
	if unquotedSpecial {
		list = append(list, "")
	}
	sort.Strings(list)
	return list, len(list) <= maxReadings
}

// parameterValue reads what follows a parameter's name: the number of a
// continuation (RFC 2231), and the value.
func parameterValue(s string) (number int, value string, ok bool) {
	name, value, ok := strings.Cut(s, "=")
	name = strings.Trim(name, " \t*")
	if !ok || strings.ContainsAny(name, ";\"") || len(name) > 20 {
		return 0, "", false
	}
	number, _ = strconv.Atoi(name)
	return number, strings.TrimLeft(value, " \t"), true
}

// valueReadings returns the ways to read a value that s begins with.
func valueReadings(s string) []string {
	if len(s) > maxBoundary {
		s = s[:maxBoundary]
	}
	segment := s[:segmentLen(s)]
	list := []string{s, segment, strings.ReplaceAll(segment, `"`, ""), strings.Trim(segment, "\"<>' \t")}
	cut := func(s, stop string) {
		if i := strings.IndexAny(s, stop); i >= 0 {
			list = append(list, s[:i])
		}
	}
	cut(segment, " \t")
	cut(segment, "()<>@,;:\\\"/[]?= \t")
	cut(segment, "(")
	if strings.HasPrefix(s, `"`) {
		inner := s[1:]
		list = append(list, inner, unquoteText(inner))
		cut(inner, `"`)
		cut(inner, " \t;")
		cut(inner, "\"\\")
	}
	for _, v := range list {
		if _, text, ok := cutLanguage(v); ok {
			list = append(list, text)
		}
	}
	for _, v := range list {
		if d, err := unpercent(v); err == nil && d != v {
			list = append(list, d)
		}
	}
	for i, v := range list {
		list[i] = strings.TrimRight(v, fold)
	}
	return list
}

// unquoteText returns the quoted-string that s, behind its first quote, begins with.
func unquoteText(s string) string {
	var b strings.Builder
	for i := 0; i < len(s) && s[i] != '"'; i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// cutLanguage splits charset'language'text.
func cutLanguage(v string) (charset, text string, ok bool) {
	parts := strings.SplitN(v, "'", 3)
	if len(parts) != 3 {
		return "", "", false
	}
	return parts[0], parts[2], true
}

// continuedReadings puts the readings of continuations together, up to the
// first gap and beyond it.
func continuedReadings(pieces map[int][]string) []string {
	var numbers []int
	for n := range pieces {
		numbers = append(numbers, n)
	}
	sort.Ints(numbers)
	list := []string{""}
	var all []string
	for _, n := range numbers {
		var longer []string
		for _, head := range list {
			for _, v := range pieces[n] {
				if len(longer) < maxReadings {
					longer = append(longer, head+v)
				}
			}
		}
		list = longer
		all = append(all, list...)
		if len(all) > 4*maxReadings {
			break
		}
	}
	return all
}

func asciiLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
