package integration

import (
	"fmt"
	"strings"

	"octoprint2mqtt/octoprint"
)

// lack is something that a user may not do, and what to do about it.
type lack struct{ what, why, do string }

// explainMissing tells what a user lacks for an access level, and where to click: what
// the group Operator has apart from what only administrators have. enough is the level
// for which nothing is missing.
func explainMissing(user string, access, enough Access, missing []string) []lack {
	operator, admin := []string{}, []string{}
	for _, permission := range missing {
		if octoprint.Group(permission) == octoprint.GroupOperator {
			operator = append(operator, permission)
		} else {
			admin = append(admin, permission)
		}
	}
	why := fmt.Sprintf("what needs that is not shown in Home Assistant and is refused over MQTT, although the configuration says access: %s", access)
	var list []lack
	if len(operator) > 0 {
		alternative := ""
		if enough != access {
			alternative = fmt.Sprintf(", or set access: %s for this printer", enough)
		}
		list = append(list, lack{
			what: fmt.Sprintf("the user %s lacks %s", quote(clean(user)), enumerate(operator)), why: why,
			do: fmt.Sprintf("in OctoPrint open Settings → Access Control → Users, edit %s and tick the group Operator (which may have been renamed, or have lost permissions: see Groups there)%s", quote(clean(user)), alternative),
		})
	}
	if len(admin) > 0 {
		list = append(list, lack{
			what: fmt.Sprintf("the user %s lacks %s, which the group Operator does not have either", quote(clean(user)), enumerate(admin)), why: why,
			do: "do without, or in OctoPrint open Settings → Access Control → Groups, make a group with just these permissions and add the user to it; the group Admins has them, and everything else",
		})
	}
	return list
}

// enumerate returns "a, b and c".
func enumerate(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}
