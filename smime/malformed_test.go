package smime_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// golden returns the row with that file.
func golden(t testing.TB, file string) *suites.Golden {
	t.Helper()
	return suites.Goldens(t, func(g *suites.Golden) bool { return g.File == file })[0]
}

// smallSigned are small messages of both forms.
func smallSigned(t testing.TB) []*suites.Golden {
	return []*suites.Golden{
		golden(t, "msg/signed/nocerts-detached.ossl36.eml"),
		golden(t, "msg/signed/body-empty-opaque.ossl36.eml"),
	}
}

func verifyGolden(g *suites.Golden, trust *chain.Collection, msg io.Reader) ([]byte, *smime.Signer, error) {
	var out bytes.Buffer
	s, err := smime.Verify(context.Background(), &out, msg, trust, &smime.VerifyOptions{Chain: chain.Options{At: g.VerifyTime}})
	return out.Bytes(), s, err
}

func TestVerifyTruncated(t *testing.T) {
	t.Parallel()
	for _, g := range smallSigned(t) {
		t.Run(g.File, func(t *testing.T) {
			msg, trust := g.Read(t, g.File), goldenTrust(t, g)
			want, _, err := verifyGolden(g, trust, bytes.NewReader(msg))
			if err != nil {
				t.Fatal(err)
			}
			failed := 0
			for n := range len(msg) {
				out, s, err := verifyGolden(g, trust, bytes.NewReader(msg[:n]))
				if err == nil && (!bytes.Equal(out, want) || s == nil) || err != nil && len(out) > 0 {
					t.Fatalf("%s cut to %d: %v, %d octets", g.File, n, err, len(out))
				}
				if err != nil {
					failed++
				}
			}
			// A cut close delimiter or line end after it changes nothing.
			if failed < len(msg)-100 {
				t.Errorf("only %d of %d cuts fail", failed, len(msg))
			}
		})
	}
}

func TestVerifyBitFlips(t *testing.T) {
	t.Parallel()
	for _, g := range smallSigned(t) {
		t.Run(g.File, func(t *testing.T) {
			msg, trust := g.Read(t, g.File), goldenTrust(t, g)
			want, signer, err := verifyGolden(g, trust, bytes.NewReader(msg))
			if err != nil {
				t.Fatal(err)
			}
			for i := range msg {
				for bit := range 8 {
					if (testing.Short() || !suites.Peers() || len(msg) > 2000) && bit != i%8 { // the gate changes every bit
						continue
					}
					msg[i] ^= 1 << bit
					out, s, err := verifyGolden(g, trust, bytes.NewReader(msg))
					if err != nil && len(out) > 0 {
						t.Fatalf("%d octets written beside %v", len(out), err)
					}
					if err == nil && (!bytes.Equal(out, want) || !strings.EqualFold(s.Mailbox(), signer.Mailbox())) {
						t.Fatalf("bit %d of octet %d changes what is verified", bit, i)
					}
					msg[i] ^= 1 << bit
				}
			}
		})
	}
}

func TestDecryptDamaged(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"msg/authenveloped/aes256-gcm-rsa2048.ossl36.eml", "msg/enveloped/rsa-aes256.ossl30.eml"} {
		t.Run(file, func(t *testing.T) {
			rows := suites.Goldens(t, func(g *suites.Golden) bool {
				return isEML(g, "decrypt") && g.Expected == "ok" && strings.HasPrefix(g.File, file[:strings.LastIndex(file, "/")+1])
			})
			g := rows[0]
			for _, r := range rows {
				if r.PlaintextLen < g.PlaintextLen && !r.Optional && !r.Legacy {
					g = r
				}
			}
			ids, msg := goldenKeys(t, g)[:1], g.Read(t, g.File)
			decrypt := func(msg []byte) ([]byte, *smime.Encryption, error) {
				var out bytes.Buffer
				enc, err := smime.Decrypt(context.Background(), &out, bytes.NewReader(msg), ids, nil)
				return out.Bytes(), enc, err
			}
			want, enc, err := decrypt(msg)
			if err != nil {
				t.Fatalf("%s: %v", g.File, err)
			}
			for n := 0; n < len(msg); n += 1 + n/200 {
				if out, _, err := decrypt(msg[:n]); err != nil && len(out) > 0 || err == nil && !bytes.Equal(out, want) {
					t.Fatalf("%s cut to %d: %v, %d octets", g.File, n, err, len(out))
				}
			}
			for i := 0; i < len(msg); i += 3 {
				msg[i] ^= 1 << (i % 8)
				out, _, err := decrypt(msg)
				if err != nil && len(out) > 0 {
					t.Fatalf("%s: %d octets written beside %v", g.File, len(out), err)
				}
				if err == nil && enc.Cipher.Authenticated() && !bytes.Equal(out, want) {
					t.Fatalf("%s: octet %d changes what is authenticated", g.File, i)
				}
				msg[i] ^= 1 << (i % 8)
			}
		})
	}
}

