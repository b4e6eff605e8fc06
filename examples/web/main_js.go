//go:build js && wasm

package main

import (
	"context"
	"encoding/json"
	"syscall/js"
)

func main() {
	js.Global().Set("gosmimeOpen", js.FuncOf(open))
	js.Global().Call("gosmimeReady")
	select {} // the page calls
}

// open is gosmimeOpen(message, trust, pfx, password, time): Uint8Arrays, trust
// an array of them, pfx or null, time in RFC 3339 or empty. It returns a
// promise of JSON.
func open(_ js.Value, args []js.Value) any {
	in := input{Message: bytesOf(args[0]), Password: args[3].String(), At: args[4].String()}
	for i := range args[1].Length() {
		in.Trust = append(in.Trust, bytesOf(args[1].Index(i)))
	}
	if !args[2].IsNull() {
		in.PFX = bytesOf(args[2])
	}
	return js.Global().Get("Promise").New(js.FuncOf(func(_ js.Value, done []js.Value) any {
		go func() {
			text, err := json.Marshal(show(context.Background(), in))
			if err != nil {
				done[1].Invoke(err.Error())
				return
			}
			done[0].Invoke(string(text))
		}()
		return nil
	}))
}

func bytesOf(v js.Value) []byte {
	b := make([]byte, v.Length())
	js.CopyBytesToGo(b, v)
	return b
}
