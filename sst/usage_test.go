package sst_test

import (
	"bytes"
	"encoding/pem"
	"errors"
	"io"
	"testing"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
	"github.com/gosmime/gosmime/sst"
)

// collection makes a virtual collection out of three serialized stores and a
// PEM file. Which of them is trusted is said here, not in the files.
func collection(rootsFile, bannedFile, partnersFile io.Reader, intermediatesPEM []byte) (*chain.Collection, error) {
	roots, err := sst.Read(rootsFile, nil)
	if err != nil {
		return nil, err
	}
	banned, err := sst.Read(bannedFile, nil)
	if err != nil {
		return nil, err
	}
	partners, err := sst.Read(partnersFile, nil)
	if err != nil {
		return nil, err
	}
	intermediates, err := chain.PEM(intermediatesPEM)
	if err != nil {
		return nil, err
	}
	return chain.NewCollection(
		chain.Anchors(chain.Constrain(roots.Source(), chain.Constraints{
			Purposes: []chain.Purpose{chain.EmailSigning, chain.EmailEncryption}, AnyMailbox: true,
		})),
		chain.Disallowed(banned.Source()),
		chain.Untrusted(intermediates),
		chain.Untrusted(partners.Source()), // found by mailbox, trusted by path
	), nil
}

func TestUsageCollection(t *testing.T) {
	ours, stranger := smimetest.NewCA(t), smimetest.NewCA(t)
	bob, carol := ours.Identity("bob@example.com"), ours.Identity("carol@example.com")
	dave := stranger.Identity("dave@example.com")
	file := func(s *sst.Store) io.Reader {
		var b bytes.Buffer
		if err := sst.Write(&b, s); err != nil {
			t.Fatal(err)
		}
		return &b
	}
	trust, err := collection(
		file(sst.Of(ours.Root())),
		file(sst.Of(carol.Certificate())),
		file(sst.Of(bob.Certificate(), carol.Certificate(), dave.Certificate(), stranger.Root())),
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ours.Issuing().Raw}),
	)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		mailbox string
		want    error
	}{
		{"bob@example.com", nil},
		{"carol@example.com", chain.ErrDisallowed},
		{"dave@example.com", chain.ErrUnknownIssuer}, // a root among the partners is trusted by nobody
		{"erin@example.com", smime.ErrNoCertificate},
	} {
		t.Run(tt.mailbox, func(t *testing.T) {
			_, err := smime.FindRecipients(t.Context(), []string{tt.mailbox}, trust, nil)
			if !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
	if _, err := collection(bytes.NewReader([]byte("text")), nil, nil, nil); !errors.Is(err, sst.ErrNotStore) {
		t.Errorf("error %v, want %v", err, sst.ErrNotStore)
	}
}
