package pkcs7

import (
	"runtime"
	"testing"
)

// needDisk skips a test of temporary files where there are none: in a browser
// nothing touches a disk.
func needDisk(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "js" {
		t.Skip("no temporary files on js")
	}
}
