package discovery

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxBase is in bytes. Brokers allow 65,535 for a whole topic, but the base
	// is repeated in every topic, unique id and client id.
	maxBase  = 128
	maxTopic = 65535
	maxID    = 32

	// emptySlug stands for text without a single usable character.
	emptySlug = "unknown"
)

// Slug makes text fit for identifiers and entity ids: ASCII letters in lower
// case and digits stay, every run of anything else becomes one underscore,
// none at the ends. Text with nothing left becomes "unknown".
//
// Letters outside ASCII are not transliterated. A slug's slug is itself.
func Slug(s string) string {
	if isSlug(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	gap := false
	for _, r := range strings.ToLower(s) {
		if !isSlugRune(r) {
			gap = true
			continue
		}
		if gap && b.Len() > 0 {
			b.WriteByte('_')
		}
		gap = false
		b.WriteRune(r)
	}
	if b.Len() == 0 {
		return emptySlug
	}
	return b.String()
}

func isSlug(s string) bool {
	gap := true
	for _, r := range s {
		if !isSlugRune(r) && (r != '_' || gap) {
			return false
		}
		gap = r == '_'
	}
	return !gap
}

func isSlugRune(r rune) bool { return 'a' <= r && r <= 'z' || '0' <= r && r <= '9' }

// ValidID says what is wrong with a printer's id. Valid ids are 1 to 32
// lower-case letters, digits and hyphens, do not begin with a hyphen and are
// neither [Bridge] nor [Farm].
func ValidID(id string) error {
	switch {
	case id == Bridge || id == Farm:
		return fmt.Errorf("%q is not free for a printer", id)
	case !isDevice(id):
		return fmt.Errorf("%q is not 1 to %d lower-case letters, digits and hyphens, the first not a hyphen", id, maxID)
	default:
		return nil
	}
}

func isDevice(id string) bool {
	if id == "" || len(id) > maxID || id[0] == '-' {
		return false
	}
	return !strings.ContainsFunc(id, func(r rune) bool { return r != '-' && !isSlugRune(r) })
}

// isKey reports whether s has the form of a row key.
func isKey(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r != '_' && !isSlugRune(r) })
}

// isIdentifier reports whether Home Assistant takes s in a discovery topic.
func isIdentifier(s string) bool {
	return isKey(strings.ReplaceAll(strings.ToLower(s), "-", "_")) && isASCII(s)
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII })
}

// isText reports whether s is fit to be shown or sent: UTF-8 without control
// characters.
func isText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, isForbiddenRune)
}

// isPlain reports whether s is text without space at its ends.
func isPlain(s string) bool { return isText(s) && strings.TrimSpace(s) == s }

// isForbiddenRune reports whether brokers and Home Assistant refuse topics with
// r: control characters and what Unicode reserves as noncharacters.
func isForbiddenRune(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Noncharacter_Code_Point, r)
}

// Validate says everything that is wrong with base and prefix, one error each
// (see [errors.Join]).
func (t Topics) Validate() error {
	var p problems
	p.in("base topic", func(p *problems) { checkBase(p, t.Base) })
	p.in("discovery prefix", func(p *problems) { checkPrefix(p, t.Prefix) })
	if t.Base == t.Prefix && t.Base != "" {
		p.addf("base topic %q is also the discovery prefix: Home Assistant's own topics are there", t.Base)
	}
	return p.err()
}

// ValidBase says everything that is wrong with a base topic. Valid are up to
// 128 bytes of UTF-8 without wildcards, control characters, a $ at the
// beginning and empty levels.
func ValidBase(s string) error {
	var p problems
	checkBase(&p, s)
	return p.err()
}

// ValidPrefix says everything that is wrong with a discovery prefix. The rules
// are those of [ValidBase], but the empty one is right: it switches discovery
// off.
func ValidPrefix(s string) error {
	var p problems
	checkPrefix(&p, s)
	return p.err()
}

func checkPrefix(p *problems, s string) {
	if s != "" {
		checkBase(p, s)
	}
}

func checkBase(p *problems, s string) {
	checkTopic(p, s)
	if len(s) > maxBase {
		p.addf("longer than %d bytes", maxBase)
	}
	if strings.HasPrefix(s, "$") {
		p.addf("begins with $, which is the broker's")
	}
}

// checkTopic says what keeps s from being a topic to publish to.
func checkTopic(p *problems, s string) {
	if s == "" {
		p.addf("empty")
		return
	}
	if len(s) > maxTopic {
		p.addf("longer than %d bytes", maxTopic)
	}
	if !utf8.ValidString(s) {
		p.addf("not UTF-8")
	}
	if strings.ContainsAny(s, "+#") {
		p.addf("has a wildcard, + or #")
	}
	if strings.ContainsFunc(s, isForbiddenRune) {
		p.addf("has a control character or a noncharacter")
	}
	switch {
	case strings.HasPrefix(s, "/"), strings.HasSuffix(s, "/"):
		p.addf("begins or ends with /")
	case strings.Contains(s, "//"):
		p.addf("has an empty level")
	}
}
