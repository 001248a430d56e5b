// Package discovery describes devices to Home Assistant as it reads them from
// MQTT: which topics there are, what an entity's configuration looks like, and
// what Home Assistant would refuse or misunderstand about it.
//
// The package is values and text only. It opens no connection, starts no
// goroutine, keeps no state and knows neither OctoPrint nor an MQTT client, so
// everything in it is safe for concurrent use.
//
//   - [Topics] spells every topic and every identifier, and reads them back.
//   - [Component] is one entity or one device trigger, [Document] is one device
//     with all its components: the payload of the retained message at
//     [Topics.Config].
//   - [Document.Validate] reports all that is wrong with a document. Home
//     Assistant itself says little: an unknown key is dropped without a word,
//     a wrong unit costs one entity, a wrong key at the top the whole device.
//
// To announce a device, publish its document retained, wait half a second,
// then publish its states. To take one component away, publish the document
// with that component moved from Components to Stubs while Home Assistant is
// up; merely leaving it out removes nothing. To take the device away, publish
// an empty retained message to the same topic.
//
// # Decisions
//
// States are plain values on a topic of their own, so there is exactly one
// template, a constant ([EventTypeTemplate]); nothing that comes from a printer
// can become one.
//
// Documents ask for QoS 1, so that no state is lost on its way to Home
// Assistant. Components that take commands are pinned to QoS 0, because Home
// Assistant resends queued QoS 1 commands after it reconnects, and a command to
// a printer must not run late.
//
// Whatever accepts a value must also report it: without a state topic Home
// Assistant would show the value that it sent as if the printer had taken it.
// Only a text may do without, as a line to type into.
package discovery
