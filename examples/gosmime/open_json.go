package main

import (
	"encoding/json"
	"io"

	"github.com/gosmime/gosmime/smime"
)

// A jsonPart is one part for programs.
type jsonPart struct {
	Path       []int            `json:"path"`
	Type       string           `json:"type"`
	FileName   string           `json:"fileName,omitempty"`
	Size       int64            `json:"size"`
	Signature  smime.Assessment `json:"signature"`
	Encryption smime.Assessment `json:"encryption"`
}

// writeJSON writes for programs. Lists are never null.
func writeJSON(w io.Writer, msg *smime.Message) error {
	var out struct {
		Signature  smime.Assessment `json:"signature"`
		Encryption smime.Assessment `json:"encryption"`
		Signer     string           `json:"signer,omitempty"` // only where all is good
		Parts      []jsonPart       `json:"parts"`
		Notes      []string         `json:"notes"`
		Layers     string           `json:"layers"` // the tree as text
	}
	out.Signature, out.Encryption = msg.Assess()
	if signer, err := msg.Signer(); err == nil {
		out.Signer = signer.Mailbox()
	}
	out.Parts, out.Notes, out.Layers = []jsonPart{}, []string{}, msg.String()
	for p := range msg.Parts() {
		part := jsonPart{Path: append([]int{}, p.Path...), Type: p.Type, FileName: p.FileName, Size: p.Size()}
		part.Signature, part.Encryption = p.Assess()
		out.Parts = append(out.Parts, part)
	}
	for layer := range msg.All() {
		for _, note := range layer.Notes() {
			out.Notes = append(out.Notes, note.Code.String())
		}
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}
