package headerprotection_test

import (
	"bytes"
	"errors"
	"io"
	"net/mail"
	"slices"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/internal/budget"
	"github.com/gosmime/gosmime/internal/headerprotection"
	"github.com/gosmime/gosmime/internal/mimetree"
	"github.com/gosmime/gosmime/internal/prepare"
)

const lunch = "Received: from a by b\r\nFrom: Alice A. <alice@example.com>\r\nTo: Bob <bob@example.com>\r\nSubject: Lunch\r\n" +
	"Date: Wed, 02 Jan 2030 03:04:05 +0200\r\nKeywords: food\r\nX-Mine: y\r\nContent-Type: text/plain\r\n\r\nAt noon?\r\n"

// readMessage reads a message for sending.
func readMessage(t *testing.T, in string) *prepare.Message {
	t.Helper()
	m, err := prepare.Read(t.Context(), strings.NewReader(in), prepare.Options{Budget: budget.New(budget.Limits{})})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

// composed returns the payload of a message and the header outside of it.
func composed(t *testing.T, in string, opts headerprotection.Options) (payload string, outside mimetree.Header) {
	t.Helper()
	p, err := headerprotection.Compose(readMessage(t, in), opts)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	if size := p.Size(); size >= 0 && size != int64(b.Len()) {
		t.Errorf("size is %d, written are %d octets", size, b.Len())
	}
	for _, f := range p.Outer {
		outside = append(outside, mimetree.Field{Name: f.Name, Value: f.Value})
	}
	return b.String(), outside
}

func sameAuthor(inner, outside mimetree.Header) bool {
	a, err := mail.ParseAddressList(strings.Join(inner.Get("From"), ", "))
	if err != nil {
		return false
	}
	b, err := mail.ParseAddressList(strings.Join(outside.Get("From"), ", "))
	return err == nil && len(a) == 1 && len(b) == 1 && a[0].Address == b[0].Address
}

// scanned returns the tree of an entity.
func scanned(t *testing.T, entity string) *mimetree.Part {
	t.Helper()
	root, err := mimetree.Scan(strings.NewReader(entity), nil)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// TestRoundTrip reads what was composed, by each policy.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	const from, to, date = "Alice A. <alice@example.com>", "Bob <bob@example.com>", "Wed, 02 Jan 2030 03:04:05 +0200"
	shown := map[string]string{"From": from, "To": to, "Subject": "Lunch", "Date": date, "Keywords": "food", "X-Mine": "y"}
	for _, tt := range []struct {
		name    string
		opts    headerprotection.Options
		outside map[string]string // what differs from the message; "" is not there
		hidden  []string
		display bool
	}{
		{"baseline", headerprotection.Options{Policy: headerprotection.HideSubject, Cipher: true},
			map[string]string{"Subject": "[...]", "Keywords": ""}, []string{"Keywords", "Subject"}, true},
		{"baseline without display", headerprotection.Options{Policy: headerprotection.HideSubject, Cipher: true, NoLegacyDisplay: true},
			map[string]string{"Subject": "[...]", "Keywords": ""}, []string{"Keywords", "Subject"}, false},
		{"shy", headerprotection.Options{Policy: headerprotection.HideMost, Cipher: true},
			map[string]string{"Subject": "[...]", "Keywords": "", "From": "alice@example.com", "To": "bob@example.com", "Date": "Wed, 02 Jan 2030 01:04:05 +0000"},
			[]string{"Date", "From", "Keywords", "Subject", "To"}, true},
		{"nothing hidden", headerprotection.Options{Policy: headerprotection.HideNothing, Cipher: true}, nil, nil, false},
		{"by list", headerprotection.Options{Policy: headerprotection.HideNothing, Cipher: true, Hidden: []headerprotection.Field{{Name: "x-mine", Value: "y", Outer: "z"}}},
			map[string]string{"X-Mine": "z"}, []string{"X-Mine"}, false},
		{"signed only", headerprotection.Options{Policy: headerprotection.HideSubject, ClearSigned: true}, nil, nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			payload, outside := composed(t, lunch, tt.opts)
			for name, value := range shown {
				if other, ok := tt.outside[name]; ok {
					value = other
				}
				if got := strings.Join(outside.Get(name), "|"); got != value {
					t.Errorf("outside, %s is %q, want %q", name, got, value)
				}
			}
			if strings.Contains(payload, "Received:") || outside.Count("Received") != 1 {
				t.Errorf("the trace field is not outside alone: %q", payload)
			}
			h := headerprotection.Read(strings.NewReader(payload), headerprotection.Envelope{
				Outside: outside, Encrypted: tt.opts.Cipher, Layers: true, Signed: true, SameAuthor: sameAuthor,
			})
			if h.Cipher != tt.opts.Cipher || len(h.Remarks) > 0 {
				t.Errorf("cipher %v, remarks %v", h.Cipher, h.Remarks)
			}
			var hidden []string
			protected := 0
			for _, f := range h.Merge() {
				want, ok := shown[f.Name]
				if !ok {
					continue
				}
				protected++
				if f.Value != want || !f.Signed || f.Outer != tt.outside[f.Name] {
					t.Errorf("%+v", f)
				}
				if f.Encrypted {
					hidden = append(hidden, f.Name)
				}
			}
			slices.Sort(hidden)
			if protected != len(shown) || !slices.Equal(hidden, tt.hidden) {
				t.Errorf("%d fields, hidden %q", protected, hidden)
			}
			if marked := headerprotection.Decorated(scanned(t, payload)); (len(marked) == 1) != tt.display {
				t.Errorf("%d parts with a legacy display", len(marked))
			}
		})
	}
}

