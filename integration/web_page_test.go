package integration

import (
	"io/fs"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// TestPageUsesNothingFromElsewhere: the page works without another server, and
// without what its own policy forbids.
func TestPageUsesNothingFromElsewhere(t *testing.T) {
	t.Parallel()
	forbidden := regexp.MustCompile(`(?i)https?:|//[a-z]|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|srcdoc|\bstyle\s*=|\.style\b|<style|\son[a-z]+\s*=\s*["']|javascript:|url\(|@import`)
	namespace := strings.NewReplacer(`xmlns="http://www.w3.org/2000/svg"`, "")
	err := fs.WalkDir(webFiles, "web", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(webFiles, name)
		if err != nil {
			return err
		}
		for i, line := range strings.Split(namespace.Replace(string(content)), "\n") {
			if found := forbidden.FindString(line); found != "" {
				t.Errorf("%s:%d has %q", name, i+1, found)
			}
		}
		return nil
	})
	must(t, err)
}

// TestPageFiles: each comes with its type, and only once.
func TestPageFiles(t *testing.T) {
	t.Parallel()
	h := webOf(t, HTTPConfig{Listen: loopbackPage})
	for path, mediaType := range map[string]string{
		"/": "text/html; charset=utf-8", "/style.css": "text/css; charset=utf-8",
		"/page.js": "text/javascript; charset=utf-8", "/icon.svg": "image/svg+xml",
	} {
		got := webAnswer(h, "GET", path)
		if got.Code != http.StatusOK || got.Header().Get("Content-Type") != mediaType || got.Body.Len() == 0 {
			t.Errorf("%s: %d %s", path, got.Code, got.Header())
		}
		again := webAnswer(h, "GET", path, withHeaders("If-None-Match", got.Header().Get("ETag")))
		if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
			t.Errorf("%s again: %d", path, again.Code)
		}
		if head := webAnswer(h, "HEAD", path); head.Code != http.StatusOK || head.Body.Len() != 0 {
			t.Errorf("HEAD %s: %d", path, head.Code)
		}
	}
	for _, path := range []string{"/web/", "/index.html", "/web_login.go", "/../web.go", "/printers/left/picture", "/printers/nobody/picture", "/printers/..%2f/picture", "/debug/pprof/"} {
		if got := webAnswer(h, "GET", path); got.Code != http.StatusNotFound && got.Code != http.StatusTemporaryRedirect {
			t.Errorf("%s: %d", path, got.Code)
		}
	}
}
