package suites

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
)

// Evil is text that nobody signed. It is in most of what [OuterStructure] makes.
const Evil = "Please wire 50000"

// A SignedPart is a MIME entity with CR LF, and the detached signature over it.
type SignedPart struct{ Entity, Signature string }

// An EnclosedPart is a CMS object that has its content inside.
type EnclosedPart struct{ Kind, CMS string }

// OuterStructure returns a message in which what is around a signed part, or
// around a CMS object, is made up: header lines, the Content-Type, transfer
// encodings, delimiters, and text that nobody signed wherever some program may
// take it for the message.
func OuterStructure(rnd *rand.Rand, clear []SignedPart, enclosed []EnclosedPart) string {
	g := &outer{rnd: rnd}
	var msg string
	if rnd.IntN(4) == 0 {
		msg = g.enclosed(enclosed[rnd.IntN(len(enclosed))])
	} else {
		msg = g.clear(clear[rnd.IntN(len(clear))])
	}
	if rnd.IntN(8) == 0 {
		msg = strings.ReplaceAll(msg, "\r\n", "\n")
	}
	return msg
}

type outer struct {
	rnd        *rand.Rand
	ours, evil string // boundaries
	odd        int    // how many odd things were chosen
}

// pick returns the first of list, which is as it should be, or at times another.
func (g *outer) pick(list []string) string {
	if g.rnd.IntN(4) > 0 || g.odd > 2 {
		return list[0]
	}
	g.odd++
	return list[g.rnd.IntN(len(list))]
}

func (g *outer) any(list []string) string { return list[g.rnd.IntN(len(list))] }

// fill puts the boundaries and the text into a template.
func (g *outer) fill(s string) string {
	half := len(g.ours) / 2
	return strings.NewReplacer("{B}", g.ours, "{B1}", g.ours[:half], "{B2}", g.ours[half:], "{E}", g.evil, "{T}", Evil,
		"{P}", "Content-Type: text/plain\r\n\r\n"+Evil+"\r\n").Replace(s)
}

func (g *outer) clear(p SignedPart) string {
	g.ours = g.pick([]string{"=_smimetest", "a", "----=_Part_1_2.3", "a b", "b'c", "a(b)c", "a:b/c?d", "<ab>", "a%41", "[x]", "'q'", "a,b", "a=b",
		strings.Repeat("x", 70), strings.Repeat("y", 300), "=?us-ascii?q?a?=", "a\\b", "=-=", "{x@y}", "0", "a*b", "-", "--"})
	g.evil = g.any([]string{"z", g.ours + "x", g.ours + " b", g.ours[:len(g.ours)/2], "---", "a", strings.ToUpper(g.ours), g.ours + "--", "\"" + g.ours + "\"", g.ours + "(c)", "q"})
	kind := g.pick([]string{"multipart/signed", "Multipart/SIGNED", "multipart/signed ", "multipart/signed (c)", "(text/plain) multipart/signed", "multipart/ signed",
		"multipart/signed text/plain", "multipart/signed, text/plain", "multipart/signed; text/plain", "multipart/signed\v", "multipart/signed\xa0", "\r\n multipart/signed",
		"multipart/signed(text/plain)", "multipart/signed=x", "\"multipart/signed\"", "multipart/signed\x00", "multipart/signed\xc2\xa0", "multipart/signed/x", "\ufeffmultipart/signed"})
	protocol := g.pick([]string{`; protocol="application/pkcs7-signature"`, `; protocol=application/pkcs7-signature`, `; protocol="application/x-pkcs7-signature"`,
		``, `; protocol="application/pkcs7-signature"; charset=utf-8`, `; protocol="application/pkcs7-signature" x`, `;; protocol="application/pkcs7-signature"`})
	boundary := g.pick(boundaryTemplates)
	rest := g.pick([]string{"; micalg=sha-256", "", "; micalg=sha-256;", "; micalg=\"sha-256\"", "; micalg=sha-256 (c)", "; x=\"y", "; x=(", "; name=\"a;b\"", "; x=\"a\\\\\"",
		"; x=a b", "; x=\"boundary={E}\"", "; boundary={E}", "; x=\"\\\"; boundary={E}; \"", "; x==?utf-8?q?=3B_boundary=3D{E}?="})
	field := "Content-Type: " + kind + protocol + boundary + rest
	if g.rnd.IntN(3) == 0 {
		field = "Content-Type: " + kind + boundary + rest + protocol
	}
	encoding := g.pick([]string{"", "Content-Transfer-Encoding: 7bit\r\n", "Content-Transfer-Encoding: quoted-printable\r\n", "Content-Transfer-Encoding: base64\r\n",
		"Content-Transfer-Encoding: x-unknown\r\n", "Content-Transfer-Encoding: x-uuencode\r\n", "Content-Transfer-Encoding: \"base64\"\r\n"})
	var b strings.Builder
	b.WriteString(g.fill(g.header(field+"\r\n"+encoding) + "\r\n"))
	b.WriteString(g.fill(g.preamble()))
	line := g.pick([]string{"\r\n", " \r\n", "\t\r\n", "  \t \r\n"})
	b.WriteString("--" + g.ours + line + p.Entity + "\r\n--" + g.ours + line)
	b.WriteString("Content-Type: application/pkcs7-signature; name=smime.p7s\r\nContent-Transfer-Encoding: base64\r\n\r\n" + p.Signature + "\r\n")
	b.WriteString(g.fill(g.pick([]string{"--{B}--\r\n", "--{B}--", "--{B}-- \r\n", "", "--{B}--\r\n\r\n", "--{B}--\r\nfooter\r\n", "--{B}--\r\n--{B}\r\n{P}", "--{B}--\r\n--{E}\r\n{P}--{E}--\r\n",
		"--{B}--\v\r\n", "--{B}--x\r\n"})))
	return b.String()
}

