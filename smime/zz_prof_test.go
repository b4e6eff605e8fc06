package smime_test
import ("testing";"os";"bytes";"io"
"github.com/gosmime/gosmime/internal/suites/products"
"github.com/gosmime/gosmime/smime")
func TestZZ(t *testing.T) {
	for name, s := range products.Named() {
		if name != os.Getenv("ROW") { continue }
		mail, err := products.Message(s)
		if err != nil { t.Fatal(err) }
		_, err = smime.Verify(t.Context(), io.Discard, bytes.NewReader(mail), nil, nil)
		t.Log(len(mail), err)
	}
	if f := os.Getenv("FILE"); f != "" {
		mail, _ := os.ReadFile(f)
		_, err := smime.Verify(t.Context(), io.Discard, bytes.NewReader(mail), nil, nil)
		t.Log(len(mail), err)
	}
}
