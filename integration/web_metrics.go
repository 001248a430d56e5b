package integration

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	ofProcess "github.com/VictoriaMetrics/metrics"
)

// maxScrapes is how many programs may read the metrics at a time.
const maxScrapes = 4

// metricsHandler answers with the metrics of a bridge, and those of its process,
// in Prometheus' text format (version 0.0.4).
func metricsHandler(b *Bridge) http.Handler {
	m, turn := newMetrics(b), make(chan struct{}, maxScrapes)
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		select {
		case turn <- struct{}{}:
			defer func() { <-turn }()
		default:
			http.Error(w, fmt.Sprintf("%d programs read the metrics already; try again later", maxScrapes), http.StatusServiceUnavailable)
			return
		}
		var text bytes.Buffer // complete before the first byte goes out: a slow reader holds up nothing but itself
		m.write(&text)
		ofProcess.WriteProcessMetrics(&text)
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = text.WriteTo(w) // whoever asked may have gone
	})
}

// metrics are the figures of the bridge for Prometheus, read when they are asked
// for. Printers are labels, by their ids; files never are, of which there are ever
// more.
type metrics struct {
	bridge     *Bridge
	ofBridge   []metric[*healthDoc]
	ofPrinters []metric[*printerFigures]
}

func newMetrics(b *Bridge) *metrics {
	return &metrics{bridge: b, ofBridge: bridgeMetrics(b.config.Version), ofPrinters: printerMetrics()}
}

// write writes all series, those of a metric one after the other, as the format
// demands.
func (m *metrics) write(w io.Writer) {
	health := m.bridge.healthNow(time.Now())
	for _, one := range m.ofBridge {
		one.introduce(w)
		one.write(w, &health)
	}
	var printers []*printerFigures
	for _, p := range m.bridge.printers() {
		printers = append(printers, p.figures())
	}
	for _, one := range m.ofPrinters {
		one.introduce(w)
		for _, p := range printers {
			one.write(w, p, p.id)
		}
	}
}

// metric is a row of a table: a name, and how its series are read from something.
type metric[T any] struct {
	name, help string
	labels     []string // that read gives values for
	read       func(from T, put func(n float64, labels ...string))
}

// described completes the names and labels. The series have the common labels first.
func described[T any](list []metric[T], common ...string) []metric[T] {
	for i := range list {
		list[i].name = "octoprint2mqtt_" + list[i].name
		list[i].labels = slices.Concat(common, list[i].labels)
	}
	return list
}

// introduce writes what is true of all the series.
func (m *metric[T]) introduce(w io.Writer) {
	kind := "gauge"
	if strings.HasSuffix(m.name, "_total") {
		kind = "counter"
	}
	fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", m.name, m.help, m.name, kind)
}

// write writes the series of one bridge or printer.
func (m *metric[T]) write(w io.Writer, from T, common ...string) {
	m.read(from, func(n float64, labels ...string) {
		fmt.Fprintf(w, "%s%s %v\n", m.name, seriesLabels(m.labels, slices.Concat(common, labels)), n)
	})
}

// labelEscapes are for what would end a label's value.
var labelEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// seriesLabels returns the labels of a series as the format has them.
func seriesLabels(names, values []string) string {
	if len(names) == 0 {
		return ""
	}
	pairs := make([]string, len(names))
	for i, name := range names {
		pairs[i] = fmt.Sprintf(`%s="%s"`, name, labelEscapes.Replace(values[i]))
	}
	return "{" + strings.Join(pairs, ",") + "}"
}

// single is of a metric that always has one series without labels of its own.
func single[T any](read func(T) float64) func(T, func(float64, ...string)) {
	return func(from T, put func(float64, ...string)) { put(read(from)) }
}

// perhaps is of a metric that has one series while its value is known.
func perhaps[T any](read func(T) value, scale float64) func(T, func(float64, ...string)) {
	return func(from T, put func(float64, ...string)) {
		if v := read(from); v.kind != unknownValue {
			put(v.number * scale)
		}
	}
}

func truth(b bool) float64 { return onOff(b).number }

