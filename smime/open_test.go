package smime_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/smime"
)

func openGolden(t testing.TB, g *suites.Golden) (*smime.Message, error) {
	t.Helper()
	m, err := smime.Open(context.Background(), bytes.NewReader(g.Read(t, g.File)), &smime.OpenOptions{
		Trust: goldenTrust(t, g), Keys: goldenKeys(t, g), Chain: chain.Options{At: g.VerifyTime},
	})
	if err == nil {
		t.Cleanup(func() { m.Close() })
	}
	return m, err
}

func content(t testing.TB, r io.Reader) []byte {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestOpenAgreesWithVerify holds for every row that both find a signer or neither does.
func TestOpenAgreesWithVerify(t *testing.T) {
	t.Parallel()
	rows := suites.Goldens(t, func(g *suites.Golden) bool { return isEML(g, "verify") && g.Kind != "receipt" })
	for _, g := range rows {
		t.Run(g.File, func(t *testing.T) {
			var out bytes.Buffer
			_, want := smime.Verify(context.Background(), &out, bytes.NewReader(g.Read(t, g.File)), goldenTrust(t, g),
				&smime.VerifyOptions{Chain: chain.Options{At: g.VerifyTime}})
			m, err := openGolden(t, g)
			if err != nil {
				if !errors.Is(want, smime.ErrLimit) {
					t.Fatalf("Open: %v, Verify: %v", err, want)
				}
				return
			}
			signer, err := m.Signer()
			if (err == nil) != (want == nil) || (signer == nil) != (err != nil) {
				t.Fatalf("Signer: %v, Verify: %v\n%v", err, want, m)
			}
			if err == nil && !bytes.Equal(content(t, m.Body()), out.Bytes()) {
				t.Errorf("Body is not what Verify writes\n%v", m)
			}
			if m.Confidential() == nil {
				t.Error("confidential")
			}
		})
	}
	if len(rows) < 400 {
		t.Errorf("%d rows", len(rows))
	}
}

func TestOpenNested(t *testing.T) {
	t.Parallel()
	rows := suites.Goldens(t, func(g *suites.Golden) bool { return g.Kind == "nested" })
	for _, g := range rows {
		t.Run(g.File, func(t *testing.T) {
			m, err := openGolden(t, g)
			if err != nil {
				t.Fatal(err)
			}
			var types, sums []string
			for l := range m.All() {
				switch l.(type) {
				case *smime.SignedLayer:
					types = append(types, "signed")
				case *smime.EncryptedLayer:
					types = append(types, "encrypted")
				case *smime.CompressedLayer:
					types = append(types, "compressed")
				default:
					continue
				}
				sums = append(sums, sum(content(t, l.Content())))
				if l.Errant() {
					t.Error("errant layer")
				}
			}
			if len(types) != len(g.Layers) {
				t.Fatalf("layers %v\n%v", types, m)
			}
			for i, want := range g.Layers {
				if types[i] != want.Type || sums[i] != want.PlaintextSHA256 {
					t.Errorf("layer %d is %s with %s, want %s with %s\n%v", i, types[i], sums[i], want.Type, want.PlaintextSHA256, m)
				}
			}
			checkNestedVerdicts(t, m, g, types)
		})
	}
	if len(rows) < 20 {
		t.Errorf("%d rows", len(rows))
	}
}

func checkNestedVerdicts(t *testing.T, m *smime.Message, g *suites.Golden, types []string) {
	t.Helper()
	last := strings.LastIndex(strings.Join(types, " "), "encrypted")
	signedInside := strings.LastIndex(strings.Join(types, " "), "signed") > last
	_, err := m.Signer()
	other := strings.HasPrefix(g.File, "msg/nested/triple-") // the inner signer is not the author
	switch {
	case other:
		if !errors.Is(err, smime.ErrSender) {
			t.Errorf("signer: %v", err)
		}
	case signedInside && err != nil:
		t.Errorf("signer: %v\n%v", err, m)
	case !signedInside && strings.Contains(strings.Join(types, " "), "signed") && !errors.Is(err, smime.ErrSignedOutside):
		t.Errorf("signer: %v", err)
	case !strings.Contains(strings.Join(types, " "), "signed") && !errors.Is(err, smime.ErrNotSigned):
		t.Errorf("signer: %v", err)
	}
	if last >= 0 && signedInside && !other && m.Confidential() != nil {
		t.Errorf("confidential: %v", m.Confidential())
	}
	if last < 0 && !errors.Is(m.Confidential(), smime.ErrNotEncrypted) {
		t.Errorf("confidential: %v", m.Confidential())
	}
}

// TestOpenParts holds what the messages show in which a protected part is not all.
func TestOpenParts(t *testing.T) {
	t.Parallel()
	want := map[string]struct {
		signer, confidential error
	}{
		"footer-mailing-list":           {smime.ErrNotCovered, smime.ErrNotEncrypted},
		"signed-second":                 {smime.ErrNotCovered, smime.ErrNotEncrypted},
		"signed-in-alternative":         {smime.ErrNotCovered, smime.ErrNotEncrypted},
		"signed-in-related":             {smime.ErrNotCovered, smime.ErrNotEncrypted},
		"signed-in-rfc822":              {smime.ErrNotCovered, smime.ErrNotEncrypted},
		"efail-direct-exfil":            {smime.ErrNotSigned, smime.ErrMixed},
		"efail-direct-base":             {smime.ErrNotSigned, smime.ErrMixed},
		"efail-signed-wrapper":          {nil, smime.ErrMixed},
		"encrypted-in-rfc822":           {smime.ErrNotSigned, smime.ErrMixed},
		"encrypted-resigned-by-mallory": {smime.ErrSignedOutside, smime.ErrNotAuthenticated},
		"encrypted-protocol-multipart":  {smime.ErrNotSigned, smime.ErrMixed},
		"deep-multipart-300":            {smime.ErrLimit, smime.ErrLimit},
		"many-parts":                    {smime.ErrLimit, smime.ErrLimit},
	}
	rows := suites.Goldens(t, func(g *suites.Golden) bool { return g.Kind == "bad" && isEML(g, "open") })
	for _, g := range rows {
		t.Run(g.File, func(t *testing.T) {
			name := strings.TrimSuffix(strings.TrimPrefix(g.File, "bad/mime/"), ".eml")
			w, ok := want[name]
			m, err := openGolden(t, g)
			if !ok { // a case without an expectation of its own
				if err != nil {
					return
				}
				defer m.Close()
				if _, err := m.Signer(); err == nil && !g.Accepts("ok") && !g.Accepts("ok-with-warning") {
					t.Errorf("somebody signed it: %s", g.Reason)
				}
				return
			}
			if errors.Is(w.signer, smime.ErrLimit) {
				if !errors.Is(err, smime.ErrLimit) {
					t.Fatal(err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := m.Signer(); !errors.Is(err, w.signer) {
				t.Errorf("signer: %v\n%v", err, m)
			}
			if err := m.Confidential(); !errors.Is(err, w.confidential) {
				t.Errorf("confidential: %v\n%v", err, m)
			}
			for l := range m.All() {
				checkErrant(t, m, l, g)
			}
		})
	}
	if len(rows) < len(want) {
		t.Errorf("%d rows", len(rows))
	}
}

func checkErrant(t *testing.T, m *smime.Message, l smime.Layer, g *suites.Golden) {
	t.Helper()
	if l.Err() == nil && l.Errant() {
		t.Error("an errant layer passes")
	}
	switch l := l.(type) {
	case *smime.SignedLayer:
		if !l.Errant() {
			return
		}
		if signer, err := l.ContentSigner(); err != nil || signer.Mailbox() != "carla.quince@orchard.example" {
			t.Errorf("content signer: %v\n%v", err, m)
		}
		if !errors.Is(l.Signers[0].Coverage.Err(), smime.ErrNotCovered) {
			t.Error("errant and covered")
		}
		if len(g.Layers) > 0 && sum(content(t, l.Content())) != g.Layers[0].PlaintextSHA256 {
			t.Error("other content")
		}
	case *smime.EncryptedLayer:
		if !l.Errant() {
			return
		}
		if !errors.Is(l.Opened.Err(), smime.ErrMixed) || l.Content().Size() != 0 {
			t.Error("an errant encrypted layer was opened")
		}
		inner, err := smime.Open(context.Background(), l.Raw(), &smime.OpenOptions{Keys: goldenKeys(t, g)})
		if err != nil {
			t.Fatal(err)
		}
		defer inner.Close()
		if len(g.Layers) > 0 && sum(content(t, inner.Body())) != g.Layers[0].PlaintextSHA256 {
			t.Errorf("other content\n%v", inner)
		}
	}
}

// TestVerdictsOneByOne compares each verdict with what the manifest says of it.
func TestVerdictsOneByOne(t *testing.T) {
	t.Parallel()
	rows := suites.Goldens(t, func(g *suites.Golden) bool { return len(g.Checks) > 0 && isEML(g, "verify") })
	for _, g := range rows {
		t.Run(g.File, func(t *testing.T) {
			m, err := openGolden(t, g)
			if err != nil {
				t.Fatal(err)
			}
			l, ok := m.Root().(*smime.SignedLayer)
			if !ok || len(l.Signers) != 1 {
				t.Fatalf("%v", m)
			}
			r := l.Signers[0]
			for name, v := range map[string]smime.Verdict{"signature": r.Integrity, "chain": r.Trust, "address": r.Sender} {
				want, given := g.Checks[name]
				if !given {
					continue
				}
				pass := want == "ok" || want == "match" || want == "case-differs"
				// The certificate without any address, and historic ones, are matters of policy.
				if pass == (v.Err() == nil) || g.Legacy || want == "none" || g.Accepts("ok") && g.Accepts("fail") {
					continue
				}
				if errors.Is(v.Err(), smime.ErrAmbiguousSender) && (g.Body == "hp" || goldenExceptions[g.File] != nil) {
					continue
				}
				// A signature that names another certificate is not of this one
				// (RFC 5035 section 5).
				if name == "signature" && g.Checks["signing_certificate"] == "mismatch" {
					continue
				}
				t.Errorf("%s is %q: %v\n%v", name, want, v.Err(), m)
			}
		})
	}
	if len(rows) < 50 {
		t.Errorf("%d rows", len(rows))
	}
}
