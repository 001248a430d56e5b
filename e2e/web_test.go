//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"octoprint2mqtt/e2e/chromium"
)

// shownPage is the web page of a running program in a browser.
type shownPage struct {
	t *testing.T
	*chromium.Browser
}

// showPage opens the page at an address when it has some cards.
func showPage(t *testing.T, p *process, address string, cards int) *shownPage {
	t.Helper()
	waitPort(t, p, address)
	browser, err := chromium.Start(t.Context())
	must(t, err)
	t.Cleanup(browser.Close)
	page := &shownPage{t, browser}
	must(t, page.Screen(1280, 800, false, "light"))
	must(t, page.Open("http://"+address+"/"))
	page.wait(fmt.Sprintf("document.querySelectorAll('.card').length === %d", cards))
	return page
}

func (p *shownPage) wait(script string) {
	p.t.Helper()
	must(p.t, p.Wait(script))
}

// value evaluates JavaScript.
func value[T any](p *shownPage, script string) T {
	p.t.Helper()
	var v T
	must(p.t, p.Eval(script, &v))
	return v
}

// card is JavaScript for a part of a printer's card.
func card(printer, part string) string {
	return fmt.Sprintf("document.querySelector('[data-printer=%s] .%s')", printer, part)
}

// visible are the printers whose cards are shown.
func (p *shownPage) visible() string {
	p.t.Helper()
	return value[string](p, "[...document.querySelectorAll('.card:not([hidden])')].map((c) => c.dataset.printer).join(' ')")
}