// boundaryTemplates are ways to write a boundary, or two.
var boundaryTemplates = []string{`; boundary="{B}"`, `; boundary={B}`, `; BOUNDARY="{B}"`, `; boundary="{B}" x`, `; boundary="{B}"x`, `; boundary="{B}" {E}`,
	`; boundary={E}; boundary="{B}"`, `; boundary*1={E}; boundary="{B}"`, `; boundary*0="{B1}"; boundary*1="{B2}"`, `; boundary*0="{B}"; boundary*2="{E}"`,
	`; boundary*=us-ascii''{B}`, `; boundary*0*=us-ascii''{B}`, `; boundary*={E}; boundary="{B}"`, `; boundary="{B}`, `; boundary={B}"`, `; x="boundary={E}"; boundary="{B}"`,
	`; x="; boundary={E}; y="; boundary="{B}"`, `; (boundary={E}) boundary="{B}"`, `; boundary=({E})"{B}"`, `; boundary="{B}"({E})`, `; boundary={B} ({E})`,
	`; (";boundary={E};") boundary="{B}"`, `; x="a\"; boundary={E}; y=\""; boundary="{B}"`, `; boundary="\{B}"`, `; boundary="{B1}\{B2}"`, `; boundary = "{B}"`, `; boundary ="{B}"`,
	`; boundary= {B}`, `; boundary="{B}";;`, `; xboundary={E}; boundary="{B}"`, `; boundary-x={E}; boundary="{B}"`, "; boundary\xa0={E}; boundary=\"{B}\"", "; \vboundary={E}; boundary=\"{B}\"",
	"; boundary=\"{B}\v\"", "; boundary={B}\f", "; boundary=\"{B}\r\n \"", "; boundary=\r\n \"{B}\"", ";\r\n\tboundary=\"{B}\"", "; boundary=\"{B1}\r\n {B2}\"", `; boundary=" {B}"`, `; boundary="{B} "`,
	`; boundary='{B}'`, `; boundary=<{B}>`, `; boundary="<{B}>"`, `, boundary={E}; boundary="{B}"`, ` boundary="{B}"`, `; boundary="{B}",`, `; boundary:"{B}"`, `; boundary=="{B}"`,
	`; boundary="=?us-ascii?q?{B}?="`, `; boundary==?us-ascii?q?{B}?=`, `; name="=?utf-8?q?=3B_boundary=3D{E}?="; boundary="{B}"`, "; boundary=\"{B}\x00{E}\"", `; x; boundary="{B}"`, `; x=; boundary="{B}"`,
	`; ="{E}"; boundary="{B}"`, `; type="text/plain"; boundary="{B}"`, `; boundary="{B}"; boundary="{B}"`, `; boundary=""{B}""`, `; boundary="{B}"""`, `; x="y" z="boundary={E}"; boundary="{B}"`,
	`; x=y boundary={E}; boundary="{B}"`, "; boundary=\"{B}\"\r\n ;x=y", `; charset="utf-8"; boundary="{B}"`, `; x='; boundary={E}; y='; boundary="{B}"`, `; x=\"; boundary="{B}"; y="; boundary={E}; z="`,
	`; x=%22; boundary="{B}"`, "; x=\"\x80\"; boundary=\"{B}\"", "; x=\xc3\xa4; boundary=\"{B}\"", `;boundary="{B}"`, ` ; boundary="{B}"`, "\t;\tboundary=\"{B}\""}

