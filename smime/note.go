package smime

// A Note says what was tolerated in a layer.
type Note struct {
	Code   NoteCode
	Part   []int
	Detail string // quoted; may hold text of the message
}

// NoteCode says what a [Note] is about.
type NoteCode uint8

const (
	_ NoteCode = iota
	NoteMicalg
	NoteLocalPartCase
	NoteEpilogue
)