// noSeek hides that a reader can seek.
type noSeek struct{ io.Reader }

// TestInputs holds that it does not matter how the input is read.
func TestInputs(t *testing.T) {
	t.Parallel()
	for _, g := range smallSigned(t) {
		t.Run(g.File, func(t *testing.T) {
			msg, trust := g.Read(t, g.File), goldenTrust(t, g)
			want, _, err := verifyGolden(g, trust, bytes.NewReader(msg))
			if err != nil {
				t.Fatal(err)
			}
			offset := bytes.NewReader(append([]byte("before"), msg...))
			if _, err := offset.Seek(6, io.SeekStart); err != nil {
				t.Fatal(err)
			}
			for name, r := range map[string]io.Reader{
				"no Seek": noSeek{bytes.NewReader(msg)}, "octets": iotest.OneByteReader(bytes.NewReader(msg)),
				"data with error": iotest.DataErrReader(bytes.NewReader(msg)), "from an offset": offset,
			} {
				if out, _, err := verifyGolden(g, trust, r); err != nil || !bytes.Equal(out, want) {
					t.Errorf("%s: %v", name, err)
				}
			}
			boom := errors.New("boom")
			if out, _, err := verifyGolden(g, trust, io.MultiReader(bytes.NewReader(msg[:len(msg)-200]), iotest.ErrReader(boom))); !errors.Is(err, boom) || len(out) > 0 {
				t.Errorf("error of the input: %v", err)
			}
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			if _, err := smime.Verify(ctx, io.Discard, bytes.NewReader(msg), trust, nil); !errors.Is(err, context.Canceled) {
				t.Errorf("canceled: %v", err)
			}
		})
	}
}

