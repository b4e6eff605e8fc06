package exchange_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"encoding/xml"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/exchange"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// TestValidateCertOfCA gives a valid CA certificate as that of an end entity.
func TestValidateCertOfCA(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "ca_as_end_entity.pem"))
	if err != nil {
		t.Fatal(err)
	}
	var certs []*x509.Certificate
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		certs = append(certs, c)
	}
	if len(certs) != 3 {
		t.Fatalf("%d certificates", len(certs))
	}
	at := time.Date(2026, 12, 1, 4, 0, 0, 0, time.UTC)
	trust := chain.NewCollection(chain.RootsAndIntermediates(chain.Certs(certs[1:]...)))
	q := &exchange.ValidateCertRequest{Certificates: [][]byte{certs[0].Raw}}
	response, err := q.Answer(t.Context(), trust, chain.Options{At: at})
	if err != nil || !slices.Equal(response.Certificates, []int{11}) {
		t.Errorf("%+v, %v", response, err)
	}
	if got := exchange.ValidateCertStatus(certs[0], nil); got != 11 {
		t.Errorf("%d", got)
	}
	if got := exchange.ValidateCertStatus(nil, nil); got != 17 {
		t.Errorf("of nothing: %d", got)
	}
}

// elements returns the elements and texts of a document, without white space.
func elements(t *testing.T, text []byte) string {
	t.Helper()
	var b strings.Builder
	for d := xml.NewDecoder(bytes.NewReader(text)); ; {
		token, err := d.Token()
		if err != nil {
			break
		}
		switch x := token.(type) {
		case xml.StartElement:
			b.WriteString("<" + x.Name.Space + " " + x.Name.Local + ">")
		case xml.EndElement:
			b.WriteString("/")
		case xml.CharData:
			b.WriteString(strings.Join(strings.Fields(string(x)), ""))
		}
	}
	return b.String()
}

