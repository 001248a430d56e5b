package integration

import "encoding/json"

// notificationPlugin tells what a firmware wants people to know, as an event. It is
// bundled with OctoPrint.
func notificationPlugin() plugin {
	return plugin{
		id: "action_command_notification", name: "Action command notification", verified: true, bundled: true,
		remark: "Bundled with OctoPrint. What the printer wants people to know is the event `message`.",
		received: func(_ string, message json.RawMessage) func(*printerView) {
			m, ok := decodeMessage[struct{ Message string }](message)
			if !ok || clean(m.Message) == "" {
				return nil // the list was cleared
			}
			return func(v *printerView) { v.tell(EventMessage, m.Message) }
		},
	}
}
