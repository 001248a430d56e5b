package octoprinttest

import (
	"strconv"
	"strings"
)

// release is a version of OctoPrint, with what distinguishes it for a client.
type release struct {
	text                string
	major, minor, patch int
}

// parseRelease reads the numeric part: a release candidate behaves as the release it leads to.
func parseRelease(text string) release {
	r := release{text: text}
	for i, part := range strings.SplitN(text, ".", 3) {
		end := strings.IndexFunc(part, func(c rune) bool { return c < '0' || c > '9' })
		if end >= 0 {
			part = part[:end]
		}
		n, _ := strconv.Atoi(part)
		*[]*int{&r.major, &r.minor, &r.patch}[i] = n
	}
	return r
}

// atLeast says whether the release is 1.minor or newer.
func (r release) atLeast(minor int) bool {
	return r.major > 1 || r.major == 1 && r.minor >= minor
}

// hasPermissions: before 1.4 there were no groups and no /api/currentuser.
func (r release) hasPermissions() bool { return r.atLeast(4) }
func (r release) hasBearer() bool      { return r.atLeast(5) }
func (r release) hasServerInfo() bool  { return r.atLeast(5) }
func (r release) hasResends() bool     { return r.atLeast(5) && !r.isTwo() }
func (r release) hasJSONErrors() bool  { return r.atLeast(6) }

// hasStateError says whether the state carries the error's text in a field of its own.
func (r release) hasStateError() bool { return r.atLeast(6) }

// hasSubscriptions: before 1.8 a subscribe message was ignored, and a bad auth was answered with silence.
func (r release) hasSubscriptions() bool { return r.atLeast(8) }

// hangsUp says that the connection is closed after the answer to a GET, without a word of it in the answer. A client
// that sends its next request on that connection loses it.
func (r release) hangsUp() bool { return !r.atLeast(10) }

// hasTerminalRight: before 1.8 everybody who saw the state saw the terminal.
func (r release) hasTerminalRight() bool { return r.atLeast(8) }
func (r release) hasUnselect() bool      { return r.atLeast(7) }
func (r release) hasMarkings() bool      { return r.atLeast(8) }
func (r release) hasChartMarked() bool   { return r.atLeast(9) }

// deselectsOnLoss says that a lost connection also fires FileDeselected.
func (r release) deselectsOnLoss() bool { return r.atLeast(9) }

// failsEarly says that a firmware error ends the print before the connection; elsewhere it is the other way round.
func (r release) failsEarly() bool { return r.atLeast(11) && !r.isTwo() }

// refusesBadKeys says that any request with a wrong key is a 403, whatever it asks for.
func (r release) refusesBadKeys() bool { return r.atLeast(8) && !r.atLeast(11) }

// hasCSRF says that a request without a valid key must prove that it comes from the user interface.
func (r release) hasCSRF() bool         { return r.atLeast(11) }
func (r release) hasErrorReport() bool  { return r.atLeast(10) }
func (r release) hasPausePoint() bool   { return r.atLeast(10) }
func (r release) hasMediaCheck() bool   { return r.atLeast(11) }
func (r release) isTwo() bool           { return r.major >= 2 }
func (r release) hasWebcamList() bool   { return r.atLeast(9) }
func (r release) showsOffsets() bool    { return r.atLeast(8) }
func (r release) showsReadyPause() bool { return !r.atLeast(8) }
