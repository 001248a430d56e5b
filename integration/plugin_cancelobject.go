package integration

import (
	"context"
	"encoding/json"
	"html"
	"slices"
	"strconv"
	"strings"
	"time"

	"octoprint2mqtt/discovery"
	"octoprint2mqtt/octoprint"
)

const (
	cancelObjectID = "cancelobject"
	cancelObject   = "cancel_object" // the action of the row of the same name

	// noObject is the state of the select: there is nothing to undo.
	noObject = "-"
)

// cancelObjectPlugin is the plugin that can leave out one of the objects of a running
// print. Objects are numbered anew when a file is selected and when a print starts.
// The plugin tells of them then, but not that one was cancelled. Tried with 0.6.3.
func cancelObjectPlugin() plugin {
	return plugin{
		id: cancelObjectID, name: "Cancel Objects", verified: true,
		remark: "The objects of the selected file, and a select that cancels one of those still to be printed, while a job runs " +
			"and for good. Its own state is always `-`. Objects are not offered whose names the plugin doesn't find again in the print: " +
			"those with letters beyond ASCII, with a semicolon, or with a space at either end.",
		rows:     func(*printerView) []printerRow { return objectRows() },
		received: receiveObjects, document: objectsDocument,
		actions: []action{{
			name: cancelObject, about: "Leaves an object out of the running print, for good.",
			permissions: []string{octoprint.PermissionPrint}, rowOnly: true, prepare: prepareCancelObject,
			runsIn: []octoprint.Phase{octoprint.PhasePrinting, octoprint.PhasePausing, octoprint.PhasePaused, octoprint.PhaseResuming},
		}},
		inquiries: []inquiry{{name: cancelObjectID, ask: askObjects}},
	}
}

// object is one of the objects that a file prints.
type object struct {
	id        int
	name      string
	cancelled bool
}

// objects are those of the selected file. They are never changed.
type objects struct {
	list    []object
	options []string  // noObject, then those that may be cancelled
	offered []object  // what options stand for, without the first
	active  string    // the name of the one that is printed, as far as it is known
	since   time.Time // when these objects came in place of others
}

// wireObject is an object as the plugin tells it. What is ignored stands for parts of
// the G-code that are no objects.
type wireObject struct {
	ID        loose
	Object    string
	Cancelled bool
	Ignore    bool
}

func newObjects(wire []wireObject, active string) *objects {
	o := &objects{active: active}
	names := []string{noObject}
	for _, w := range wire {
		id, err := strconv.Atoi(string(w.ID))
		if w.Ignore || w.Object == "" || err != nil {
			continue
		}
		one := object{id: id, name: objectName(w.Object), cancelled: w.Cancelled}
		o.list = append(o.list, one)
		if !one.cancelled && comesBack(w.Object) {
			o.offered, names = append(o.offered, one), append(names, one.name)
		}
	}
	o.options = optionNames(names)
	return o
}

// comesBack reports whether OctoPrint hands the name to the plugin as it stands in the
// file, as the beginning of an object: it cuts off what looks like a comment. Else the
// plugin doesn't know the object, and prints it even if it was cancelled.
func comesBack(name string) bool {
	return !strings.Contains(name, ";") && strings.TrimSpace(name) == name
}

// objectName undoes that the plugin writes everything beyond ASCII as in a web page.
func objectName(name string) string { return clean(html.UnescapeString(name)) }

func objectRows() []printerRow {
	of := func(figure func(*objects, *printerView) value) func(*printerView) value {
		return func(v *printerView) value {
			if o := pluginState[*objects](v, cancelObjectID); o != nil {
				return figure(o, v)
			}
			return unknown
		}
	}
	return []printerRow{
		{
			key:       "objects",
			about:     "How many objects the selected file has.",
			component: discovery.Component{Platform: discovery.Sensor, Name: "Objects", StateClass: "measurement", Icon: "mdi:shape-plus"},
			value:     of(func(o *objects, _ *printerView) value { return count(len(o.list)) }),
		},
		{
			key:       "current_object",
			about:     "The name of the object that is printed; `None` without a job or where the plugin doesn't say. It stays while the next one is left out, or is one that the plugin doesn't find again.",
			component: discovery.Component{Platform: discovery.Sensor, Name: "Current object", Icon: "mdi:cube-scan"},
			value: of(func(o *objects, v *printerView) value {
				if !v.running() {
					return unknown
				}
				return text(o.active)
			}),
		},
		{
			key:       cancelObject,
			about:     "Leaves the chosen object out of the running print, for good; it offers those that are still to be printed and that the plugin can cancel, and always shows `-`.",
			component: discovery.Component{Platform: discovery.Select, Name: "Cancel object", Icon: "mdi:cube-off-outline"},
			value:     of(func(*objects, *printerView) value { return text(noObject) }),
			options: func(v *printerView) []string {
				if o := pluginState[*objects](v, cancelObjectID); o != nil {
					return o.options
				}
				return []string{noObject}
			},
			access: AccessControl, permissions: []string{octoprint.PermissionPrint},
			action: cancelObject,
			parameters: func(payload string) (json.RawMessage, *refusal) {
				return encodeParameters(objectParameters{Object: payload}), nil
			},
		},
	}
}

