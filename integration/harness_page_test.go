package integration

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"octoprint2mqtt/discovery"
)

// exampleID is the id of the printer that stands for all in the pages of docs.
const exampleID = "left"

// pageTopic leaves the base topic out.
func pageTopic(topic string) string {
	topic = strings.TrimPrefix(topic, discovery.DefaultBase+"/")
	return strings.NewReplacer(documentedPrinter, exampleID).Replace(topic)
}

// tableOf begins a table in Markdown.
func tableOf(head ...string) *pageTable {
	t := &pageTable{}
	t.row(head...)
	t.b.WriteString(strings.Repeat("|---", len(head)) + "|\n")
	return t
}

type pageTable struct{ b strings.Builder }

func (t *pageTable) row(cells ...string) {
	t.b.WriteString("|")
	for _, c := range cells {
		if c == "" {
			t.b.WriteString(" |")
			continue
		}
		t.b.WriteString(" " + strings.ReplaceAll(c, "|", `\|`) + " |")
	}
	t.b.WriteString("\n")
}

// String is the table without the end of its last line, which is the template's.
func (t *pageTable) String() string { return strings.TrimSuffix(t.b.String(), "\n") }

func code(words ...string) string {
	if len(words) == 0 {
		return ""
	}
	return "`" + strings.Join(words, " ") + "`"
}

