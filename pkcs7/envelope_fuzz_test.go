package pkcs7

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"github.com/gosmime/gosmime/internal/ber"
)

// fuzzLimits keep an input from costing much.
func fuzzLimits() Limits {
	return Limits{Bytes: 1 << 20, Recipients: 20, Iterations: 2000, PrivateKeys: 4, Memory: 1 << 20, Disk: -1}
}

// FuzzDecrypt holds that all ways to read a message agree, that errors are of
// documented types, and that what is authenticated comes whole or not at all.
func FuzzDecrypt(f *testing.F) {
	_, msgs, _ := smallEnvelopes(f, []byte("a short content, of more than one block"))
	for _, msg := range msgs {
		f.Add(msg)
		if ber.CheckDER(msg, false) == nil {
			f.Add(toBER(f, msg))
		}
	}
	keys := fixed(KeyFromKEK([]byte("id"), noise(32)), testKeys()[1].decryption(), KeyFromPassword([]byte("password")))
	f.Fuzz(func(t *testing.T, msg []byte) {
		type outcome struct {
			content []byte
			err     error
		}
		var outcomes []outcome
		for way := range 4 {
			src := io.Reader(bytes.NewReader(msg))
			if way&1 != 0 {
				src = unseekable(msg)
			}
			r, err := NewDecryptReader(context.Background(), src, keys, &DecryptOptions{InsecureHistoric: true, Withhold: way&2 != 0, Limits: fuzzLimits()})
			if err != nil {
				if !documentedDecrypt(err) {
					t.Fatalf("%v is not documented", err)
				}
				outcomes = append(outcomes, outcome{nil, err})
				continue
			}
			content, err := io.ReadAll(r)
			if err != nil && !documentedDecrypt(err) {
				t.Fatalf("%v is not documented", err)
			}
			if err != nil && len(content) > 0 && (r.Cipher().Authenticated() || way&2 != 0) {
				t.Fatalf("%d octets before %v", len(content), err)
			}
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			outcomes = append(outcomes, outcome{content, err})
		}
		for _, o := range outcomes[1:] {
			if (o.err == nil) != (outcomes[0].err == nil) && !errors.Is(o.err, ErrLimit) && !errors.Is(outcomes[0].err, ErrLimit) {
				t.Fatalf("%v and %v", outcomes[0].err, o.err)
			}
			if o.err == nil && outcomes[0].err == nil && !bytes.Equal(o.content, outcomes[0].content) {
				t.Fatal("contents differ")
			}
		}
	})
}

// FuzzRecipientInfo holds that what is read as DER and as BER is the same.
func FuzzRecipientInfo(f *testing.F) {
	for _, k := range testKeys() {
		f.Add(must(ToCertificate(k.cert, nil).recipient(noise(16))).der)
		f.Add(must(ToCertificate(k.cert, &RecipientOptions{ByKeyID: true}).recipient(noise(16))).der)
	}
	f.Add(must(ToKey([]byte("id"), noise(16)).recipient(noise(16))).der)
	f.Add(must(makePWRI([]byte("password"), noise(16))).der)
	f.Fuzz(func(t *testing.T, raw []byte) {
		info, err := parseRecipientInfo(raw, 0)
		if err != nil && (info != nil || !errors.Is(err, ErrSyntax) && !errors.Is(err, ErrLimit)) {
			t.Fatal(info, err)
		}
		if info == nil {
			return
		}
		der, err := toDER(raw, 0, "RecipientInfo")
		if errors.Is(err, ErrSyntax) {
			return // inside a Name, which is compared and never read
		}
		if err != nil {
			t.Fatal(err)
		}
		again, err := parseRecipientInfo(der, 0)
		if again == nil || err != nil || len(again.ids()) != len(info.ids()) {
			t.Fatalf("read as it came but not as DER: %v", err)
		}
		for i, id := range info.ids() {
			other := again.ids()[i]
			if !bytes.Equal(id.KeyID, other.KeyID) || !bytes.Equal(id.Issuer, other.Issuer) || id.Kind != other.Kind {
				t.Fatal("identifiers differ")
			}
			key := &matchKey{DecryptionKey: KeyFromPassword(nil)}
			if opening, err := info.prepare(key, i); (opening == nil) == (err == nil) {
				t.Fatal("neither a way nor an error")
			}
		}
	})
}

// FuzzEncrypt holds that what was written in whatever pieces is read again.
func FuzzEncrypt(f *testing.F) {
	f.Add([]byte("content"), uint8(0), uint16(3), true)
	f.Add([]byte{}, uint8(6), uint16(1), false)
	f.Add(noise(70_000), uint8(8), uint16(9000), true)
	f.Fuzz(func(t *testing.T, content []byte, cipher uint8, piece uint16, der bool) {
		kek := noise(32)
		opts := &EncryptOptions{Cipher: writtenCiphers[int(cipher)%len(writtenCiphers)], CEKHKDF: piece%2 == 0}
		if der {
			opts.Size = int64(len(content))
		}
		var msg bytes.Buffer
		w, err := NewEncryptWriter(context.Background(), &msg, []Recipient{ToKey([]byte("id"), kek)}, opts)
		if err != nil {
			t.Fatal(err)
		}
		for rest := content; len(rest) > 0; {
			n := min(len(rest), int(piece)+1)
			if _, err := w.Write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if opts.Size > 0 && ber.CheckDER(msg.Bytes(), true) != nil {
			t.Fatal("not DER")
		}
		got, err := decryptAll(bytes.NewReader(msg.Bytes()), fixed(KeyFromKEK([]byte("id"), kek)), nil)
		if err != nil || !bytes.Equal(got, content) {
			t.Fatalf("%d of %d octets, %v", len(got), len(content), err)
		}
	})
}

// FuzzExtract holds that nothing is written beside an error.
func FuzzExtract(f *testing.F) {
	digested := ber.Append(nil, ber.Sequence, true, encodeVersion(0), []byte("\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01"),
		ber.Append(nil, ber.Sequence, true, []byte("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"), ber.Append(nil, ber.Context(0), true, encodeOctets([]byte("content")))),
		encodeOctets([]byte("\xed\x70\x02\xb4\x39\xe9\xac\x84\x5f\x22\x35\x7d\x82\x2b\xac\x14\x44\x73\x0f\xbd\xb6\x01\x6d\x3e\xc9\x43\x22\x97\xb9\xec\x9f\x73")))
	f.Add(ber.Append(nil, ber.Sequence, true, []byte("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x05"), ber.Append(nil, ber.Context(0), true, digested)))
	keys := fixed(KeyFromKEK([]byte("id"), noise(32)), KeyFromKEK(nil, noise(16)))
	f.Fuzz(func(t *testing.T, msg []byte) {
		var out bytes.Buffer
		x, err := Extract(context.Background(), &out, bytes.NewReader(msg), keys, &DecryptOptions{InsecureHistoric: true, Limits: fuzzLimits()})
		if err != nil && (x != nil || out.Len() > 0 || !documentedDecrypt(err) && !errors.Is(err, ErrDigest)) {
			t.Fatalf("%d octets, %v", out.Len(), err)
		}
	})
}
