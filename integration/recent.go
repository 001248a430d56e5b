package integration

import (
	"encoding/json"
	"time"
)

// recent remembers commands, so that one that is delivered or pressed twice is
// carried out once.
type recent struct {
	transactions map[string]time.Time
	commands     map[string]time.Time
}

const (
	transactionMemory = time.Minute
	maxRemembered     = 4096
)

// admit refuses a command that came a moment ago, and remembers it.
func (r *recent) admit(c *command, transaction json.RawMessage) *refusal {
	if t := string(transaction); t != "" && t != "null" {
		if at, ok := r.transactions[t]; ok && c.at.Sub(at) < transactionMemory {
			return refuse(CodeDuplicate, "a command with this transaction came less than a minute ago")
		}
		remember(&r.transactions, t, c.at)
	}
	if c.action.distinct == 0 {
		return nil
	}
	key := c.action.name + " " + string(c.parameters)
	if at, ok := r.commands[key]; ok && c.at.Sub(at) < c.action.distinct {
		return refuse(CodeDuplicate, "the same command came less than %v ago", c.action.distinct)
	}
	remember(&r.commands, key, c.at)
	return nil
}

func remember(m *map[string]time.Time, key string, at time.Time) {
	if *m == nil {
		*m = make(map[string]time.Time)
	}
	if len(*m) >= maxRemembered {
		clear(*m) // somebody floods us: better to forget than to grow
	}
	(*m)[key] = at
}

// forget drops what is too old to matter.
func (r *recent) forget(now time.Time) {
	for key, at := range r.transactions {
		if now.Sub(at) > transactionMemory {
			delete(r.transactions, key)
		}
	}
	for key, at := range r.commands {
		if now.Sub(at) > transactionMemory {
			delete(r.commands, key)
		}
	}
}