// TestPageInABrowser: the page of the demo, as people see it.
func TestPageInABrowser(t *testing.T) {
	port := mustServers(t).SparePort + 4
	broker, address := "127.0.0.1:"+strconv.Itoa(port), "127.0.0.1:"+strconv.Itoa(port+1)
	demo := startProgram(t, "demo", "--mqtt", broker, "--http", address)
	page := showPage(t, demo, address, 5)

	page.wait(card("left", "state") + ".textContent === 'Printing' && " + card("voron", "state") + ".textContent === 'Error' && " + card("mini", "state") + ".textContent === 'Offline'")
	page.wait(card("voron", "attention") + ".textContent.startsWith('Heating failed')")
	page.wait("/^\\d+\\.\\d %$/.test(" + card("left", "percent") + ".textContent)")
	page.wait("/^Nozzle\\d+\\.\\d( → \\d+)? °C/.test(" + card("left", "heaters") + ".textContent)")
	page.wait("document.querySelector('#link').textContent === 'Live'")

	t.Run("live", func(t *testing.T) {
		watchWith(t, "127.0.0.1", port, "-V", "311").publish(t, baseTopic+"/left/request/pause", "{}")
		must(t, page.Wait(card("left", "state")+".textContent === 'Paused'"))
		must(t, page.Wait("document.querySelector('#happenings li').textContent.includes('Prusa left') && document.querySelector('#happenings').textContent.includes('Print paused: bracket.gcode')"))
	})
	t.Run("filter", func(t *testing.T) {
		must(t, page.Eval("document.querySelector('[data-group=error]').click()", nil))
		if got := page.visible(); got != "voron" {
			t.Errorf("with errors: %s", got)
		}
		must(t, page.Eval("window.before = true; location.reload()", nil))
		must(t, page.Wait("!window.before && document.querySelectorAll('.card:not([hidden])').length === 1 && document.querySelector('[data-group=error]').getAttribute('aria-pressed') === 'true'"))
		must(t, page.Eval("document.querySelector('[data-group=\"\"]').click(); const s = document.querySelector('#search'); s.value = 'vase'; s.dispatchEvent(new Event('input'))", nil))
		if got := page.visible(); got != "right" {
			t.Errorf("with vase: %s", got)
		}
		must(t, page.Eval("const e = document.querySelector('#search'); e.value = ''; e.dispatchEvent(new Event('input'))", nil))
	})
	t.Run("phone", func(t *testing.T) {
		must(t, page.Screen(360, 740, true, "light"))
		must(t, page.Wait("innerWidth === 360"))
		if wide := value[int](page, "document.documentElement.scrollWidth"); wide > 360 {
			t.Errorf("the page is %d wide", wide)
		}
		must(t, page.Screen(1280, 800, false, "light"))
	})
	t.Run("light and dark", func(t *testing.T) {
		var shades []string
		for _, scheme := range []string{"light", "dark"} {
			must(t, page.Screen(1280, 800, false, scheme))
			shades = append(shades, value[string](page, "getComputedStyle(document.documentElement).backgroundColor"))
		}
		if !slices.Equal(shades, []string{"rgb(242, 244, 246)", "rgb(16, 20, 24)"}) {
			t.Errorf("the ground is %v", shades)
		}
	})
	t.Run("for everybody", func(t *testing.T) {
		for what, script := range map[string]string{
			"pictures without words":   "document.querySelectorAll('img:not([alt])').length",
			"buttons without words":    "[...document.querySelectorAll('button, a')].filter((e) => !e.textContent.trim()).length",
			"fields without a label":   "[...document.querySelectorAll('input')].filter((e) => !e.labels.length && !e.ariaLabel).length",
			"bars without a label":     "[...document.querySelectorAll('progress:not([hidden])')].filter((e) => e.checkVisibility() && !e.ariaLabel).length",
			"headings out of order":    "document.querySelectorAll('h1').length - 1",
			"forms for nobody's login": "[...document.querySelectorAll('#add, .enroll')].filter((e) => !e.hidden).length",
		} {
			if n := value[int](page, script); n != 0 {
				t.Errorf("%s: %d", what, n)
			}
		}
	})
	if c := page.Complaints(); len(c) > 0 {
		t.Errorf("the browser complains: %s", strings.Join(c, "\n"))
	}
	if code, _ := demo.stop(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
	page.wait("document.querySelector('#link').textContent.startsWith('Not connected') && document.body.className === 'stale'")
}

// TestPageTakesNamesForText: what a printer is called is never markup.
func TestPageTakesNamesForText(t *testing.T) {
	c, address := goodConfig(t), "127.0.0.1:"+strconv.Itoa(mustServers(t).SparePort+5)
	const name = `</script><img src=x onerror="document.title='taken'"><b>left`
	c.Printers[0].Name = name
	c.HTTP = map[string]any{"listen": address}
	bridge := startProgram(t, "run", "--config", c.write(t))
	page := showPage(t, bridge, address, 1)
	if got := value[string](page, card("left", "name")+".textContent"); got != name {
		t.Errorf("the name is shown as %q", got)
	}
	page.wait("document.querySelector('#happenings').textContent.includes('Connected to the MQTT broker')")
	if n := value[int](page, "document.querySelectorAll('.card b, .card script, [src=x]').length"); n != 0 || value[string](page, "document.title") == "taken" {
		t.Error("the name was taken for markup")
	}
	if code, _ := bridge.stop(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// TestPageAddsAPrinter: from an address to a connected printer in a browser, with the login, after a wrong address and a
// denied request that change nothing.
func TestPageAddsAPrinter(t *testing.T) {
	found := mustServers(t)
	o, address := newOctoPrint(found.OctoPrint[0]), "127.0.0.1:"+strconv.Itoa(found.SparePort+6)
	file := filepath.Join(t.TempDir(), "config.yaml")
	text := fmt.Sprintf("mqtt: {url: 'mqtt://%s:%d'}\nhttp: {listen: '%s', username: anna, password: secret} # the page\n", found.Broker.Host, found.Broker.Port, address)
	must(t, os.WriteFile(file, []byte(text), 0o600))
	bridge := startProgram(t, "run", "--config", file)
	page := showPage(t, bridge, address, 0)
	must(t, page.Login("anna", "secret"))
	must(t, page.Screen(360, 740, true, "light"))
	must(t, page.Open("http://"+address+"/login#add"))
	page.wait("document.querySelector('#setup').open && !document.querySelector('#new').hidden")
	if wide := value[int](page, "document.documentElement.scrollWidth"); wide > 360 {
		t.Errorf("the page is %d wide", wide)
	}

	page.fillIn("ftp://octopi.local", "By page")
	page.wait("document.querySelector('#outcome').textContent === 'Nothing was changed: this address must start with http:// or https://'")
	if now, err := os.ReadFile(file); err != nil || string(now) != text {
		t.Errorf("the configuration has changed: %v\n%s", err, now)
	}

	page.fillIn(found.OctoPrint[0].URL+"/?l=en#temp", "By page")
	for _, decision := range []struct {
		allow       bool
		where, says string
	}{{false, "#outcome", "denied"}, {true, "#happenings", "the user operator"}} {
		page.wait("!document.querySelector('#key').hidden && !document.querySelector('#ask').hidden")
		must(t, page.Eval("document.querySelector('#ask').click()", nil))
		page.wait("!document.querySelector('#click').hidden && document.querySelector('#app').textContent.startsWith('octoprint2mqtt on ')")
		o.decide(t, "operator", decision.allow)
		page.wait("document.querySelector('" + decision.where + "').textContent.includes('" + decision.says + "')")
	}
	page.wait(card("by-page", "state") + ".textContent === 'Idle'")
	page.wait("document.querySelector('#outcome').textContent === 'Connected to OctoPrint'")
	now, err := os.ReadFile(file)
	must(t, err)
	if want := text + "\nprinters:\n  - id: by-page\n    name: By page\n    url: " + found.OctoPrint[0].URL + "\n    api_key: !secret by-page\n"; string(now) != want {
		t.Errorf("the configuration is\n%s\nwant\n%s", now, want)
	}
	refused := func(complaint string) bool { return strings.Contains(complaint, "status of 422") } // the wrong address
	if c := page.Complaints(); len(c) != 1 || !refused(c[0]) {
		t.Errorf("the browser complains: %s", strings.Join(c, "\n"))
	}
	bridge.stop(t)
	if code, out := runProgram(t, "purge", "--config", file); code != 0 {
		t.Errorf("purge: exit code %d:\n%s", code, out)
	}
}

// fillIn sends the form that adds a printer.
func (p *shownPage) fillIn(address, name string) {
	p.t.Helper()
	must(p.t, p.Eval(fmt.Sprintf(`{
		const form = document.querySelector('#new');
		form.elements.url.value = %q;
		form.elements.name.value = %q;
		form.elements.name.dispatchEvent(new Event('input'));
		form.requestSubmit();
	}`, address, name), nil))
}
