package alg

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/gosmime/gosmime/internal/oid"
	"golang.org/x/crypto/chacha20poly1305"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

func aeadIdentifier(o oid.OID, nonce []byte, tag int) Identifier {
	b := cryptobyte.NewBuilder(nil)
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1OctetString(nonce)
		if tag > 0 {
			b.AddASN1Int64(int64(tag))
		}
	})
	return Identifier{OID: o, Params: b.BytesOrPanic()}
}

// pieces cuts b at random places.
func pieces(r *rand.Rand, b []byte) (out [][]byte) {
	for len(b) > 0 {
		n := 1 + r.IntN(min(len(b), []int{3, 40, 5000, 70000}[r.IntN(4)]))
		out = append(out, b[:n])
		b = b[n:]
	}
	return out
}

// encrypt, check and decrypt run a cipher in pieces; in place where asked.
func encrypt(t testing.TB, r *rand.Rand, c *Content, key, aad, plain []byte, size int64) (out, tag []byte) {
	t.Helper()
	e, err := c.EncrypterSize(key, aad, size)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pieces(r, plain) {
		if r.IntN(2) == 0 { // in place
			buf := append(make([]byte, 0, len(p)+64), p...)
			out = append(out, e.Update(buf[:0], buf)...)
			continue
		}
		out = e.Update(out, p)
	}
	return e.Final(out)
}