// TestPlainHeader protects nothing, and says so even where the message says
// otherwise.
func TestPlainHeader(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in string }{
		{"plain", lunch},
		{"stale parameter", strings.Replace(lunch, "text/plain", "text/plain; hp=\"cipher\"", 1)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			payload, outside := composed(t, tt.in, headerprotection.Options{Policy: headerprotection.PlainHeader, Cipher: true})
			if strings.Contains(payload, "Subject") || strings.Contains(payload, "hp=") || !slices.Equal(outside.Get("Subject"), []string{"Lunch"}) {
				t.Errorf("payload %q, outside %v", payload, outside)
			}
			h := headerprotection.Read(strings.NewReader(payload), headerprotection.Envelope{Outside: outside, Encrypted: true, Layers: true, Signed: true, SameAuthor: sameAuthor})
			list := h.Merge()
			if len(list) == 0 {
				t.Error("no field is read")
			}
			for _, f := range list {
				if f.Signed || f.Encrypted || f.Outer != "" {
					t.Errorf("%+v", f)
				}
			}
		})
	}
}

// TestLegacyDisplay takes off the element that was put on, in each form of text.
// The line end before an element in HTML stays.
func TestLegacyDisplay(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, header, body, want string }{
		{"text", "Content-Type: text/plain\r\n", "At noon?\r\n", "At noon?\r\n"},
		{"text with blank lines", "Content-Type: text/plain\r\n", "\r\n\r\nAt noon?\r\n\r\n", "\r\n\r\nAt noon?\r\n\r\n"},
		{"HTML", "Content-Type: text/html\r\n", "<html><body class=x><p>At noon?</p></body></html>\r\n", "<html><body class=x>\r\n<p>At noon?</p></body></html>\r\n"},
		{"HTML without body", "Content-Type: text/html\r\n", "<p>At noon?</p>\r\n", "\r\n<p>At noon?</p>\r\n"},
		{"quoted-printable", "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n", "Um zw=C3=B6lf?\r\n", "Um zw=C3=B6lf?\r\n"},
		{"base64", "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n", "QXQgbm9vbj8NCg==\r\n", "QXQgbm9vbj8NCg==\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := "From: alice@example.com\r\nSubject: Lunch & <more>\r\n" + tt.header + "\r\n" + tt.body
			payload, _ := composed(t, in, headerprotection.Options{Cipher: true})
			marked := headerprotection.Decorated(scanned(t, payload))
			if len(marked) != 1 {
				t.Fatalf("%d parts with a legacy display in %q", len(marked), payload)
			}
			p := marked[0]
			section := func() *io.SectionReader { return io.NewSectionReader(strings.NewReader(payload), p.Body, p.End-p.Body) }
			decoded, err := mimetree.Decode(p, section())
			if err != nil {
				t.Fatal(err)
			}
			if text, err := io.ReadAll(decoded); err != nil || !bytes.Contains(text, []byte("Subject: Lunch")) {
				t.Errorf("no element in %q, %v", text, err)
			}
			stripped, err := io.ReadAll(headerprotection.StripBody(p, section()))
			if err != nil || string(stripped) != tt.want {
				t.Errorf("stripped is %q, %v", stripped, err)
			}
		})
	}
}

// TestRecorded takes the fields outside from the record of a payload.
func TestRecorded(t *testing.T) {
	t.Parallel()
	payload, want := composed(t, lunch, headerprotection.Options{Cipher: true})
	edited := func(old, new string) string {
		t.Helper()
		if !strings.Contains(payload, old) {
			t.Fatalf("%q is not in %q", old, payload)
		}
		return strings.Replace(payload, old, new, 1)
	}
	const record = "HP-Outer: Subject: [...]"
	for _, tt := range []struct {
		name, payload string
		added         string // to the message since
		bad           bool
	}{
		{"as composed", payload, "", false},
		{"added by a relay", payload, "X-Relay: 1\r\n", false},
		{"no field", edited(record, "HP-Outer: Subject"), "", true},
		{"field of MIME", edited(record, "HP-Outer: Content-Type: text/html"), "", true},
		{"blind copy", edited(record, "HP-Outer: Bcc: carol@example.com"), "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			list, err := headerprotection.Recorded(readMessage(t, tt.added+lunch).Fields, scanned(t, tt.payload))
			if tt.bad {
				var problem *prepare.Error
				if !errors.As(err, &problem) || problem.Problem != prepare.BadHeader {
					t.Errorf("%v, error %v", list, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got, all []string
			for _, f := range list {
				got = append(got, f.Name+": "+f.Value)
			}
			for _, f := range want {
				all = append(all, f.Name+": "+f.Value)
			}
			if tt.added != "" {
				all = append(all, strings.TrimSpace(tt.added))
			}
			slices.Sort(got)
			slices.Sort(all)
			if !slices.Equal(got, all) {
				t.Errorf("%q, want %q", got, all)
			}
		})
	}
}