func (g *outer) enclosed(p EnclosedPart) string {
	g.ours, g.evil = "b", g.any([]string{"z", "b"})
	field := "Content-Type: " + g.pick([]string{"application/pkcs7-mime", "application/x-pkcs7-mime", "Application/PKCS7-Mime", "application/pkcs7-mime (c)", "application/pkcs7-mime text/plain",
		"application/pkcs7-mime, text/plain", "application/pkcs7-mime; text/plain", "(x) application/pkcs7-mime", "application/pkcs7-mime\v", "application/ pkcs7-mime", "\r\n application/pkcs7-mime",
		"application/pkcs7-mime;text/plain=x", "application/pkcs7-mime\xa0", "multipart/mixed; application/pkcs7-mime", "application/pkcs7-mime multipart/mixed", "application/pkcs7-mime=x"}) +
		g.pick([]string{"; smime-type=" + p.Kind, "", "; smime-type=\"" + p.Kind + "\"", "; smime-type = " + p.Kind, "; x=(", "; x=\"y", "; boundary=b"}) +
		g.pick([]string{"; name=smime.p7m", "; name=\"smime.p7m\"", "; name=s mime.p7m", "; name=\"a;b.p7m\"", "; name=\xfc.p7m", "; name=\"Gr\xfc\xdfe.p7m\"", "; name*=utf-8''a.p7m", ""})
	header := g.fill(g.header(field + "\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=smime.p7m\r\n"))
	return header + "\r\n" + p.CMS + "\r\n" + g.fill(g.pick([]string{"", "\r\n", "\r\n\r\n{T}\r\n", "--b\r\n{P}--b--\r\n"}))
}

// header returns a header section with the fields that decide the structure.
func (g *outer) header(fields string) string {
	lines := []string{"From: alice@example.com\r\n", "To: bob@example.com\r\n", "Subject: Test\r\n", "MIME-Version: 1.0\r\n" + fields}
	odd := g.pick([]string{"", "{T}: x\r\n", "{T}\r\n", "X-Evil\xa0: {T}\r\n", "X-Evil : {T}\r\n", "X-Evil\t: {T}\r\n", ": {T}\r\n", "\vX: {T}\r\n", "X: a\vContent-Type: text/plain\r\n",
		"X: a\rContent-Type: text/plain\r\n", "X: {T}\r\r\n", " \r\n", "\t\r\n", " {T}\r\n", "X: y\r\n \r\n", "X:\r\n \r\n {T}\r\n", "From x@y.example Thu Jan  1 00:00:00 1970\r\n",
		">From x@y.example Thu Jan  1 00:00:00 1970\r\n", "X: \x85Content-Type: text/plain\r\n", "Content-Type\xa0: text/plain\r\n", "Content Type: text/plain\r\n", "Content-Type : text/plain\r\n",
		"content-type: text/plain\r\n", "X\x00: {T}\r\n", "X: \x00{T}\r\n", "\f\r\n", "X: y\f\r\n", "X: y\r\n\v z: {T}\r\n", "\ufeffX: {T}\r\n", "X: y\r\n\x00\r\n", "X: {T}\u2028Content-Type: text/plain\r\n",
		"Mime-Version: 1.0\r\n", "MIME-Version: 2.0\r\n", "\x80: {T}\r\n", "X\u00e4: {T}\r\n", "X(c): {T}\r\n", "\"X\": {T}\r\n", "X: y\n\r{T}\r\n", "X: y\n{T}: z\n", "-: {T}\r\n", "--b\r\n",
		"X@y: {T}\r\n", "X;y: {T}\r\n", "X" + strings.Repeat("y", 100) + ": {T}\r\n", "X: " + strings.Repeat("y ", 600) + "\r\n", "Content-Description: {T}\r\n", "Content-Type:\r\n", "X:y\r\n", "X:\r\n",
		"X: \x1cContent-Type: text/plain\r\n", "\x1c{T}: x\r\n", "Content-Disposition: inline\r\n", "Content-Disposition: attachment\r\n", "Subject: \x1b$B%F%9%H\x1b(B\r\n", "Content-Type-x: text/plain\r\n",
		"Content-Language: de\r\n", "X-\u017f: y\r\n", "X: =?utf-8?q?=0D=0A=0D=0A?={T}\r\n", "Resent-From: x@y.example\r\n", "X: y;\r\n\tContent-Type: text/plain\r\n", "{T}:\r\n", "\t{T}: x\r\n"})
	at := g.rnd.IntN(len(lines) + 1)
	if g.rnd.IntN(3) == 0 {
		at = 0
	}
	lines = append(lines[:at:at], append([]string{odd}, lines[at:]...)...)
	return strings.Join(lines, "")
}

