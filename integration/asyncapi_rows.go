package integration

import (
	"slices"

	"octoprint2mqtt/discovery"
)

// addRows adds the topics of a device's rows.
func addRows[V any](a *asyncAPI, device string, rows []row[V]) {
	for i := range rows {
		r := &rows[i]
		switch {
		case r.picture != nil:
			a.sends(a.topics.Value(device, r.key), r.about, asyncMessage{ContentType: pictureContent, Payload: schema{"type": "string", "format": "binary"}}, true)
		case r.value != nil:
			a.sends(a.topics.Value(device, r.key), r.about, asyncMessage{ContentType: plainContent, Payload: r.schema()}, true)
		}
		if r.hasAttributes() {
			a.sends(a.topics.Attributes(device, r.key), "The attributes of `"+r.key+"`.", asyncMessage{ContentType: jsonContent, Payload: schema{"type": "object"}}, true)
		}
		if r.action != "" {
			a.receives(asyncCommand{
				address: a.topics.Set(device, r.key), answers: a.topics.Response(device, r.key), about: r.about, guard: r.guard(device),
				message: asyncMessage{ContentType: plainContent, Payload: r.commandSchema()},
			})
		}
	}
}

// hasAttributes reports whether there is JSON beside the row's value or picture.
func (r *row[V]) hasAttributes() bool {
	return r.attributes != nil || r.attributed != nil || r.picture != nil
}

// guard says in sentences what a command to the row needs.
func (r *row[V]) guard(device string) string {
	if a, ok := actionNamed(r.action); ok && device == documentedPrinter {
		return a.guard()
	}
	if r.admin {
		return adminGuard
	}
	return farmGuard
}

// schema is what a row's plain value may be.
func (r *row[V]) schema() schema {
	c := &r.component
	switch {
	case c.DeviceClass == "enum":
		return enumSchema(c.Options, unknownPayload)
	case c.Heat != nil:
		return enumSchema(c.Heat.Modes, unknownPayload)
	case c.DeviceClass == "timestamp":
		return orUnknown(schema{"type": "string", "format": "date-time"})
	case c.Platform == discovery.BinarySensor, c.Platform == discovery.Switch:
		return enumSchema([]string{"ON", "OFF"}, unknownPayload)
	case c.Unit != "", c.StateClass != "", c.Precision != nil, c.Platform == discovery.Number:
		return orUnknown(schema{"type": "number"})
	}
	return schema{"type": "string", "maxLength": maxText}
}

func enumSchema(choices []string, more ...string) schema {
	return schema{"type": "string", "enum": slices.Concat(choices, more)}
}

func orUnknown(s schema) schema { return schema{"oneOf": []schema{s, {"const": unknownPayload}}} }

// commandSchema is what may be sent to a row.
func (r *row[V]) commandSchema() schema {
	c := &r.component
	switch c.Platform {
	case discovery.Button:
		return schema{"const": pressPayload}
	case discovery.Update:
		return schema{"const": installPayload}
	case discovery.Switch:
		return enumSchema([]string{"ON", "OFF"})
	case discovery.Climate:
		return enumSchema(c.Heat.Modes)
	case discovery.Number:
		return rangeSchema(*c.Min, *c.Max)
	case discovery.Text:
		return lineSchema(int(*c.Max))
	case discovery.Notify:
		return lineSchema(maxMessage)
	case discovery.Select:
		if len(c.Options) > 0 {
			return enumSchema(c.Options)
		}
	}
	return textSchema()
}