func check(t testing.TB, r *rand.Rand, c *Content, key, aad, sealed, tag []byte) bool {
	t.Helper()
	a, err := c.Authenticator(key, aad, int64(len(sealed)))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pieces(r, sealed) {
		if _, err := a.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	return a.Check(tag)
}

func decrypt(t testing.TB, r *rand.Rand, c *Content, key, sealed []byte) (out []byte, ok bool) {
	t.Helper()
	d, err := c.Decrypter(key)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pieces(r, sealed) {
		if r.IntN(2) == 0 {
			buf := append(make([]byte, 0, len(p)+64), p...)
			out = append(out, d.Update(buf[:0], buf)...)
			continue
		}
		out = d.Update(out, p)
	}
	return d.Final(out)
}

var sizes = [...]int{0, 1, 15, 16, 17, 31, 32, 33, 1000, ghashStep - 1, ghashStep, ghashStep + 1, 3*ghashStep + 5, 200000}

func TestContentRoundTrip(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	n := 0
	for c := AES128GCM; c < ciphers; c++ {
		for _, hkdf := range []bool{false, true} {
			content, err := NewContent(c, hkdf)
			if c == TripleDES || c == RC2 || c == DES {
				if !errors.Is(err, ErrWeak) {
					t.Error(c, err)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			again, err := ContentOf(content.ID)
			if err != nil || again.Cipher != c || again.HKDF != hkdf || again.TagLen != content.TagLen {
				t.Fatalf("%v: %+v, %v", c, again, err)
			}
			for _, size := range sizes {
				n++
				roundTrip(t, r, content, again, size)
			}
		}
	}
	if want := 10 * 2 * len(sizes); n != want {
		t.Errorf("%d of %d", n, want)
	}
}

func roundTrip(t *testing.T, r *rand.Rand, content, again *Content, size int) {
	t.Helper()
	plain := bytes.Repeat([]byte{byte(size)}, size)
	key := content.NewKey()
	var aad []byte
	if content.Authenticated() && size%2 == 1 {
		aad = bytes.Repeat([]byte("aad"), size)
	}
	known := int64(size)
	if size%3 == 0 {
		known = -1
	}
	sealed, tag := encrypt(t, r, content, key, aad, plain, known)
	if len(tag) != content.TagLen {
		t.Fatalf("tag of %d", len(tag))
	}
	out, ok := decrypt(t, r, again, key, sealed)
	if !ok || !bytes.Equal(out, plain) {
		t.Fatalf("cipher %d, %d octets: not the same", content.Cipher, size)
	}
	if !content.Authenticated() {
		return
	}
	if !check(t, r, again, key, aad, sealed, tag) {
		t.Errorf("cipher %d, %d octets: tag refused", content.Cipher, size)
	}
	if check(t, r, again, key, append(aad, 0), sealed, tag) || check(t, r, again, key, aad, sealed, tag[:12]) {
		t.Error("other associated data or short tag accepted")
	}
	if size > 0 {
		sealed[r.IntN(size)] ^= 0x10
		if check(t, r, again, key, aad, sealed, tag) {
			t.Error("changed ciphertext accepted")
		}
	}
}

// TestAgainstAEAD compares the streams with the one-piece ciphers.
func TestAgainstAEAD(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for _, size := range sizes {
		plain, aad := randomBytes(size), randomBytes(size%100)
		c, _ := NewContent(AES192GCM, false)
		key := c.NewKey()
		b, _ := aes.NewCipher(key)
		g, _ := cipher.NewGCM(b)
		compareAEAD(t, r, c, key, g, plain, aad)

		cc, _ := NewContent(ChaCha20Poly1305, false)
		ck := cc.NewKey()
		p, _ := chacha20poly1305.New(ck)
		compareAEAD(t, r, cc, ck, p, plain, aad)

		for _, n := range []int{1, 8, 13, 16, 60, 64} {
			nonce := randomBytes(n)
			aead, err := cipher.NewGCMWithNonceSize(b, n)
			if err != nil {
				t.Fatal(err)
			}
			c, err := ContentOf(aeadIdentifier(oid.AES192GCM, nonce, 16))
			if err != nil {
				t.Fatal(err)
			}
			compareAEAD(t, r, c, key, aead, plain, aad)
		}
	}
}

func compareAEAD(t *testing.T, r *rand.Rand, c *Content, key []byte, aead cipher.AEAD, plain, aad []byte) {
	t.Helper()
	want := aead.Seal(nil, c.nonce, plain, aad)
	got, tag := encrypt(t, r, c, key, aad, plain, int64(len(plain)))
	if !bytes.Equal(append(got, tag...), want) {
		t.Errorf("cipher %d, nonce of %d, %d octets: differs", c.Cipher, len(c.nonce), len(plain))
	}
}

// TestGCMCounterWraps: only the last 32 bits of the counter count.
func TestGCMCounterWraps(t *testing.T) {
	t.Parallel()
	b, _ := aes.NewCipher(make([]byte, 16))
	iv := [16]byte{12: 0xff, 13: 0xff, 14: 0xff, 15: 0xfe}
	src := make([]byte, 100)
	s := newGCMStream(b, iv)
	out := s.Update(nil, src[:20])
	out = s.Update(out, src[20:])
	for i := range 6 {
		binary.BigEndian.PutUint32(iv[12:], 0xfffffffe+uint32(i))
		var want [16]byte
		b.Encrypt(want[:], iv[:])
		if n := min(16, 100-16*i); !bytes.Equal(out[16*i:16*i+n], want[:n]) {
			t.Errorf("block %d", i)
		}
	}
}

func TestContentParameters(t *testing.T) {
	t.Parallel()
	octets := func(n int) []byte { return element(asn1.OCTET_STRING, make([]byte, n)) }
	for _, tt := range []struct {
		name string
		id   Identifier
		want error
	}{
		{"cbc", Identifier{OID: oid.AES128CBC, Params: octets(16)}, nil},
		{"cbc 15", Identifier{OID: oid.AES128CBC, Params: octets(15)}, ErrMalformed},
		{"cbc 17", Identifier{OID: oid.AES128CBC, Params: octets(17)}, ErrMalformed},
		{"cbc trailing", Identifier{OID: oid.AES128CBC, Params: append(octets(16), 5, 0)}, ErrMalformed},
		{"cbc null", Identifier{OID: oid.AES128CBC, Params: []byte(nullDER)}, ErrMalformed},
		{"cbc absent", Identifier{OID: oid.AES128CBC}, ErrMalformed},
		{"3des", Identifier{OID: oid.TripleDESCBC, Params: octets(8)}, nil},
		{"3des 16", Identifier{OID: oid.TripleDESCBC, Params: octets(16)}, ErrMalformed},
		{"gcm", aeadIdentifier(oid.AES128GCM, make([]byte, 12), 16), nil},
		{"gcm default", aeadIdentifier(oid.AES128GCM, make([]byte, 12), 0), nil},
		{"gcm 11", aeadIdentifier(oid.AES128GCM, make([]byte, 12), 11), ErrMalformed},
		{"gcm 17", aeadIdentifier(oid.AES128GCM, make([]byte, 12), 17), ErrMalformed},
		{"gcm no nonce", aeadIdentifier(oid.AES128GCM, nil, 16), ErrMalformed},
		{"gcm nonce 65", aeadIdentifier(oid.AES128GCM, make([]byte, 65), 16), ErrMalformed},
		{"gcm iv only", Identifier{OID: oid.AES128GCM, Params: octets(12)}, ErrMalformed},
		{"ccm", aeadIdentifier(oid.AES256CCM, make([]byte, 7), 8), nil},
		{"ccm nonce 6", aeadIdentifier(oid.AES256CCM, make([]byte, 6), 16), ErrMalformed},
		{"ccm nonce 14", aeadIdentifier(oid.AES256CCM, make([]byte, 14), 16), ErrMalformed},
		{"ccm 4", aeadIdentifier(oid.AES256CCM, make([]byte, 12), 4), ErrWeak},
		{"ccm 6", aeadIdentifier(oid.AES256CCM, make([]byte, 12), 6), ErrWeak},
		{"ccm 9", aeadIdentifier(oid.AES256CCM, make([]byte, 12), 9), ErrMalformed},
		{"ccm 18", aeadIdentifier(oid.AES256CCM, make([]byte, 12), 18), ErrMalformed},
		{"chacha", Identifier{OID: oid.ChaCha20Poly1305, Params: octets(12)}, nil},
		{"chacha 8", Identifier{OID: oid.ChaCha20Poly1305, Params: octets(8)}, ErrMalformed},
		{"hkdf absent", Identifier{OID: oid.CEKHKDFSHA256}, ErrMalformed},
		{"hkdf twice", Identifier{OID: oid.CEKHKDFSHA256, Params: Identifier{OID: oid.CEKHKDFSHA256, Params: Identifier{OID: oid.AES128CBC, Params: octets(16)}.DER()}.DER()}, ErrUnsupported},
		{"camellia", Identifier{OID: "\x2a\x83\x08\x8c\x9a\x4b\x3d\x01\x01\x01\x04", Params: octets(16)}, ErrUnsupported},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := ContentOf(tt.id)
			if !errors.Is(err, tt.want) || (tt.want == nil) != (err == nil) {
				t.Errorf("%v, want %v", err, tt.want)
			}
			if (c == nil) != (err != nil) {
				t.Error("both or neither")
			}
		})
	}
}

// TestDefaultICVLen: without aes-ICVlen tags of 12 octets and, for GCM, of 16 fit.
func TestDefaultICVLen(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	for o, sixteen := range map[oid.OID]bool{oid.AES128GCM: true, oid.AES128CCM: false} {
		c, err := ContentOf(aeadIdentifier(o, make([]byte, 12), 0))
		if err != nil {
			t.Fatal(err)
		}
		key, plain := make([]byte, 16), []byte("content")
		sealed, tag := encrypt(t, r, c, key, nil, plain, 7)
		full, _ := ContentOf(aeadIdentifier(o, make([]byte, 12), 16))
		_, tag16 := encrypt(t, r, full, key, nil, plain, 7)
		for n := range 17 {
			want := n == 12 || n == 16 && sixteen
			use := tag16[:n]
			if n == 12 {
				use = tag
			}
			if check(t, r, c, key, nil, sealed, use) != want {
				t.Errorf("%v: tag of %d: %v", o, n, !want)
			}
		}
	}
}

func TestUnpad(t *testing.T) {
	t.Parallel()
	n := 0
	for size := 8; size <= 16; size += 8 {
		for p := range 256 {
			block := bytes.Repeat([]byte{byte(p)}, size)
			got, good := unpad(block)
			want := p >= 1 && p <= size
			if (good == 1) != want || want && got != size-p || !want && got != 0 {
				t.Errorf("%d of %d: %d, %d", p, size, got, good)
			}
			n++
			if !want {
				continue
			}
			for i := range size - 1 {
				block[i] ^= 0x80
				_, good := unpad(block)
				if (good == 1) != (i < size-p) {
					t.Errorf("%d of %d, octet %d: %d", p, size, i, good)
				}
				block[i] ^= 0x80
			}
		}
	}
	if n != 512 {
		t.Error(n)
	}
}

func TestCBCLengths(t *testing.T) {
	t.Parallel()
	c, _ := NewContent(AES128CBC, false)
	key := c.NewKey()
	for n := range 50 {
		d, _ := c.Decrypter(key)
		out := d.Update(nil, make([]byte, n))
		if _, ok := d.Final(out); ok && n%16 != 0 || ok && n == 0 {
			t.Errorf("%d octets accepted", n)
		}
	}
}

// TestRC2 has the vectors of RFC 2268 section 5.
func TestRC2(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		key, plain, sealed string
		bits               int
	}{
		{"0000000000000000", "0000000000000000", "ebb773f993278eff", 63},
		{"ffffffffffffffff", "ffffffffffffffff", "278b27e42e2f0d49", 64},
		{"3000000000000000", "1000000000000001", "30649edf9be7d2c2", 64},
		{"88", "0000000000000000", "61a8a244adacccf0", 64},
		{"88bca90e90875a", "0000000000000000", "6ccf4308974c267f", 64},
		{"88bca90e90875a7f0f79c384627bafb2", "0000000000000000", "1a807d272bbe5db1", 64},
		{"88bca90e90875a7f0f79c384627bafb2", "0000000000000000", "2269552ab0f85ca6", 128},
		{"88bca90e90875a7f0f79c384627bafb216f80a6f85920584c42fceb0be255daf1e", "0000000000000000", "5b78d3a43dfff1f1", 129},
	} {
		key, _ := hex.DecodeString(tt.key)
		plain, _ := hex.DecodeString(tt.plain)
		c := newRC2(key, tt.bits)
		var out [8]byte
		c.Encrypt(out[:], plain)
		if hex.EncodeToString(out[:]) != tt.sealed {
			t.Errorf("%s: %x", tt.key, out)
		}
		c.Decrypt(out[:], out[:])
		if !bytes.Equal(out[:], plain) {
			t.Errorf("%s: back to %x", tt.key, out)
		}
	}
}

