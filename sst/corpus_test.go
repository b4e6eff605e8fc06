package sst

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/pkcs7"
)

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// files returns the names in a folder of the corpus.
func files(t testing.TB, pattern string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(suites.Corpus(t, "sst"), pattern))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// Every intact store is read strictly, has the certificates that it should,
// hashes that are right, and is written back byte for byte.
func TestRealStores(t *testing.T) {
	counts := map[string]struct {
		certs, other, unreadable int
		newer                    int // of the unreadable, those that crypto/x509 reads from Go 1.27 on
	}{
		"JShimonov-AskSummoner-roots.sst":                   {certs: 411},
		"sok213-new-portolfio-roots.sst":                    {certs: 445},
		"owentechnicalgroup-AzureAIChatbotDemo-roots.sst":   {certs: 514},
		"GeekDuanLian-windows-cert-sync-root.sst":           {certs: 507},
		"GeekDuanLian-windows-cert-sync-disallowedcert.sst": {certs: 95},
		"GeekDuanLian-windows-cert-sync-pinrules.sst":       {certs: 12},
		"rootsupd2013-delroots.sst":                         {certs: 13},
		"rootsupd2013-updroots.sst":                         {certs: 275, unreadable: 1, newer: 1},
		"dotnet-StoreSavedAsSerializedStoreData.sst":        {certs: 2},
		"wine-serializedStoreWithCert.sst":                  {certs: 1, unreadable: 1},
		"wine-serializedStoreWithCertAndCRL.sst":            {certs: 1, other: 1, unreadable: 1},
		"wine-serializedStoreWithCertAndHash.sst":           {certs: 1, unreadable: 1},
		"wine-serializedStoreWithCertWithFriendlyName.sst":  {certs: 1, unreadable: 1},
	}
	seen := 0
	for _, dir := range []string{"real-sst", "dotnet", "wine"} {
		t.Run(dir, func(t *testing.T) {
			for _, name := range files(t, filepath.Join(dir, "*.sst")) {
				want, ok := counts[filepath.Base(name)]
				if !ok {
					continue
				}
				seen++
				b := readFile(t, name)
				s, err := Read(bytes.NewReader(b), nil)
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				var out bytes.Buffer
				if err := Write(&out, s); err != nil || !bytes.Equal(out.Bytes(), b) {
					t.Errorf("%s: written differently, %v", name, err)
				}
				certs, unreadable := 0, 0
				for _, err := range s.Certificates() {
					certs++
					if err != nil {
						unreadable++
					}
				}
				if certs != want.certs || unreadable > want.unreadable || unreadable < want.unreadable-want.newer || len(s.Elements) != certs+want.other || len(s.Warnings) != 0 {
					t.Errorf("%s: %d certificates, %d unreadable, %d elements, %v", name, certs, unreadable, len(s.Elements), s.Warnings)
				}
				for _, m := range s.Mismatches() {
					t.Errorf("%s: %v", name, m)
				}
				decodeAll(t, name, s.Elements)
			}
		})
	}
	if seen != len(counts) {
		t.Errorf("%d stores, want %d", seen, len(counts))
	}
}

// decodeAll holds every property to the form that its identifier has.
func decodeAll(t *testing.T, name string, elements []Element) {
	t.Helper()
	for i := range elements {
		for _, p := range elements[i].Properties {
			if _, err := p.describe(); err != nil && p.ID.form() != hash {
				t.Errorf("%s: element %d: %v: %v", name, i, p.ID, err)
			}
		}
	}
}

func TestDamagedStore(t *testing.T) {
	list := files(t, "real-sst-damaged/*.sst")
	if len(list) != 1 {
		t.Fatal(list)
	}
	b := readFile(t, list[0])
	for _, lenient := range []bool{false, true} {
		s, err := Read(bytes.NewReader(b), &ReadOptions{Lenient: lenient})
		if e, ok := errors.AsType[*Error](err); !ok || s != nil || e.Offset != 107443 {
			t.Errorf("lenient %v: %v", lenient, err)
		}
	}
}

