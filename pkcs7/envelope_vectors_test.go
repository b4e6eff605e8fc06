package pkcs7

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"os"
	"slices"
	"testing"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/suites"
)

// TestWycheproofPKCS1 holds the implicit rejection: there is always a key of
// the length asked for, and a wrong one is never the same twice.
func TestWycheproofPKCS1(t *testing.T) {
	t.Parallel()
	valid, invalid := 0, 0
	for _, size := range []string{"2048", "3072", "4096"} {
		t.Run(size, func(t *testing.T) {
			b, err := os.ReadFile(suites.Corpus(t, "wycheproof", "testvectors_v1", "rsa_pkcs1_"+size+"_test.json"))
			if err != nil {
				t.Fatal(err)
			}
			var file struct {
				TestGroups []struct {
					PrivateKeyPkcs8 string
					Tests           []struct {
						TcID            int
						Msg, Ct, Result string
					}
				}
			}
			if err := json.Unmarshal(b, &file); err != nil {
				t.Fatal(err)
			}
			for _, group := range file.TestGroups {
				parsed, err := x509.ParsePKCS8PrivateKey(unhex(t, group.PrivateKeyPkcs8))
				if err != nil {
					t.Fatal(err)
				}
				key := parsed.(*rsa.PrivateKey)
				for _, v := range group.Tests {
					msg, ct := unhex(t, v.Msg), unhex(t, v.Ct)
					n := len(msg)
					if v.Result != "valid" || n == 0 {
						n = 32
					}
					var got [2][]byte
					for i := range got {
						if got[i], err = decryptPKCS1v15(context.Background(), key, ct, n); err != nil || len(got[i]) != n {
							t.Fatalf("%s/%d: %d octets, %v", size, v.TcID, len(got[i]), err)
						}
					}
					switch right := bytes.Equal(got[0], msg); {
					case v.Result == "valid" && len(msg) > 0:
						if valid++; !right {
							t.Errorf("%s/%d: other key", size, v.TcID)
						}
					default:
						if invalid++; right || bytes.Equal(got[0], got[1]) {
							t.Errorf("%s/%d: not rejected", size, v.TcID)
						}
					}
				}
			}
		})
	}
	if valid < 90 || invalid < 60 {
		t.Errorf("%d valid and %d invalid", valid, invalid)
	}
}