func topicTable() string {
	t := tableOf("topic", "retained", "payload", "")
	for _, k := range topicKinds(discovery.Topics{Base: discovery.DefaultBase, Prefix: discovery.DefaultPrefix}) {
		kind := "JSON"
		if k.contentType == plainContent {
			kind = fmt.Sprintf("`%s`", strings.Join(k.payload["enum"].([]string), "` or `"))
		}
		t.row(code(pageTopic(k.address)), yesNo(k.retained), kind, k.about)
	}
	return t.String()
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func pluginSections() string {
	var b strings.Builder
	for _, p := range plugins() {
		fmt.Fprintf(&b, "### %s\n\n`%s`", p.name, p.id)
		if !p.verified {
			b.WriteString(", written after the plugin's code and not yet seen with a running one")
		}
		b.WriteString(". " + p.remark + "\n\n")
		if rows := p.documentedRows(); rows != nil {
			b.WriteString(rowTableOf(exampleID, rows) + "\n\n")
		}
	}
	return strings.TrimSuffix(b.String(), "\n\n")
}

func rowTableOf[V any](device string, rows []row[V]) string {
	t := tableOf("topics", "what it is", "entity in Home Assistant", "access", "permission", "remarks")
	for i := range rows {
		r := &rows[i]
		t.row(rowTopics(device, r), r.about, rowEntity(r), accessOf(r.access), strings.Join(r.permissions, " "), rowRemarks(r))
	}
	return t.String()
}

// rowTopics are those that are the row's own.
func rowTopics[V any](device string, r *row[V]) string {
	var list []string
	name := device + "/" + r.key
	if r.value != nil || r.picture != nil || r.topic != nil {
		list = append(list, code(name))
	}
	if r.hasAttributes() {
		list = append(list, "`…/attributes`")
	}
	switch {
	case r.action != "" && len(list) == 0:
		list = append(list, code(name+"/set"))
	case r.action != "":
		list = append(list, "`…/set`")
	}
	return strings.Join(list, " ")
}

// rowEntity says what Home Assistant shows.
func rowEntity[V any](r *row[V]) string {
	c := &r.component
	parts := []string{c.Name, string(c.Platform)}
	for _, s := range []string{c.DeviceClass, c.Unit} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	if c.Min != nil && c.Max != nil {
		parts = append(parts, fmt.Sprintf("%v … %v", *c.Min, *c.Max))
	}
	values := c.Options
	if c.Heat != nil {
		values = c.Heat.Modes
	}
	if len(values) > 0 {
		parts = append(parts, code(values...))
	}
	return strings.Join(parts, ", ")
}

func accessOf(a Access) string {
	if a == "" {
		a = AccessRead
	}
	return string(a)
}

func rowRemarks[V any](r *row[V]) string {
	var remarks []string
	if r.component.Category != "" {
		remarks = append(remarks, r.component.Category)
	}
	if r.component.Disabled {
		remarks = append(remarks, "off")
	}
	if r.bridged {
		remarks = append(remarks, "bridge")
	}
	if r.admin {
		remarks = append(remarks, "`mqtt.admin`")
	}
	return strings.Join(remarks, ", ")
}

// parameterList says what parameters there are: those that may be left out in
// brackets.
func parameterList(list []parameter) string {
	var texts []string
	for _, p := range list {
		name := code(p.name)
		if !p.required {
			name = "[" + name + "]"
		}
		texts = append(texts, name+" "+schemaText(p.schema)+": "+p.about)
	}
	return strings.Join(texts, "<br>")
}

func schemaText(s schema) string {
	text := fmt.Sprint(s["type"])
	if values, ok := s["enum"].([]string); ok {
		return "`" + strings.Join(values, "` or `") + "`"
	}
	if items, ok := s["items"].(schema); ok {
		text = fmt.Sprintf("list of %s, %v at most", schemaText(items), s["maxItems"])
	}
	if low, ok := s["minimum"]; ok {
		text += fmt.Sprintf(" from %v to %v", low, s["maximum"])
	}
	if longest, ok := s["maxLength"]; ok {
		text += fmt.Sprintf(" of up to %v characters", longest)
	}
	return text
}

// printerActionTable has the actions that can be requested from a level of access on.
func printerActionTable(access Access) string {
	t := tableOf("action", "what it does", "parameters", "permissions", "runs while")
	for _, a := range printerActions() {
		if !a.rowOnly && a.level() == access {
			t.row(code(a.name), a.about, parameterList(a.parameters), strings.Join(a.permissions, " "), a.runs())
		}
	}
	return t.String()
}

// rowActionTable has what commands to rows do that can't be requested, by rows.
func rowActionTable() string {
	rows := documentedRows()
	for _, p := range plugins() {
		rows = append(rows, p.documentedRows()...)
	}
	t := tableOf("rows", "what a command does", "runs while")
	for _, a := range printerActions() {
		if !a.rowOnly {
			continue
		}
		var keys []string
		for _, r := range rows {
			if name := code(r.key); r.action == a.name && !slices.Contains(keys, name) {
				keys = append(keys, name)
			}
		}
		if len(keys) == 0 {
			keys = append(keys, "those of another plugin")
		}
		t.row(strings.Join(keys, " "), a.about, a.runs())
	}
	return t.String()
}

func farmActionTable() string {
	t := tableOf("action", "what it does", "parameters")
	for _, a := range farmActions() {
		t.row(code("farm/request/"+a.name), a.about, parameterList(a.parameters))
	}
	return t.String()
}

func bridgeActionTable(admin bool) string {
	t := tableOf("action", "what it does", "parameters")
	for _, a := range bridgeActions() {
		if a.admin == admin {
			t.row(code("bridge/request/"+a.name), a.about, parameterList(a.parameters))
		}
	}
	return t.String()
}

func codeTable() string {
	t := tableOf("error code", "what it means")
	for _, k := range codes() {
		t.row(code(string(k.code)), k.about)
	}
	return t.String()
}

func eventTable() string {
	t := tableOf("event_type", "when")
	for _, k := range eventKinds() {
		t.row(code(string(k.typ)), k.about)
	}
	return t.String()
}

func lifecycleTable() string {
	t := tableOf("type", "when")
	for _, k := range lifecycleKinds() {
		t.row(code(k.typ), k.about)
	}
	return t.String()
}

// documentTexts shows the shape of each document, with the types of what it has.
func documentTexts() string {
	var b strings.Builder
	for _, d := range []struct {
		topic string
		of    reflect.Type
	}{
		{exampleID, reflect.TypeFor[printerDoc]()},
		{discovery.Farm, reflect.TypeFor[farmDoc]()},
		{"bridge/info", reflect.TypeFor[infoDoc]()},
		{"bridge/health", reflect.TypeFor[healthDoc]()},
		{"bridge/event", reflect.TypeFor[lifecycleDoc]()},
	} {
		fmt.Fprintf(&b, "%s  %s\n", d.topic, shapeText(d.of, len(d.topic)+3))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// shapeText renders a Go type as the JSON that it becomes: the keys, one line for
// each object of many.
func shapeText(t reflect.Type, indent int) string {
	switch {
	case t == reflect.TypeFor[value](), t == reflect.TypeFor[json.RawMessage]():
		return ""
	case t.Kind() == reflect.Pointer:
		return shapeText(t.Elem(), indent)
	case t.Kind() == reflect.Slice:
		if inner := shapeText(t.Elem(), indent+1); inner != "" {
			return "[" + inner + ", …]"
		}
		return "[…]"
	case t.Kind() == reflect.Map:
		if inner := shapeText(t.Elem(), indent+1); inner != "" {
			return `{"…":` + inner + ", …}"
		}
		return "{…}"
	case t.Kind() != reflect.Struct:
		return ""
	}
	var b strings.Builder
	width := 0
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		text := `"` + name + `"`
		if inner := shapeText(f.Type, indent+len(text)+2); inner != "" {
			text += ":" + inner
		}
		if b.Len() > 0 {
			b.WriteString(",")
			if width += len(name) + 3; width > 80 || len(text) > len(name)+2 && strings.Contains(text, "{\"") {
				b.WriteString("\n" + strings.Repeat(" ", indent))
				width = 0
			}
		}
		b.WriteString(text)
	}
	return "{" + b.String() + "}"
}
