package octoprinttest

import (
	"math"
	"time"
)

// progressFrame is what OctoPrint tells. Up to 1.8 one key had another name as long as there never was a file.
func (p *printer) progressFrame() any {
	if p.everChosen || p.release.hasChartMarked() {
		return p.job.shown
	}
	return object{"completion": nil, "filepos": nil, "printTime": nil, "printTimeLeft": nil, "printTimeOrigin": nil}
}

// show replaces what OctoPrint tells of the progress.
func (p *printer) show(completion float64, filepos int64, left int, origin *string) {
	c, t := float(completion), int(p.job.elapsed.Seconds())
	p.job.shown = progress{Completion: &c, Filepos: &filepos, PrintTime: &t, Left: &left, Origin: origin}
	p.dirty = true
}

// update tells how far the job is: by bytes read, which is neither time nor material.
func (p *printer) update() {
	j := p.job
	e := j.file
	share := j.moved.Seconds() / e.PrintTime.Seconds()
	head := e.Header * float64(e.Size)
	if j.phase == heatingBed {
		head *= 0.98
	}
	filepos := int64(head + share*(float64(e.Size)-head))
	completion := 100 * float64(filepos) / float64(e.Size)
	left, origin := j.remaining(completion)
	if p.release.isTwo() && e.M73 && j.phase == moving {
		completion = math.Floor(share * 100)
		left, origin = time.Duration(math.Ceil((e.PrintTime-j.moved).Minutes()))*time.Minute, "printer"
	}
	p.show(completion, filepos, int(left.Seconds()), &origin)
}

// remaining estimates as OctoPrint does: first by what is known of the file, then more and more by how it goes.
func (j *job) remaining(completion float64) (time.Duration, string) {
	truth := j.file.PrintTime - j.moved
	if j.file.Genius {
		return truth, "genius"
	}
	total, origin, spent := j.file.Estimate, "analysis", j.moved
	if average := j.file.average(); average > 0 {
		total, origin, spent = average, "average", j.elapsed
	}
	guess := max(0, total-spent)
	switch weight := j.moved.Seconds() / j.file.PrintTime.Seconds(); {
	case total <= 0 && completion > 0:
		return time.Duration(j.elapsed.Seconds() * (100/completion - 1) * float64(time.Second)), "linear"
	case weight < 0.05:
		return guess, origin
	case weight < 0.5:
		return time.Duration((1-2*weight)*float64(guess) + 2*weight*float64(truth)), "mixed-" + origin
	default:
		return truth, "estimate"
	}
}

// position is where the head stands, as far as events tell.
func (p *printer) position() object {
	var z any
	if p.z != nil {
		z = *p.z
	}
	return object{"t": p.tool, "f": float(3000), "x": float(63), "y": float(57), "z": z, "e": float(p.job.extruded())}
}

// point adds where in the file a print was interrupted.
func (p *printer) point(payload, position object) object {
	payload["position"] = position
	if p.release.hasPausePoint() && p.job.shown.Filepos != nil {
		payload["fileposition"] = *p.job.shown.Filepos
		payload["progress"] = int(*p.job.shown.Completion)
	}
	return payload
}
