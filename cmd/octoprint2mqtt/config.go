package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"octoprint2mqtt/integration"
)

// Config is what one configuration file says: complete, checked, with every
// default filled in. Only Bridge.Version and the machine's own names in
// Bridge.HTTP.Hosts are left to the caller.
type Config struct {
	Bridge integration.Config
	Log    LogConfig

	// Warnings say what works but is unwise, such as secrets that everybody on
	// the machine may read: plain text in the order of the file, each with file
	// and line, never with a secret in it.
	Warnings []string

	// Files are what was read: the configuration file itself, secrets.yaml if it
	// was needed, and every file that a key names. They are known, as far as they
	// were come to, of a configuration with mistakes too.
	Files []string
}

// LogConfig tells what is logged and how; see newLogger.
type LogConfig struct {
	Level  string // one of logLevels
	Format string // one of logFormats
}

// ConfigError is everything that is wrong with a configuration file.
type ConfigError struct {
	// Mistakes are sentences like `config.yaml:12: printers[0].access: "admin"
	// is not an access level; use read, control or full`, in the order of lines.
	// None holds the value of a secret.
	Mistakes []string
}

// Error returns the mistakes, one per line.
func (e *ConfigError) Error() string { return strings.Join(e.Mistakes, "\n") }

// maxConfigBytes bounds the configuration file, secrets.yaml and certificates:
// a thousand printers with every key need about a third of it.
const maxConfigBytes = 1 << 20

// loadConfig reads and checks a configuration file and the files that it
// refers to. getenv looks up environment variables as os.LookupEnv does.
//
// All mistakes are reported at once: then the error is a *ConfigError. Any
// other error means that the file could not be read.
func loadConfig(path string, getenv func(string) (string, bool)) (Config, error) {
	text, err := readConfigFile(path)
	if err != nil {
		return Config{Files: []string{path}}, fmt.Errorf("read the configuration: %w", err)
	}
	return parseConfig(path, text, getenv)
}

// readConfigFile returns at most one byte more than a configuration may have.
func readConfigFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, maxConfigBytes+1))
}

// parseConfig is loadConfig for a file whose text has been read already. path
// names the file in messages and is where relative paths start.
func parseConfig(path string, text []byte, getenv func(string) (string, bool)) (Config, error) {
	return newSource(path, getenv).parse(text)
}

// parse reads the text of the configuration file.
func (s *source) parse(text []byte) (Config, error) {
	config := s.config(text)
	if mistakes := s.report.mistakes; len(mistakes) > 0 {
		return Config{Files: s.files}, &ConfigError{Mistakes: inOrder(s.path, mistakes)}
	}
	config.Files = s.files
	config.Warnings = inOrder(s.path, s.report.warnings)
	return config, nil
}

// config reads the document; what it returns counts only if nothing was
// reported.
func (s *source) config(text []byte) Config {
	document, ok := s.document(s.path, text)
	if !ok {
		return Config{}
	}
	s.plainYAML(s.path, document)
	var config Config
	newSection(s, place{file: s.path, line: 1}).read(document, func(root *section) {
		root.section("mqtt", func(mqtt *section) {
			config.Bridge.MQTT = readMQTT(mqtt)
			config.Bridge.Admin = read(mqtt, "admin", false, boolean)
		})
		config.Bridge.Printers = readPrinters(root)
		root.section("farm", func(farm *section) {
			config.Bridge.Farm.Name = read(farm, "name", "Print farm", plainText(100))
		})
		config.Bridge.HTTP = readHTTP(root)
		config.Bridge.StateDir = s.resolvePath(read(root, "state_dir", "./state", plainText(1000)))
		root.section("log", func(log *section) {
			config.Log.Level = read(log, "level", "info", oneOf("a log level", integration.LogLevels()...))
			config.Log.Format = read(log, "format", "auto", oneOf("a log format", logFormats...))
		})
	})
	return config
}