// objectParameters are what the select stands for.
type objectParameters struct {
	Object string `json:"object"` // an option
}

// prepareCancelObject cancels an object for good. The plugin is asked first whether it
// still has that object and hasn't cancelled it: what was told of it may be of an
// earlier print.
func prepareCancelObject(parameters json.RawMessage, v *printerView) (call, *refusal) {
	var p objectParameters
	if r := decodeParameters(parameters, &p); r != nil {
		return call{}, r
	}
	o := pluginState[*objects](v, cancelObjectID)
	if o == nil {
		return call{}, notKnown(v, "which objects there are")
	}
	i := slices.Index(o.options, p.Object)
	switch {
	case i == 0:
		return call{}, refuse(CodeInvalid, "%s is no object; the select lists those that can be cancelled", noObject)
	case i < 0:
		return call{}, refuse(CodeInvalid, "there is no object %s that can be cancelled", quote(p.Object))
	}
	wanted := o.offered[i-1]
	ready := sending(func(ctx context.Context, c *octoprint.Client) error {
		now, err := listObjects(ctx, c)
		switch {
		case err != nil:
			return err
		case !slices.Contains(now.offered, wanted):
			return refuse(CodeWrongState, "the print has no object %s any more that could be cancelled", quote(wanted.name))
		}
		return c.PluginCommand(ctx, cancelObjectID, "cancel", map[string]any{"cancelled": wanted.id}, nil)
	})
	ready.asks, ready.since = cancelObjectID, o.since
	return ready, nil
}

// listObjects asks for the objects. It is a command, which changes nothing: what the
// plugin answers to a plain question is an error.
func listObjects(ctx context.Context, c *octoprint.Client) (*objects, error) {
	var answer struct{ List []wireObject }
	if err := c.PluginCommand(ctx, cancelObjectID, "objlist", nil, &answer); err != nil {
		return nil, err
	}
	return newObjects(answer.List, ""), nil
}

func askObjects(ctx context.Context, c *octoprint.Client, _ printerView) (func(*printerView), error) {
	o, err := listObjects(ctx, c)
	if err != nil {
		return nil, err
	}
	return func(v *printerView) { v.withObjects(o) }, nil
}

// withObjects takes in a list. It doesn't say which object is printed.
func (v *printerView) withObjects(o *objects) {
	next := *o
	next.since = time.Now()
	if was := pluginState[*objects](v, cancelObjectID); was != nil {
		if len(o.list) > 0 {
			next.active = was.active
		}
		if slices.EqualFunc(o.list, was.list, func(a, b object) bool { return a.id == b.id && a.name == b.name }) {
			next.since = was.since
		}
	}
	v.withState(cancelObjectID, &next)
	v.offerAnew()
}

// receiveObjects takes in a list of objects, or the one that is printed now: by its
// number and, where the plugin shows it in OctoPrint's header, by its name.
func receiveObjects(_ string, message json.RawMessage) func(*printerView) {
	m, ok := decodeMessage[struct {
		Objects  *[]wireObject
		ActiveID loose
		Active   string `json:"navBarActive"`
	}](message)
	if !ok {
		return nil
	}
	id, err := strconv.Atoi(string(m.ActiveID))
	switch {
	case m.Objects != nil:
		o := newObjects(*m.Objects, "")
		return func(v *printerView) { v.withObjects(o) }
	case err == nil:
		return func(v *printerView) {
			if o := pluginState[*objects](v, cancelObjectID); o != nil {
				if i := slices.IndexFunc(o.list, func(one object) bool { return one.id == id }); i >= 0 {
					v.withState(cancelObjectID, o.at(o.list[i].name))
				}
			}
		}
	case m.Active != "":
		name := objectName(m.Active)
		if strings.EqualFold(name, "none") {
			name = ""
		}
		return func(v *printerView) {
			if o := pluginState[*objects](v, cancelObjectID); o != nil {
				v.withState(cancelObjectID, o.at(name))
			}
		}
	}
	return nil
}

func (o *objects) at(name string) *objects {
	next := *o
	next.active = name
	return &next
}

// objectDoc is what a printer's document has of an object.
type objectDoc struct {
	ID        int    `json:"id"`
	Name      string `json:"name"`
	Cancelled bool   `json:"cancelled"`
}

func objectsDocument(d *device[*printerView], v *printerView) any {
	doc := struct {
		Current value       `json:"current"`
		Objects []objectDoc `json:"objects"`
	}{Current: d.get("current_object"), Objects: []objectDoc{}}
	if o := pluginState[*objects](v, cancelObjectID); o != nil {
		for _, one := range o.list {
			doc.Objects = append(doc.Objects, objectDoc{one.id, one.name, one.cancelled})
		}
	}
	return doc
}
