package smime_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"net/textproto"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/smime"
)

// TestHiddenBeyondTheSubject: nothing that tells the hidden fields stands
// outside, in whatever form it came.
func TestHiddenBeyondTheSubject(t *testing.T) {
	t.Parallel()
	w := newSendFixture(t)
	for _, tt := range []struct {
		name   string
		policy smime.HeaderPolicy
		field  string
		secret string // not outside
		outer  string // the field outside
	}{
		{"topic", smime.HideSubject, "Thread-Topic: Lunch", "Lunch", ""},
		{"topic and most", smime.HideMost, "Thread-Topic: Lunch", "Lunch", ""},
		{"name in an unknown charset", smime.HideMost, "To: =?iso-2022-jp?B?GyRCRnxLXBsoQg==?= <b@example.com>", "iso-2022-jp", "b@example.com"},
		{"name of a group", smime.HideMost, "Cc: Merger: b@example.com, c@example.com;", "Merger", "b@example.com, c@example.com"},
		{"group of nobody", smime.HideMost, "To: Friends of Bob:;", "Friends", ""},
		{"name in a comment", smime.HideMost, "To: b@example.com (the boss)", "boss", "b@example.com"},
		{"several lines", smime.HideSubject, "Subject: one\r\n two\r\n\tthree", "three", "[...]"},
		{"upper case", smime.HideSubject, "SUBJECT: Lunch", "Lunch", "[...]"},
		{"blank before the colon", smime.HideSubject, "Subject : Lunch", "Lunch", "[...]"},
		{"twice", smime.HideSubject, "Subject: Lunch\r\nSubject: Dinner", "Dinner", "[...]"},
		{"in mail of another encoding", smime.HideSubject, "Subject: L\xfcnch", "nch", "[...]"},
		{"copied by DKIM", smime.HideSubject, "DKIM-Signature: v=1; a=rsa-sha256; h=from;\r\n z=From:alice@example.com|Subject:Lunch; b=AAAA", "Lunch", ""},
		{"keywords", smime.HideSubject, "Keywords: Lunch", "Lunch", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := "From: alice@example.com\r\n" + tt.field + "\r\nContent-Disposition: inline; filename=Lunch.txt\r\n\r\nx\r\n"
			signed := sign(t, []byte(in), w.alice, &smime.SignOptions{Header: tt.policy, ForEncryption: true})
			for _, sealed := range [][]byte{
				encrypt(t, []byte(in), w.toBob, &smime.EncryptOptions{Header: tt.policy}), encrypt(t, signed, w.toBob, nil),
			} {
				outside, _, _ := bytes.Cut(sealed, []byte("\r\n\r\n"))
				name, _, _ := strings.Cut(tt.field, ":")
				if bytes.Contains(outside, []byte(tt.secret)) || header(t, sealed).Get(strings.TrimSpace(name)) != tt.outer {
					t.Errorf("outside:\n%s", outside)
				}
				if tt.outer == "" && bytes.Contains(bytes.ToLower(outside), []byte(strings.ToLower(name)+":")) {
					t.Errorf("an empty field is outside:\n%s", outside)
				}
			}
		})
	}
}

