//go:build e2e

package e2e

import (
	"maps"
	"slices"
	"strings"
)

func joined(list []string) string { return strings.Join(list, " ") }

func keysOf[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// missingFrom returns what is in wanted but not in have.
func missingFrom(have, wanted []string) []string {
	var missing []string
	for _, item := range wanted {
		if !slices.Contains(have, item) {
			missing = append(missing, item)
		}
	}
	return missing
}
