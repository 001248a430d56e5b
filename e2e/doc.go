// Package e2e tests the built program from outside: against real OctoPrint servers with virtual printers, a real MQTT broker
// (mosquitto) and a real Home Assistant.
//
// The tests carry the build tag e2e, so that `go test ./...` stays offline and quick:
//
//	go test -tags e2e -count=1 -timeout 40m ./e2e/...
//
// They install what they need on first use (see README.md), start every server once, and stop them all at the end. A test looks
// like this: newFarm starts a bridge for some of the printers on a broker without retained messages, the test acts through
// Home Assistant, MQTT or OctoPrint's own interface, and then looks at one of the other two. Nothing waits for a fixed
// time: a wait ends as soon as what it waits for is seen, or fails with what was seen instead.
//
// Where to look:
//
//   - harness_main_test.go starts and stops the servers and builds the program
//   - harness_farm_test.go is the fixture that every test begins with, and what is checked at the end of each
//   - harness_mqtt_test.go records everything that goes over the broker
//   - harness_line_test.go is the network between the bridge and its neighbours, and can fail in every way
//   - harness_outage_test.go has neighbours go and come back, and compares what was before with what is afterwards
//   - versions_test.go has one scenario with every version of OctoPrint, which harness_versions_test.go starts
//   - contract_test.go lists the topics and rows that are promised
package e2e
