package main

import (
	"context"
	_ "embed"
	"io"
)

// configSchema is made of what the reader knows and of what config.example.yaml says:
// go test ./cmd/octoprint2mqtt -run Schema -update
//
//go:embed config.schema.json
var configSchema string

type schemaCommand struct{}

// Run prints the JSON Schema of the configuration.
func (schemaCommand) Run(_ context.Context, env surroundings) error {
	_, err := io.WriteString(env.stdout, configSchema)
	return err
}