func TestDerivedStores(t *testing.T) {
	type want struct {
		problem Problem
		offset  int64
		lenient bool // accepted, with a warning
	}
	bad := map[string]want{
		"bad-cert-not-der.sst":        {problem: ErrNotDER, offset: 8},
		"bad-cert-trailing-bytes.sst": {problem: ErrNotDER, offset: 8},
		"bad-dangling-props.sst":      {problem: ErrDangling, offset: 509, lenient: true},
		"bad-empty-file.sst":          {problem: ErrNotStore, offset: 0},
		"bad-encoding-type-2.sst":     {problem: ErrEncoding, offset: 8},
		"bad-header-only.sst":         {problem: ErrEndMarker, offset: 8, lenient: true},
		"bad-huge-length.sst":         {problem: ErrTruncated, offset: 8},
		"bad-magic.sst":               {problem: ErrNotStore, offset: 4},
		"bad-prop-encoding-0.sst":     {problem: ErrEncoding, offset: 8},
		"bad-prop-id-10000.sst":       {problem: ErrPropertyID, offset: 8, lenient: true},
		"bad-truncated-header.sst":    {problem: ErrTruncated, offset: 1985},
		"bad-truncated-value.sst":     {problem: ErrTruncated, offset: 709},
		"bad-version1.sst":            {problem: ErrVersion, offset: 0},
		"bad-zero-length-cert.sst":    {problem: ErrNotDER, offset: 8},
		"warn-end-marker-nonzero.sst": {problem: ErrEndMarker, offset: 1985, lenient: true},
		"warn-no-end-marker.sst":      {problem: ErrEndMarker, offset: 1985, lenient: true},
		"warn-trailing-data.sst":      {problem: ErrTrailing, offset: 1997, lenient: true},
		"ok-archived-empty-prop.sst":  {},
		"ok-cert-and-ctl.sst":         {},
		"ok-duplicate-cert.sst":       {},
		"ok-empty-store.sst":          {},
		"ok-user-prop-8000.sst":       {},
	}
	seen := 0
	for _, name := range files(t, "derived/*.sst") {
		t.Run(name, func(t *testing.T) {
			base := filepath.Base(name)
			w, ok := bad[base]
			if !ok {
				t.Errorf("%s: unknown", base)
				return
			}
			seen++
			b := readFile(t, name)
			s, err := Read(bytes.NewReader(b), nil)
			if w.problem == 0 {
				var out bytes.Buffer
				if err == nil && base == "ok-cert-and-ctl.sst" {
					catalogue(t, s.Elements[len(s.Elements)-1].DER)
				}
				if err != nil {
					t.Errorf("%s: %v", base, err)
				} else if err := Write(&out, s); err != nil || !bytes.Equal(out.Bytes(), b) {
					t.Errorf("%s: written differently, %v", base, err)
				}
				return
			}
			if e, ok := errors.AsType[*Error](err); !ok || e.Offset != w.offset || !errors.Is(err, w.problem) || s != nil {
				t.Errorf("%s: %v", base, err)
			}
			s, err = Read(bytes.NewReader(b), &ReadOptions{Lenient: true})
			if (err == nil) != w.lenient {
				t.Errorf("%s: leniently: %v", base, err)
			}
			if err == nil && (len(s.Warnings) != 1 || s.Warnings[0].Problem != w.problem || s.Warnings[0].Offset != w.offset) {
				t.Errorf("%s: warnings %v", base, s.Warnings)
			}
		})
	}
	if seen != len(bad) || seen != 22 {
		t.Errorf("%d stores", seen)
	}
}

// catalogue checks the signed catalogue in a store, which has one extension for
// each of its names.
func catalogue(t *testing.T, der []byte) {
	t.Helper()
	list, err := ParseTrustList(der)
	if err != nil {
		t.Error(err)
		return
	}
	again := 0
	for i, x := range list.Extensions {
		if slices.ContainsFunc(list.Extensions[:i], func(y pkix.Extension) bool { return x.Id.Equal(y.Id) }) {
			again++
		}
	}
	if len(list.Subjects) == 0 || again == 0 || list.Usage[0].String() != "1.3.6.1.4.1.311.12.1.1" {
		t.Errorf("%d subjects, %d extensions that stand there again, usage %v", len(list.Subjects), again, list.Usage)
	}
	verifyTrustList(t, "the catalogue in a store", der, list)
}

