package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"octoprint2mqtt/integration"
)

// brokerLogin is what a new file needs beside printers.
type brokerLogin struct{ url, username, password string }

// errOtherBroker means that somebody wants to name another broker than the one that was
// tried.
var errOtherBroker = errors.New("the broker can't be used")

// askForBroker asks for what a file needs that isn't there yet, and tries it.
func (s *setup) askForBroker(ctx context.Context) error {
	if s.file.begun {
		if s.MQTT != "" {
			s.say("%s names its broker already: --mqtt is not used.", s.Config)
		}
		return nil
	}
	if s.MQTT == "" {
		s.say("%s isn't there yet, so it is made.", s.Config)
	}
	for {
		err := s.chooseBroker(ctx)
		if err == nil {
			err = s.tryBroker(ctx)
		}
		if !errors.Is(err, errOtherBroker) || s.MQTT != "" {
			return err
		}
	}
}

// chooseBroker takes the address and the login that were given, or asks for them.
func (s *setup) chooseBroker(ctx context.Context) error {
	given := s.MQTT
	if given == "" {
		answer, err := s.ask(ctx, "Address of the MQTT broker", "mqtt://homeassistant.local:1883")
		if err != nil {
			return nothingChanged(err)
		}
		given = answer
	}
	broker, err := parseBroker(given)
	switch {
	case err != nil && (s.MQTT != "" || s.yes):
		return usageError{fmt.Errorf("the address of the broker %w", err)}
	case err != nil:
		s.say("This address %v.", err)
		return errOtherBroker
	case broker.username == "" && s.MQTT == "" && !s.yes:
		if err := s.askForLogin(ctx, &broker); err != nil {
			return nothingChanged(err)
		}
	}
	s.broker = broker
	return nil
}

// parseBroker returns what somebody may have typed, with or without a login and mqtt://.
func parseBroker(text string) (brokerLogin, error) {
	if !strings.Contains(text, "://") {
		text = "mqtt://" + text
	}
	u, err := url.Parse(text)
	if err != nil {
		return brokerLogin{}, errors.New("cannot be understood; write it like mqtt://user:password@homeassistant.local")
	}
	var broker brokerLogin
	if u.User != nil {
		broker.username = u.User.Username()
		broker.password, _ = u.User.Password()
		u.User = nil
	}
	parsed, err := brokerAddress().parse(u.String())
	if err != nil {
		return brokerLogin{}, err
	}
	broker.url = parsed.String()
	return broker, nil
}

func (s *setup) askForLogin(ctx context.Context, broker *brokerLogin) (err error) {
	if broker.username, err = s.ask(ctx, "Its user name, if it needs one", ""); err != nil || broker.username == "" {
		return err
	}
	broker.password, err = s.ask(ctx, "The password (it is shown while you type, and goes to secrets.yaml)", "")
	return err
}

// tryBroker tries whether the bridge could work with the broker. Where it couldn't,
// somebody may know better: the broker may be off for now.
func (s *setup) tryBroker(ctx context.Context) error {
	config, err := s.file.beginning(s.broker)
	if err != nil {
		return err
	}
	wrong := 0
	for _, f := range integration.CheckBroker(ctx, config) {
		if f.Level == integration.LevelError || f.Level == integration.LevelWarning {
			s.sayFinding(f)
			wrong++
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if wrong == 0 {
		s.say("The MQTT broker at %s will do.", config.MQTT.URL.Host)
		return nil
	}
	agreed, err := s.confirm(ctx, "Use this broker all the same?")
	switch {
	case err != nil:
		return nothingChanged(err)
	case !agreed:
		return nothingChanged(errOtherBroker)
	}
	return nil
}

// beginning is the configuration that a file has before its first printer.
func (f *configFile) beginning(broker brokerLogin) (integration.Config, error) {
	src := newSource(f.path, f.getenv)
	store, err := openSecrets(src.secretsAt)
	if err != nil {
		return integration.Config{}, err
	}
	text := begin(broker, store)
	src.planned = map[string][]byte{store.path: store.change().after}
	config, err := src.parse([]byte(text))
	return config.Bridge, err
}
