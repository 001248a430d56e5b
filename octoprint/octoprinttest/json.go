package octoprinttest

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
)

// object is a JSON object whose shape depends on the release or the moment.
type object = map[string]any

// float is encoded as Python does it: whole numbers keep their ".0", so a client that expects an integer stumbles
// here just as it would in life.
type float float64

// MarshalJSON implements json.Marshaler.
func (f float) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(f)) || math.IsInf(float64(f), 0) {
		return []byte("null"), nil
	}
	b := strconv.AppendFloat(nil, float64(f), 'f', -1, 64)
	if !strings.ContainsRune(string(b), '.') {
		b = append(b, '.', '0')
	}
	return b, nil
}

func seconds(d time.Duration) float { return float(d.Seconds()) }

// epoch is a point in time as OctoPrint writes it in its frames.
func epoch(t time.Time) float { return float(float64(t.UnixMicro()) / 1e6) }

// encode is for values built in this package: they always encode.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("octoprinttest: " + err.Error())
	}
	return b
}

// orNull is nil for the zero value of T.
func orNull[T comparable](v T) any {
	var zero T
	if v == zero {
		return nil
	}
	return v
}
