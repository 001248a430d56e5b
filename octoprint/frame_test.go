package octoprint

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// decodeFrame decodes one message with a decoder of its own.
func decodeFrame(message []byte) (frame, error) {
	return decodeBy(new(decoder), new(State), message)
}

func decodeBy(d *decoder, known *State, message []byte) (frame, error) {
	if err := d.load(bytes.NewReader(message)); err != nil {
		return frame{}, err
	}
	return d.decode(known)
}

// stdFrame and what it is made of are decoded by encoding/json, to hold the
// decoder against.
type stdFrame struct {
	History *stdSample `json:"history"`
	Current *stdSample `json:"current"`
	Event   *stdEvent  `json:"event"`
	Plugin  *stdPlugin `json:"plugin"`
	Reauth  *stdReauth `json:"reauthRequired"`
}

type stdReauth struct {
	Reason string `json:"reason"`
}

type stdSample struct {
	State struct {
		Text  string   `json:"text"`
		Error string   `json:"error"`
		Flags stdFlags `json:"flags"`
	} `json:"state"`
	Job struct {
		File struct {
			Name    string `json:"name"`
			Path    string `json:"path"`
			Display string `json:"display"`
			Origin  string `json:"origin"`
			Size    number `json:"size"`
		} `json:"file"`
		User      string                  `json:"user"`
		Estimated number                  `json:"estimatedPrintTime"`
		Filament  map[string]*stdFilament `json:"filament"`
	} `json:"job"`
	Progress struct {
		Completion number `json:"completion"`
		PrintTime  number `json:"printTime"`
		TimeLeft   number `json:"printTimeLeft"`
		Origin     string `json:"printTimeLeftOrigin"`
	} `json:"progress"`
	Z       number                  `json:"currentZ"`
	Offsets map[string]number       `json:"offsets"`
	Temps   []map[string]stdReading `json:"temps"`
}

type stdFlags wireFlags

type stdFlagsObject struct {
	Operational   bool `json:"operational"`
	Printing      bool `json:"printing"`
	Cancelling    bool `json:"cancelling"`
	Pausing       bool `json:"pausing"`
	Resuming      bool `json:"resuming"`
	Finishing     bool `json:"finishing"`
	ClosedOrError bool `json:"closedOrError"`
	Error         bool `json:"error"`
	Paused        bool `json:"paused"`
}

// UnmarshalJSON takes objects and passes over everything else.
func (f *stdFlags) UnmarshalJSON(b []byte) error {
	if b[0] != '{' {
		return nil
	}
	var w stdFlagsObject
	err := json.Unmarshal(b, &w)
	*f = stdFlags{
		Known: true, Operational: w.Operational, Printing: w.Printing, Cancelling: w.Cancelling, Pausing: w.Pausing,
		Resuming: w.Resuming, Finishing: w.Finishing, ClosedOrError: w.ClosedOrError, Error: w.Error, Paused: w.Paused,
	}
	return tolerate(err)
}

type stdFilament struct {
	Length number `json:"length"`
	Volume number `json:"volume"`
}

type stdReading struct{ Actual, Target number }

type stdReadingObject struct {
	Actual number `json:"actual"`
	Target number `json:"target"`
}

// UnmarshalJSON takes objects and passes over everything else, such as the
// entry's time.
func (r *stdReading) UnmarshalJSON(b []byte) error {
	if b[0] != '{' {
		return nil
	}
	var w stdReadingObject
	err := json.Unmarshal(b, &w)
	*r = stdReading(w)
	return tolerate(err)
}

type stdPlugin struct {
	Plugin string          `json:"plugin"`
	Data   json.RawMessage `json:"data"`
}

type stdEvent struct {
	Type    string     `json:"type"`
	Payload stdPayload `json:"payload"`
}

type stdPayload struct {
	fields stdPayloadObject
	raw    json.RawMessage
}

type stdPayloadObject struct {
	Name     string `json:"name"`
	Path     string `json:"path"`
	Origin   string `json:"origin"`
	User     string `json:"user"`
	Time     number `json:"time"`
	Progress number `json:"progress"`
	Reason   string `json:"reason"`
	Error    string `json:"error"`
	StateID  string `json:"state_id"`
	State    string `json:"state_string"`
}

