package smime

import (
	"context"

	"github.com/gosmime/gosmime/pkcs7"
)

// A Keyring finds the identities of the recipients named by a message. What it
// is asked comes from an unverified message.
type Keyring interface {
	Find(ctx context.Context, to []pkcs7.CertID) ([]*Identity, error)
}

// Identities is a [Keyring] held in memory, such as one person's current and
// former keys.
type Identities []*Identity

// Find returns the identities that to names, in the order of ids, each once, and
// those of [AnyRecipient]. Nil elements are passed over.
func (ids Identities) Find(ctx context.Context, to []pkcs7.CertID) ([]*Identity, error) {
	var found []*Identity
	for _, id := range ids {
		if id == nil || id.cert == nil && !id.any {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if id.any {
			found = append(found, id)
			continue
		}
		for _, name := range to {
			if name.Kind == pkcs7.ByCertificate && name.Matches(id.cert) {
				found = append(found, id)
				break
			}
		}
	}
	return found, nil
}

var _ Keyring = Identities(nil)
