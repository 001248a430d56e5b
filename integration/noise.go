package integration

import (
	"math"
	"time"
)

// A noise rule decides whether a changed value is worth telling. It is asked
// only when shown and next are both known and differ: that a value becomes known
// or unknown is always told at once. A value that is held back is asked about
// again with every message of the printer and every second.
type noise func(c candidate) bool

// candidate is a value that waits to be shown.
type candidate struct {
	shown, next value
	shownAt     time.Time // when the shown value was published
	steadyAt    time.Time // since when next has not moved by more than the row's slack
	now         time.Time
}

// slack is how far a temperature may move and still count as steady: 0.1 °C,
// and a little for what binary numbers make of tenths.
const slack = 0.11

// temperature tells steps of half a degree, and where a value has settled.
func temperature(c candidate) bool {
	return math.Abs(c.next.number-c.shown.number) >= 0.5 || c.now.Sub(c.steadyAt) >= 10*time.Second
}

// percentage tells a progress every 30 s and at the end, and at once where it has
// fallen so far that it is another print's or was never right.
func percentage(c candidate) bool {
	return c.next.number >= 100 || c.shown.number-c.next.number > 10 || c.now.Sub(c.shownAt) >= 30*time.Second
}

// everyMinute tells a value at most once a minute.
func everyMinute(c candidate) bool { return c.now.Sub(c.shownAt) >= time.Minute }

// finishing tells a time to come when it is off by more than a minute and by
// more than a hundredth of the time that is left.
func finishing(c candidate) bool {
	left := c.next.number - float64(c.now.Unix())
	return math.Abs(c.next.number-c.shown.number) > max(60, left/100)
}
