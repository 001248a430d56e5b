package integration

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"time"
)

// webFiles are the page itself. It uses nothing from elsewhere.
//
//go:embed web
var webFiles embed.FS

// handler answers everything.
func (w *web) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", webFile("index.html"))
	for _, name := range []string{"style.css", "page.js", "icon.svg"} {
		mux.Handle("GET /"+name, webFile(name))
	}
	mux.HandleFunc("GET /stream", w.serveStream)
	mux.HandleFunc("GET /printers/{id}/picture", w.servePicture)
	mux.HandleFunc("POST /actions/{action}", w.serveChange)
	mux.HandleFunc("GET /login", backToPage) // whoever comes through has the login
	mux.HandleFunc("GET /healthz", w.serveHealthz)
	mux.HandleFunc("GET /readyz", w.serveReadyz)
	mux.Handle("GET /metrics", metricsHandler(w.bridge))
	return w.guarded(mux)
}

// webFile answers with a file of the page, unless the browser has it already.
func webFile(name string) http.Handler {
	content, err := fs.ReadFile(webFiles, path.Join("web", name))
	if err != nil {
		panic(err) // it was built in
	}
	sum := sha256.Sum256(content)
	tag := `"` + hex.EncodeToString(sum[:8]) + `"`
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("ETag", tag)
		rw.Header().Set("Cache-Control", "no-cache")
		http.ServeContent(rw, r, name, time.Time{}, bytes.NewReader(content))
	})
}

// backToPage leads a browser to the page, below whatever path a proxy has put us.
func backToPage(rw http.ResponseWriter, _ *http.Request) {
	rw.Header().Set("Location", "./")
	rw.WriteHeader(http.StatusSeeOther)
}
