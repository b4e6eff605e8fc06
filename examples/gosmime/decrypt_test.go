package main

import (
	"testing"

	"github.com/gosmime/gosmime/examples/internal/clitest"
	"github.com/gosmime/gosmime/internal/suites"
)

func TestDecryptGoldens(t *testing.T) {
	rows := suites.Goldens(t, func(g *suites.Golden) bool {
		return g.Operation == "decrypt" && len(g.Keys) > 0
	})
	if len(rows) < 450 {
		t.Errorf("%d cases", len(rows))
	}
	for _, g := range rows {
		for i := range g.Keys { // each of them must open the message
			one := *g
			one.Keys = g.Keys[i : i+1]
			clitest.Check(t, g, clitest.Run(t, decryptMessage, g.Read(t, g.File), append(clitest.Keys(&one), clitest.Historic(g)...)...))
		}
	}
}

func TestDecryptUsage(t *testing.T) {
	for _, args := range [][]string{nil, {"-pfx", "no-such-file"}, {"-key", "k"}} {
		if o := clitest.Run(t, decryptMessage, nil, args...); o.Code == 0 || o.Out.Len() > 0 {
			t.Errorf("%v: exit %d", args, o.Code)
		}
	}
}
