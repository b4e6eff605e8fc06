package smime

import (
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
