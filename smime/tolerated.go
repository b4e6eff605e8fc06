package smime

import (
	"slices"
	"strings"

	"github.com/gosmime/gosmime/internal/mimetree"
	"github.com/gosmime/gosmime/internal/oid"
)

// entityNotes returns what was remarked about the header of an entity.
func entityNotes(p *mimetree.Part) []Note {
	_, remarks := mimetree.FormOf(p)
	var notes []Note
	for _, x := range remarks {
		notes = append(notes, Note{Code: headerNotes[x.Code], Detail: quote(x.Text)})
	}
	return append(notes, labelNotes(p.Header)...)
}

// labelNotes returns a note for each sensitivity label in a header. Outlook
// writes them as "MSIP_Label_<GUID>_Name=...; MSIP_Label_<GUID>_Enabled=true".
func labelNotes(h mimetree.Header) []Note {
	var notes []Note
	for _, value := range h.Get("msip_labels") {
		notes = append(notes, Note{Code: NoteSensitivityLabel, Detail: quote(strings.TrimSpace(value))})
	}
	return notes
}

// attributeNotes returns the notes for the ESS attributes that a reader should
// know of.
func attributeNotes(r *SignerReport) []Note {
	if !r.Integrity.passed {
		return nil
	}
	var notes []Note
	for _, a := range r.info.Signed() {
		switch oid.FromX509(a.Type) {
		case oid.AttrSecurityLabel:
			notes = append(notes, Note{Code: NoteSecurityLabel})
		case oid.AttrMLExpansionHistory:
			notes = append(notes, Note{Code: NoteMailingList})
		}
	}
	return notes
}

// notes returns what was tolerated in a signed content that passed.
func (c *readContent) notes(who *authors, reports []*SignerReport) []Note {
	notes := append(entityNotes(c.entity.part), c.signedContent.notes...)
	if c.form.canonical {
		notes = append(notes, Note{Code: NoteLineEnds})
	}
	notes = append(notes, who.notes...)
	for _, r := range reports {
		notes = append(append(notes, r.notes...), attributeNotes(r)...)
	}
	return notes
}

// notes returns what was tolerated in an encrypted layer that was opened.
func (d *decrypted) notes(p *mimetree.Part) []Note {
	notes := entityNotes(p)
	for _, deviation := range d.reader.Deviations() {
		notes = append(notes, Note{Code: NoteDeviation, Detail: deviation.String()})
	}
	if d.enc.strength != nil {
		notes = append(notes, Note{Code: NoteWeak, Detail: quote(d.enc.strength.Error())})
	}
	return notes
}

// Notes returns what was tolerated in the message that the signature covers and
// around it. It decides nothing.
func (s *Signer) Notes() []Note { s.check(); return slices.Clone(s.notes) }
