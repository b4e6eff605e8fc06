package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/examples/internal/clitest"
	"github.com/gosmime/gosmime/internal/suites"
)

// notCovered are messages of which only a part is signed: Open shows that part
// with its verdict, Verify refuses the message.
func notCovered(file string) bool {
	switch strings.TrimSuffix(filepath.Base(file), ".eml") {
	case "footer-mailing-list", "signed-second", "signed-in-alternative", "signed-in-related", "signed-in-rfc822":
		return true
	}
	return false
}

func TestGoldens(t *testing.T) {
	rows := suites.Goldens(t, func(g *suites.Golden) bool {
		return g.Operation == "verify" && g.Kind != "receipt" && filepath.Ext(g.File) == ".eml"
	})
	if len(rows) < 400 {
		t.Errorf("%d cases", len(rows))
	}
	partial := 0
	for _, g := range rows {
		o := clitest.Run(t, run, g.Read(t, g.File), clitest.Trust(t, g)...)
		if notCovered(g.File) {
			partial++
			if o.Code == 0 || o.Out.Len() > 0 {
				t.Errorf("%s: accepted", g.File)
			}
			continue
		}
		clitest.Check(t, g, o)
	}
	if partial != 5 {
		t.Errorf("%d messages signed in part", partial)
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{nil, {"-roots", "no-such-file"}, {"-at", "yesterday"}, {"-unknown"}} {
		if o := clitest.Run(t, run, nil, args...); o.Code == 0 || o.Out.Len() > 0 {
			t.Errorf("%v: exit %d", args, o.Code)
		}
	}
}
