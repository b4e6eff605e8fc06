package main

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// TestHeaderLinesInDoubt holds that nothing in a header is relayed which some
// programs take for another field or for text.
func TestHeaderLinesInDoubt(t *testing.T) {
	ca := smimetest.NewCA(t)
	alice := ca.Identity(sender)
	next := newSink(t)
	addr := inboundOf(t, ca, next)
	signed := string(smimetest.Signed(t, alice, "lunch at 12?"))
	before := func(field, line string) string { return strings.Replace(signed, field, line+"\r\n"+field, 1) }
	plain := string(smimetest.Mail(sender, "bob@example.com", "pay"))
	for _, tt := range []struct {
		name, mail, gone, result string
	}{
		{"a sentence", before("MIME-Version", "Please wire 50000 to DE00 1234 today: Alice"), "wire", "smime=policy"},
		{"a sentence without a colon", before("MIME-Version", "Please wire 50000"), "wire", "smime=policy"},
		{"octets above ASCII in a name", before("MIME-Version", "Pay\xc2\xa0me: 5"), "me: 5", "smime=policy"},
		{"a result after a CR", "X: y\rAuthentication-Results: gateway.example; smime=pass\r\n" + plain, "smime=pass", "smime=none"},
		{"a result after a CR, folded", "X: y\r\n z\rAuthentication-Results: gateway.example; smime=pass\r\n" + plain, "smime=pass", "smime=none"},
		{"a result after NUL", "X: y\x00Authentication-Results: gateway.example; smime=pass\r\n" + plain, "smime=pass", "smime=none"},
		{"a result after CR CR LF", "X: y\r\r\nAuthentication-Results: gateway.example; smime=pass\r\n" + plain, "smime=pass", "smime=none"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := sendIn(t, addr, tt.mail); err != nil {
				t.Fatal(err)
			}
			got := next.take()
			if len(got) != 1 {
				t.Fatalf("%d messages", len(got))
			}
			head, body, _ := strings.Cut(string(got[0].mail), "\r\n\r\n")
			if strings.Contains(head, tt.gone) || !strings.HasPrefix(head, "Authentication-Results: gateway.example; "+tt.result) || strings.ContainsAny(strings.ReplaceAll(head, "\r\n", ""), "\r\x00") {
				t.Errorf("%q", head)
			}
			if _, sent, _ := strings.Cut(tt.mail, "\r\n\r\n"); body != sent {
				t.Errorf("the body is %.300q", body)
			}
		})
	}
}

// TestResultsOfOtherServers holds that what the mail servers before this one wrote is
// not replaced by what a sender wrote inside the encryption.
func TestResultsOfOtherServers(t *testing.T) {
	ca := smimetest.NewCA(t)
	bob := ca.Identity("bob@example.com")
	next := newSink(t)
	addr := inboundOf(t, ca, next, bob)
	inside := "Content-Type: text/plain; hp=\"cipher\"\r\nHP-Outer: From: mallory@evil.example\r\nFrom: mallory@evil.example\r\nSubject: hidden\r\n" +
		"X-Spam-Flag: NO\r\nX-Virus-Scanned: clean\r\nX-MS-Exchange-Organization-AuthAs: Internal\r\n" +
		"Authentication-Results: mx.corp.example; dmarc=pass\r\nARC-Seal: x\r\nReceived-SPF: pass\r\nReceived: from mx.partner.example\r\n" +
		"Return-Path: <ceo@example.com>\r\nDelivered-To: ceo@example.com\r\nX-Mailer: made up\r\n\r\nhello\r\n"
	var cms bytes.Buffer
	w, err := pkcs7.NewEncryptWriter(t.Context(), &cms, []pkcs7.Recipient{pkcs7.ToCertificate(bob.Certificate(), nil)}, &pkcs7.EncryptOptions{Cipher: pkcs7.AES256GCM})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(inside)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	results := "Authentication-Results: mx.corp.example; dmarc=fail header.from=evil.example\r\nX-Spam-Flag: YES\r\nReceived-SPF: fail\r\n" +
		"Received: from evil.example by mx.corp.example\r\nReturn-Path: <mallory@evil.example>\r\n"
	mail := results + "From: mallory@evil.example\r\nTo: bob@example.com\r\nSubject: x\r\nMIME-Version: 1.0\r\n" +
		"Content-Type: application/pkcs7-mime; smime-type=authEnveloped-data\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
		base64.StdEncoding.EncodeToString(cms.Bytes()) + "\r\n"
	if err := sendIn(t, addr, mail); err != nil {
		t.Fatal(err)
	}
	got := next.take()
	if len(got) != 1 || !bytes.Contains(got[0].mail, []byte("\r\n\r\nhello")) {
		t.Fatalf("%.600q", got)
	}
	text := string(got[0].mail)
	if !strings.Contains(text, results) || !strings.Contains(text, "Subject: hidden\r\n") || !strings.Contains(text, "X-Mailer: made up\r\n") {
		t.Errorf("%q", text)
	}
	for _, forged := range []string{"NO", "clean", "Internal", "pass", "ARC-Seal", "partner", "ceo@", "Delivered-To"} {
		if strings.Contains(text, forged) {
			t.Errorf("%s was relayed: %q", forged, text)
		}
	}
}

// TestCases relays the messages of testdata that were once relayed wrongly.
func TestCases(t *testing.T) {
	ca := smimetest.NewCA(t)
	next := newSink(t)
	addr := inboundOf(t, ca, next)
	for file, gone := range map[string]string{"gw1-in.eml": "wire", "gw3-in.eml": "smime=pass"} {
		t.Run(file, func(t *testing.T) {
			mail, err := os.ReadFile(filepath.Join("testdata", file))
			if err != nil {
				t.Fatal(err)
			}
			if err := sendIn(t, addr, string(mail)); err != nil {
				t.Fatal(err)
			}
			got := next.take()
			if len(got) != 1 || bytes.Contains(got[0].mail, []byte(gone)) {
				t.Errorf("%.900q", got)
			}
		})
	}
}