// preamble returns what stands before the first part.
func (g *outer) preamble() string {
	whole := "--" + g.ours + "\r\n" + g.fill("{P}") + "--" + g.ours + "--\r\n"
	before := g.pick([]string{"", "\r\n", "This is an S/MIME signed message\r\n\r\n", "x", "\r", "\v", "\f", "\x85", "\u0085", "\u2028", "\u2029", "\x1c", "\x1d", "\x1e", "\x00", " ", "\t", "\ufeff", "\r\r\n", "\n\r", ">", "x\r", "x\v", "x\f", "x\x85"})
	if before == "" || strings.HasPrefix(before, "This") {
		return before
	}
	line := g.any([]string{"--{B}\r\n{P}", "--{E}\r\n{P}", "--{E}\r\n{P}--{E}--\r\n", "--{B}\r\r\n{P}", "--{B} x\r\n{P}", "--{B}\v\r\n{P}", "--{B}\xa0\r\n{P}", "--{B}-\r\n{P}", "--{B}\x00\r\n{P}", "{T}\r\n",
		"--{B}--\r\n{T}\r\n", "=2D-{B}\r\n{P}", fmt.Sprintf("%s\r\n", base64.StdEncoding.EncodeToString([]byte(whole))), "--{B}\f\r\n{P}", "--{B1}\r\n{P}", "--{B}(c)\r\n{P}", "--\r\n{P}", "-- {B}\r\n{P}", "--\"{B}\"\r\n{P}"})
	return before + line
}

// FromField returns a From field made up of pieces that mail programs put
// together differently, or a header that some find another one in. The address
// of the signer is mallory@evil.example; nobody should see victim@bank.example.
func FromField(rnd *rand.Rand) string {
	if rnd.IntN(5) == 0 {
		odd := oddFromFields[rnd.IntN(len(oddFromFields))]
		good := []string{"From: mallory@evil.example\r\n", "From: M <mallory@evil.example>\r\n", ""}[rnd.IntN(3)]
		if rnd.IntN(2) == 0 {
			return odd + good
		}
		return good + odd
	}
	var b strings.Builder
	b.WriteString("From: ")
	for range rnd.IntN(6) {
		b.WriteString(fromPieces[rnd.IntN(len(fromPieces))])
		if rnd.IntN(3) == 0 {
			b.WriteByte(' ')
		}
	}
	b.WriteString([]string{"<mallory@evil.example>", "mallory@evil.example", " <mallory@evil.example>", "<mallory@evil.example> (x)", "", ",mallory@evil.example", "<mallory@evil.example>, "}[rnd.IntN(7)])
	if rnd.IntN(3) == 0 {
		b.WriteString(fromPieces[rnd.IntN(len(fromPieces))])
	}
	return b.String() + "\r\n"
}

