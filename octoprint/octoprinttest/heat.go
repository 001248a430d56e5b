package octoprinttest

import (
	"maps"
	"math"
	"math/rand/v2"
	"strconv"
	"time"
)

// ambient is the temperature of the simulated room in °C.
const ambient = 21.3

// heater is one heated part with the sensor on it.
type heater struct {
	name           string
	actual, target float64
	// limit is where full power would end, warm and cool the time constants of both directions.
	limit      float64
	warm, cool time.Duration
	noise      float64
	measured   bool // since the printer was connected
	told       bool // to heat to a target, or to none, since then
}

// newHeaters makes the heaters of a profile: the tools, then the bed, then the chamber.
func newHeaters(p Profile) []*heater {
	var hs []*heater
	for i := range p.hotends() {
		hs = append(hs, &heater{name: "tool" + strconv.Itoa(i), limit: 380, warm: time.Minute, cool: 2 * time.Minute})
	}
	if p.HeatedBed {
		hs = append(hs, &heater{name: "bed", limit: 140, warm: 150 * time.Second, cool: 5 * time.Minute})
	}
	if p.HeatedChamber {
		hs = append(hs, &heater{name: "chamber", limit: 90, warm: 5 * time.Minute, cool: 10 * time.Minute})
	}
	for _, h := range hs {
		h.actual, h.measured = ambient, true
	}
	return hs
}

// step lets time pass: full power towards the target, and none down to it.
func (h *heater) step(dt time.Duration) {
	goal := max(h.target, ambient)
	switch {
	case h.actual < goal:
		h.actual = min(goal, approach(h.actual, max(h.limit, goal+20), dt, h.warm))
	case h.actual > goal:
		h.actual = max(goal, approach(h.actual, ambient-5, dt, h.cool))
	}
}

func approach(from, to float64, dt, tau time.Duration) float64 {
	return to + (from-to)*math.Exp(-dt.Seconds()/tau.Seconds())
}

// reached says that a heater that was waited for is warm enough to go on.
func (h *heater) reached() bool { return h.actual >= h.target-0.5 }

// reading is what the sensor says: the truth, give or take 0.2 °C.
func (h *heater) reading() float { return float(math.Round((h.actual+h.noise)*100) / 100) }

// sense takes a new reading.
func (h *heater) sense(r *rand.Rand) { h.noise = (r.Float64()*2 - 1) * 0.2 }

type temperature struct {
	Actual *float `json:"actual"`
	Target *float `json:"target"`
}

// sample is an entry of the temperature graph.
type sample struct {
	time  int64
	temps []float // actual and target of each heater; none when the printer just went away
	extra map[string]float
}

func (p *printer) heater(name string) *heater {
	for _, h := range p.heaters {
		if h.name == name {
			return h
		}
	}
	return nil
}

// takeSample adds what the sensors say to the graph.
func (p *printer) takeSample() {
	s := sample{time: p.now().Unix()}
	for _, h := range p.heaters {
		h.sense(p.random)
		h.measured = true
		s.temps = append(s.temps, h.reading(), float(h.target))
	}
	if len(p.sensors) > 0 {
		s.extra = maps.Clone(p.sensors)
	}
	p.samples.add(s)
	p.log(received, p.temperatureLine())
}

// sampleFrame is the sample as the push socket sends it: with a chamber, even where there is none.
func (p *printer) sampleFrame(s sample) object {
	f := object{"time": s.time}
	if s.temps == nil {
		return f
	}
	f["chamber"] = temperature{}
	for i, h := range p.heaters {
		f[h.name] = temperature{Actual: &s.temps[2*i], Target: &s.temps[2*i+1]}
	}
	for name, value := range s.extra {
		f[name] = reading{Actual: &value}
	}
	return f
}

// prefill gives the graph a past of some idle minutes, so that a fresh server does not look newborn.
func (p *printer) prefill(span time.Duration) {
	now := p.now().Unix()
	for t := now - int64(span.Seconds()); t < now; t += 2 {
		s := sample{time: t}
		for _, h := range p.heaters {
			h.sense(p.random)
			s.temps = append(s.temps, h.reading(), 0)
		}
		p.samples.add(s)
	}
}
