package headerprotection

import (
	"github.com/gosmime/gosmime/internal/mimetree"
	"github.com/gosmime/gosmime/internal/prepare"
	"github.com/gosmime/gosmime/internal/quoted"
)

// Recorded returns the outer fields of a message that was signed for encryption:
// its payload, whose header inside is, records them (RFC 9788 section 2.2).
// fields are those of the message.
func Recorded(fields []prepare.Field, inside *mimetree.Part) ([]prepare.Field, error) {
	var outer []prepare.Field
	for _, f := range fields {
		if copiesHeader(f) {
			continue
		}
		if isTrace(f.Name) || inside.Header.Count(f.Name) == 0 {
			outer = append(outer, f) // added since, such as by a relay
		}
	}
	for _, v := range inside.Header.Get("HP-Outer") {
		h, malformed, err := mimetree.ParseHeader([]byte(v+"\r\n"), 0)
		if err != nil || malformed > 0 || len(h) != 1 {
			return nil, headerError("HP-Outer: " + quoted.Text(v))
		}
		if prepare.IsStructural(h[0].Name) || prepare.IsDropped(h[0].Name) {
			return nil, headerError("HP-Outer: " + quoted.Text(v))
		}
		f, err := prepare.NewField(h[0].Name, h[0].Value)
		if err != nil {
			return nil, err
		}
		outer = append(outer, f)
	}
	return outer, nil
}
