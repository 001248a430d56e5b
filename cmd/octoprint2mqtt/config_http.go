package main

import (
	"errors"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"

	"octoprint2mqtt/integration"
)

// readHTTP reads the section http. Without it nothing is served.
func readHTTP(root *section) integration.HTTPConfig {
	var config integration.HTTPConfig
	root.section("http", func(s *section) {
		config.Listen = read(s, "listen", "", listenAddress)
		config.Username = read(s, "username", "", webUser)
		config.Password = s.secret("password", webPassword)
		config.Hosts = readList(s, "hosts", hostName)
		if len(s.entries) > 0 {
			s.require("listen", "where the page is served, like 127.0.0.1:8095")
			checkLogin(s, &config)
		}
	})
	return config
}

// checkLogin wants a whole login or none, and one wherever others reach the page.
func checkLogin(s *section, config *integration.HTTPConfig) {
	password := s.has("password") || s.has("password_file")
	switch {
	case password && !s.has("username"):
		s.src.report.mistake(s.place("username"), "is missing; the login has a user name and a password")
	case s.has("username") && !password:
		s.src.report.mistake(s.place("password"), "is missing; the login has a user name and a password")
	case !password && config.Listen != "" && !config.Loopback():
		s.src.report.mistake(s.place("listen"), "lets other machines reach the page, which has no login; set username and password beside it, or listen on 127.0.0.1")
	}
}

// listenAddress accepts a host and a port of this machine.
func listenAddress(text string) (string, error) {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return "", errors.New("is not an address to listen on; write it like 127.0.0.1:8095")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", errors.New("has a port that is not from 1 to 65535")
	}
	if host != "" && net.ParseIP(host) == nil && !hostForm.MatchString(host) {
		return "", errors.New("has a host that can't be one; write it like 127.0.0.1:8095")
	}
	return strings.ToLower(text), nil
}

// webUser accepts what HTTP's login takes for a user name.
func webUser(text string) (string, error) {
	if strings.Contains(text, ":") {
		return "", errors.New("contains a colon, which a user name can't here; remove it")
	}
	return plainText(255)(text)
}

// webPassword accepts one line.
func webPassword(text string) (string, error) {
	if text == "" {
		return "", errors.New("is empty; write the password or remove the line")
	}
	return plainText(1000)(text)
}

var hostForm = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9.-]{0,251}[a-zA-Z0-9])?$`)

// hostName accepts a name as it stands in the address of a page.
func hostName(text string) (string, error) {
	if !hostForm.MatchString(text) {
		return "", errors.New("is not the name of a host; write it without http:// and port, like farm.example.org")
	}
	return strings.ToLower(text), nil
}

// ownNames are the names that this machine has by itself, in the network and by
// mDNS. Nobody else can have them lead elsewhere.
func ownNames() []string {
	name, err := os.Hostname()
	if err != nil {
		return nil
	}
	name = strings.ToLower(name)
	short, _, _ := strings.Cut(name, ".")
	return []string{name, short, short + ".local"}
}
