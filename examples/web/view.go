package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/examples/internal/cli"
	"github.com/gosmime/gosmime/smime"
)

// input is what was dropped on the page.
type input struct {
	Message  []byte
	Trust    [][]byte
	PFX      []byte
	Password string
	At       string // RFC 3339; empty: now
}

// view is what the page draws. Every text is drawn as text, never as HTML.
type view struct {
	Error        string   `json:"error,omitempty"` // nothing could be read
	Signer       string   `json:"signer,omitempty"`
	SignerError  string   `json:"signerError,omitempty"`
	Confidential bool     `json:"confidential"`
	Secrecy      string   `json:"secrecy,omitempty"`
	Layers       []layer  `json:"layers"` // the outermost
	Header       []header `json:"header"`
	Text         []byte   `json:"text"` // in Charset
	Charset      string   `json:"charset"`
	Millis       float64  `json:"millis"`
}

// layer is one node of the tree.
type layer struct {
	Name     string    `json:"name"`
	Errant   bool      `json:"errant"`
	Verdicts []verdict `json:"verdicts"`
	Notes    []string  `json:"notes"`
	Children []layer   `json:"children"`
}

type verdict struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	Text string `json:"text"`
}

type header struct {
	Name      string `json:"name"`
	Value     string `json:"value"`
	Outer     string `json:"outer"`
	Signed    bool   `json:"signed"`
	Encrypted bool   `json:"encrypted"`
}

// show opens the message and describes it.
func show(ctx context.Context, in input) (v *view) {
	v = &view{Layers: []layer{}, Header: []header{}}
	start := time.Now()
	if err := v.fill(ctx, in); err != nil {
		v.Error = err.Error()
	}
	v.Millis = float64(time.Since(start).Microseconds()) / 1000
	return v
}

func (v *view) fill(ctx context.Context, in input) (err error) {
	opts := &smime.OpenOptions{Limits: smime.Limits{}}
	opts.Limits.CMS.Memory, opts.Limits.CMS.Disk = 512<<20, -1 // a page has no disk
	if in.At != "" {
		if opts.Chain.At, err = time.Parse(time.RFC3339, in.At); err != nil {
			return fmt.Errorf("time: %w", err)
		}
	}
	if opts.Trust, err = trust(in.Trust); err != nil {
		return fmt.Errorf("trust: %w", err)
	}
	if in.PFX != nil {
		ids, err := smime.ParsePKCS12(in.PFX, in.Password)
		if err != nil {
			return fmt.Errorf("PFX: %w", err)
		}
		opts.Keys = smime.Identities(ids)
	}
	msg, err := smime.Open(ctx, bytes.NewReader(in.Message), opts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, msg.Close()) }()
	signer, err := msg.Signer()
	if err != nil {
		v.SignerError = err.Error()
	} else {
		v.Signer = signer.Mailbox()
	}
	if err := msg.Confidential(); err != nil {
		v.Secrecy = err.Error()
	} else {
		v.Confidential = true
	}
	v.Layers = append(v.Layers, describe(msg.Root()))
	for _, f := range msg.Header() {
		v.Header = append(v.Header, header{f.Name, f.Value, f.Outer, f.Signed, f.Encrypted})
	}
	var body bytes.Buffer
	if err := msg.WriteDisplay(&body); err != nil {
		return err
	}
	v.Text, v.Charset = plainText(&body)
	return nil
}

func trust(files [][]byte) (*chain.Collection, error) {
	var members []chain.Member
	for _, b := range files {
		store, err := cli.ParseStore(b)
		if err != nil {
			return nil, err
		}
		members = append(members, chain.RootsAndIntermediates(store.Source()))
	}
	return chain.NewCollection(members...), nil
}

func describe(l smime.Layer) layer {
	row := layer{Errant: l.Errant(), Verdicts: []verdict{}, Notes: []string{}, Children: []layer{}}
	switch l := l.(type) {
	case *smime.SignedLayer:
		row.Name = "Signed"
		row.signers(l.Signers)
	case *smime.EncryptedLayer:
		row.Name = "Encrypted with " + l.Cipher.String()
		row.add("opened", l.Opened.Err())
		row.add("strength", l.Strength.Err())
		row.add("authenticated", l.Authenticated.Err())
	case *smime.CompressedLayer:
		row.Name = "Compressed"
	case *smime.CertificatesLayer:
		row.Name = "Certificates"
	case *smime.ReceiptLayer:
		row.Name = "Receipt"
		row.signers(l.Signers)
	default:
		row.Name = "Content"
	}
	for _, n := range l.Notes() {
		row.Notes = append(row.Notes, noteText(n))
	}
	for _, c := range l.Children() {
		row.Children = append(row.Children, describe(c))
	}
	return row
}

func (l *layer) signers(list []*smime.SignerReport) {
	for _, s := range list {
		l.add("integrity", s.Integrity.Err())
		l.add("strength", s.Strength.Err())
		l.add("coverage", s.Coverage.Err())
		l.add("trust", s.Trust.Err())
		l.add("sender", s.Sender.Err())
	}
}

func (l *layer) add(name string, err error) {
	v := verdict{Name: name, OK: err == nil, Text: "passed"}
	if err != nil {
		v.Text = err.Error()
	}
	l.Verdicts = append(l.Verdicts, v)
}

func noteText(n smime.Note) string {
	if n.Detail == "" {
		return n.Code.String()
	}
	return n.Code.String() + ": " + n.Detail
}
