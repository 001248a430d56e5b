// Package octoprinttest simulates an OctoPrint server with the printer behind it, for tests and demonstrations.
//
// A [Server] is an http.Handler. It answers the parts of OctoPrint's REST interface that a monitoring and
// controlling client uses, and serves the push socket at /sockjs/websocket. [Server.Run] is its clock: heating,
// printing and the push frames happen only while Run runs.
//
//	sim := octoprinttest.New(octoprinttest.Options{})
//	sim.AddFile(octoprinttest.File{Path: "benchy.gcode", PrintTime: time.Hour, ToolTarget: 205, BedTarget: 60})
//	go sim.Run(ctx)
//	sim.Print("benchy.gcode")
//
// There are three groups of methods beside the handler: what a person at the printer does ([Server.Print],
// [Server.FirmwareError], …), what the surroundings of the server do ([Server.DropSockets], [Server.SetProxyPage],
// …), and what a test wants to know ([Server.Requests], [Server.Sockets]).
//
// A [Listener] connects a client to the simulation without a network: its connections are pairs of net.Pipe, so a
// whole conversation runs inside a testing/synctest bubble on its fake clock.
//
// The simulation follows what was recorded from real servers: status codes and their order, bodies, the order of
// events, and also what is inconvenient about them. [Options.Version] selects the release whose behaviour is shown.
// The contract suite in this package's tests runs the same checks against the simulation and a real server.
package octoprinttest