// UnmarshalJSON also keeps the text, and passes over what is no object.
func (p *stdPayload) UnmarshalJSON(b []byte) error {
	p.raw = bytes.Clone(b)
	if b[0] != '{' {
		return nil
	}
	return tolerate(json.Unmarshal(b, &p.fields))
}

// stdDecode decodes a message by encoding/json.
func stdDecode(message []byte) (frame, error) {
	var f stdFrame
	err := json.Unmarshal(message, &f)
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &wrongType) && !strings.Contains(wrongType.Field, ".") || tolerate(err) != nil {
		return frame{}, err
	}
	out := frame{History: f.History.wire(), Current: f.Current.wire()}
	if f.Event != nil {
		out.Event = &wireEvent{Type: f.Event.Type, Payload: wirePayload(f.Event.Payload.fields), Raw: f.Event.Payload.raw}
	}
	if f.Plugin != nil {
		out.Plugin = &wirePlugin{Plugin: f.Plugin.Plugin, Data: f.Plugin.Data}
	}
	if f.Reauth != nil {
		out.Reauth = &wireReauth{Reason: f.Reauth.Reason}
	}
	return out, nil
}

// tolerate passes over an error that is about a leaf.
func tolerate(err error) error {
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &wrongType) && wrongType.Field != "" {
		return nil
	}
	return err
}

func (s *stdSample) wire() *wireSample {
	if s == nil {
		return nil
	}
	f := s.Job.File
	w := &wireSample{
		State:    wireState{Text: s.State.Text, Error: s.State.Error, Flags: wireFlags(s.State.Flags)},
		Job:      wireJob{Name: f.Name, Path: f.Path, Display: f.Display, Origin: f.Origin, Size: f.Size, User: s.Job.User, Estimated: s.Job.Estimated},
		Progress: wireProgress(s.Progress), Z: s.Z,
	}
	heaters := make(map[string]wireHeater)
	for _, entry := range s.Temps {
		maps.DeleteFunc(entry, func(name string, _ stdReading) bool { return !IsHeater(name) })
		if len(entry) == 0 {
			clear(heaters) // the connection to the printer ended
		}
		for name, r := range entry {
			heaters[name] = wireHeater{Measured: true, Actual: r.Actual, Target: r.Target}
		}
	}
	for name, offset := range s.Offsets {
		h := heaters[name]
		h.Offset = offset
		heaters[name] = h
	}
	for name, filament := range s.Job.Filament {
		if filament != nil {
			h := heaters[name]
			h.Fed, h.Length, h.Volume = true, filament.Length, filament.Volume
			heaters[name] = h
		}
	}
	for name, h := range heaters {
		if h.Name = name; IsHeater(name) {
			w.Heaters = append(w.Heaters, h)
		}
	}
	return w
}

// comparable returns a frame without heaters of which nothing is said, and with
// the others in order.
func (f frame) comparable() frame {
	for _, s := range []**wireSample{&f.History, &f.Current} {
		if *s != nil {
			w := **s
			w.Heaters = slices.DeleteFunc(slices.Clone(w.Heaters), func(h wireHeater) bool { return h == wireHeater{Name: h.Name} })
			slices.SortFunc(w.Heaters, func(a, b wireHeater) int { return cmp.Compare(a.Name, b.Name) })
			w.Heaters = append([]wireHeater{}, w.Heaters...)
			*s = &w
		}
	}
	return f
}

func (f frame) String() string {
	return fmt.Sprintf("history %+v, current %+v, event %+v, plugin %+v, reauth %+v", f.History, f.Current, f.Event, f.Plugin, f.Reauth)
}

// agree holds the decoder against encoding/json, fresh and used, for messages
// that both have to understand in the same way.
func agree(t *testing.T, message []byte) {
	t.Helper()
	if unusual(message) {
		return
	}
	want, wantErr := stdDecode(message)
	used, known := new(decoder), new(State)
	if f, err := decodeBy(used, known, []byte(sample)); err != nil || !known.apply(f, noon()) {
		t.Fatal(err)
	}
	for name, d := range map[string]*decoder{"fresh": new(decoder), "used": used} {
		got, err := decodeBy(d, known, message)
		if (err == nil) != (wantErr == nil) {
			t.Errorf("%s: a %s decoder says %v, encoding/json %v", message, name, err, wantErr)
		}
		if got, want := got.comparable(), want.comparable(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: a %s decoder finds\n%v, encoding/json\n%v", message, name, got, want)
		}
	}
}

