package integration

import (
	"context"
	"encoding/json"
	"time"

	"octoprint2mqtt/discovery"
	"octoprint2mqtt/octoprint"
)

// plateCleared reports whether the next print may begin as far as the plate is
// concerned. While it isn't known yet how a print has ended, it may not.
func (v *printerView) plateCleared() bool {
	return !v.config.PlateCheck || !v.plateUsed && v.prints.active == nil && v.prints.missed == nil
}

// printable refuses a print on a plate that something may be on.
func (v *printerView) printable() *refusal {
	if v.plateCleared() || v.running() {
		return nil // what runs is a reason of its own
	}
	return refuse(CodeWrongState, "the plate has not been cleared since the last print: empty it, then press plate_clear")
}

func plateRow() printerRow {
	return printerRow{
		key: actionPlateClear, bridged: true, access: AccessControl, action: actionPlateClear, parameters: pressed,
		about:     "Says that the plate is empty, so that the printer may be `ready` again; refused while a job runs.",
		component: discovery.Component{Platform: discovery.Button, Name: "Plate cleared", Icon: "mdi:broom"},
	}
}

func preparePlateClear(parameters json.RawMessage, v *printerView) (call, *refusal) {
	if r := decodeParameters(parameters, &struct{}{}); r != nil {
		return call{}, r
	}
	switch {
	case !v.config.PlateCheck:
		return call{}, refuse(CodeInvalid, "the configuration has no plate_check for this printer")
	case v.running():
		return call{}, refuse(CodeWrongState, "the plate can't be empty: the printer is %s", v.state.Phase)
	}
	return call{own: func(v *printerView) { v.plateUsed, v.clearedAt = false, time.Now() }}, nil
}

// plateInquiry asks whether something was printed since the plate was cleared last
// while the bridge was away. OctoPrint remembers when a file was printed last, and
// keeps the file of the last print selected.
func plateInquiry() inquiry {
	return inquiry{
		name: "plate", permission: octoprint.PermissionFilesList,
		wanted: func(v *printerView) bool { return v.config.PlateCheck && !v.plateUsed },
		ask: func(ctx context.Context, c *octoprint.Client, v printerView) (func(*printerView), error) {
			if v.state.Job.Path == "" || v.state.Job.Origin != octoprint.OriginLocal {
				return nil, nil // OctoPrint keeps no record of other storages
			}
			last, found, err := c.LastPrint(ctx, v.state.Job.Origin, v.state.Job.Path)
			if err != nil || !found || !last.Ended.After(v.clearedAt) {
				return nil, err
			}
			cleared := v.clearedAt
			return func(v *printerView) { v.plateUsed = v.plateUsed || v.clearedAt.Equal(cleared) }, nil
		},
	}
}
