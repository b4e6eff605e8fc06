package smime

import (
	"fmt"

	"github.com/emersion/go-message"
)

// Entity returns what WriteDisplay writes as an entity of go-message, by which a
// program that shows mail walks through the parts with their transfer encodings
// undone. It is unverified unless [Message.Signer] returns no error. It does not
// say which part is signed by whom: see [Message.Parts]. Text in a charset, or a part in an encoding, that go-message does not
// know is left as it is. A header section beyond 1 MiB is an error; depth and
// number of parts were bounded by Open.
func (m *Message) Entity() (*message.Entity, error) {
	e, err := message.ReadWithOptions(m.display(), &message.ReadOptions{MaxHeaderBytes: 1 << 20})
	if err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return e, nil
}
