package integration

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	checkTimeout  = 40 * time.Second // of one subject, of which most take a second
	checkedAtOnce = 16
)

// The subjects of findings that are no printer.
const (
	SubjectBroker        = "broker"
	SubjectHomeAssistant = "homeassistant"
)

// Check tries the broker and every printer of a configuration and explains what it
// finds. It changes nothing that lasts. The broker comes first, then Home Assistant,
// then the printers in the order of the configuration.
func Check(ctx context.Context, c Config) []Finding {
	var broker []Finding
	printers := make([]checkedPrinter, len(c.Printers))
	var all sync.WaitGroup
	slots := make(chan struct{}, checkedAtOnce)
	check := func(f func(context.Context)) {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			ctx, cancel := context.WithTimeout(ctx, checkTimeout)
			defer cancel()
			f(ctx)
		})
	}
	check(func(ctx context.Context) { broker = checkBroker(ctx, c) })
	for i := range c.Printers {
		check(func(ctx context.Context) { printers[i] = checkPrinter(ctx, &c.Printers[i]) })
	}
	all.Wait()
	findTwins(printers)
	for _, p := range printers {
		broker = append(broker, p.list...)
	}
	return broker
}

// CheckBroker tries the broker alone, as [Check] does.
func CheckBroker(ctx context.Context, c Config) []Finding {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	return checkBroker(ctx, c)
}

// findTwins tells of printers that are one OctoPrint. Its configuration, keys and
// secrets included, gives it away whatever the address is.
func findTwins(printers []checkedPrinter) {
	same := make(map[string][]string)
	for _, p := range printers {
		if p.config != "" {
			same[p.config] = append(same[p.config], p.subject)
		}
	}
	for i := range printers {
		p := &printers[i]
		others := slices.DeleteFunc(slices.Clone(same[p.config]), func(id string) bool { return id == p.subject })
		if len(others) == 0 {
			continue
		}
		p.add(LevelWarning, "twins", fmt.Sprintf("this is the same OctoPrint as %s, under another address", strings.Join(others, " and ")),
			"one printer would be two devices, and what is printed on it would count twice",
			"remove all but one of these entries; if these really are two printers, one of which got a copy of the other's SD card, change any setting of one of them, such as its name")
	}
}
