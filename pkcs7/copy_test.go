package pkcs7

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/suites"
)

// indefinite rewrites one element and all constructed ones inside of it, but no
// signedAttrs and nothing below depth, with indefinite lengths.
func indefinite(t *testing.T, der []byte, depth int) []byte {
	t.Helper()
	if depth == 0 || der[0]&0x20 == 0 {
		return der
	}
	list, err := members(der)
	if err != nil {
		t.Fatal(err)
	}
	out := []byte{der[0], 0x80}
	for _, m := range list {
		out = append(out, indefinite(t, m, depth-1)...)
	}
	return append(out, 0, 0)
}

// parts returns the elements of a SignedData: digestAlgorithms, certificates,
// crls and signerInfos, each as they came.
func parts(t *testing.T, msg []byte) [4][][]byte {
	t.Helper()
	r := ber.NewReader(bytes.NewReader(msg), ber.Limits{})
	var out [4][][]byte
	set := func(i int) {
		raw, err := r.Raw(1 << 20)
		if err != nil {
			t.Fatal(err)
		}
		if out[i], err = members(raw); err != nil {
			t.Fatal(err)
		}
	}
	steps := []func() error{
		func() error { return r.Enter(ber.Sequence) }, r.Skip, func() error { return r.Enter(ber.Context(0)) },
		func() error { return r.Enter(ber.Sequence) }, r.Skip, func() error { set(0); return nil }, r.Skip,
	}
	for _, step := range steps {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	for {
		e, err := r.Next()
		if err != nil {
			return out
		}
		switch e.Tag {
		case ber.Context(0):
			set(1)
		case ber.Context(1):
			set(2)
		default:
			set(3)
		}
	}
}

// What is added to a message leaves all else as it is and where it is: in DER
// and BER, sorted and not, detached and embedded, and with things there twice.
func TestCopyKeeps(t *testing.T) {
	t.Parallel()
	a, b, c := newSigner(t, "p256"), newSigner(t, "ed25519"), newSigner(t, "rsa")
	spare := newSigner(t, "p384").Certificate.Raw
	stamp := Attribute{Type: oid.AttrTimestampToken.X509(), Values: [][]byte{append([]byte{4, 0x82, 1, 0}, make([]byte, 256)...)}}
	n := 0
	for _, content := range []string{text, strings.Repeat(text, 3000)} {
		t.Run(content, func(t *testing.T) {
			for _, detached := range []bool{false, true} {
				msg, opts := sign(t, content, nil, a, b), &SignOptions{}
				outside := func() io.Reader { return nil }
				if detached {
					msg = signDetached(t, content, nil, a, b)
					outside = func() io.Reader { return strings.NewReader(content) }
				}
				for form, msg := range map[string][]byte{
					"sorted": msg, "reversed and twice": shuffled(t, msg), "BER": indefinite(t, msg, 4), "BER, reversed and twice": indefinite(t, shuffled(t, msg), 4),
				} {
					before := parts(t, msg)
					for name, add := range map[string]func(w io.Writer) error{
						"signer": func(w io.Writer) error {
							opts.Detached = outside()
							return AddSigner(t.Context(), w, bytes.NewReader(msg), c, opts)
						},
						"first":    func(w io.Writer) error { return AddUnsigned(w, bytes.NewReader(msg), 0, stamp) },
						"second":   func(w io.Writer) error { return AddUnsigned(w, bytes.NewReader(msg), 1, stamp) },
						"elements": func(w io.Writer) error { return AddElements(w, bytes.NewReader(msg), spare) },
					} {
						n++
						var out bytes.Buffer
						if err := add(&out); err != nil {
							t.Errorf("%s, %s: %v", form, name, err)
							continue
						}
						got, certs, err := verify(out.Bytes(), outside(), nil)
						if err != nil || got != content || name != "signer" && len(certs) != 2 || name == "signer" && len(certs) != 3 {
							t.Errorf("%s, %s: %d signers, %v", form, name, len(certs), err)
						}
						after := parts(t, out.Bytes())
						changed := map[string]int{"first": 0, "second": 1}
						if i, ok := changed[name]; ok {
							old, now := before[3][i], after[3][i]
							if !keptFields(t, old, now) || bytes.Equal(old, now) {
								t.Errorf("%s, %s: the SignerInfo is another one", form, name)
							}
							before, after[3] = parts(t, msg), slices.Clone(after[3])
							after[3][i] = old
						}
						for i := range before {
							if !isSubsequence(before[i], after[i]) {
								t.Errorf("%s, %s: part %d is not what it was", form, name, i)
							}
						}
					}
				}
			}
		})
	}
	if n != 2*2*4*4 {
		t.Errorf("%d messages", n)
	}
}

// shuffled reverses all sets of a SignedData and repeats its first certificate.
func shuffled(t *testing.T, msg []byte) []byte {
	t.Helper()
	p := parts(t, msg)
	for i := range p {
		slices.Reverse(p[i])
	}
	p[1] = append(p[1], p[1][0])
	r := ber.NewReader(bytes.NewReader(msg), ber.Limits{})
	var encap []byte
	for _, step := range []func() error{
		func() error { return r.Enter(ber.Sequence) }, r.Skip, func() error { return r.Enter(ber.Context(0)) },
		func() error { return r.Enter(ber.Sequence) }, r.Skip, r.Skip,
		func() (err error) { encap, err = r.Raw(1 << 20); return err },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	sd := ber.Append(nil, ber.Sequence, true, []byte{2, 1, 1}, ber.Append(nil, ber.Set, true, p[0]...), encap,
		ber.Append(nil, ber.Context(0), true, p[1]...), ber.Append(nil, ber.Set, true, p[3]...))
	return ber.Append(nil, ber.Sequence, true, ber.Append(nil, ber.OID, false, []byte(oid.SignedData)), ber.Append(nil, ber.Context(0), true, sd))
}

// keptFields reports whether all fields of one SignerInfo are those of another.
func keptFields(t *testing.T, old, now []byte) bool {
	t.Helper()
	a, err := members(old)
	if err != nil {
		t.Fatal(err)
	}
	b, err := members(now)
	if err != nil {
		t.Fatal(err)
	}
	return len(b) == len(a)+1 && isSubsequence(a, b[:len(a)])
}

// isSubsequence reports whether all of a is in b, in that order.
func isSubsequence(a, b [][]byte) bool {
	for _, m := range b {
		if len(a) > 0 && bytes.Equal(a[0], m) {
			a = a[1:]
		}
	}
	return len(a) == 0
}

// The order of unsigned attributes, which old timestamps are made over, is kept.
func TestUnsignedOrder(t *testing.T) {
	t.Parallel()
	msg := sign(t, text, nil, newSigner(t, "p256"))
	value := func(n byte) []byte {
		return ber.Append(nil, ber.Sequence, true, ber.Append(nil, ber.OID, false, []byte{0x2a, n}), []byte{0x31, 2, 5, 0})
	}
	s := signersOf(t, msg, nil)[0]
	fields, err := members(s.raw)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ old, want []byte }{
		"sorted": {bytes.Join([][]byte{value(1), value(3)}, nil), bytes.Join([][]byte{value(1), value(2), value(3)}, nil)},
		"not":    {bytes.Join([][]byte{value(3), value(1)}, nil), bytes.Join([][]byte{value(3), value(1), value(2)}, nil)},
		"empty":  {nil, value(2)},
	} {
		t.Run(name, func(t *testing.T) {
			s.raw = ber.Append(nil, ber.Sequence, true, append(slices.Clone(fields), ber.Append(nil, ber.Context(1), true, c.old))...)
			raw, err := s.withUnsigned([]Attribute{{Type: oid.OID("\x2a\x02").X509(), Values: [][]byte{{5, 0}}}}, false)
			if err != nil || !bytes.HasSuffix(raw, ber.Append(nil, ber.Context(1), true, c.want)) {
				t.Errorf("%s: %x, %v", name, raw, err)
			}
		})
	}
}

func TestAddSignerWithContentTwice(t *testing.T) {
	t.Parallel()
	key := newSigner(t, "p256")
	err := AddSigner(t.Context(), io.Discard, bytes.NewReader(sign(t, text, nil, key)), key, &SignOptions{Detached: strings.NewReader(text)})
	if err == nil {
		t.Error("content inside a detached signature")
	}
}

// TestCopyGoldens adds to the messages of all producers. What their signatures
// are worth stays as it was, and so do their octets.
func TestCopyGoldens(t *testing.T) {
	t.Parallel()
	extra := newSigner(t, "ed25519").Certificate.Raw
	stamp := Attribute{Type: oid.FriendlyName.X509(), Values: [][]byte{{4, 1, 9}}}
	n := 0
	for _, g := range suites.Goldens(t, func(g *suites.Golden) bool { return g.Operation == "verify" }) {
		t.Run(g.File, func(t *testing.T) {
			msg, ok := cmsOf(t, g)
			if !ok {
				return
			}
			r, err := NewSignedReader(bytes.NewReader(msg), nil, nil)
			if err != nil {
				return
			}
			content, err := io.ReadAll(r)
			if err != nil || len(r.signers) == 0 {
				return
			}
			before := parts(t, msg)
			last := len(r.signers) - 1
			for name, add := range map[string]func(w io.Writer) error{
				"unsigned": func(w io.Writer) error { return AddUnsigned(w, bytes.NewReader(msg), last, stamp) },
				"elements": func(w io.Writer) error { return AddElements(w, bytes.NewReader(msg), extra) },
			} {
				var out bytes.Buffer
				if err := add(&out); err != nil {
					t.Errorf("%s, %s: %v", g.File, name, err)
					continue
				}
				again, err := NewSignedReader(bytes.NewReader(out.Bytes()), nil, nil)
				if err != nil {
					t.Errorf("%s, %s: %v", g.File, name, err)
					continue
				}
				if got, err := io.ReadAll(again); err != nil || !bytes.Equal(got, content) || len(again.signers) != len(r.signers) {
					t.Errorf("%s, %s: %d octets, %v", g.File, name, len(got), err)
					continue
				}
				after := parts(t, out.Bytes())
				if name == "unsigned" {
					after[3][last] = before[3][last]
				}
				for i := range before {
					if !isSubsequence(before[i], after[i]) {
						t.Errorf("%s, %s: part %d is not what it was", g.File, name, i)
					}
				}
				for i, s := range again.signers {
					_, was := r.signers[i].verify(t.Context(), trustAll, time.Time{}, nil)
					_, is := s.verify(t.Context(), trustAll, time.Time{}, nil)
					if (was == nil) != (is == nil) {
						t.Errorf("%s, %s: signer %d: %v, before %v", g.File, name, i, is, was)
					}
				}
				n++
			}
		})
	}
	if n < 500 {
		t.Errorf("%d copies", n)
	}
}
