package pkcs7

import (
	"context"
	"time"
)

// VerifyTimestamps checks the RFC 3161 tokens over this signature and returns
// the earliest time that one proves.
func (s *SignerInfo) VerifyTimestamps(ctx context.Context, trust TrustFunc) (time.Time, error) {
	panic("sketch")
}
