package smime_test

import (
	"bytes"
	"encoding/base64"
	"slices"
	"testing"

	"github.com/gosmime/gosmime/smime"
)

// What package pkcs7 tolerates of a message is noted, whatever the verdict.
func TestDeviationsAreNoted(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"bad/signed/attr-unsorted-signed-over-der.p7m", "bad/signed/attr-unsorted-signed-as-sent.p7m"} {
		t.Run(file, func(t *testing.T) {
			mail := "From: x@example.com\r\nContent-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\r\n" +
				"Content-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString(golden(t, file).Read(t, file)) + "\r\n"
			m, err := smime.Open(t.Context(), bytes.NewReader([]byte(mail)), nil)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Contains(notesOf(m), smime.NoteDeviation) {
				t.Error("not noted")
			}
			if err := m.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
