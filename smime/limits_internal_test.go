package smime

import (
	"reflect"
	"testing"

	"github.com/gosmime/gosmime/pkcs7"
)

// TestAgain holds that content which is read once more has every limit of the
// caller's, and a budget of its own.
func TestAgain(t *testing.T) {
	t.Parallel()
	var l pkcs7.Limits
	v := reflect.ValueOf(&l).Elem()
	fields := 0
	for i := range v.NumField() {
		switch f := v.Field(i); {
		case !f.CanSet():
		case f.CanInt():
			f.SetInt(int64(1000 + i))
			fields++
		case f.Kind() == reflect.String:
			f.SetString("dir")
			fields++
		}
	}
	if fields < 12 {
		t.Errorf("%d fields", fields)
	}
	if got := (Limits{CMS: l}).workload().uncounted(); got != l {
		t.Errorf("%+v, want %+v", got, l)
	}
}
