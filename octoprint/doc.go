// Package octoprint is a client for OctoPrint servers of the versions 1.5 to
// 2.0: commands over REST, and a push session that keeps a merged picture of
// the printer.
//
// # A session
//
// [Client.Serve] runs one session from beginning to end:
//
//  1. It asks who the API key belongs to and what that user may do. A server
//     answers a rejected key with 200, 400 or 403 depending on its version, so
//     an answer alone proves nothing; see [Client.Identify].
//  2. It logs in with the key, passively, for the session id that the push
//     socket wants. Ids die with the server and after a while, so every session
//     makes a new one.
//  3. It opens the push socket and sends subscribe before auth, so that the
//     first history comes once and without terminal lines.
//  4. It merges what arrives into a [State] and calls the [Handler].
//
// [Client.Open] is the first three of these, and [Session.Serve] the last.
//
// A session that fails is over: Serve returns why, and the caller decides when
// to try again. The client itself never retries anything, keeps no cookies and
// follows no redirects.
//
// # Truth
//
// The server samples its state for the push socket, so short states are often
// missing from it; events are not sampled. State therefore takes transitions
// from events and values from the samples. What OctoPrint nulls when a printer
// disconnects is null in State too; who wants to remember it does so himself.
//
// # Errors
//
// Every error of this package that concerns the server is an [*Error], which
// says what was asked and matches one [Failure] with errors.Is. No error holds
// an API key, a session id or a connector's parameters.
//
// # Concurrency
//
// A Client may be used from many goroutines. Serve calls its Handler from its
// own goroutines, one call at a time, and waits for them before it returns.
//
// The protocol is described in OctoPrint's documentation under "REST API" and
// "Push updates".
package octoprint