// unusual reports whether a message is JSON of which the two decoders make
// different things on purpose: it is of several types, several names in an
// object are the same, or a name differs from a known one only in case, for
// which encoding/json doesn't care.
func unusual(message []byte) bool {
	if !json.Valid(message) {
		return false
	}
	var types struct{ History, Current, Event, Plugin, ReauthRequired json.RawMessage }
	if json.Unmarshal(message, &types) == nil {
		n := 0
		for _, present := range []json.RawMessage{types.History, types.Current, types.Event, types.Plugin, types.ReauthRequired} {
			if present != nil {
				n++
			}
		}
		if n > 1 {
			return true
		}
	}
	d := json.NewDecoder(bytes.NewReader(message))
	d.UseNumber()
	return strangeNames(d, slices.Concat(
		tags(reflect.TypeFor[stdFrame]()), tags(reflect.TypeFor[stdPayloadObject]()), tags(reflect.TypeFor[stdFlagsObject]()), tags(reflect.TypeFor[stdReadingObject]()),
	))
}

// strangeNames takes a value and reports whether it is unusual for its names.
func strangeNames(d *json.Decoder, known []string) bool {
	begin, _ := d.Token()
	if begin != json.Delim('{') && begin != json.Delim('[') {
		return false
	}
	var names []string
	for d.More() {
		if begin == json.Delim('{') {
			t, _ := d.Token()
			name, _ := t.(string)
			alike := func(other string) bool { return strings.EqualFold(other, name) }
			if slices.ContainsFunc(names, alike) || slices.ContainsFunc(known, alike) && !slices.Contains(known, name) {
				return true
			}
			names = append(names, name)
		}
		if strangeNames(d, known) {
			return true
		}
	}
	_, _ = d.Token()
	return false
}

// tags lists the names that a type knows, however deep.
func tags(of reflect.Type) []string {
	switch of.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return tags(of.Elem())
	case reflect.Struct:
		var list []string
		for f := range of.Fields() {
			if tag, ok := f.Tag.Lookup("json"); ok {
				list = append(list, tag)
			}
			list = append(list, tags(f.Type)...)
		}
		return list
	}
	return nil
}