var fromPieces = []string{"victim@bank.example", "<victim@bank.example>", `"victim@bank.example"`, "(victim@bank.example)", `"victim@bank.example` + "\r\n" + ` "`, "mallory@evil.example",
	"<", ">", `"`, ",", ";", ":", "(", ")", `\`, " ", "\r\n ", "\r\n\t", "[", "]", "@", ".", "Alice", "A. B.", "M", "\v", "\f", "\xa0", "\x00", "\x85", "\u2028", "\u200b", "é", "\xe9", `"A, B"`, `"A" B`,
	"=?utf-8?q?victim=40bank.example?=", "=?utf-8?q?victim=40bank=2Eexample=2C?=", "=?utf-8?q?=2C?=", "=?utf-8?q?=22?=", "=?utf-8?q?=3Cvictim=40bank.example=3E?=", "=?utf-8?q?a=0D=0AFrom:_victim=40bank.example?=",
	"=?utf-8?b?dmljdGltQGJhbmsuZXhhbXBsZQ==?=", "=?utf-8?q?A_=28b=40c.example=29_via_list?=", "undisclosed:", "[EXTERNAL]", "[a] b [c]", "[x@y]", "[", `"\"`, `"a\"b"`, `\"`, `"(" `, `")" `, "(a(b)c)", "(a\\)b)", `("`, `")`, `'`, "`",
	"victim@bank.example,", "<@bank.example:", "bank.example!", "victim%bank.example@", `"victim@bank.example"@`, "victim @ bank . example", "victim@(x)bank.example", `"" `, `"a` + "\r\n" + ` b" `, `"a,` + "\r\n" + ` b@c.example" `,
	"\uff20", "victim\uff20bank.example", "mailto:", "=?utf-8?q?", "?=", "=?x?q?victim@bank.example?=", "a;b", "a:b", "to:a;", "|", "~", "//", "{}", "a@b", "<>", "<<", ">>", "\x1b", "\x7f", "(victim@bank.example", `"victim@bank.example`}

var oddFromFields = []string{" From: victim@bank.example\r\n", "\tFrom: victim@bank.example\r\n", "From\xa0: victim@bank.example\r\n", "From : victim@bank.example\r\n", "From\t: victim@bank.example\r\n", "\ufeffFrom: victim@bank.example\r\n",
	"From\x00: victim@bank.example\r\n", "\vFrom: victim@bank.example\r\n", "X: y\rFrom: victim@bank.example\r\n", "X: y\vFrom: victim@bank.example\r\n", "X: y\x85From: victim@bank.example\r\n", "X: y\u2028From: victim@bank.example\r\n",
	"FROM: victim@bank.example\r\n", "from: victim@bank.example\r\n", "From: victim@bank.example\r\n", "X: y\r\n From: victim@bank.example\r\n", "X: y\r\n \r\n From: victim@bank.example\r\n", "Sender: victim@bank.example\r\n",
	"X-From: victim@bank.example\r\n", "Resent-From: victim@bank.example\r\n", "Reply-To: victim@bank.example\r\n", "From:\r\n", "From: \r\n", "From:\r\n victim@bank.example\r\n", "X: y\r\n\r\nFrom: victim@bank.example\r\n",
	"From victim@bank.example Thu Jan  1 00:00:00 1970\r\n", ">From: victim@bank.example\r\n", "From;: victim@bank.example\r\n", "Fr\x00om: victim@bank.example\r\n", "\xa0From: victim@bank.example\r\n", "From:victim@bank.example\r\n",
	"Fro\u200bm: victim@bank.example\r\n", "From(c): victim@bank.example\r\n", "\"From\": victim@bank.example\r\n", "X: y\x00From: victim@bank.example\r\n", "X: y\fFrom: victim@bank.example\r\n", "\x1cFrom: victim@bank.example\r\n",
	"Sender: mallory@evil.example\r\n", "Subject: =?utf-8?q?x=0D=0AFrom:_victim=40bank.example?=\r\n", "X: y\n\rFrom: victim@bank.example\r\n", "X: y\r\nFrom\r\n : victim@bank.example\r\n", "From\r\n : victim@bank.example\r\n"}