func BenchmarkContent(b *testing.B) {
	for _, c := range []Cipher{AES256GCM, AES256CBC, AES256CCM, ChaCha20Poly1305} {
		for _, chunk := range []int{1 << 10, 192 << 10, 192<<10 + 7} {
			content, _ := NewContent(c, false)
			key := content.NewKey()
			src, dst := make([]byte, chunk), make([]byte, 0, chunk+32)
			name := fmt.Sprintf("%v/%d", cipherTable[c].oid, chunk)
			b.Run(name+"/encrypt", func(b *testing.B) {
				b.SetBytes(int64(chunk))
				e, _ := content.EncrypterSize(key, nil, 1<<35)
				for b.Loop() {
					e.Update(dst, src)
				}
			})
			b.Run(name+"/decrypt", func(b *testing.B) {
				b.SetBytes(int64(chunk))
				d, _ := content.Decrypter(key)
				for b.Loop() {
					d.Update(dst, src)
				}
			})
			if content.Authenticated() {
				b.Run(name+"/authenticate", func(b *testing.B) {
					b.SetBytes(int64(chunk))
					a, _ := content.Authenticator(key, nil, 1<<35)
					for b.Loop() {
						if _, err := a.Write(src); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		}
	}
}

// BenchmarkContentSmall is the whole of one small message.
func BenchmarkContentSmall(b *testing.B) {
	content, _ := NewContent(AES256GCM, false)
	key := content.NewKey()
	src := make([]byte, 1024)
	for b.Loop() {
		e, _ := content.Encrypter(key, nil)
		e.Final(e.Update(nil, src))
	}
}

// FuzzStreams: however a content is cut, what comes out is the same, and what
// was sealed opens.
func FuzzStreams(f *testing.F) {
	f.Add([]byte("content"), uint16(1), uint8(AES128GCM))
	f.Add(bytes.Repeat([]byte("content"), 100), uint16(17), uint8(AES256CBC))
	f.Add([]byte{}, uint16(16), uint8(AES128CCM))
	f.Add(make([]byte, 70), uint16(64), uint8(ChaCha20Poly1305))
	f.Fuzz(func(t *testing.T, plain []byte, seed uint16, cipher uint8) {
		c, err := NewContent(Cipher(cipher), seed&1 == 1)
		if err != nil {
			return
		}
		r := rand.New(rand.NewPCG(uint64(seed), 0))
		key := c.NewKey()
		whole, err := c.Encrypter(key, nil)
		if err != nil {
			t.Fatal(err)
		}
		want, wantTag := whole.Final(whole.Update(nil, plain))
		got, tag := encrypt(t, r, c, key, nil, plain, int64(len(plain)))
		if !bytes.Equal(got, want) || !bytes.Equal(tag, wantTag) {
			t.Fatal("pieces give another ciphertext")
		}
		out, ok := decrypt(t, r, c, key, got)
		if !ok || !bytes.Equal(out, plain) {
			t.Fatal("does not open")
		}
		if c.Authenticated() && !check(t, r, c, key, nil, got, tag) {
			t.Fatal("tag refused")
		}
	})
}

// FuzzUnwrap: what unwraps is what was wrapped.
func FuzzUnwrap(f *testing.F) {
	f.Add([]byte("0123456789abcdef"), uint8(0))
	f.Add([]byte("0123456789abcdef01234567"), uint8(3))
	f.Add([]byte("x"), uint8(4))
	f.Fuzz(func(t *testing.T, in []byte, kind uint8) {
		o := []oid.OID{oid.AES128Wrap, oid.AES192Wrap, oid.AES256Wrap, oid.AES128WrapPad, oid.AES192WrapPad, oid.AES256WrapPad}[kind%6]
		w, err := WrapOf(Identifier{OID: o})
		if err != nil {
			t.Fatal(err)
		}
		kek := make([]byte, w.KEKLen)
		if wrapped, err := w.Wrap(kek, in); err == nil {
			if got, err := w.Unwrap(kek, wrapped); err != nil || !bytes.Equal(got, in) {
				t.Fatal("does not come back", err)
			}
		}
		if key, err := w.Unwrap(kek, in); err == nil {
			if again, err := w.Wrap(kek, key); err != nil || !bytes.Equal(again, in) {
				t.Fatal("two wrappings of one key", err)
			}
		} else if err != ErrDecrypt {
			t.Fatal(err)
		}
		id := Identifier{OID: oid.PWRIKEK, Params: Identifier{OID: oid.AES128CBC, Params: element(asn1.OCTET_STRING, make([]byte, 16))}.DER()}
		if key, err := PWRIUnwrap(id, make([]byte, 16), in); err == nil && len(key) > len(in) {
			t.Fatal("longer than what was wrapped")
		}
	})
}
