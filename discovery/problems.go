package discovery

import (
	"errors"
	"fmt"
)

// ErrRepeatsDevice is in what [Document.Validate] says about a component whose
// name begins with the name of its device. Home Assistant shows both, one
// after the other; nothing else is wrong with it.
var ErrRepeatsDevice = errors.New("begins with the device's name")

// problems collects everything that is wrong, each with where it is, so that
// one look tells all.
type problems struct {
	where string
	errs  []error
}

func (p *problems) addf(format string, args ...any) {
	p.add(fmt.Errorf(format, args...))
}

func (p *problems) add(err error) {
	p.errs = append(p.errs, fmt.Errorf("%s%w", p.where, err))
}

// in runs a check whose findings are said to be at where.
func (p *problems) in(where string, check func(*problems)) {
	outer := p.where
	p.where = outer + where + ": "
	check(p)
	p.where = outer
}

// list checks a list of texts that must all differ.
func (p *problems) list(key string, texts []string, check func(*problems, string)) {
	seen := make(map[string]bool, len(texts))
	for _, text := range texts {
		p.in(fmt.Sprintf("%s %q", key, text), func(p *problems) {
			if seen[text] {
				p.addf("occurs twice")
			}
			check(p, text)
		})
		seen[text] = true
	}
}

func (p *problems) err() error { return errors.Join(p.errs...) }
