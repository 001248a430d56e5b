package integration

import (
	"context"
	"math"
	"time"

	"octoprint2mqtt/discovery"
	"octoprint2mqtt/octoprint"
)

// diagnosticRows show how OctoPrint, and the bridge's connection to it, fare.
func diagnosticRows() []printerRow {
	const diagnostic = discovery.CategoryDiagnostic
	return []printerRow{
		{
			key:       "firmware",
			about:     "The name of the printer's firmware; `None` while OctoPrint has no connection to the printer or doesn't know.",
			component: discovery.Component{Platform: discovery.Sensor, Name: "Firmware", Category: diagnostic, Icon: "mdi:chip"},
			value: func(v *printerView) value {
				if !v.state.Phase.Connected() {
					return unknown
				}
				return text(v.now.firmware)
			},
		},
		{
			key:       "safe_mode",
			about:     "`ON` while OctoPrint runs in safe mode, without the plugins that didn't come with it.",
			component: discovery.Component{Platform: discovery.BinarySensor, Name: "Safe mode", DeviceClass: "problem", Category: diagnostic},
			value:     whileLive(func(v *printerView) value { return v.now.safeMode }),
		},
		{
			key: "disk_free", permissions: []string{octoprint.PermissionFilesList},
			about: "The disk space that OctoPrint has left, in bytes, asked for every 10 minutes and told when it has moved by a hundredth.",
			component: discovery.Component{
				Platform: discovery.Sensor, Name: "Disk space free", DeviceClass: "data_size", Unit: "B", StateClass: "measurement",
				Category: diagnostic, Icon: "mdi:harddisk",
			},
			value: whileLive(func(v *printerView) value { return number(v.now.diskFree, 0) }),
		},
		{
			key: "missing_permissions", bridged: true,
			about:     "How many of OctoPrint's permissions the API key's user lacks that would give more rows; the attributes name them, with the rows and the group that has them.",
			component: discovery.Component{Platform: discovery.Sensor, Name: "Missing permissions", Precision: new(0), Category: diagnostic, Icon: "mdi:shield-key-outline"},
			value: func(v *printerView) value {
				if v.missing == nil || !v.reached() {
					return unknown
				}
				return count(len(v.missing.names))
			},
			attributed: func(v *printerView) string {
				if v.missing == nil {
					return "{}"
				}
				return v.missing.attributes
			},
		},
		{
			key: "reconnects", bridged: true,
			about:     "How often the session with OctoPrint was lost and came back since the bridge started.",
			component: discovery.Component{Platform: discovery.Sensor, Name: "Reconnects", StateClass: "total_increasing", Precision: new(0), Category: diagnostic, Disabled: true, Icon: "mdi:lan-pending"},
			value: func(v *printerView) value {
				if v.counters == nil {
					return unknown
				}
				return count(v.counters.reconnects())
			},
		},
		{
			key: "frame_rate", bridged: true,
			about:     "How many messages a minute OctoPrint sends, told when that has changed by a tenth.",
			component: discovery.Component{Platform: discovery.Sensor, Name: "Messages a minute", Unit: "1/min", StateClass: "measurement", Precision: new(0), Category: diagnostic, Disabled: true, Icon: "mdi:pulse"},
			value:     func(v *printerView) value { return v.frameRate },
		},
	}
}

func (c *printerCounters) reconnects() int { return int(max(c.sessions, 1) - 1) }

// rateLocked takes the rate of OctoPrint's messages, once a minute. One that has
// hardly changed is not worth a message of our own.
func (p *printer) rateLocked(now time.Time) {
	c := &p.counters
	if c.ratedAt.IsZero() {
		c.ratedAt, c.ratedFrames = now, c.frames
	}
	past := now.Sub(c.ratedAt)
	if past < time.Minute {
		return
	}
	rate := math.Round(float64(c.frames-c.ratedFrames) / past.Minutes())
	c.ratedAt, c.ratedFrames = now, c.frames
	if shown := p.view.frameRate; shown.kind == unknownValue || differs(rate, shown.number, 0.1) {
		p.view.frameRate = number(&rate, 0)
		p.observeLocked(now)
	}
}

// differs reports whether a figure is another than it was by more than a share of
// that.
func differs(is, was, share float64) bool { return is != was && math.Abs(is-was) >= share*was }

// diskEvery is how often the free space is asked for.
const diskEvery = 10 * time.Minute

// diagnosticInquiries ask how OctoPrint fares.
func diagnosticInquiries() []inquiry {
	return []inquiry{
		{
			name: "safe mode",
			ask: func(ctx context.Context, c *octoprint.Client, _ printerView) (func(*printerView), error) {
				why, err := c.SafeMode(ctx)
				if err != nil {
					return nil, err
				}
				return func(v *printerView) { v.now.safeMode = onOff(why != "") }, nil
			},
		},
		{
			name: "firmware", permission: octoprint.PermissionSystem, // without it, an event tells when the printer is connected
			ask: func(ctx context.Context, c *octoprint.Client, _ printerView) (func(*printerView), error) {
				name, err := c.Firmware(ctx)
				if err != nil || name == "" {
					return nil, err
				}
				return func(v *printerView) { v.now.firmware = name }, nil
			},
		},
		{
			name: "disk", permission: octoprint.PermissionFilesList, every: diskEvery,
			ask: func(ctx context.Context, c *octoprint.Client, v printerView) (func(*printerView), error) {
				ask := c.FilesFree
				if v.info.May(octoprint.PermissionSystem) {
					ask = c.DiskFree
				}
				free, err := ask(ctx)
				if err != nil {
					return nil, err
				}
				return func(v *printerView) { v.room(free) }, nil
			},
		},
	}
}

// room takes over how much disk space is free. That changes all the time: less than
// a hundredth is not worth telling.
func (v *printerView) room(free *float64) {
	if was := v.now.diskFree; was == nil || free == nil || differs(*free, *was, 0.01) {
		v.now.diskFree = free
	}
}