func bridgeMetrics(version string) []metric[*healthDoc] {
	return described([]metric[*healthDoc]{
		{name: "build_info", help: "The version of the bridge; always 1.", labels: []string{"version"}, read: func(_ *healthDoc, put func(float64, ...string)) { put(1, version) }},
		{name: "broker_connected", help: "Whether there is a connection to the MQTT broker.", read: single(func(h *healthDoc) float64 { return truth(h.Broker.Connected) })},
		{name: "broker_reconnects_total", help: "How often the connection to the MQTT broker was made again.", read: single(func(h *healthDoc) float64 { return float64(h.Broker.Reconnects) })},
		{name: "broker_messages_published_total", help: "Messages published.", read: single(func(h *healthDoc) float64 { return float64(h.Broker.Published) })},
		{name: "broker_messages_received_total", help: "Messages received from the MQTT broker.", read: single(func(h *healthDoc) float64 { return float64(h.Broker.Received) })},
		{name: "broker_messages_dropped_total", help: "Messages lost to full queues.", read: single(func(h *healthDoc) float64 { return float64(h.Broker.Dropped) })},
	})
}

// printerFigures is a printer as the metrics are read from it.
type printerFigures struct {
	id      string
	card    card
	heaters []string // of the card's, by their names in OctoPrint
	health  healthPrinter
	prints  map[string]uint64
}

func (p *printer) figures() *printerFigures {
	f := &printerFigures{id: p.id, card: p.card(), health: p.health()}
	p.mu.Lock()
	defer p.mu.Unlock()
	f.heaters, f.prints = p.view.heaters(), maps.Clone(p.counters.prints)
	return f
}

func printerMetrics() []metric[*printerFigures] {
	type printers = *printerFigures
	return described([]metric[printers]{
		{name: "printer_connected", help: "Whether there is a session with OctoPrint.", read: single(func(p printers) float64 { return truth(p.health.Connection == connectionConnected) })},
		{name: "printer_state", help: "1 for what the printer does, or for why that isn't known.", labels: []string{"state"}, read: func(p printers, put func(float64, ...string)) { put(1, p.card.State) }},
		{name: "printer_attention", help: "Whether somebody has to look after the printer.", read: single(func(p printers) float64 { return truth(p.card.Attention != "") })},
		{name: "printer_ready", help: "Whether the printer can take the next job.", read: single(func(p printers) float64 { return truth(p.card.Ready) })},
		{name: "printer_progress_ratio", help: "How much of the job is done, from 0 to 1; absent without a job.", read: perhaps(func(p printers) value { return p.card.Progress }, 0.01)},
		{name: "printer_remaining_seconds", help: "How long the job will take, in whole minutes; absent while nobody knows.", read: perhaps(func(p printers) value { return p.card.Remaining }, 60)},
		{name: "printer_temperature_celsius", help: "Temperature of a heater.", labels: []string{"heater"}, read: heaterSeries(func(h cardHeater) value { return h.Actual })},
		{name: "printer_target_celsius", help: "Target of a heater; 0 when it is off.", labels: []string{"heater"}, read: heaterSeries(func(h cardHeater) value { return h.Target })},
		{name: "printer_prints_total", help: "Prints that ended since the bridge was started.", labels: []string{"result"}, read: func(p printers, put func(float64, ...string)) {
			for _, result := range slices.Sorted(maps.Keys(p.prints)) {
				put(float64(p.prints[result]), result)
			}
		}},
		{name: "printer_reconnects_total", help: "How often a session with OctoPrint was made again.", read: single(func(p printers) float64 { return float64(p.health.Reconnects) })},
		{name: "printer_frames_total", help: "Messages received from OctoPrint.", read: single(func(p printers) float64 { return float64(p.health.Frames) })},
		{name: "printer_errors_total", help: "Sessions that failed, and messages that could not be understood.", read: single(func(p printers) float64 { return float64(p.health.Errors) })},
		{name: "printer_commands_refused_total", help: "Commands that were refused.", read: single(func(p printers) float64 { return float64(p.health.Refused) })},
		{name: "printer_last_frame_timestamp_seconds", help: "When the last message came from OctoPrint; absent before the first.", read: perhaps(func(p printers) value { return p.health.LastFrame }, 1)},
	}, "printer")
}

func heaterSeries(read func(cardHeater) value) func(*printerFigures, func(float64, ...string)) {
	return func(p *printerFigures, put func(float64, ...string)) {
		for i, h := range p.card.Heaters {
			if v := read(h); i < len(p.heaters) && v.kind == numberValue {
				put(v.number, p.heaters[i])
			}
		}
	}
}