func TestNotWhatWasAsked(t *testing.T) {
	t.Parallel()
	encrypted := golden(t, "msg/nested/encrypt-sign-detached.ossl30.eml")
	sealed := golden(t, "msg/nested/sign-encrypt-detached.ossl30.eml")
	plain := []byte("From: alice@example.com\r\nContent-Type: text/plain\r\n\r\nhello\r\n")
	ctx := context.Background()
	trust, keys := goldenTrust(t, sealed), goldenKeys(t, sealed)
	verify := &smime.VerifyOptions{Chain: chain.Options{At: sealed.VerifyTime}}
	unseal := &smime.UnsealOptions{Verify: *verify}
	var out bytes.Buffer
	for _, tt := range []struct {
		name string
		err  error
		call func() error
	}{
		{"Verify of plain mail", smime.ErrNotSigned, func() error {
			_, err := smime.Verify(ctx, &out, bytes.NewReader(plain), trust, verify)
			return err
		}},
		{"Verify of encrypted mail", smime.ErrLocked, func() error {
			_, err := smime.Verify(ctx, &out, bytes.NewReader(sealed.Read(t, sealed.File)), trust, verify)
			return err
		}},
		{"Decrypt of plain mail", smime.ErrNotEncrypted, func() error {
			_, err := smime.Decrypt(ctx, &out, bytes.NewReader(plain), keys, nil)
			return err
		}},
		{"Decrypt of signed mail", smime.ErrNotEncrypted, func() error {
			_, err := smime.Decrypt(ctx, &out, bytes.NewReader(encrypted.Read(t, encrypted.File)), keys, nil)
			return err
		}},
		{"Decrypt without keys", pkcs7.ErrNoKey, func() error {
			_, err := smime.Decrypt(ctx, &out, bytes.NewReader(sealed.Read(t, sealed.File)), nil, nil)
			return err
		}},
		{"Unseal of plain mail", smime.ErrNotEncrypted, func() error {
			_, _, err := smime.Unseal(ctx, &out, bytes.NewReader(plain), keys, trust, unseal)
			return err
		}},
		{"Unseal of mail signed outside", smime.ErrSignedOutside, func() error {
			keys := goldenKeys(t, encrypted)
			_, _, err := smime.Unseal(ctx, &out, bytes.NewReader(encrypted.Read(t, encrypted.File)), keys, trust, unseal)
			return err
		}},
		{"Unseal without trust", chain.ErrUnknownIssuer, func() error {
			_, _, err := smime.Unseal(ctx, &out, bytes.NewReader(sealed.Read(t, sealed.File)), keys, nil, unseal)
			return err
		}},
		{"layers", smime.ErrLimit, func() error {
			o := *unseal
			o.Verify.Limits.Layers = 1
			_, _, err := smime.Unseal(ctx, &out, bytes.NewReader(sealed.Read(t, sealed.File)), keys, trust, &o)
			return err
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.call(); !errors.Is(err, tt.err) || out.Len() > 0 {
				t.Errorf("%v, %d octets", err, out.Len())
			}
		})
	}
}

// TestUnsealGoldens unseals what is signed inside encryption.
func TestUnsealGoldens(t *testing.T) {
	t.Parallel()
	rows := suites.Goldens(t, func(g *suites.Golden) bool {
		return g.Kind == "nested" && len(g.Layers) > 1 && g.Layers[len(g.Layers)-1].Type == "signed" &&
			(g.Layers[0].Type == "encrypted" || g.Layers[1].Type == "encrypted") && !strings.Contains(g.File, "triple-")
	})
	for _, g := range rows {
		t.Run(g.File, func(t *testing.T) {
			for _, seekable := range []bool{true, false} {
				var r io.Reader = bytes.NewReader(g.Read(t, g.File))
				if !seekable {
					r = noSeek{r}
				}
				var out bytes.Buffer
				s, enc, err := smime.Unseal(context.Background(), &out, r, goldenKeys(t, g), goldenTrust(t, g),
					&smime.UnsealOptions{Verify: smime.VerifyOptions{Chain: chain.Options{At: g.VerifyTime}}})
				if err != nil {
					t.Error(err)
					continue
				}
				if s.Mailbox() != g.From || enc.Key == nil || sum(out.Bytes()) != g.Layers[len(g.Layers)-1].PlaintextSHA256 {
					t.Errorf("signer %s, %d octets", s.Mailbox(), out.Len())
				}
			}
		})
	}
	if len(rows) < 7 {
		t.Errorf("%d rows", len(rows))
	}
}

func TestIsSMIME(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]bool{
		"Content-Type: application/pkcs7-mime; smime-type=signed-data":                                  true,
		"content-type: APPLICATION/X-PKCS7-MIME\r\n":                                                    true,
		"Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=x\r\n\r\n":  true,
		"Content-Type: multipart/signed; boundary=x\r\n protocol=application/x-pkcs7-signature":         true,
		"Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; boundary=x\r\n\r\n":    false,
		"Content-Type: application/octet-stream; name=smime.P7M\r\n":                                    true,
		"Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=\"a.p7z\"": true,
		"Content-Type: application/octet-stream; name*0=smime; name*1=.p7m\r\n":                         true,
		"Content-Type: application/octet-stream; name=a.pdf\r\n":                                        false,
		"Content-Type: text/plain; name=smime.p7m\r\n":                                                  false,
		"Content-Type: application/pkcs7-mime\r\nContent-Type: text/plain\r\n":                          false,
		"Subject: x\r\n": false,
		"":               false,
	} {
		t.Run(fmt.Sprintf("%q", header), func(t *testing.T) {
			if got := smime.IsSMIME([]byte(header)); got != want {
				t.Error(got)
			}
		})
	}
}

