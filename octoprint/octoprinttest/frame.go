package octoprinttest

// jobFrame is the job as frames and /api/job show it.
func (p *printer) jobFrame() object {
	f := object{"estimatedPrintTime": nil, "lastPrintTime": nil, "user": nil}
	file := object{"name": nil, "path": nil, "size": nil, "origin": nil, "date": nil}
	f["file"] = file
	two := p.release.isTwo()
	switch {
	case p.job.file == nil && !p.everChosen:
		f["filament"] = object{"length": nil, "volume": nil}
	case p.job.file == nil:
		f["filament"], file["display"] = nil, nil
		f["averagePrintTime"] = nil
	default:
		p.describeJob(f, file)
	}
	if two {
		delete(f, "averagePrintTime")
		f["plate"] = nil
		f["lastPrintTime"], file["upload"] = nil, nil
		switch {
		case p.job.file != nil:
			file["upload"], f["plate"] = false, 1
		case !p.everChosen:
			f["filament"], file["display"] = object{}, nil
		}
	}
	return f
}

func (p *printer) describeJob(f, file object) {
	e := p.job.file
	file["name"], file["path"], file["display"], file["origin"] = e.base(), e.Path, e.Name, "local"
	file["size"], file["date"] = e.Size, e.Date.Unix()
	if e.Estimate > 0 {
		f["estimatedPrintTime"] = seconds(e.Estimate)
	}
	f["averagePrintTime"] = nil
	if n := len(e.times); n > 0 {
		f["averagePrintTime"], f["lastPrintTime"] = seconds(e.average()), seconds(e.times[n-1])
	}
	f["filament"] = e.filament(p.release)
	f["user"] = orNull(p.job.user)
}

func (e *entry) filament(r release) object {
	if e.Estimate < 0 {
		return object{}
	}
	tool := object{"length": float(e.FilamentLength), "volume": float(e.FilamentVolume)}
	if r.isTwo() {
		tool["weight"] = nil
	}
	return object{"tool0": tool}
}

// statusFrame is what `current` and `history` have in common.
func (p *printer) statusFrame() object {
	offsets := object{}
	for name, offset := range p.offsets {
		offsets[name] = offset
	}
	f := object{
		"state": p.stateFrame(), "job": p.jobFrame(), "progress": p.progressFrame(), "offsets": offsets,
		"serverTime": epoch(p.now()), "currentZ": p.z,
	}
	if p.release.hasResends() {
		f["resends"] = object{"count": 0, "transmitted": p.transmitted, "ratio": 0}
	}
	if p.release.isTwo() {
		f["health"] = object{"count": 0, "transmitted": p.transmitted, "ratio": 0, "critical": false}
		f["currentTool"] = p.tool
	}
	if p.release.hasMarkings() {
		f["markings"] = append([]marking{}, p.markings...)
	}
	return f
}

func (p *printer) samplesFrame(since int) []object {
	temps := []object{}
	for _, s := range p.samples.since(since) {
		temps = append(temps, p.sampleFrame(s))
	}
	return temps
}

// historyFrame is the beginning of every stream. Terminal lines are in it whatever the user may see of them, unless a
// subscription says that none are wanted.
func (p *printer) historyFrame(v view) object {
	f := p.statusFrame()
	f["temps"] = p.samplesFrame(0)
	f["logs"], f["messages"] = v.logs.filter(p.logs.since(0)), v.messages.filter(p.messages.since(0))
	return object{"history": f}
}

// cursor is how far a socket has seen the sequences.
type cursor struct{ samples, logs, messages int }

func (p *printer) cursor() cursor {
	return cursor{p.samples.end(), p.logs.end(), p.messages.end()}
}

// currentFrame is what a socket gets that stopped at c.
func (p *printer) currentFrame(c cursor, v view, terminal bool) object {
	f := p.statusFrame()
	f["temps"] = p.samplesFrame(c.samples)
	f["busyFiles"] = p.busyFiles()
	if terminal {
		f["logs"] = v.logs.filter(p.logs.since(c.logs))
		f["messages"] = v.messages.filter(p.messages.since(c.messages))
	}
	return object{"current": f}
}

func (p *printer) busyFiles() []object {
	busy := []object{}
	if p.state.hasJob() && p.job.file != nil {
		busy = append(busy, object{"origin": "local", "path": p.job.file.Path})
	}
	return busy
}

// connectedFrame greets every socket, also those that never log in.
func (s *Server) connectedFrame() object {
	r := s.release
	f := object{
		"version": r.text, "display_version": r.text, "branch": "HEAD", "plugin_hash": "5ea1ab1e0c70b1a5",
		"config_hash": s.configHash(), "debug": false, "safe_mode": nil,
	}
	if r.atLeast(6) {
		f["online"] = true
	}
	if r.atLeast(7) {
		f["python_version"] = "3.11.7"
	}
	if r.hasPermissions() {
		var known []object
		for _, p := range permissions() {
			known = append(known, p.describe())
		}
		f["permissions"] = known
	}
	return object{"connected": f}
}
