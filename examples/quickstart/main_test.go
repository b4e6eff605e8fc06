package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestQuickstart(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "refused"); n != 2 {
		t.Errorf("%d refusals in\n%s", n, out.String())
	}
	if !strings.Contains(out.String(), "=> from alice@example.com") {
		t.Errorf("no verdict in\n%s", out.String())
	}
}
