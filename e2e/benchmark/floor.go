package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/gorilla/websocket"
)

// floorCommand is the program that the bridge is held against. It does what
// cannot be left out, with the same libraries in their plain way: it logs in as
// OctoPrint's documentation says, reads every message of the push socket, and
// publishes it as it is.
type floorCommand struct {
	Broker   string `arg:"required" help:"Where the broker listens."`
	Printers string `arg:"required" help:"A file of JSON that lists the printers."`
	Decode   bool   `help:"Decode each message before it is published."`
}

// printerAddress is one printer in the file that programs under test are given.
type printerAddress struct {
	ID, URL, Key string
}

func readAddresses(file string) ([]printerAddress, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var list []printerAddress
	return list, json.Unmarshal(text, &list)
}

// Run serves until ctx or the standard input ends.
func (f *floorCommand) Run(ctx context.Context) error {
	printers, err := readAddresses(f.Printers)
	if err != nil {
		return err
	}
	client := paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + f.Broker).SetClientID("floor"))
	token := client.Connect()
	token.Wait()
	if err := token.Error(); err != nil {
		return err
	}
	defer client.Disconnect(250)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var all sync.WaitGroup
	for _, p := range printers {
		all.Go(func() { f.follow(ctx, client, p) })
	}
	untilOrphaned(ctx, os.Stdin)
	cancel()
	all.Wait()
	return nil
}

// follow keeps a session with a printer until ctx ends.
func (f *floorCommand) follow(ctx context.Context, client paho.Client, p printerAddress) {
	for ctx.Err() == nil {
		if err := f.serve(ctx, client, p); err != nil && ctx.Err() == nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", p.ID, err)
		}
		_ = pause(ctx, time.Second) // the loop looks at ctx
	}
}

// serve is one session.
func (f *floorCommand) serve(ctx context.Context, client paho.Client, p printerAddress) error {
	auth, err := login(ctx, p)
	if err != nil {
		return err
	}
	conn, answer, err := websocket.DefaultDialer.DialContext(ctx, "ws"+strings.TrimPrefix(p.URL, "http")+"/sockjs/websocket", nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if err := conn.WriteJSON(map[string]string{"auth": auth}); err != nil {
		return err
	}
	var heard atomic.Bool
	pinging, stop := context.WithCancel(ctx)
	defer stop()
	go ping(pinging, conn, &heard)
	for {
		_, message, err := conn.ReadMessage()
		if err != nil {
			return err
		}
		heard.Store(true)
		if f.Decode {
			var w wanted
			if err := json.Unmarshal(message, &w); err != nil {
				return err
			}
		}
		client.Publish(baseTopic+"/"+p.ID, 1, true, message)
	}
}

// pingInterval is the bridge's.
const pingInterval = 7 * time.Second

// ping pings a server that is silent, as one is whose printer is off.
func ping(ctx context.Context, conn *websocket.Conn, heard *atomic.Bool) {
	ticker := time.NewTicker(pingInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		if !heard.Swap(false) && conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(time.Second)) != nil {
			return
		}
	}
}

// wanted is the least of a message that is worth decoding.
type wanted struct {
	Current *struct {
		State    struct{ Text string }
		Job      struct{ File struct{ Name *string } }
		Progress struct{ Completion, PrintTime, PrintTimeLeft *float64 }
		Temps    []struct {
			Tool0, Bed struct{ Actual, Target *float64 }
		}
	}
}

// login returns what the push socket wants to be told.
func login(ctx context.Context, p printerAddress) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL+"/api/login", bytes.NewReader([]byte(`{"passive":true}`)))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Api-Key", p.Key)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	var user struct{ Name, Session string }
	if err := json.NewDecoder(answer.Body).Decode(&user); err != nil {
		return "", err
	}
	if user.Session == "" {
		return "", errors.New("the login was refused")
	}
	return user.Name + ":" + user.Session, nil
}
