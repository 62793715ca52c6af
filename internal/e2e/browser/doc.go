// Package browser opens the status page in a real Chromium, as the person on call does: it reads what stands there,
// presses Tab, narrows the window, switches to dark mode, restarts the server under it. Only tests live here; they skip,
// and say why, where no Chromium is installed.
//
// go test ./internal/e2e/browser -shots FOLDER leaves a picture of every state there.
package browser
