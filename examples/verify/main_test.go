package main

import (
	"path/filepath"
	"testing"

	"github.com/gosmime/gosmime/examples/internal/clitest"
	"github.com/gosmime/gosmime/internal/suites"
)

func TestGoldens(t *testing.T) {
	rows := suites.Goldens(t, func(g *suites.Golden) bool {
		return g.Operation == "verify" && g.Kind != "receipt" && filepath.Ext(g.File) == ".eml"
	})
	if len(rows) < 400 {
		t.Errorf("%d cases", len(rows))
	}
	for _, g := range rows {
		clitest.Expect(g)
		clitest.Check(t, g, clitest.Run(t, run, g.Read(t, g.File), clitest.Trust(t, g)...))
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{nil, {"-roots", "no-such-file"}, {"-at", "yesterday"}, {"-unknown"}} {
		if o := clitest.Run(t, run, nil, args...); o.Code == 0 || o.Out.Len() > 0 {
			t.Errorf("%v: exit %d", args, o.Code)
		}
	}
}