func TestValidateCertDocuments(t *testing.T) {
	ca := smimetest.NewCA(t)
	good, expired := ca.Identity("bob@example.com").Certificate().Raw, ca.Identity("bob@example.com", smimetest.Expired()).Certificate().Raw
	b64 := base64.StdEncoding.EncodeToString
	request := `<?xml version="1.0" encoding="utf-8"?>
<ValidateCert xmlns="ValidateCert">
 <CertificateChain><Certificate>` + b64(ca.Issuing().Raw) + `</Certificate></CertificateChain>
 <Certificates><Certificate>` + b64(good[:]) + `</Certificate>
 <Certificate>` + b64(expired) + `</Certificate><Certificate>AAAA</Certificate></Certificates>
 <CheckCRL>1</CheckCRL>
</ValidateCert>`
	var q exchange.ValidateCertRequest
	if err := xml.Unmarshal([]byte(request), &q); err != nil {
		t.Fatal(err)
	}
	if len(q.Chain) != 1 || len(q.Certificates) != 3 || !q.CheckCRL || !bytes.Equal(q.Certificates[1], expired) {
		t.Errorf("%+v", q)
	}
	again, err := xml.Marshal(q)
	if err != nil || elements(t, again) != elements(t, []byte(request)) {
		t.Errorf("%s, %v", again, err)
	}
	// The intermediate comes with the request, and vouches for nobody.
	trust := chain.NewCollection(chain.Anchors(chain.Certs(ca.Root())), chain.Untrusted(chain.DER(ca.CRLs()...)))
	response, err := q.Answer(t.Context(), trust, chain.Options{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := xml.Marshal(response)
	const want = "<ValidateCert ValidateCert><ValidateCert Status>1/<ValidateCert Certificate><ValidateCert Status>1//<ValidateCert Certificate><ValidateCert Status>7//<ValidateCert Certificate><ValidateCert Status>10///"
	if err != nil || elements(t, text) != want {
		t.Errorf("%s, %v", elements(t, text), err)
	}
	var back exchange.ValidateCertResponse
	if err := xml.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(&back, response) {
		t.Errorf("%+v, %v", back, err)
	}
	for _, tt := range []struct {
		name string
		q    *exchange.ValidateCertRequest
		want error
	}{
		{"nil", nil, exchange.ErrSetting}, {"zero", &exchange.ValidateCertRequest{}, exchange.ErrSetting},
		{"too many", &exchange.ValidateCertRequest{Certificates: make([][]byte, 2000)}, exchange.ErrSetting},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if r, err := tt.q.Answer(t.Context(), trust, chain.Options{}); !errors.Is(err, tt.want) || r != nil {
				t.Errorf("%v", err)
			}
		})
	}
	if r, err := q.Answer(t.Context(), nil, chain.Options{}); err != nil || !slices.Equal(r.Certificates, []int{4, 4, 10}) {
		t.Errorf("without a collection: %+v, %v", r, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := q.Answer(ctx, trust, chain.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	for name, text := range map[string]string{
		"another command": `<ResolveRecipients xmlns="ResolveRecipients"/>`, "another namespace": `<ValidateCert xmlns="Email"/>`,
		"no base64": `<ValidateCert><Certificates><Certificate>?</Certificate></Certificates></ValidateCert>`, "cut": request[:200],
		"no number": `<ValidateCert><CheckCRL>x</CheckCRL></ValidateCert>`,
	} {
		t.Run(name, func(t *testing.T) {
			if err := xml.Unmarshal([]byte(text), new(exchange.ValidateCertRequest)); err == nil {
				t.Error("read")
			}
		})
	}
	if err := xml.Unmarshal([]byte(`<ValidateCert xmlns="ValidateCert:"/>`), new(exchange.ValidateCertResponse)); !errors.Is(err, exchange.ErrMalformed) {
		t.Errorf("a response without a status: %v", err)
	}
}

func TestResolveRecipientsDocuments(t *testing.T) {
	ca := smimetest.NewCA(t)
	bob := ca.Identity("bob@example.com").Certificate().Raw
	entry := func(box string, proxies []string, certs ...[]byte) *exchange.DirectoryEntry {
		return exchange.NewDirectoryEntry(exchange.Person{Mailbox: box, Proxies: proxies}, nil, certs)
	}
	d := exchange.NewDirectory(entry("bob@example.com", []string{"robert@example.com"}, bob), entry("carol@example.com", []string{"both@example.com"}),
		entry("dave@example.com", []string{"both@example.com"}, ca.Identity("dave@example.com").Certificate().Raw))
	const request = `<ResolveRecipients xmlns="ResolveRecipients"><To>robert@example.com</To><To>carol@example.com</To><To>both@example.com</To><To>eve@example.com</To><To>dave@example.com</To>` +
		`<Options><CertificateRetrieval>2</CertificateRetrieval><MaxCertificates>1</MaxCertificates></Options></ResolveRecipients>`
	var q exchange.ResolveRecipientsRequest
	if err := xml.Unmarshal([]byte(request), &q); err != nil {
		t.Fatal(err)
	}
	again, err := xml.Marshal(q)
	if err != nil || elements(t, again) != elements(t, []byte(request)) {
		t.Errorf("%s, %v", again, err)
	}
	response, err := q.Answer(t.Context(), d, ca.Trust(), nil)
	if err != nil || response.Status != 1 || len(response.Responses) != 5 {
		t.Fatalf("%+v, %v", response, err)
	}
	for i, want := range []struct{ status, recipients, certificate, returned, left int }{{1, 1, 1, 1, 0}, {1, 1, 7, 0, 0}, {2, 2, 0, 0, 0}, {4, 0, 0, 0, 0}, {1, 1, 8, 0, 1}} {
		r := response.Responses[i]
		if r.To != q.To[i] || r.Status != want.status || len(r.Recipients) != want.recipients {
			t.Errorf("%s: %+v", q.To[i], r)
			continue
		}
		if want.recipients > 0 {
			if p := r.Recipients[0]; p.CertificateStatus != want.certificate || len(p.Certificates) != want.returned || p.NotReturned != want.left {
				t.Errorf("%s: %+v", q.To[i], p)
			}
		}
	}
	text, err := xml.Marshal(response)
	if err != nil {
		t.Fatal(err)
	}
	var back exchange.ResolveRecipientsResponse
	if err := xml.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(&back, response) {
		t.Errorf("%+v\n%+v, %v", back, response, err)
	}
	const first = "<ResolveRecipients ResolveRecipients><ResolveRecipients Status>1/<ResolveRecipients Response><ResolveRecipients To>robert@example.com/<ResolveRecipients Status>1/<ResolveRecipients RecipientCount>1/" +
		"<ResolveRecipients Recipient><ResolveRecipients Type>2/<ResolveRecipients DisplayName>bob@example.com/<ResolveRecipients EmailAddress>bob@example.com/" +
		"<ResolveRecipients Certificates><ResolveRecipients Status>1/<ResolveRecipients CertificateCount>1/<ResolveRecipients RecipientCount>1/<ResolveRecipients Certificate>"
	if !strings.HasPrefix(elements(t, text), first) {
		t.Error(elements(t, text))
	}
	down := ca.Trust().With(chain.Untrusted(down{}))
	for _, tt := range []struct {
		name   string
		q      *exchange.ResolveRecipientsRequest
		d      *exchange.Directory
		trust  *chain.Collection
		status int
		want   error
	}{
		{"nil", nil, d, ca.Trust(), 0, exchange.ErrSetting},
		{"zero", &exchange.ResolveRecipientsRequest{}, d, ca.Trust(), 0, exchange.ErrSetting},
		{"no directory", &q, nil, ca.Trust(), 0, exchange.ErrSetting},
		{"too many", &exchange.ResolveRecipientsRequest{To: make([]string, 2000)}, d, ca.Trust(), 0, exchange.ErrSetting},
		{"unknown retrieval", &exchange.ResolveRecipientsRequest{To: q.To, Retrieval: 4}, d, ca.Trust(), 5, nil},
		{"no certificates wanted", &exchange.ResolveRecipientsRequest{To: q.To, Retrieval: exchange.RetrieveNone}, d, ca.Trust(), 1, nil},
		{"a source is down", &exchange.ResolveRecipientsRequest{To: []string{"carol@example.com"}, Retrieval: exchange.RetrieveMini}, d, down, 6, nil},
		{"no collection", &exchange.ResolveRecipientsRequest{To: []string{"bob@example.com"}, Retrieval: exchange.RetrieveFull}, d, nil, 1, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := tt.q.Answer(t.Context(), tt.d, tt.trust, nil)
			if !errors.Is(err, tt.want) || err == nil && r.Status != tt.status {
				t.Errorf("%+v, %v", r, err)
			}
		})
	}
}

// TestCommandsWithPython has another parser read the documents.
func TestCommandsWithPython(t *testing.T) {
	ca := smimetest.NewCA(t)
	q := exchange.ValidateCertRequest{Chain: [][]byte{ca.Issuing().Raw}, Certificates: [][]byte{ca.Identity("bob@example.com").Certificate().Raw}, CheckCRL: true}
	text, err := xml.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	cmd := suites.Command(t, "python3", "-c", `import sys, xml.etree.ElementTree as e
print([x.tag for x in e.fromstring(sys.stdin.read()).iter()])`)
	cmd.Stdin = bytes.NewReader(text)
	out, err := cmd.Output()
	const want = "['{ValidateCert}ValidateCert', '{ValidateCert}CertificateChain', '{ValidateCert}Certificate', '{ValidateCert}Certificates', '{ValidateCert}Certificate', '{ValidateCert}CheckCRL']\n"
	if err != nil || string(out) != want {
		t.Errorf("%s, %v", out, err)
	}
}

func FuzzCommands(f *testing.F) {
	f.Add([]byte(`<ValidateCert xmlns="ValidateCert"><Certificates><Certificate>MAA=</Certificate></Certificates><CheckCRL>1</CheckCRL></ValidateCert>`))
	f.Add([]byte(`<ResolveRecipients xmlns="ResolveRecipients"><To>a@b.example</To><Options><MaxCertificates>3</MaxCertificates></Options></ResolveRecipients>`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var v, v2 exchange.ValidateCertRequest
		if xml.Unmarshal(text, &v) == nil {
			out, err := xml.Marshal(v)
			if err != nil || xml.Unmarshal(out, &v2) != nil || len(v2.Certificates) != len(v.Certificates) || v2.CheckCRL != v.CheckCRL {
				t.Errorf("%+v comes back as %+v: %v", v, v2, err)
			}
		}
		var r, r2 exchange.ResolveRecipientsRequest
		if xml.Unmarshal(text, &r) == nil {
			out, err := xml.Marshal(r)
			if err != nil || xml.Unmarshal(out, &r2) != nil || len(r2.To) != len(r.To) || r2.Retrieval != r.Retrieval {
				t.Errorf("%+v comes back as %+v: %v", r, r2, err)
			}
		}
	})
}

// TestCollectionInSettings renders the two values that only Get-SmimeConfig has.
func TestCollectionInSettings(t *testing.T) {
	soon, late := newAuthority(t, "soon", year(2031)), newAuthority(t, "late", year(2045))
	cfg := exchange.DefaultConfig()
	for name, tt := range map[string]struct {
		store      []byte
		date, thum any
	}{
		"none":       {nil, nil, nil},
		"two":        {storeOf(t, late.cert, soon.cert), "2031-01-01T00:00:00Z", thumbprint(soon.cert)},
		"unreadable": {[]byte{1}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			cfg.CertificateIssuingCA = tt.store
			text, err := json.Marshal(cfg)
			if err != nil {
				t.Fatal(err)
			}
			var m map[string]any
			if err := json.Unmarshal(text, &m); err != nil {
				t.Fatal(err)
			}
			date, there := m["SMIMECertificatesExpiryDate"]
			if !there || date != tt.date || m["SMIMEExpiredCertificateThumbprint"] != tt.thum {
				t.Errorf("%v, %v", date, m["SMIMEExpiredCertificateThumbprint"])
			}
		})
	}
}

// The server decodes WBXML and answers the commands of ActiveSync.
func ExampleValidateCertRequest() {
	root, rootKey := exampleRoot(2045)
	bob := exampleIdentity("bob@example.com", root, rootKey)
	q := exchange.ValidateCertRequest{Certificates: [][]byte{bob.Certificate().Raw}}
	response := must(q.Answer(context.Background(), chain.NewCollection(chain.Anchors(chain.Certs(root))), chain.Options{}))
	os.Stdout.Write(must(xml.Marshal(response)))
	// Output: <ValidateCert xmlns="ValidateCert"><Status>1</Status><Certificate><Status>1</Status></Certificate></ValidateCert>
}

func ExampleResolveRecipientsRequest() {
	root, rootKey := exampleRoot(2045)
	bob := exampleIdentity("bob@example.com", root, rootKey)
	d := exchange.NewDirectory(exchange.NewDirectoryEntry(exchange.Person{Mailbox: "bob@example.com"}, nil, [][]byte{bob.Certificate().Raw}))
	q := exchange.ResolveRecipientsRequest{To: []string{"bob@example.com"}, Retrieval: exchange.RetrieveFull}
	response := must(q.Answer(context.Background(), d, chain.NewCollection(chain.Anchors(chain.Certs(root))), new(smime.RecipientOptions)))
	p := response.Responses[0].Recipients[0]
	os.Stdout.WriteString(p.EmailAddress)
	// Output: bob@example.com
}
