//go:build android || ios || (!unix && !windows)

package system

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/gosmime/gosmime/chain"
)

func roots() (chain.Source, error) {
	return nil, fmt.Errorf("system: no roots on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}

func disallowed() (chain.Source, error) { return chain.DER(), nil }
