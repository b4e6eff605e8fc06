package fetch_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/chain/fetch"
)

// A Problem says why an answer was refused; the network's own errors are kept.
func ExampleProblem() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/list.crl" {
			fmt.Fprint(w, "<html>moved</html>")
			return
		}
		http.NotFound(w, r)
	}))
	defer server.Close()
	client := &fetch.Client{InsecurePrivateAddresses: true} // the server is on this machine
	for _, path := range []string{"/list.crl", "/other.crl"} {
		_, err := client.Fetch(context.Background(), chain.KindCRL, server.URL+path, nil)
		var p fetch.Problem
		if errors.As(err, &p) {
			fmt.Println(p == fetch.ErrContent, p == fetch.ErrStatus)
		}
	}
	_, err := client.Fetch(context.Background(), chain.KindCRL, "ldap://pki.example/cn=CA", nil)
	fmt.Println(errors.Is(err, fetch.ErrURL))
	// Output:
	// true false
	// false true
	// true
}
