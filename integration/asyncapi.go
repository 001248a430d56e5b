package integration

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"

	"octoprint2mqtt/discovery"
)

// AsyncAPI returns the MQTT contract as an AsyncAPI 3 document in JSON, made from
// the tables: each topic of the bridge, of the farm, and of a printer that has
// everything there is. It speaks from the bridge's side: that sends what others read,
// and receives commands.
func AsyncAPI() []byte {
	a := &asyncAPI{
		topics:     discovery.Topics{Base: discovery.DefaultBase, Prefix: discovery.DefaultPrefix},
		channels:   make(map[string]asyncChannel),
		operations: make(map[string]asyncOperation),
	}
	for _, k := range topicKinds(a.topics) {
		a.sends(k.address, k.about, asyncMessage{ContentType: k.contentType, Payload: k.payload}, k.retained)
	}
	a.bridge()
	a.farm()
	a.printer()
	return append(mustMarshalIndent(map[string]any{
		"asyncapi": "3.0.0",
		"info": map[string]any{
			"title": "octoprint2mqtt", "version": strconv.Itoa(contractVersion),
			"license": map[string]string{"name": "MIT"}, "description": asyncDescription,
		},
		"defaultContentType": jsonContent,
		"servers":            map[string]asyncServer{"broker": a.server()},
		"channels":           a.channels,
		"operations":         a.operations,
		"components": map[string]any{"messages": map[string]asyncMessage{
			"answer": {Name: "answer", Summary: "What became of a command.", ContentType: jsonContent, Payload: schemaOf[response]()},
		}},
	}), '\n')
}

const asyncDescription = "The MQTT topics of octoprint2mqtt, which brings the 3D printers of OctoPrint servers to MQTT. All are below the " +
	"base topic, octoprint2mqtt unless the configuration says otherwise. Rows and actions are those of a printer with one tool and " +
	"everything there is: further tools have the same topics as tool0, and what a printer lacks, or access and permissions don't " +
	"allow, is not there. What is unknown is the payload None, or null in JSON. Commands must not be retained."

func mustMarshalIndent(v any) []byte {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		panic(err) // it is made of texts
	}
	return text
}

// The content types of messages.
const (
	jsonContent    = "application/json"
	plainContent   = "text/plain"
	pictureContent = "image/*" // JPEG or PNG
)

// asyncAPI gathers channels and operations.
type asyncAPI struct {
	topics     discovery.Topics
	channels   map[string]asyncChannel
	operations map[string]asyncOperation
}

type asyncServer struct {
	Host        string        `json:"host"`
	Protocol    string        `json:"protocol"`
	Version     string        `json:"protocolVersion"`
	Description string        `json:"description"`
	Bindings    asyncBindings `json:"bindings"`
}

type asyncChannel struct {
	Address    string                    `json:"address"`
	Summary    string                    `json:"summary,omitempty"`
	Parameters map[string]asyncParameter `json:"parameters,omitempty"`
	Messages   map[string]any            `json:"messages"`
}

type asyncParameter struct {
	Description string `json:"description"`
}

type asyncMessage struct {
	Name        string `json:"name,omitempty"`
	Summary     string `json:"summary,omitempty"`
	ContentType string `json:"contentType"`
	Payload     schema `json:"payload"`
}

type asyncOperation struct {
	Action      string         `json:"action"` // send or receive
	Channel     asyncReference `json:"channel"`
	Summary     string         `json:"summary,omitempty"`
	Description string         `json:"description,omitempty"`
	Bindings    asyncBindings  `json:"bindings"`
	Reply       *asyncReply    `json:"reply,omitempty"`
}

type asyncReply struct {
	Channel asyncReference `json:"channel"`
}

type asyncReference struct {
	Ref string `json:"$ref"`
}

// asyncBindings are what MQTT needs to know beside, by protocol.
type asyncBindings map[string]map[string]any

func mqttBinding(facts map[string]any) asyncBindings {
	facts["bindingVersion"] = "0.2.0"
	return asyncBindings{"mqtt": facts}
}

// server is the broker, with what the bridge tells it of itself.
func (a *asyncAPI) server() asyncServer {
	return asyncServer{
		Host: "homeassistant.local:1883", Protocol: "mqtt", Version: "3.1.1",
		Description: "Your MQTT broker: mqtt.url in the configuration.",
		Bindings: mqttBinding(map[string]any{
			"clientId": discovery.DefaultBase, "cleanSession": true,
			"lastWill": map[string]any{"topic": a.topics.BridgeState(), "qos": 1, "message": offline, "retain": true},
		}),
	}
}

