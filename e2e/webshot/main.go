// Command webshot takes pictures of the bridge's web page.
//
//	go run ./e2e/webshot -url http://127.0.0.1:8095/ -out docs/web.png [-width W] [-height H] [-phone] [-dark] [-script JAVASCRIPT]
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"octoprint2mqtt/e2e/chromium"
)

type shot struct {
	url, out, script string
	width, height    int
	phone, dark      bool
}

func main() {
	var s shot
	flag.StringVar(&s.url, "url", "http://127.0.0.1:8095/", "the page")
	flag.StringVar(&s.out, "out", "web.png", "the picture")
	flag.StringVar(&s.script, "script", "", "what to do on the page first")
	flag.IntVar(&s.width, "width", 1280, "of the screen")
	flag.IntVar(&s.height, "height", 800, "of the screen")
	flag.BoolVar(&s.phone, "phone", false, "the screen is a phone's")
	flag.BoolVar(&s.dark, "dark", false, "in dark colours")
	flag.Parse()
	if err := s.take(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "webshot:", err)
		os.Exit(1)
	}
}

func (s shot) take(ctx context.Context) error {
	browser, err := chromium.Start(ctx)
	if err != nil {
		return err
	}
	defer browser.Close()
	scheme := "light"
	if s.dark {
		scheme = "dark"
	}
	if err := browser.Screen(s.width, s.height, s.phone, scheme); err != nil {
		return err
	}
	if err := browser.Open(s.url); err != nil {
		return err
	}
	if err := browser.Wait("document.querySelector('.card')"); err != nil {
		return err
	}
	if s.script != "" {
		if err := browser.Eval(s.script, nil); err != nil {
			return err
		}
	}
	<-time.After(time.Second) // transitions
	picture, err := browser.Picture()
	if err != nil {
		return err
	}
	for _, c := range browser.Complaints() {
		fmt.Fprintln(os.Stderr, "complaint:", c)
	}
	return os.WriteFile(s.out, picture, 0o644)
}
