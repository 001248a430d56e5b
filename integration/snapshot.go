package integration

import (
	"encoding/json"
	"slices"
	"time"

	"octoprint2mqtt/octoprint"
)

// actionSnapshot fetches new pictures of all cameras.
const actionSnapshot = "snapshot"

const (
	// snapshotTimeout is how long a request for pictures may take.
	snapshotTimeout = 15 * time.Second
	// maxSnapshots bounds how many requests of one printer wait for pictures.
	maxSnapshots = 16
)

// snapshot is a request for new pictures of a printer's cameras.
type snapshot struct {
	at       time.Time
	left     int // cameras
	pictures map[string]pictureDoc
	refusal  *refusal // of the first that has failed
	answer   func(*refusal, any)
}

// pictureDoc says what was published.
type pictureDoc struct {
	Type  string `json:"type"`
	Bytes int    `json:"bytes"`
}

// snapshotAction runs wherever OctoPrint is reachable.
func snapshotAction() action {
	return action{
		name: actionSnapshot, about: "Takes new pictures of all cameras, and is answered when they are published, with the type and size of each in `data`.",
		access: AccessRead, runsIn: octoprint.Phases(), prepare: prepareSnapshot,
	}
}

func prepareSnapshot(parameters json.RawMessage, v *printerView) (call, *refusal) {
	if r := decodeParameters(parameters, &struct{}{}); r != nil {
		return call{}, r
	}
	if v.config.Camera.URL == nil && v.info.User != "" && !v.maySeeWebcams() {
		return call{}, refuse(CodeNotPermitted, "the OctoPrint user %s lacks the permission %s or %s", quote(v.info.User), octoprint.PermissionWebcam, octoprint.PermissionSettingsRead)
	}
	return call{pictures: true}, nil
}

// snapshotLocked has new pictures fetched for a command, beside the commands that wait
// for OctoPrint. It answers when they are published.
func (p *printer) snapshotLocked(c *command) *refusal {
	if _, r := p.readyLocked(c); r != nil {
		return r
	}
	s := &snapshot{at: time.Now(), pictures: make(map[string]pictureDoc), answer: c.answer}
	for _, pic := range p.album {
		if pic.camera {
			s.left++
		}
	}
	switch {
	case !p.view.config.Camera.Enabled:
		return refuse(CodeAccessDenied, "camera: enabled: false in the configuration does not allow this for this printer")
	case s.left == 0:
		return refuse(CodeInvalid, "this printer has no camera: OctoPrint names none, and camera: url in the configuration neither")
	case len(p.snapshots) >= maxSnapshots:
		return refuse(CodeTimeout, "too many commands are waiting for this printer's cameras")
	}
	p.snapshots = append(p.snapshots, s)
	for _, pic := range p.album {
		if pic.camera {
			pic.asked = append(pic.asked, s)
			pic.due = s.at
		}
	}
	p.lookLocked(s.at)
	return nil
}

// servedLocked tells the requests that have waited for a picture what came of it.
func (p *printer) servedLocked(pic *picture, arrived bool, err error, doc pictureDoc) {
	serving := pic.serving
	pic.serving = nil
	var r *refusal
	switch {
	case err != nil:
		reason, _ := explainPicture(err, true)
		r = refuse(CodeOctoPrint, "%s", reason)
	case !arrived || doc.Bytes == 0:
		r = refuse(CodeOctoPrint, "the picture was not published: something has changed meanwhile")
	}
	for _, s := range serving {
		s.pictures[pic.key] = doc
	}
	p.answerLocked(serving, r)
}

// answerLocked takes one camera off requests, with why there is no picture of it if
// there isn't. Those that wait for no more are answered.
func (p *printer) answerLocked(list []*snapshot, r *refusal) {
	for _, s := range list {
		s.left--
		if s.refusal == nil {
			s.refusal = r
		}
		if s.left == 0 && slices.Contains(p.snapshots, s) {
			p.snapshots = slices.DeleteFunc(p.snapshots, func(other *snapshot) bool { return other == s })
			p.answered = append(p.answered, s)
		}
	}
}

// answerSnapshots answers the requests that wait for nothing more.
func (p *printer) answerSnapshots() {
	p.mu.Lock()
	list := p.answered
	p.answered = nil
	p.mu.Unlock()
	for _, s := range list {
		if s.refusal != nil {
			s.answer(s.refusal, nil)
		} else {
			s.answer(nil, map[string]any{"pictures": s.pictures})
		}
	}
}

// overdueLocked gives up on requests that have waited for too long.
func (p *printer) overdueLocked(now time.Time) {
	for _, s := range p.snapshots {
		if now.Sub(s.at) >= snapshotTimeout {
			s.refusal = refuse(CodeTimeout, "there is no picture yet")
			p.answered = append(p.answered, s)
		}
	}
	p.snapshots = slices.DeleteFunc(p.snapshots, func(s *snapshot) bool { return slices.Contains(p.answered, s) })
}