// TestHiddenByList holds what EncryptOptions.Hidden promises against the other
// options and the forms that a field can have.
func TestHiddenByList(t *testing.T) {
	t.Parallel()
	w := newSendFixture(t)
	const in = "From: bob@example.com\nTo: \"Alice\" <alice@example.com>\nSubject: Re: Grüße,\n an alle\nX-Case: 7\n\nyes\n"
	for _, tt := range []struct {
		name   string
		policy smime.HeaderPolicy
		hidden smime.HeaderField
		outer  string
	}{
		{"as it stands there", smime.HideNothing, smime.HeaderField{Name: "X-Case", Value: "7"}, ""},
		{"replaced", smime.HideNothing, smime.HeaderField{Name: "x-case", Value: "7", Outer: "..."}, "..."},
		{"not encoded", smime.HideNothing, smime.HeaderField{Name: "Subject", Value: "Re: Grüße, an alle"}, ""},
		{"encoded and folded otherwise", smime.HideNothing, smime.HeaderField{Name: "Subject", Value: "Re:  =?iso-8859-1?Q?Gr=FC=DFe,?= an alle"}, ""},
		{"replaced by what is not ASCII", smime.HideNothing, smime.HeaderField{Name: "Subject", Value: "Re: Grüße, an alle", Outer: "Re: …"}, "=?utf-8?q?Re:_=E2=80=A6?="},
		{"addresses without names", smime.HideNothing, smime.HeaderField{Name: "To", Value: "alice@example.com"}, ""},
		{"also changed by the policy", smime.HideMost, smime.HeaderField{Name: "To", Value: "Alice <alice@example.com>"}, ""},
		{"replaced, and changed by the policy", smime.HideMost, smime.HeaderField{Name: "To", Value: "Alice <alice@example.com>", Outer: "Team <team@example.com>"}, "team@example.com"},
		{"author, without the name", smime.HideNothing, smime.HeaderField{Name: "From", Value: "bob@example.com", Outer: "bob@example.com"}, "bob@example.com"},
		{"another value", smime.HideNothing, smime.HeaderField{Name: "X-Case", Value: "8"}, "7"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			opts := &smime.EncryptOptions{Header: tt.policy, Hidden: []smime.HeaderField{tt.hidden}}
			sealed := encrypt(t, []byte(in), w.toBob, opts)
			if got := header(t, sealed)[textproto.CanonicalMIMEHeaderKey(tt.hidden.Name)]; tt.outer == "" && got != nil || tt.outer != "" && (len(got) != 1 || got[0] != tt.outer) {
				t.Errorf("outside %q, want %q", got, tt.outer)
			}
		})
	}
	// What can't be hidden any more is not sent.
	hidden := []smime.HeaderField{{Name: "X-Case", Value: "7"}}
	signed := sign(t, []byte(in), w.bob, &smime.SignOptions{ForEncryption: true})
	for _, tt := range []struct {
		name string
		in   []byte
		opts smime.EncryptOptions
	}{
		{"no protection", []byte(in), smime.EncryptOptions{Header: smime.PlainHeader, Hidden: hidden}},
		{"signed before", signed, smime.EncryptOptions{Hidden: hidden}},
		{"no author", []byte(in), smime.EncryptOptions{Hidden: []smime.HeaderField{{Name: "From", Value: "bob@example.com"}}}},
		{"another author", []byte(in), smime.EncryptOptions{Hidden: []smime.HeaderField{{Name: "From", Value: "bob@example.com", Outer: "x@example.com"}}}},
		{"two lines", []byte(in), smime.EncryptOptions{Hidden: []smime.HeaderField{{Name: "X-Case", Value: "7", Outer: "a\r\nBcc: x"}}}},
		{"signed before, plain", signed, smime.EncryptOptions{Header: smime.PlainHeader, Hidden: hidden}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, seal := range []bool{false, true} {
				var out bytes.Buffer
				err := smime.Encrypt(t.Context(), &out, bytes.NewReader(tt.in), w.toBob, &tt.opts)
				if seal {
					err = smime.Seal(t.Context(), &out, bytes.NewReader(tt.in), w.bob, w.toBob, &smime.SealOptions{Sign: smime.SignOptions{Header: tt.opts.Header}, Hidden: tt.opts.Hidden})
				}
				if !errors.Is(err, smime.ErrHeader) || out.Len() > 0 {
					t.Errorf("%d bytes, %v", out.Len(), err)
				}
			}
		})
	}
	if sealed := encrypt(t, signed, w.toBob, &smime.EncryptOptions{Hidden: []smime.HeaderField{{Name: "Subject", Value: "Re: Grüße, an alle", Outer: "[...]"}}}); header(t, sealed).Get("Subject") != "[...]" {
		t.Errorf("%s", sealed)
	}
}

// TestFieldsInASCII: what is not ASCII is encoded once, and nothing is lost.
func TestFieldsInASCII(t *testing.T) {
	t.Parallel()
	w := newSendFixture(t)
	for _, tt := range []struct{ in, want string }{
		{"Subject: ä ö", "Subject: =?utf-8?q?=C3=A4_=C3=B6?="},
		{"Subject: =?utf-8?q?=C3=A4?= ö", "Subject: =?utf-8?q?=C3=A4_=C3=B6?="},
		{"Subject: =?utf-8?q?a=0D=0ABcc=3A_x?= ö", "Subject: =?utf-8?q?a=0D=0ABcc:_x_=C3=B6?="},
		{"Subject: =?x-unknown?q?=41?=", "Subject: =?x-unknown?q?=41?="},
		{"Subject: \xe4", "Subject: =?utf-8?q?=C3=A4?="},
		{"To: Ä <a@example.com>, b@example.com", "To: =?utf-8?q?=C3=84?= <a@example.com>, <b@example.com>"},
		{"To: \"Ä; B\" <a@example.com>", "To: =?utf-8?b?w4Q7IEI=?= <a@example.com>"},
		{"To: Ämter: a@example.com, B <b@example.com>;", "To: =?utf-8?b?w4RtdGVy?=: <a@example.com>, \"B\" <b@example.com>;"},
		{"To: Ämter:;", "To: =?utf-8?b?w4RtdGVy?=: ;"},
		{"Cc: A: a@example.com; Ä: b@example.com;", "Cc: A: a@example.com; Ä: b@example.com;"},
		{"To: ä@example.com", "To: ä@example.com"},
		{"Message-ID: <ä@example.com>", "Message-ID: <ä@example.com>"},
		{"References: <ä@example.com>\r\n\t<b@example.com>", "References: <ä@example.com>\t<b@example.com>"},
	} {
		t.Run(fmt.Sprintf("%q", tt.in), func(t *testing.T) {
			signed := sign(t, []byte("From: alice@example.com\r\n"+tt.in+"\r\n\r\nx\r\n"), w.alice, nil)
			unfolded := strings.NewReplacer("\r\n ", " ", "\r\n\t", "\t").Replace(string(signed))
			if strings.Count(unfolded, "\r\n"+tt.want+"\r\n") != 2 {
				t.Errorf("%.600s", unfolded)
			}
		})
	}
}

