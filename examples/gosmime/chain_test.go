package main

import (
	"testing"

	"github.com/gosmime/gosmime/examples/internal/clitest"
	"github.com/gosmime/gosmime/internal/suites"
)

func TestChainGoldens(t *testing.T) {
	rows := suites.Goldens(t, func(g *suites.Golden) bool { return g.Operation == "chain" })
	if len(rows) < 100 {
		t.Errorf("%d cases", len(rows))
	}
	asked := 0
	for _, g := range rows {
		if len(g.SubjectEmails) == 0 {
			continue
		}
		asked++
		g.Legacy = g.Expected == "ok-with-warning"
		args := clitest.Trust(t, g)
		if g.Usage == "encrypt" {
			args = append(args, "-purpose", "encrypt")
		}
		o := clitest.Run(t, verifyChain, nil, append(args, "-mailbox", g.SubjectEmails[0], g.Path(g.File))...)
		if o.Code == 0 {
			o.Out.Reset() // what is printed is no content
		}
		clitest.Check(t, g, o)
	}
	if asked < 90 {
		t.Errorf("%d certificates with a mailbox", asked)
	}
}
