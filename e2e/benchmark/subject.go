package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// subject is a program under test.
type subject struct {
	name string
	// raw programs publish OctoPrint's messages as they are.
	raw bool
	// loadOnly programs are measured under load and no further.
	loadOnly bool
	// command returns how to run it against a broker and a farm. It may write what
	// the program needs into a folder of its own.
	command func(folder, broker string, f *farm) ([]string, error)
}

// bridge is the real program, with a configuration file and a folder for its
// state.
func bridge(program string) subject {
	return subject{name: "bridge", command: func(folder, broker string, f *farm) ([]string, error) {
		file := filepath.Join(folder, "config.yaml")
		if err := os.WriteFile(file, configuration(broker, f), 0o600); err != nil {
			return nil, err
		}
		return []string{program, "run", "--config", file}, nil
	}}
}

func configuration(broker string, f *farm) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "mqtt: {url: \"mqtt://%s\"}\nprinters:\n", broker)
	for i, p := range f.printers {
		fmt.Fprintf(&b, "- {id: %s, name: Printer %d, url: \"%s\", api_key: %s}\n", p.id, i+1, p.url, apiKey)
	}
	return []byte(b.String())
}

// floor is the program to hold the bridge against.
func floor(name string, arguments ...string) subject {
	return subject{name: name, raw: true, command: func(folder, broker string, f *farm) ([]string, error) {
		return ourselves(folder, f, append([]string{"floor", "--broker", broker}, arguments...)...)
	}}
}

// decodingFloor is the floor that also looks at what it publishes.
func decodingFloor() subject {
	s := floor("decoding floor", "--decode")
	s.loadOnly = true
	return s
}

// ourselves returns a command of this program that takes a list of printers.
func ourselves(folder string, f *farm, arguments ...string) ([]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var list []printerAddress
	for _, p := range f.printers {
		list = append(list, printerAddress{ID: p.id, URL: p.url, Key: apiKey})
	}
	text, err := json.Marshal(list)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(folder, "printers.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return nil, err
	}
	return append(append([]string{self}, arguments...), "--printers", file), nil
}

// build builds the bridge into a folder and returns its path.
func build(ctx context.Context, folder string) (string, error) {
	program := filepath.Join(folder, "octoprint2mqtt")
	output, err := exec.CommandContext(ctx, "go", "build", "-o", program, "octoprint2mqtt/cmd/octoprint2mqtt").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build the bridge: %w\n%s", err, output)
	}
	return program, nil
}