// onlyMessage is the name of the message of a channel; each has one.
const onlyMessage = "message"

var inBraces = regexp.MustCompile(`\{(\w+)\}`)

// channel adds a topic. Its name follows from its address.
func (a *asyncAPI) channel(address, summary string, message any) asyncReference {
	name := strings.NewReplacer("/", "_", "{", "", "}", "").Replace(strings.TrimPrefix(address, a.topics.Base+"/"))
	c := asyncChannel{Address: address, Summary: summary, Messages: map[string]any{onlyMessage: message}}
	for _, m := range inBraces.FindAllStringSubmatch(address, -1) {
		if c.Parameters == nil {
			c.Parameters = make(map[string]asyncParameter)
		}
		c.Parameters[m[1]] = asyncParameter{bracedNames()[m[1]]}
	}
	a.channels[name] = c
	return asyncReference{"#/channels/" + name}
}

// operation adds what is done with a channel.
func (a *asyncAPI) operation(o asyncOperation) {
	a.operations[o.Action+"_"+strings.TrimPrefix(o.Channel.Ref, "#/channels/")] = o
}

// sends adds a topic that the bridge publishes on.
func (a *asyncAPI) sends(address, about string, m asyncMessage, retained bool) {
	a.operation(asyncOperation{
		Action: "send", Channel: a.channel(address, about, m), Summary: about,
		Bindings: mqttBinding(map[string]any{"qos": 1, "retain": retained}),
	})
}

// asyncCommand is a topic that commands come on, and the one that answers go to.
type asyncCommand struct {
	address, answers string
	about, guard     string
	message          asyncMessage
}

func (a *asyncAPI) receives(c asyncCommand) {
	a.operation(asyncOperation{
		Action: "receive", Channel: a.channel(c.address, c.about, c.message), Summary: c.about, Description: c.guard,
		Bindings: mqttBinding(map[string]any{"qos": 1, "retain": false}),
		Reply:    &asyncReply{a.channel(c.answers, "What became of a command.", asyncReference{"#/components/messages/answer"})},
	})
}

// What commands to the bridge and to the farm need.
const (
	adminGuard = "Needs `mqtt.admin: true`."
	farmGuard  = "Needs `access: control` for any printer."
)

func (a *asyncAPI) bridge() {
	addRows(a, discovery.Bridge, bridgeRows(true))
	for _, action := range bridgeActions() {
		guard := ""
		if action.admin {
			guard = adminGuard
		}
		a.requests(discovery.Bridge, requestable{action.name, action.about, guard, action.parameters})
	}
}

func (a *asyncAPI) farm() {
	addRows(a, discovery.Farm, farmRows(true))
	for _, action := range farmActions() {
		a.requests(discovery.Farm, requestable{action.name, action.about, farmGuard, action.parameters})
	}
}

func (a *asyncAPI) printer() {
	addRows(a, documentedPrinter, documentedRows())
	for _, p := range plugins() {
		addRows(a, documentedPrinter, p.documentedRows())
	}
	for _, action := range printerActions() {
		if !action.rowOnly {
			a.requests(documentedPrinter, requestable{action.name, action.about, action.guard(), action.parameters})
		}
	}
}

// guard says in a sentence what an action needs, and while what it runs.
func (a *action) guard() string {
	text := fmt.Sprintf("Needs `access: %s`", a.level())
	if len(a.permissions) > 0 {
		text += " and of OctoPrint " + strings.Join(a.permissions, ", ")
	}
	return text + ". Runs while: " + a.runs() + "."
}

// requestable is an action that can be requested.
type requestable struct {
	name, about, guard string
	parameters         []parameter
}

// requests adds the topic of an action.
func (a *asyncAPI) requests(device string, r requestable) {
	properties := schema{"transaction": schema{
		"type": []string{"string", "number", "null"}, "description": "Comes back in the answer. The same again within a minute is refused.",
	}}
	payload := schema{"type": "object", "properties": properties, "additionalProperties": false}
	var required []string
	for _, p := range r.parameters {
		s := schema{"description": p.about}
		maps.Copy(s, p.schema)
		properties[p.name] = s
		if p.required {
			required = append(required, p.name)
		}
	}
	if required != nil {
		payload["required"] = required
	}
	a.receives(asyncCommand{
		address: a.topics.Request(device, r.name), answers: a.topics.Response(device, r.name), about: r.about, guard: r.guard,
		message: asyncMessage{ContentType: jsonContent, Payload: payload},
	})
}
