//go:build !race

package integration

// raceDetector says that everything takes five times as long.
const raceDetector = false
