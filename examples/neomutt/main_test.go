package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/examples/internal/clitest"
	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// world is Alice at her NeoMutt, and who writes to her.
type world struct {
	*user
	ca         *smimetest.CA
	alice, bob *smime.Identity
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{user: newUser(t, "alice@example.com"), ca: smimetest.NewCA(t)}
	w.alice, w.bob = w.ca.Identity("alice@example.com"), w.ca.Identity("bob@example.com")
	pfx, err := smime.MarshalPKCS12([]*smime.Identity{w.alice}, clitest.Password, &smime.PKCS12Options{InsecureLegacy: true})
	if err != nil {
		t.Fatal(err)
	}
	w.write(t, "alice.p12", string(pfx), 0o600)
	w.write(t, "bob.pem", string(clitest.PEM(w.bob.Certificate().Raw))+string(clitest.PEM(w.ca.Issuing().Raw)), 0o600)
	w.write(t, ".smime/ca-bundle.crt", string(clitest.PEM(w.ca.Root().Raw)), 0o600)
	line := w.run(t, clitest.Password+"\n", "add-p12", w.path("alice.p12"), "alice")
	rc, err := os.ReadFile(w.path("rc"))
	if err != nil {
		t.Fatal(err)
	}
	w.write(t, "rc", string(rc)+line, 0o600)
	w.run(t, "bob\n", "add-certificate", "-CAfile", w.path(".smime/ca-bundle.crt"), w.path("bob.pem"))
	return w
}

// run runs the command itself and returns what it writes.
func (w *world) run(t *testing.T, in string, args ...string) string {
	t.Helper()
	o := clitest.Run(t, run, []byte(in), append([]string{args[0], "-dir", w.path(".smime")}, args[1:]...)...)
	if o.Code != 0 {
		t.Fatalf("%s: %s", args, o.Err.String())
	}
	return o.Out.String()
}

func TestSending(t *testing.T) {
	for _, tt := range []struct {
		name, key string
		opens     func(w *world, mail, content *bytes.Buffer) error
	}{
		{"sign", "s", func(w *world, mail, content *bytes.Buffer) error {
			_, err := smime.Verify(t.Context(), content, mail, w.ca.Trust(), nil)
			return err
		}},
		{"encrypt", "e", func(w *world, mail, content *bytes.Buffer) error {
			_, err := smime.Decrypt(t.Context(), content, mail, smime.Identities{w.bob}, nil)
			return err
		}},
		{"both", "b", func(w *world, mail, content *bytes.Buffer) error {
			_, _, err := smime.Unseal(t.Context(), content, mail, smime.Identities{w.bob}, w.ca.Trust(), nil)
			return err
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			// NeoMutt has to protect what mail transport would change.
			w.write(t, "body", "hello from neomutt, d'accord, à bientôt\nFrom here\n", 0o600)
			w.start(t, "-s", "Hello", "-i", w.path("body"), "bob@example.com")
			w.sees(t, "y:Send")
			w.types(t, "S")
			w.sees(t, "(s)ign")
			w.types(t, tt.key)
			w.sees(t, "y:Send")
			w.types(t, "y")
			if tt.key != "e" {
				w.sees(t, "Enter S/MIME passphrase:")
				w.types(t, clitest.Password, "Enter")
			}
			var sent []byte
			w.poll(t, "message sent", func() bool {
				var err error
				sent, err = os.ReadFile(w.path("sent"))
				return err == nil
			})
			var content bytes.Buffer
			if err := tt.opens(w, bytes.NewBuffer(sent), &content); err != nil {
				t.Fatalf("%v\n%s", err, sent)
			}
			if !strings.Contains(content.String(), "hello from neomutt") {
				t.Errorf("the content is %q", content.String())
			}
			if plain := bytes.Contains(sent, []byte("hello from neomutt")); plain != (tt.key == "s") {
				t.Errorf("readable by everybody: %v", plain)
			}
		})
	}
}

