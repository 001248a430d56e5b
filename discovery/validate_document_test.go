package discovery

import "testing"

func TestDocumentRules(t *testing.T) {
	t.Parallel()
	for name, tt := range documentRules() {
		d := printerDocument()
		tt.change(&d)
		wantErrors(t, name, d.Validate(), tt.want...)
	}
}

type documentRule struct {
	change func(*Document)
	want   []string
}

func documentRules() map[string]documentRule {
	return map[string]documentRule{
		"no identifier":  {func(d *Document) { d.Device.Identifier = "" }, []string{`device: identifier ""`}},
		"identifier":     {func(d *Document) { d.Device.Identifier = "a.b" }, []string{`device: identifier "a.b"`}},
		"no via device":  {func(d *Document) { d.Device.ViaDevice = "" }, nil},
		"via device":     {func(d *Document) { d.Device.ViaDevice = "a b" }, []string{`device: via device "a b"`}},
		"via itself":     {func(d *Document) { d.Device.ViaDevice = d.Device.Identifier }, []string{"its own via device"}},
		"no device name": {func(d *Document) { d.Device.Name = "" }, []string{"after the broker"}},
		"device name":    {func(d *Document) { d.Device.Name = "a\n" }, []string{`device: "a\n"`}},
		"device model":   {func(d *Document) { d.Device.Model = "a\x00" }, []string{`device: "a\x00"`}},
		"short URL":      {func(d *Document) { d.Device.ConfigurationURL = "octopi.local" }, []string{"not a full http"}},
		"other scheme":   {func(d *Document) { d.Device.ConfigurationURL = "ftp://octopi.local" }, []string{"not a full http"}},
		"no host":        {func(d *Document) { d.Device.ConfigurationURL = "http://:5000/" }, []string{"not a full http"}},
		"no URL":         {func(d *Document) { d.Device.ConfigurationURL = "http://a b/" }, []string{"is not a URL"}},
		"password":       {func(d *Document) { d.Device.ConfigurationURL = "http://a:b@c/" }, []string{"user or password"}},
		"query":          {func(d *Document) { d.Device.ConfigurationURL = "http://c/?apikey=x" }, []string{"has a query"}},
		"no origin":      {func(d *Document) { d.Origin.Name = "" }, []string{"origin: no name"}},
		"origin text":    {func(d *Document) { d.Origin.SWVersion = "1\n" }, []string{"origin: "}},
		"origin URL":     {func(d *Document) { d.Origin.URL = "example.org" }, []string{"origin: URL"}},
		"availability":   {func(d *Document) { d.Availability = []string{"a/+"} }, []string{"wildcard"}},
		"twice":          {func(d *Document) { d.Availability = []string{"a", "a"} }, []string{"occurs twice"}},
		"no components":  {func(d *Document) { d.Components, d.Stubs = nil, nil }, []string{"no components"}},
		"stubs alone":    {func(d *Document) { d.Components = nil }, nil},
		"unknown stub":   {func(d *Document) { d.Stubs["a"] = "light" }, []string{`stub "a": unknown platform "light"`}},
		"stub too":       {func(d *Document) { d.Stubs["state"] = Sensor }, []string{`stub "state": is a component too`}},
		"key": {func(d *Document) {
			d.Components["a-b"] = Trigger("a/event", "a", "b")
		}, []string{`component "a-b": key`}},
		"component": {func(d *Document) {
			d.Components["a"] = with(Trigger("a/event", "a", "b"), func(c *Component) { c.Payload, c.Icon = "a", "mdi:a" })
		}, []string{`component "a": device_automation has no option ic`}},
		"unique ids": {func(d *Document) {
			d.Components["state"] = with(d.Components["state"], func(c *Component) {
				c.UniqueID = d.Components["preset"].UniqueID
			})
		}, []string{`components "preset" and "state" have the same unique id`}},
		"entity ids": {func(d *Document) {
			d.Components["state"] = with(d.Components["state"], func(c *Component) {
				c.DefaultEntityID = d.Components["progress"].DefaultEntityID
			})
		}, []string{`components "progress" and "state" have the same default entity id`}},
		"triggers": {func(d *Document) {
			d.Components["a"] = Trigger("another/event", "print_started", "printer")
		}, []string{`components "a" and "trigger_print_started" have the same trigger`}},
		"device's name": {func(d *Document) {
			d.Components["state"] = with(d.Components["state"], func(c *Component) { c.Name = "PRUSA left state" })
		}, []string{`begins with the device's name`}},
	}
}
