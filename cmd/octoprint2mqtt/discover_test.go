package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"octoprint2mqtt/octoprint/octoprinttest"
)

// announcing answers searches as the discovery plugin of some servers does, which are
// on ports of this machine.
func announcing(t *testing.T, ports ...string) string {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		buffer := make([]byte, 2000)
		for {
			_, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			for _, port := range ports {
				_, _ = fmt.Fprintf(writerTo{conn, from}, "HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nUSN: uuid:%s::upnp:rootdevice\r\nLocation: http://127.0.0.1:%s/plugin/discovery/discovery.xml\r\n\r\n", port, port)
			}
		}
	})
	t.Cleanup(func() { conn.Close(); serving.Wait() })
	return conn.LocalAddr().String()
}

type writerTo struct {
	net.PacketConn
	to net.Addr
}

func (w writerTo) Write(p []byte) (int, error) { return w.WriteTo(p, w.to) }

func portOf(address string) string {
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(address, "http://"))
	return port
}

// TestDiscover: what is there, what is configured, and how to get the rest in.
func TestDiscover(t *testing.T) {
	t.Parallel()
	_, left := simulated(t, octoprinttest.Options{Version: "1.10.3"}, false)
	sim, right := simulated(t, octoprinttest.Options{Name: "Right one"}, false)
	broken, middle := simulated(t, octoprinttest.Options{}, false)
	broken.SetProxyPage(404, "<html>")
	ssdp := announcing(t, portOf(left.URL), portOf(right.URL), portOf(middle.URL))
	file := folder(t, map[string]string{
		// The same server under another name.
		"config.yaml": "mqtt: {url: 'mqtt://x'}\nprinters:\n- id: left\n  url: http://localhost:" + portOf(left.URL) + "\n  api_key: A\n",
	})
	args := []string{"discover", "--mdns", "-", "--ssdp", ssdp, "--wait", "200ms"}

	code, out, errors := answered(t, "", append(args, "--config", file)...)
	for _, want := range []string{
		left.URL + "           OctoPrint 1.10.3, configured as left\n",
		right.URL + "           OctoPrint 1.11.8, not configured\n",
		middle.URL + "           OctoPrint, which can't be used from here: What answers at " + middle.URL + " is not OctoPrint (there is none of its pages, and no push socket): check host, port and path of the URL\n",
	} {
		if !strings.Contains(strings.Join(strings.Fields(out), " "), strings.Join(strings.Fields(want), " ")) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
	if code != exitOK || errors != "" || strings.Count(out, "\n") != 3 {
		t.Errorf("exit code %d: %s\n%s", code, errors, out)
	}

	if code, out, _ := answered(t, "", args...); code != exitOK || strings.Contains(out, "configured") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	if code, _, errors := answered(t, "", append(args, "--add")...); code != exitUsage || !strings.Contains(errors, "--add needs --config") {
		t.Errorf("exit code %d: %s", code, errors)
	}

	clicking(t, sim, true)
	code, out, errors = answered(t, "y\n\n\n", append(args, "--add", "--config", file)...)
	if code != exitOK || errors != "" || !strings.Contains(out, "Add "+right.URL+"? [y/N]: ") || strings.Contains(out, "Add "+left.URL) {
		t.Fatalf("exit code %d: %s\n%s", code, errors, out)
	}
	if text := readText(t, file); !strings.Contains(text, "\n- id: right-one\n  name: Right one\n  url: "+right.URL+"\n") {
		t.Errorf("%s", text)
	}
}

// TestDiscoverNobody: there may be servers all the same.
func TestDiscoverNobody(t *testing.T) {
	t.Parallel()
	code, out, errors := answered(t, "", "discover", "--mdns", "-", "--ssdp", announcing(t), "--wait", "50ms")
	if code != exitOK || out != nobodyAnswered+"\n" || errors != "" {
		t.Errorf("exit code %d: %s%s", code, out, errors)
	}
}

// TestDiscoverInterrupted: what has not been heard by then isn't taken for all there is.
func TestDiscoverInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	log := newOutput("")
	code := run(ctx, []string{"discover", "--mdns", "-", "--ssdp", announcing(t)}, surroundings{stdout: io.Discard, stderr: log, lookup: environment})
	if code != exitFailed || log.String() != "octoprint2mqtt: interrupted before all could have answered\n" {
		t.Errorf("exit code %d: %s", code, log)
	}
}
