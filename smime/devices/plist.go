package devices

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// A dict is a dictionary of a property list. The members keep their order.
type dict struct {
	uuid    string // PayloadUUID
	members []member
}

type member struct {
	key   string
	value any // string, int, bool, []byte, *dict or []any of these
}

func (d *dict) add(key string, value any) { d.members = append(d.members, member{key, value}) }

// addText adds a text unless it is empty.
func (d *dict) addText(key, text string) {
	if text != "" {
		d.add(key, text)
	}
}

// marshalPropertyList returns an XML property list. The error wraps
// [ErrMalformed] if a text has a character that XML can't hold.
func marshalPropertyList(d *dict) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	b.WriteString(`<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">` + "\n")
	b.WriteString(`<plist version="1.0">` + "\n")
	if err := writeValue(&b, d); err != nil {
		return nil, err
	}
	b.WriteString("</plist>\n")
	return b.Bytes(), nil
}

func writeValue(b *bytes.Buffer, value any) error {
	switch v := value.(type) {
	case string:
		return writeText(b, "string", v)
	case int:
		return writeText(b, "integer", strconv.Itoa(v))
	case bool:
		b.WriteString("<" + strconv.FormatBool(v) + "/>\n")
	case []byte:
		return writeText(b, "data", base64.StdEncoding.EncodeToString(v))
	case *dict:
		b.WriteString("<dict>\n")
		for _, m := range v.members {
			if err := writeText(b, "key", m.key); err != nil {
				return err
			}
			if err := writeValue(b, m.value); err != nil {
				return err
			}
		}
		b.WriteString("</dict>\n")
	case []any:
		b.WriteString("<array>\n")
		for _, item := range v {
			if err := writeValue(b, item); err != nil {
				return err
			}
		}
		b.WriteString("</array>\n")
	default:
		return fmt.Errorf("%w: a %T in a property list", ErrMalformed, value)
	}
	return nil
}

func writeText(b *bytes.Buffer, element, text string) error {
	for _, r := range text {
		// Char of XML 1.0 section 2.2; EscapeText would replace the others.
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == utf8.RuneError || r == 0xFFFE || r == 0xFFFF {
			return fmt.Errorf("%w: a character that XML can't hold", ErrMalformed)
		}
	}
	b.WriteString("<" + element + ">")
	if err := xml.EscapeText(b, []byte(text)); err != nil {
		return err
	}
	b.WriteString("</" + element + ">\n")
	return nil
}
