package main

import (
	"strings"

	"octoprint2mqtt/integration"
)

// readMQTT reads the section mqtt.
func readMQTT(s *section) integration.MQTTConfig {
	config := integration.MQTTConfig{
		URL:             readURL(s, brokerAddress()),
		Username:        read(s, "username", "", plainText(1024)),
		Password:        s.secret("password", password),
		BaseTopic:       read(s, "base_topic", "octoprint2mqtt", topic),
		DiscoveryPrefix: read(s, "discovery_prefix", "homeassistant", topicOrNone),
		BirthTopic:      read(s, "birth_topic", "homeassistant/status", topicOrNone),
	}
	// The broker lets one client with an id in: so two bridges cannot work on
	// one base topic at the same time.
	config.ClientID = read(s, "client_id", config.BaseTopic, plainText(255))
	config.TLS = readClientCertificate(s, config.URL, readTLS(s, config.URL))

	if (s.has("password") || s.has("password_file")) && !s.has("username") {
		s.src.report.mistake(s.place("username"), "is missing; MQTT has no password without a user name")
	}
	if strings.HasPrefix(config.DiscoveryPrefix+"/", config.BaseTopic+"/") {
		key, text := "discovery_prefix", "lies inside base_topic"
		if !s.has(key) {
			key, text = "base_topic", "contains the discovery_prefix, which is "+config.DiscoveryPrefix
		}
		s.src.report.mistake(s.place(key), text+", so that their topics could be mixed up; change one of them")
	}
	return config
}
