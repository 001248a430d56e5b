// Package integration joins OctoPrint servers with an MQTT broker: printers, the
// farm and the bridge as devices, their values as retained topics, commands back.
//
// # From OctoPrint to MQTT
//
// A printer's session calls the [printer] for each message of the push socket.
// The printer keeps the state, lets the [tracker] tell events from it, and has
// its [device] evaluate the rows of its table. What changed, and is worth telling
// by the row's noise rule, goes into the [outbox]. None of this blocks or queues:
// the outbox holds one payload per topic. The [broker] publishes what differs
// from what the broker is known to have.
//
//	octoprint.Session.Serve ─► printer ─► device ─► outbox ─► broker.serve
//	                              │                  ▲
//	                              └─► tracker (events), farm
//
// # From MQTT to OctoPrint
//
// The MQTT library's callback only queues the message. The router checks what can
// be checked at once and hands the command to the printer's worker, which carries
// out one at a time, in order, after looking at the printer's state once more.
// Emergency stops and targets of 0 go past that queue. Every command is answered.
//
//	broker ─► Bridge.routeAll ─► printer.queue ─► printer.work ─► octoprint.Client
//	                        └──► printer.hurry ─────────────────────────┘
//
// # Goroutines
//
// [Bridge.Run] starts all of them and waits for them: the journal, the broker's
// loop, the router, what is spawned (urgent commands, questions about missed
// prints, documents to encode), the clock that ticks each second, and the
// [supervisor], which starts one for each printer, for its [sessions], and ends it
// when the configuration has changed. A printer that has commands waiting has one
// more, its worker.
//
// Locks are taken in this order: printer, farm, bridge, outbox and journal. None
// is held while something is sent.
//
// # What is on the broker
//
// The outbox has what should be there. What an earlier run has left is found by the
// [sweep]; what Home Assistant has to forget is remembered in each device's
// [announcement]; and [rivals] sees to it that nobody else publishes the same.
//
// # Adding things
//
// An entity is one [row] in one of the rows_*.go files. An action is one line of
// printerActions. Topics, ids, discovery, guards and answers follow from those.
package integration
