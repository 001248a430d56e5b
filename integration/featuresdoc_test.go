package integration

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestFeaturesPage: docs/features.md names tests for all that there is, and only tests
// that exist.
func TestFeaturesPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/features.md")
	if err != nil {
		t.Fatal(err)
	}
	known := testsIn(t, "..")
	features := 0
	for line := range strings.SplitSeq(string(page), "\n") {
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		if !strings.HasPrefix(line, "| ") || strings.HasSuffix(line, "| shown by |") {
			continue
		}
		features++
		named := regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(line, -1)
		if len(named) == 0 && (len(cells) < 2 || !strings.HasPrefix(cells[1], "no")) {
			t.Errorf("nothing shows %q", cells[0])
		}
		for _, m := range named {
			if !known[m[1]] {
				t.Errorf("%q is shown by %s, which does not exist", cells[0], m[1])
			}
		}
	}
	if features < 100 {
		t.Errorf("only %d features", features)
	}
}

// testsIn are the names of the tests in a folder and those below.
func testsIn(t *testing.T, folder string) map[string]bool {
	t.Helper()
	known := make(map[string]bool)
	err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllStringSubmatch(string(text), -1) {
			known[m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return known
}
