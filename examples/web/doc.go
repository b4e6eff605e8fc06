// Web shows a message in the browser: the layers with every verdict, the
// protected and the outer header side by side, and the plain text. The library
// runs as WebAssembly in the page; nothing is sent anywhere, and HTML of the
// message is never rendered.
//
//	GOOS=js GOARCH=wasm go build -o static/gosmime.wasm .
//	cp "$(go env GOROOT)/lib/wasm/wasm_exec.js" static/
//
// The folder static then is the whole site, for any web server. The module has
// 11 MB, 3 MB as a server compresses it.
package main
