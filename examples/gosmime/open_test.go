package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/examples/internal/clitest"
	"github.com/gosmime/gosmime/internal/suites"
)

func TestOpenGoldens(t *testing.T) {
	rows := suites.Goldens(t, func(g *suites.Golden) bool {
		return (g.Operation == "open" || g.Operation == "verify" || g.Operation == "decrypt") && filepath.Ext(g.File) == ".eml" && g.Kind != "receipt"
	})
	if len(rows) < 500 {
		t.Errorf("%d cases", len(rows))
	}
	for _, g := range rows {
		clitest.Expect(g)
		o := clitest.Run(t, openMessage, g.Read(t, g.File), append(clitest.Trust(t, g), clitest.Keys(g)...)...)
		if o.Code == 0 && !g.Accepts("ok") && !g.Accepts("ok-with-warning") {
			t.Errorf("%s: accepted: %s", g.File, g.Reason)
		}
		if g.Kind == "signed" && !g.Accepts("fail") && !g.Optional && o.Code != 0 {
			t.Errorf("%s: refused: %s", g.File, o.Err.String())
		}
		if strings.TrimSpace(o.Out.String()) == "" && o.Code == 0 {
			t.Errorf("%s: nothing was printed", g.File)
		}
	}
}
