// Command benchmark measures what the bridge costs, beside programs that do as
// little as possible with the same messages:
//
//	go run ./e2e/benchmark            all of it, in less than ten minutes
//	go run ./e2e/benchmark --quick    one round with short phases, in about one
//	go run ./e2e/benchmark profile DIR
//
// It needs Linux and the go command, and nothing else. docs/performance.md tells
// what is measured and what came out.
//
// The measuring process holds a farm of simulated OctoPrint servers (farm.go,
// frame.go) and one subscriber (watch.go), so the frame and the value that comes
// of it are seen by the same clock. The broker (broker.go) and the program under
// test (subject.go) are processes of their own, whose cost the kernel tells
// (proc.go). One program after the other runs through the same phases (turn.go),
// several times over; the table has the medians (table.go).
package main
