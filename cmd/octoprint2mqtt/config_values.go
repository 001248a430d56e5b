package main

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"octoprint2mqtt/integration"
)

// The functions here turn the text of a value into what it stands for. Their
// errors go on where the value ends ("is not …") and never repeat any of it.

// boolean accepts true and false.
func boolean(text string) (bool, error) {
	if text != "true" && text != "false" {
		return false, errors.New("is neither true nor false")
	}
	return text == "true", nil
}

// plainText accepts one line of 1 to limit characters: a name, an area, a user.
func plainText(limit int) func(string) (string, error) {
	return func(text string) (string, error) {
		switch {
		case strings.TrimSpace(text) == "":
			return "", errors.New("is empty; write a text or remove the line")
		case strings.ContainsFunc(text, unicode.IsControl):
			return "", errors.New("contains a line break or another control character")
		case utf8.RuneCountInString(text) > limit:
			return "", fmt.Errorf("is longer than %d characters", limit)
		}
		return text, nil
	}
}

// oneOf accepts the values listed. what says what they are, such as "a log level".
func oneOf[T ~string](what string, valid ...T) func(string) (T, error) {
	return func(text string) (T, error) {
		var names []string
		for _, v := range valid {
			if text == string(v) {
				return v, nil
			}
			names = append(names, string(v))
		}
		last := len(names) - 1
		return "", fmt.Errorf("is not %s; use %s or %s", what, strings.Join(names[:last], ", "), names[last])
	}
}

// access accepts a level of access.
func access(text string) (integration.Access, error) {
	return oneOf("an access level", integration.AccessRead, integration.AccessControl, integration.AccessFull)(text)
}

// celsius accepts a temperature in °C from low to high.
func celsius(low, high float64) func(string) (float64, error) {
	return func(text string) (float64, error) {
		number, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(number) || number < low || number > high {
			return 0, fmt.Errorf("is not a temperature from %v to %v °C", low, high)
		}
		return number, nil
	}
}

// duration accepts a time from least to most, such as the example.
func duration(least, most time.Duration, example string) func(string) (time.Duration, error) {
	return func(text string) (time.Duration, error) {
		d, err := time.ParseDuration(text)
		if err != nil || d < least || d > most {
			return 0, fmt.Errorf("is not a time from %s to %s, such as %s", spoken(least), spoken(most), example)
		}
		return d, nil
	}
}

// spoken writes a time as short as it can be, such as 30m for 30m0s.
func spoken(d time.Duration) string {
	text := d.String()
	for _, nothing := range []struct{ after, is string }{{"m", "0s"}, {"h", "0m"}} {
		if strings.HasSuffix(text, nothing.after+nothing.is) {
			text = strings.TrimSuffix(text, nothing.is)
		}
	}
	return text
}

// armKey accepts the key of a row that can be made to need arming.
func armKey(text string) (string, error) {
	switch {
	case text == "emergency_stop":
		return "", errors.New("can't need arming: an emergency stop must be possible at any time")
	case integration.ArmKey(text):
		return text, nil
	}
	const wrong = "is not the key of a row that takes commands, such as cancel or tool0_setpoint"
	if meant := nearest(text, integration.ArmKeys()); meant != "" {
		return "", errors.New(wrong + "; did you mean " + meant + "?")
	}
	return "", errors.New(wrong + "; docs/entities.md lists them")
}

var gcodeWordForm = regexp.MustCompile(`^[GMT][0-9]{1,4}(\.[0-9]{1,2})?$`)

// gcodeWord accepts a word of G-code, and an exclamation mark behind it for one that
// may be sent while the printer prints, too.
func gcodeWord(text string) (integration.GcodeWord, error) {
	word, always := strings.CutSuffix(text, "!")
	if !gcodeWordForm.MatchString(word) {
		return integration.GcodeWord{}, errors.New("is not a word of G-code; write it like M117, or \"M117!\" to allow it while printing, too")
	}
	return integration.GcodeWord{Word: word, WhilePrinting: always}, nil
}

var printerIDForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// printerID accepts what can name a printer in topics and unique ids.
func printerID(text string) (string, error) {
	switch {
	case text == "bridge" || text == "farm":
		return "", errors.New("names something else in the topics; choose another id")
	case !printerIDForm.MatchString(text):
		return "", errors.New("is not an id; use 1 to 32 small letters, digits and dashes, the first no dash")
	}
	return text, nil
}

// maxTopicBytes bounds the configured part of topics, so that whole topics
// stay far below the 65,535 bytes of MQTT and fit the limits of brokers.
const maxTopicBytes = 128

// topic accepts what can be published to and have levels appended.
func topic(text string) (string, error) {
	switch {
	case text == "":
		return "", errors.New("is empty; write a topic or remove the line")
	case len(text) > maxTopicBytes:
		return "", fmt.Errorf("is longer than %d bytes", maxTopicBytes)
	case strings.ContainsAny(text, "+#"):
		return "", errors.New("is not a topic to publish to; remove + and #")
	case strings.HasPrefix(text, "/") || strings.HasSuffix(text, "/"):
		return "", errors.New("begins or ends with a slash; remove it")
	case strings.Contains(text, "//"):
		return "", errors.New("has an empty level; remove one of the two slashes")
	case strings.HasPrefix(text, "$"):
		return "", errors.New("belongs to the broker; start it with something else than $")
	case strings.ContainsFunc(text, unicode.IsControl):
		return "", errors.New("contains a line break or another control character")
	case strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Noncharacter_Code_Point, r) }):
		return "", errors.New("contains a character that stands for nothing, and that brokers refuse; remove it")
	}
	return text, nil
}

// topicLevel accepts a name that becomes one level of a topic.
func topicLevel(text string) (string, error) {
	if integration.ValidRawName(text) != nil {
		return "", errors.New("can't be a level of a topic; write the name as OctoPrint has it, without / + # and without $ in front")
	}
	return text, nil
}

// topicOrNone accepts a topic, and "" for none.
func topicOrNone(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	return topic(text)
}