// TestUnsealTampered changes each octet of a ciphertext: what can't be read of
// it is one error, whatever the octet hit.
func TestUnsealTampered(t *testing.T) {
	t.Parallel()
	w := newReadFixture(t)
	signed := smimetest.Signed(t, w.alice, w.text)
	binary := append([]byte("Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: binary\r\n\r\n"), derOf(t, w.seeds[1])...)
	for _, cipher := range []pkcs7.Cipher{pkcs7.AES256CBC, pkcs7.AES256GCM} {
		t.Run(fmt.Sprint(cipher), func(t *testing.T) {
			for _, inner := range [][]byte{signed, w.seeds[1], binary} {
				var cms bytes.Buffer
				ew, err := pkcs7.NewEncryptWriter(t.Context(), &cms, []pkcs7.Recipient{pkcs7.ToCertificate(w.bob.Certificate(), nil)}, &pkcs7.EncryptOptions{Cipher: cipher})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := ew.Write(inner); err != nil {
					t.Fatal(err)
				}
				if err := ew.Close(); err != nil {
					t.Fatal(err)
				}
				der := cms.Bytes()
				for i := len(der) - len(inner); i < len(der)-64; i += 7 {
					der[i] ^= 0x20
					var out bytes.Buffer
					_, _, err := smime.Unseal(t.Context(), &out, bytes.NewReader(cmsMail("alice@example.com", "enveloped-data", der)), smime.Identities{w.bob}, w.trust,
						&smime.UnsealOptions{Verify: smime.VerifyOptions{Chain: w.at}})
					der[i] ^= 0x20
					if out.Len() > 0 && !bytes.Contains(out.Bytes(), []byte(w.text)) {
						t.Fatalf("octet %d: wrote %q", i, out.Bytes())
					}
					// What is wrong with a certificate or an address alone is told: the
					// signature holds.
					if _, known := errors.AsType[*chain.Error](err); err != nil && !known && !isAny(err, []error{pkcs7.ErrDecrypt, smime.ErrSender, smime.ErrAmbiguousSender}) {
						t.Fatalf("octet %d: %v", i, err)
					}
					if cipher.Authenticated() && !errors.Is(err, pkcs7.ErrDecrypt) {
						t.Fatalf("octet %d: %v", i, err)
					}
				}
			}
		})
	}
}

// TestVerifyingTeachesNothing holds that what came with one message is known for
// that message only: not for the next one, nor for the collection.
func TestVerifyingTeachesNothing(t *testing.T) {
	t.Parallel()
	ca := smimetest.NewCA(t)
	alice := ca.Identity("alice@example.com")
	trust := chain.NewCollection(chain.Anchors(chain.Certs(ca.Root())))
	sign := func(t *testing.T, certificates smime.Inclusion) []byte {
		t.Helper()
		var out bytes.Buffer
		if err := smime.Sign(t.Context(), &out, bytes.NewReader(smimetest.Mail("alice@example.com", "bob@example.com", "hello")), alice,
			&smime.SignOptions{Certificates: certificates}); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	for i, tt := range []struct {
		certificates smime.Inclusion
		want         error
	}{
		{smime.SignerOnly, chain.ErrUnknownIssuer}, {smime.ChainWithoutRoot, nil},
		{smime.SignerOnly, chain.ErrUnknownIssuer}, {smime.NoCertificates, pkcs7.ErrNoCertificate},
	} {
		t.Run(fmt.Sprintf("message %d", i), func(t *testing.T) {
			_, err := smime.Verify(t.Context(), io.Discard, bytes.NewReader(sign(t, tt.certificates)), trust, nil)
			if !errors.Is(err, tt.want) {
				t.Error(err)
			}
		})
	}
	if _, err := smime.NewRecipient(t.Context(), "alice@example.com", alice.Certificate(), trust, nil); !errors.Is(err, chain.ErrUnknownIssuer) {
		t.Errorf("recipient: %v", err)
	}
}
