// Package browser tests the status page in Chromium: texts, keyboard, narrow windows, dark mode, and a server that restarts.
// The tests are skipped where Chromium is not installed.
//
// go test ./internal/e2e/browser -shots FOLDER saves a screenshot of every state; status-page.png is the one in
// docs.
package browser