// TestLongFileNames: a name that takes more than a line is divided, and read
// the same here and elsewhere.
func TestLongFileNames(t *testing.T) {
	t.Parallel()
	w := newSendFixture(t)
	for _, name := range []string{strings.Repeat("請求書", 80) + ".pdf", strings.Repeat("ä", 300) + "\"'%", strings.Repeat("a b", 300) + "ü"} {
		t.Run(fmt.Sprintf("%.10q", name), func(t *testing.T) {
			disposition := "Content-Disposition: attachment; filename=\"" + strings.ReplaceAll(name, "\"", "\\\"") + "\"; size=3\r\n"
			in := "From: alice@example.com\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: application/pdf\r\n" + disposition + "\r\nx\r\n--b--\r\n"
			for _, in := range []string{in, "From: alice@example.com\r\n" + disposition + "\r\nx\r\n"} {
				signed := sign(t, []byte(in), w.alice, nil)
				if err := transportSafe(signed); err != nil {
					t.Error(err)
				}
				_, content := cmsOf(t, signed)
				h := content[bytes.Index(content, []byte("Content-Disposition: ")):]
				h, _, _ = bytes.Cut(h, []byte("\r\n\r\n"))
				for line := range bytes.Lines(h) {
					if len(line) > 80 {
						t.Errorf("line %q", line)
					}
				}
				_, params, err := mime.ParseMediaType(header(t, append(h, "\r\n\r\n"...)).Get("Content-Disposition"))
				if err != nil || params["filename"] != name || params["size"] != "3" {
					t.Errorf("%q, %v", params, err)
				}
			}
		})
	}
}

// TestForwardInternational: a message whose header has no form in ASCII can be
// signed where it stands inside another, by the type that allows to encode it.
func TestForwardInternational(t *testing.T) {
	t.Parallel()
	w := newSendFixture(t)
	const inner = "From: 用户@例え.jp\nSubject: ä\nContent-Transfer-Encoding: 8bit\n\nä\n\nBcc: x"
	for _, eol := range []string{"\n", "\r\n"} {
		t.Run(fmt.Sprintf("%q", eol), func(t *testing.T) {
			for _, head := range []string{"", "Content-Transfer-Encoding: 8bit\n"} {
				in := strings.ReplaceAll("From: alice@example.com\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nlook\n--b\nContent-Type: message/global\n"+head+"\n"+inner+"\n--b--\n", "\n", eol)
				for _, opaque := range []bool{false, true} {
					signed := sign(t, []byte(in), w.alice, &smime.SignOptions{Opaque: opaque})
					if err := transportSafe(signed); err != nil {
						t.Error(err)
					}
					var out bytes.Buffer
					if _, err := smime.Verify(t.Context(), &out, bytes.NewReader(signed), w.trust, nil); err != nil {
						t.Fatal(err)
					}
					_, part, _ := strings.Cut(out.String(), "Content-Type: message/global")
					_, text, _ := strings.Cut(part, "\r\n\r\n")
					text, _, _ = strings.Cut(text, "\r\n--b")
					got, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(text, "\r\n", ""))
					if err != nil || string(got) != strings.ReplaceAll(inner, "\n", "\r\n") || strings.Count(out.String(), "Content-Transfer-Encoding") != 1 {
						t.Errorf("%q, %v\n%s", got, err, out.String())
					}
				}
			}
		})
	}
	// What is ASCII is left in clear, and message/rfc822 has no such way.
	plain := "From: alice@example.com\r\nContent-Type: message/global\r\n\r\nFrom: x@example.com\r\n\r\nx\r\n"
	if signed := sign(t, []byte(plain), w.alice, nil); !bytes.Contains(signed, []byte("\r\n\r\nFrom: x@example.com\r\n\r\nx\r\n")) {
		t.Errorf("%s", signed)
	}
	var out bytes.Buffer
	err := smime.Sign(t.Context(), &out, strings.NewReader("From: alice@example.com\r\nContent-Type: message/rfc822\r\n\r\nFrom: ä@example.com\r\n\r\nx\r\n"), w.alice, nil)
	if !errors.Is(err, smime.ErrNotTransportSafe) || out.Len() > 0 {
		t.Errorf("%d bytes, %v", out.Len(), err)
	}
}
