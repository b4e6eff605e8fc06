package smime

import (
	"github.com/gosmime/gosmime/pkcs7"
)

// Limits bound the work that one message may cause. Each zero field has the
// default that its comment names.
type Limits struct {
	CMS    pkcs7.Limits // for the whole message, all layers together
	Layers int          // default 8
	Parts  int          // MIME parts; default 1000
	Depth  int          // of MIME; default 32
}