// TestX25519SecondDerivation opens a message by the text of RFC 8418 section 2,
// RFC 5869, RFC 3394 and RFC 5084, with none of the code that made it.
func TestX25519SecondDerivation(t *testing.T) {
	t.Parallel()
	k := testKeys()[4]
	content := []byte("derived twice")
	msg := encryptTo(t, content, &EncryptOptions{Cipher: AES128GCM, Size: int64(len(content))}, ToCertificate(k.cert, nil))

	type algorithm struct {
		ID     asn1.ObjectIdentifier
		Params asn1.RawValue `asn1:"optional"`
	}
	var info struct {
		Type    asn1.ObjectIdentifier
		Content struct {
			Version    int
			Recipients []asn1.RawValue `asn1:"set"`
			Encrypted  struct {
				Type      asn1.ObjectIdentifier
				Algorithm struct {
					ID     asn1.ObjectIdentifier
					Params struct {
						Nonce  []byte
						ICVLen int
					}
				}
				Content []byte `asn1:"tag:0"`
			}
			MAC []byte
		} `asn1:"explicit,tag:0"`
	}
	if rest, err := asn1.Unmarshal(msg, &info); err != nil || len(rest) > 0 {
		t.Fatal(err)
	}
	var kari struct {
		Version    int
		Originator struct {
			Algorithm algorithm
			Key       asn1.BitString
		} `asn1:"explicit,tag:0"`
		Algorithm struct {
			ID   asn1.ObjectIdentifier
			Wrap asn1.RawValue
		}
		Keys []struct {
			ID  asn1.RawValue
			Key []byte
		}
	}
	// The two context tags around the originator's key are [0] and [1].
	der := bytes.Clone(info.Content.Recipients[0].FullBytes)
	der[0] = 0x30
	at := bytes.Index(der, []byte{0xa0, 0x2c, 0xa1})
	if at < 0 {
		t.Fatal("no originator")
	}
	der[at+2] = 0x30
	if rest, err := asn1.Unmarshal(der, &kari); err != nil || len(rest) > 0 {
		t.Fatal(err)
	}
	if got := kari.Algorithm.ID.String(); got != "1.2.840.113549.1.9.16.3.19" || kari.Version != 3 || kari.Originator.Algorithm.ID.String() != "1.3.101.110" {
		t.Fatalf("algorithm %s, version %d", got, kari.Version)
	}
	ephemeral, err := ecdh.X25519().NewPublicKey(kari.Originator.Key.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	z, err := k.key.(*ecdh.PrivateKey).ECDH(ephemeral)
	if err != nil {
		t.Fatal(err)
	}
	// ECC-CMS-SharedInfo without entityUInfo, for a key of 128 bits.
	sharedInfo := append([]byte{0x30, byte(len(kari.Algorithm.Wrap.FullBytes) + 8)}, kari.Algorithm.Wrap.FullBytes...)
	sharedInfo = append(sharedInfo, 0xa2, 6, 4, 4, 0, 0, 0, 128)
	mac := func(key []byte, parts ...[]byte) []byte {
		h := hmac.New(sha256.New, key)
		for _, p := range parts {
			h.Write(p)
		}
		return h.Sum(nil)
	}
	kek := mac(mac(make([]byte, 32), z), sharedInfo, []byte{1})[:16]
	cek := rfc3394(t, kek, kari.Keys[0].Key)
	block, err := aes.NewCipher(cek)
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	e := info.Content.Encrypted
	got, err := gcm.Open(nil, e.Algorithm.Params.Nonce, slices.Concat(e.Content, info.Content.MAC), nil)
	if err != nil || !bytes.Equal(got, content) || e.Algorithm.Params.ICVLen != 16 {
		t.Errorf("%q, %v", got, err)
	}
}

// rfc3394 is the unwrapping of RFC 3394 section 2.2.2.
func rfc3394(t *testing.T, kek, wrapped []byte) []byte {
	block, err := aes.NewCipher(kek)
	if err != nil {
		t.Fatal(err)
	}
	n := len(wrapped)/8 - 1
	a, r := bytes.Clone(wrapped[:8]), bytes.Clone(wrapped[8:])
	for j := 5; j >= 0; j-- {
		for i := n; i >= 1; i-- {
			x := new(big.Int).SetBytes(a)
			x.Xor(x, big.NewInt(int64(n*j+i)))
			b := append(x.FillBytes(make([]byte, 8)), r[8*(i-1):8*i]...)
			block.Decrypt(b, b)
			copy(a, b[:8])
			copy(r[8*(i-1):], b[8:])
		}
	}
	if !bytes.Equal(a, bytes.Repeat([]byte{0xa6}, 8)) {
		t.Fatal("integrity check failed")
	}
	return r
}

// TestGoldensStrength holds what is called weak: the ciphers that are, a small
// RSA key, and a key wrap by Triple DES.
func TestGoldensStrength(t *testing.T) {
	t.Parallel()
	rows := suites.Goldens(t, func(g *suites.Golden) bool {
		return (g.Kind == "enveloped" || g.Kind == "authenveloped") && goldenExceptions[g.Case] == "" && g.Expected != "fail"
	})
	weak := 0
	for _, g := range rows {
		t.Run(g.File, func(t *testing.T) {
			for _, keys := range goldenKeys(t, g) {
				r, err := NewDecryptReader(context.Background(), bytes.NewReader(envelopeOf(t, g.Read(t, g.File))), fixed(keys...), &DecryptOptions{InsecureHistoric: true})
				if err != nil {
					t.Errorf("%s: %v", g.File, err)
					continue
				}
				want := g.Legacy || g.Case == "ecdh-p256-des3-wrap"
				got := r.Strength()
				if got != nil {
					weak++
				}
				if (got != nil) != want && !bytes.Contains(g.Algorithms, []byte("3des-wrap")) || got != nil && !errors.Is(got, ErrWeak) {
					t.Errorf("%s: %v", g.File, got)
				}
				r.Close()
			}
		})
	}
	if len(rows) < 280 || weak < 20 {
		t.Errorf("%d messages, %d weak", len(rows), weak)
	}
}

// TestRecipientBomb holds that lists are bounded and keys are not asked for them.
func TestRecipientBomb(t *testing.T) {
	t.Parallel()
	msg := manyRecipients(t, 10_001)
	for _, src := range []io.Reader{bytes.NewReader(msg), unseekable(msg)} {
		_, err := NewDecryptReader(context.Background(), src, func(context.Context, []CertID) ([]DecryptionKey, error) {
			t.Error("keys were asked for")
			return nil, nil
		}, nil)
		if !errors.Is(err, ErrLimit) {
			t.Errorf("got %v", err)
		}
	}
}

// TestKeyAgreementBomb holds that thousands of encrypted keys in one
// RecipientInfo cost no more than as many RecipientInfos.
func TestKeyAgreementBomb(t *testing.T) {
	t.Parallel()
	k := testKeys()[1]
	p256, err := k.key.(*ecdsa.PrivateKey).ECDH()
	if err != nil {
		t.Fatal(err)
	}
	mine := must(ToCertificate(k.cert, nil).recipient(noise(16))).der
	head, keys := kariParts(t, mine)
	keys = slices.Clone(keys)
	keys[len(keys)-1] ^= 1
	bomb := ber.Append(nil, ber.Context(1), true, head, ber.Append(nil, ber.Sequence, true, bytes.Repeat(keys, 6000)))
	msg := rawEnvelope(encodedRecipient{der: bomb}, alg.Identifier{OID: oid.AES128CBC, Params: encodeOctets(noise(16))}, noise(32))
	token := &countingExchanger{KeyExchanger: p256}
	_, err = decryptAll(bytes.NewReader(msg), fixed(KeyOf(k.cert, token)), nil)
	if !errors.Is(err, ErrDecrypt) || token.ops != 10 {
		t.Errorf("%d operations, %v", token.ops, err)
	}
}

type countingExchanger struct {
	ecdh.KeyExchanger
	ops int
}

func (c *countingExchanger) ECDH(pub *ecdh.PublicKey) ([]byte, error) {
	c.ops++
	return c.KeyExchanger.ECDH(pub)
}

// TestClaimedLength holds that what is only claimed costs nothing.
func TestClaimedLength(t *testing.T) {
	t.Parallel()
	kek := noise(32)
	for _, c := range []Cipher{AES256CBC, AES256GCM} {
		msg := encryptTo(t, noise(1000), &EncryptOptions{Cipher: c, Size: 1000}, ToKey(nil, kek))
		id := ber.Append(nil, ber.OID, false, []byte(oid.Data))
		at := bytes.Index(msg, id)
		head := ber.AppendHeader(nil, ber.Context(0), false, 1000)
		if !c.Authenticated() {
			head = ber.AppendHeader(nil, ber.Context(0), false, 1008)
		}
		content := at + bytes.Index(msg[at:], head)
		body := slices.Concat(msg[:content], ber.AppendHeader(nil, ber.Context(0), false, 3<<30), msg[content+len(head):])
		claimed := claimMore(t, body)
		for _, src := range []io.Reader{bytes.NewReader(claimed), unseekable(claimed)} {
			if got, err := decryptAll(src, fixed(KeyFromKEK(nil, kek)), &DecryptOptions{Limits: Limits{Memory: 1 << 20, Disk: -1}}); !errors.Is(err, ErrSyntax) || len(got) > 1000 {
				t.Errorf("%v: %d octets, %v", c, len(got), err)
			}
		}
	}
}

// claimMore gives the containers of the content the indefinite length.
func claimMore(t *testing.T, msg []byte) []byte {
	t.Helper()
	indefinite := func(b []byte) (head, rest []byte) {
		n := 2
		if b[1] >= 0x80 {
			n += int(b[1] & 0x7f)
		}
		return []byte{b[0], 0x80}, b[n:]
	}
	var out []byte
	take := func() {
		head, rest := indefinite(msg)
		out, msg = append(out, head...), rest
	}
	keep := func() {
		s := msg
		n := 2 + int(s[1])
		if s[1] == 0x81 {
			n = 3 + int(s[2])
		}
		out, msg = append(out, s[:n]...), s[n:]
	}
	take() // ContentInfo
	keep() // contentType
	take() // [0]
	take() // EnvelopedData
	keep() // version
	keep() // recipientInfos
	take() // encryptedContentInfo
	return append(out, msg...)
}