// messages are some of what real servers sent, and some of what none would.
func messages(tb testing.TB) [][]byte {
	tb.Helper()
	var list [][]byte
	for _, recording := range recordings(tb) {
		for _, r := range recording {
			list = append(list, []byte(r.line))
		}
	}
	for _, text := range []string{
		sample, changed("PAUSED"), "", " ", "null", " null ", "nul", "5", `"current"`, "[]", "{}", "{", "[", "{}{}", "{} ]", "{},", "\ufeff{}",
		`{"current":null}`, `{"current":5}`, `{"current":[]}`, `{"current":{}}`, `{"event":7}`, `{"history":true}`, `{"connected":5}`,
		`{"reauthRequired":{"reason":5}}`, `{"reauthRequired":{"reason":"stale","more":[{}]}}`, `{"reauthRequired":null}`,
		`{"event":{"type":5,"payload":5}}`, `{"event":{"payload": {"a" : [1, {}]} ,"type":"x"}}`, `{"event":{"payload":null}}`,
		`{"plugin":{"plugin":"psucontrol","data":{"isPSUOn":true}}}`, `{"plugin":{"data" : "x" , "plugin":5}}`, `{"plugin":{}}`, `{"plugin":5}`, `{"plugin":{"data":null}}`,
		`{"event":{"type":"Error","payload":null}}`, `{"event":{"type":"Error","payload":{"error":["x"],"reason":"error"}}}`,
		`{"current":{"currentZ":1e999,"temps":[null,{"tool0":null,"bed":7},5,[{"bed":{}}]],"offsets":{"bed":null,"tool0":1e999,"tool1":"x"}}}`,
		`{"current":{"temps":[{"tool0":{"actual":1,"target":2},"bed":{"actual":3,"target":4}},{"tool0":{"target":5},"bed":null}]}}`,
		`{"current":{"currentZ":-0.0,"progress":{"completion":1E2,"printTime":"5","printTimeLeft":01}}}`,
		`{"current":{"state":{"flags":{"closeDOrError":true}},"temps":[{"bed":{"Actual":1}}]}}`,
		`{"current":{"state":{"flags":null}}}`, `{"current":{"state":{"flags":{}}}}`, `{"current":{"state":{"flags":[true]}}}`, `{"current":{"state":"x"}}`,
		`{"current":{"state":{"flags":{"printing":1,"paused":"true","error":true}}}}`,
		`{"current":{"job":{"filament":{"tool0":null,"tool1":5,"tool2":{"length":null,"volume":2},"length":1,"volume":2,"tool01":{}}}}}`,
		`{"current":{"job":{"file":{"name":"\u00fc\ud83d\ude00\ud800\n\/","path":"` + "\xff\u00fc" + `","display":"","origin":"\ud800\u0041"}}}}`,
		`{"c\u0075rrent":{"currentZ":5,"t\u0065mps":[{"b\u0065d":{"actual":1}}]}}`, `{"current":{"currentZ":NaN}}`, `{"current":{"job":{"user":"` + "\t" + `"}}}`,
		`{"current":` + strings.Repeat("[", 9_998) + strings.Repeat("]", 9_998) + `}`, `{"x":` + strings.Repeat("[", 9_999) + strings.Repeat("]", 9_999) + `}`,
		`{"x":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `}`, strings.Repeat(`{"current":`, 10_001), strings.Repeat("[", 1<<20),
	} {
		list = append(list, []byte(text))
	}
	return list
}

// TestDecodersAgree decodes what real servers sent, and what they can't have
// meant, in two ways.
func TestDecodersAgree(t *testing.T) {
	t.Parallel()
	for _, m := range messages(t) {
		agree(t, m)
	}
	for _, m := range wholeSamples(t) {
		agree(t, m)
	}
}

// FuzzDecoder looks for messages of which the decoder and encoding/json make
// different things.
func FuzzDecoder(f *testing.F) {
	for _, m := range messages(f) {
		if len(m) < 1<<12 {
			f.Add(m)
		}
	}
	f.Fuzz(agree)
}

// TestLastOfTheSameNameCounts: no server repeats a name, but who does it has an
// answer.
func TestLastOfTheSameNameCounts(t *testing.T) {
	t.Parallel()
	for twice, once := range map[string]string{
		`{"current":{"currentZ":1},"current":{"job":{"user":"anna"}}}`:                               `{"current":{"job":{"user":"anna"}}}`,
		`{"current":{"currentZ":1},"event":{"type":"Error","type":"Connected"}}`:                     `{"event":{"type":"Connected"}}`,
		`{"current":{"currentZ":1},"current":null}`:                                                  `{"current":{"currentZ":1}}`,
		`{"current":{"currentZ":1,"currentZ":"x"}}`:                                                  `{"current":{}}`,
		`{"current":{"job":{"user":"anna","user":5,"file":{"name":"a","name":"b"}}}}`:                `{"current":{"job":{"file":{"name":"b"}}}}`,
		`{"current":{"state":{"flags":{"printing":true,"paused":true},"flags":{"printing":false}}}}`: `{"current":{"state":{"flags":{}}}}`,
		`{"current":{"temps":[{"bed":{"actual":1,"target":2},"bed":{"target":3}}]}}`:                 `{"current":{"temps":[{"bed":{"target":3}}]}}`,
		`{"current":{"job":{"filament":{"tool0":{"length":1},"tool0":{"volume":2}}}}}`:               `{"current":{"job":{"filament":{"tool0":{"volume":2}}}}}`,
	} {
		got, err := decodeFrame([]byte(twice))
		if err != nil {
			t.Errorf("%s: %v", twice, err)
		}
		want, err := decodeFrame([]byte(once))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got.comparable(), want.comparable()) {
			t.Errorf("%s gives\n%v, want\n%v", twice, got, want)
		}
	}
}