func TestReading(t *testing.T) {
	const good, other, bad = "S/MIME signature successfully verified", "S/MIME certificate owner does not match sender", "S/MIME signature could NOT be verified"
	for _, tt := range []struct {
		name      string
		mail      func(t *testing.T, w *world) []byte
		encrypted bool
		sees, not string
	}{
		{"signed", func(t *testing.T, w *world) []byte { return smimetest.Signed(t, w.bob, "to be shown") }, false, good, bad},
		{"opaque", func(t *testing.T, w *world) []byte { return opaque(t, w.bob) }, false, good, bad},
		{"encrypted", func(t *testing.T, w *world) []byte { return smimetest.Encrypted(t, w.bob, "to be shown", w.alice) }, true, "to be shown", good},
		{"sealed", func(t *testing.T, w *world) []byte { return smimetest.Sealed(t, w.bob, "to be shown", w.alice) }, true, good, bad},
		{"tampered", func(t *testing.T, w *world) []byte {
			return smimetest.Tamper(t, smimetest.Signed(t, w.bob, "to be shown"))
		}, false, bad, good},
		{"tampered opaque", func(t *testing.T, w *world) []byte { return smimetest.Tamper(t, opaque(t, w.bob)) }, false, bad, "to be shown"},
		{"tampered envelope", func(t *testing.T, w *world) []byte {
			return smimetest.Tamper(t, smimetest.Sealed(t, w.bob, "to be shown", w.alice))
		}, true, "failed:", good},
		{"spoofed", func(t *testing.T, w *world) []byte {
			return smimetest.Spoofed(t, w.ca.Identity("bob@example.com.evil.example"), "bob@example.com", "to be shown")
		}, false, other, good},
		{"expired", func(t *testing.T, w *world) []byte {
			return smimetest.Signed(t, w.ca.Identity("bob@example.com", smimetest.Expired()), "to be shown")
		}, false, bad, good},
		{"stranger", func(t *testing.T, w *world) []byte {
			return smimetest.Signed(t, smimetest.NewCA(t).Identity("bob@example.com"), "to be shown")
		}, false, bad, good},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			mail := strings.ReplaceAll(string(tt.mail(t, w)), "\r\n", "\n")
			w.write(t, "mbox", "From bob@example.com Wed Jan  2 03:04:05 2030\n"+mail+"\n", 0o600)
			w.start(t, "-f", w.path("mbox"))
			w.sees(t, "bob@example.com")
			w.types(t, "Enter")
			if tt.encrypted {
				w.sees(t, "Enter S/MIME passphrase:")
				w.types(t, clitest.Password, "Enter")
			}
			if screen := w.sees(t, tt.sees); strings.Contains(screen, tt.not) {
				t.Errorf("%q is on the screen:\n%s", tt.not, screen)
			}
			if tt.sees == good {
				w.sees(t, "to be shown")
			}
		})
	}
}

func opaque(t *testing.T, id *smime.Identity) []byte {
	t.Helper()
	var b bytes.Buffer
	mail := smimetest.Mail("bob@example.com", "alice@example.com", "to be shown")
	if err := smime.Sign(t.Context(), &b, bytes.NewReader(mail), id, &smime.SignOptions{Opaque: true}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestSettings has NeoMutt read them and say what it understood.
func TestSettings(t *testing.T) {
	u := newUser(t, "alice@example.com")
	for _, v := range []string{"smime_sign_command", "smime_encrypt_command", "smime_decrypt_command", "smime_verify_command",
		"smime_verify_opaque_command", "smime_get_signer_cert_command", "smime_get_cert_email_command",
		"smime_pk7out_command", "smime_get_cert_command", "smime_import_cert_command"} {
		cmd := suites.Command(t, u.neomutt, "-n", "-F", u.path("rc"), "-Q", v)
		cmd.Env = append(os.Environ(), "HOME="+u.home)
		out, err := cmd.Output()
		if err != nil || !strings.HasPrefix(string(out), "set "+v+" = \"smime-neomutt ") {
			t.Errorf("%s: %v %q", v, err, out)
		}
	}
}