func TestSingleElements(t *testing.T) {
	want := map[string]struct {
		problem    Problem
		properties int
	}{
		"derived/elem-cert-only.bin":                          {0, 0},
		"derived/elem-two-certs.bin":                          {ErrTrailing, 0},
		"derived/elem-zero-padded.bin":                        {0, 0},
		"dotnet/dotnet-StoreSavedAsSerializedCerData.bin":     {0, 1},
		"wine/wine-serializedCert.bin":                        {0, 0},
		"wine/wine-serializedCertWithFriendlyName.bin":        {0, 1},
		"wine/wine-serializedStoreWithCertAndHash.sst":        {ErrNoContext, 0},
		"dotnet/dotnet-StoreSavedAsCerData.cer":               {ErrEncoding, 0},
		"derived/bad-empty-file.sst":                          {ErrNoContext, 0},
		"real-sst-damaged/shordinger1-AstralSocery-roots.sst": {ErrNoContext, 0},
	}
	for name, w := range want {
		t.Run(name, func(t *testing.T) {
			b := readFile(t, suites.Corpus(t, "sst", name))
			e, err := ReadElement(b)
			if w.problem != 0 {
				if !errors.Is(err, w.problem) || e != nil {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil || e.Kind != Certificate || len(e.Properties) != w.properties {
				t.Errorf("%+v, %v", e, err)
				return
			}
			out, err := e.MarshalBinary()
			if err != nil || !bytes.Equal(out, bytes.TrimRight(b, "\x00")) && !bytes.Equal(out, b) {
				t.Errorf("written differently, %v", err)
			}
		})
	}
}

func TestKeyProvider(t *testing.T) {
	e, err := ReadElement(readFile(t, suites.Corpus(t, "sst", "dotnet", "dotnet-StoreSavedAsSerializedCerData.bin")))
	if err != nil {
		t.Fatal(err)
	}
	p, ok := e.Lookup(PropKeyProvider)
	k, err := p.KeyProvider()
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	if k.Container != "{77EBD02D-D8DE-475A-8867-D20B0064E49F}" || k.Provider != "Microsoft Strong Cryptographic Provider" || k.Type != 1 || k.KeySpec != 2 {
		t.Errorf("%+v", k)
	}
}

func TestTrustLists(t *testing.T) {
	want := map[string]struct {
		subjects   int
		usage, alg string
		update     string
		extensions int
	}{
		"robstradling-authroot-HEAD.stl": {514, "1.3.6.1.4.1.311.10.3.9", "1.3.14.3.2.26", "2025-06-16T17:56:11Z", 1},
		"signify-authroot-945a4e95.stl":  {411, "1.3.6.1.4.1.311.10.3.9", "1.3.14.3.2.26", "2020-05-18T02:29:03Z", 0},
		"signify-catfiletest.cat":        {0, "1.3.6.1.4.1.311.12.1.1", "", "", 0},
	}
	for name, w := range want {
		t.Run(name, func(t *testing.T) {
			b := readFile(t, suites.Corpus(t, "sst", "real-stl", name))
			l, err := ParseTrustList(b)
			if err != nil {
				t.Errorf("%v", err)
				return
			}
			if len(l.Usage) != 1 || l.Usage[0].String() != w.usage || w.subjects != 0 && len(l.Subjects) != w.subjects || len(l.Subjects) == 0 {
				t.Errorf("usage %v, %d subjects", l.Usage, len(l.Subjects))
			}
			if w.alg != "" && (l.SubjectAlgorithm.String() != w.alg || len(l.Extensions) != w.extensions) {
				t.Errorf("%v, %v", l.SubjectAlgorithm, l.Extensions)
			}
			if w.update != "" && l.ThisUpdate.Format(time.RFC3339) != w.update {
				t.Errorf("of %v", l.ThisUpdate)
			}
			if w.update != "" {
				verifyTrustList(t, name, b, l)
				return
			}
			_, _, err = VerifyTrustList(t.Context(), bytes.NewReader(b), func(context.Context, *x509.Certificate, time.Time, [][]byte) error { return nil }, nil)
			if !errors.Is(err, pkcs7.ErrNoSigner) {
				t.Errorf("a list that nobody signed: %v", err)
			}
		})
	}
	_, err := ParseTrustList(readFile(t, suites.Corpus(t, "sst", "real-stl", "tls-inspector-authroot_unsigned.stl")))
	if !errors.Is(err, ErrTrustList) {
		t.Errorf("a SignedData without signerInfos: %v", err)
	}
}

// verifyTrustList checks the real signatures, with any signer trusted.
func verifyTrustList(t *testing.T, name string, file []byte, want *TrustList) {
	t.Helper()
	asked := 0
	trust := func(_ context.Context, cert *x509.Certificate, _ time.Time, extra [][]byte) error {
		if asked++; cert == nil || len(extra) == 0 {
			return errors.New("no certificate")
		}
		return nil
	}
	opts := &pkcs7.ReadOptions{InsecureHistoric: true}
	l, certs, err := VerifyTrustList(t.Context(), bytes.NewReader(file), trust, opts)
	if err != nil || asked == 0 || len(certs) != 1 || len(l.Subjects) != len(want.Subjects) {
		t.Errorf("%s: %v, %d signers", name, err, len(certs))
	}
	l, _, err = VerifyTrustList(t.Context(), bytes.NewReader(file), func(context.Context, *x509.Certificate, time.Time, [][]byte) error {
		return errors.New("not trusted")
	}, opts)
	if err == nil || l != nil {
		t.Errorf("%s: an untrusted signer", name)
	}
	changed := bytes.Clone(file)
	changed[bytes.Index(changed, want.Subjects[0].Identifier)] ^= 1
	if l, _, err := VerifyTrustList(t.Context(), bytes.NewReader(changed), trust, opts); !errors.Is(err, pkcs7.ErrDigest) || l != nil {
		t.Errorf("%s: with a changed subject: %v", name, err)
	}
}

// The store that certutil made of the list of the same day says of each root
// what the list says.
func TestStoreAgreesWithTrustList(t *testing.T) {
	l, err := ParseTrustList(readFile(t, suites.Corpus(t, "sst", "real-stl", "robstradling-authroot-HEAD.stl")))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Read(bytes.NewReader(readFile(t, suites.Corpus(t, "sst", "real-sst", "owentechnicalgroup-AzureAIChatbotDemo-roots.sst"))), nil)
	if err != nil {
		t.Fatal(err)
	}
	subjects := map[string][]Property{}
	for _, x := range l.Subjects {
		subjects[string(x.Identifier)] = x.Properties
	}
	agreed := 0
	for i := range s.Elements {
		sum := sha1.Sum(s.Elements[i].DER)
		want := subjects[string(sum[:])]
		got := slices.DeleteFunc(slices.Clone(s.Elements[i].Properties), func(p Property) bool { return p.ID == PropSHA1 })
		slices.Reverse(got)
		if slices.EqualFunc(got, want, func(a, b Property) bool { return a.ID == b.ID && bytes.Equal(a.Value, b.Value) }) {
			agreed++
		}
	}
	if agreed != 514 {
		t.Errorf("%d of 514 agree", agreed)
	}
}

func TestReadAnyCorpus(t *testing.T) {
	counts := map[Kind]int{}
	read := 0
	for _, dir := range []string{"real-sst", "real-stl", "dotnet", "wine", "derived"} {
		t.Run(dir, func(t *testing.T) {
			for _, name := range files(t, filepath.Join(dir, "*")) {
				b := readFile(t, name)
				s, err := ReadAny(bytes.NewReader(b), nil)
				base := filepath.Base(name)
				wantErr := strings.HasPrefix(base, "bad-") || strings.HasPrefix(base, "warn-") ||
					base == "elem-two-certs.bin" || base == "tls-inspector-authroot_unsigned.stl"
				if (err != nil) != wantErr {
					t.Errorf("%s: %v", base, err)
				}
				if err != nil {
					if _, ok := errors.AsType[*Error](err); !ok {
						t.Errorf("%s: %v", base, err)
					}
					continue
				}
				read++
				for _, e := range s.Elements {
					counts[e.Kind]++
				}
			}
		})
	}
	if read < 20 || counts[Certificate] < 2200 || counts[CRL] != 1 || counts[CTL] != 4 {
		t.Errorf("%d files: %v", read, counts)
	}
}

func BenchmarkRead(b *testing.B) {
	data := readFile(b, suites.Corpus(b, "sst", "real-sst", "owentechnicalgroup-AzureAIChatbotDemo-roots.sst"))
	b.Run("elements", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			if s, err := Read(bytes.NewReader(data), nil); err != nil || len(s.Elements) != 514 {
				b.Fatal(err)
			}
		}
	})
	b.Run("certificates", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s, err := Read(bytes.NewReader(data), nil)
			if err != nil {
				b.Fatal(err)
			}
			for _, err := range s.Certificates() {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("source", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s, err := Read(bytes.NewReader(data), nil)
			if err != nil {
				b.Fatal(err)
			}
			s.Source()
		}
	})
}
