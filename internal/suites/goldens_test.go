package suites

import (
	"os"
	"testing"
)

func TestGoldens(t *testing.T) {
	rows := Goldens(t, func(*Golden) bool { return true })
	if len(rows) < 1500 {
		t.Errorf("%d rows", len(rows))
	}
	for _, g := range rows {
		if _, err := os.Stat(g.Path(g.File)); err != nil {
			t.Error(err)
		}
		if len(g.Accept) == 0 || g.VerifyTime.IsZero() {
			t.Errorf("%s: no accepted verdict or no time", g.File)
		}
	}
}
